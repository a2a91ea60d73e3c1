async function login(name, password) {
  const body = JSON.stringify({ name, password });
  const headers = { "Content-Type": "application/json" };
  return (await fetch("/auth/session", { method: "POST", headers, body })).json();
}
