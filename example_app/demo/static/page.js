/* The demo page. Data becomes text, never markup; tokens stay in memory. */
(function () {
  "use strict";

  const { prefix, secret } = document.body.dataset;
  const at = (id) => document.getElementById(id);
  const form = at("publish");
  const me = { name: "", session: null, client: null };
  const title = (unread) => (document.title = unread + me.name + " · toastkit");
  const list = notifications({ at, element, title, client: () => me.client });

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function reach(path, asked) {
    return fetch(path, asked).catch(() => {
      throw new Error("The server cannot be reached");
    });
  }

  async function call(method, path, { bearer, body } = {}) {
    const headers = { "Content-Type": "application/json" };
    if (bearer) headers.Authorization = "Bearer " + bearer;
    const asked = { method, headers, cache: "no-store", body: body && JSON.stringify(body) };
    const response = await reach(prefix + path, asked);
    const answer = await response.json().catch(() => ({}));
    return { ok: response.ok, status: response.status, answer };
  }

  // ---- who one is: the demo's identity provider gives a JWT, which buys a session token

  async function sessionToken() {
    if (me.session && performance.now() < me.session.until) return me.session.token;
    const response = await reach("/demo/sign-in", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: me.name }),
    });
    const signed = await response.json();
    if (!response.ok) throw new Error(signed.message || signed.detail);
    const { ok, answer } = await call("POST", "/auth/session", { bearer: signed.jwt });
    if (!ok) throw new Error(answer.message || answer.detail);
    me.session = { token: answer.token, until: performance.now() + (answer.expires_in - 300) * 1000 };
    return answer.token;
  }

  async function signIn(name) {
    me.name = name;
    try {
      await sessionToken();
    } catch (error) {
      at("sign-in-problem").textContent = error.message;
      at("sign-in-problem").hidden = false;
      return;
    }
    sessionStorage.setItem("name", name);
    at("me").textContent = name;
    at("avatar").textContent = name.slice(0, 1).toUpperCase();
    at("welcome").hidden = true;
    at("who").hidden = at("desk").hidden = false;
    title("");
    form.elements.user_id.value = name;
    form.elements.topic.value = "user:" + name;
    drawCurl();
    connect();
  }

  async function signOut() {
    me.client.close();
    sessionStorage.removeItem("name");
    await call("DELETE", "/auth/session", { bearer: me.session.token }).catch(() => null); // it expires
    location.reload();
  }

  // ---- the live half

  function connect() {
    me.client = toastkit.connect({
      base: prefix,
      token: sessionToken,
      topics: ["user:" + me.name, "user:" + me.name + ":*"],
      onToast: (toast, frame) => {
        if (frame.replayed) list.replayed(toast.id);
        fetchList();
      },
      onControl: (control) => {
        note("controls", control.kind, control.params, "control");
        if (/^toasts?\./.test(control.kind)) fetchList();
      },
      onGap: (reason) => drawRecovery("Not recovered (" + reason.replace(/_/g, " ") + "): the list has it all"),
      onState: drawState,
      onFrame: drawFrame,
      environment: { WebSocket: Line },
    });
    at("foreground").checked = true;
    at("again").hidden = true;
  }

  const NAMES = { connecting: "Connecting", connected: "Connected", waiting: "Not connected", stopped: "Stopped" };
  let countdown;

  function drawState(status) {
    clearInterval(countdown);
    at("lamp").className = "lamp " + status.state;
    at("state").textContent = NAMES[status.state];
    at("again").hidden = status.state !== "stopped";
    at("why").textContent =
      status.state === "connected" ? "session " + status.sessionId.slice(0, 8) : status.reason || "";
    if (status.state === "waiting") countDown(status);
    if (status.state === "connected" && !at("state").dataset.known) fetchList();
    at("state").dataset.known = status.state === "connected" ? "yes" : "";
    at("foreground-text").textContent = status.foreground ? "In front of the page" : "In the background";
    at("background").hidden = status.foreground;
    at("topics").replaceChildren("Hears ", ...heard(status).map((topic) => element("code", topic)));
  }

  const heard = (status) => (status.state === "connected" ? status.topics : []);

  function countDown(status) {
    const until = performance.now() + status.retryIn;
    const tick = () => {
      const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
      at("why").textContent = status.reason + "; next try in " + left + " s";
    };
    tick();
    countdown = setInterval(tick, 500);
  }

  function drawFrame(frame, sent) {
    const { type, ...rest } = frame;
    const title = note("frames", (sent ? "→ " : "← ") + type, rest, sent ? "sent" : type);
    if (frame.replayed === true) title.append(element("em", "replayed", "tag"));
    if ("seq" in frame) at("position").textContent = "seq " + frame.seq + (frame.epoch ? " of " + frame.epoch : "");
    if (frame.recovered) drawRecovery("Recovered: " + (count(frame.replayed, "toast") || "nothing was missed"));
  }

  const count = (many, what) => many && many + " " + what + (many === 1 ? "" : "s") + " replayed";

  function note(list, title, data, className) {
    const line = element("li", undefined, ["sent", "control", "error"].find((name) => name === className) || "");
    const time = new Date().toLocaleTimeString([], { hour12: false });
    const head = element("b", title);
    line.append(element("time", time), head, element("span", Object.keys(data || {}).length ? JSON.stringify(data) : ""));
    at(list).prepend(line);
    while (at(list).childElementCount > 100) at(list).lastElementChild.remove();
    return head;
  }

  /** What comes together is fetched together. */
  const fetchList = later(() => list.refresh(), 300);

  function later(then, wait) {
    let timer;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(then, wait);
    };
  }

  // ---- the line, which can be cut to see what recovery does

  const CUT_MS = 10000;
  const line = { cut: false, open: new Set() };

  class Line extends WebSocket {
    constructor(url) {
      if (line.cut) throw new Error("cut off by hand");
      super(url);
      line.open.add(this);
      this.addEventListener("close", () => line.open.delete(this));
    }
  }

  function cutLine() {
    line.cut = at("cut").disabled = true;
    for (const socket of line.open) socket.close();
    drawRecovery("Cut off. Publish something now: it comes when the connection is back.");
    setTimeout(() => {
      line.cut = at("cut").disabled = false;
      dispatchEvent(new Event("online"));
    }, CUT_MS);
  }

  function drawRecovery(text) {
    at("recovery").textContent = text;
  }

  // ---- publishing

  function asked() {
    const value = (name) => form.elements[name].value;
    const toast = { title: value("title") };
    if (value("body")) toast.body = value("body");
    toast.style = form.elements.style.value;
    toast.priority = value("priority");
    if (value("deeplink")) toast.deeplink = value("deeplink");
    const body = { user_id: value("user_id"), topic: value("topic"), toast };
    for (const name of ["dedupe_key", "collapse_key"]) if (value(name)) body[name] = value(name);
    if (value("ttl_ms")) body.ttl_ms = /^\d+$/.test(value("ttl_ms")) ? Number(value("ttl_ms")) : value("ttl_ms");
    if (!form.elements.fallback_apns.checked) body.fallback_apns = false;
    return body;
  }

  const quoted = (text) => "'" + text.replace(/'/g, "'\\''") + "'";

  function drawCurl() {
    at("curl").textContent = [
      "curl -X POST " + location.origin + prefix + "/v1/toasts/publish",
      "-H " + quoted("Authorization: Bearer " + form.elements.secret.value),
      "-H 'Content-Type: application/json'",
      "-d " + quoted(JSON.stringify(asked(), null, 2)),
    ].join(" \\\n  ");
  }

  async function publish() {
    const button = form.querySelector(".primary");
    button.disabled = true;
    const bearer = form.elements.secret.value;
    try {
      const { ok, answer } = await call("POST", "/v1/toasts/publish", { bearer, body: asked() });
      drawReceipt(ok, answer);
    } catch (error) {
      drawReceipt(false, { message: error.message });
    } finally {
      button.disabled = false;
    }
  }

  function drawReceipt(ok, answer) {
    const [text, tone] = ok ? verdict(answer) : [answer.message || answer.detail || "Refused", "bad"];
    at("verdict").textContent = text;
    at("verdict").className = "verdict " + tone;
    at("receipt").textContent = JSON.stringify(answer, null, 2);
    at("receipt").hidden = false;
  }

  function verdict(receipt) {
    const count = receipt.session_count;
    if (receipt.delivered) return ["Shown in " + count + (count === 1 ? " place" : " places"), "good"];
    if (receipt.status === "duplicate") return ["A duplicate: dropped", "mild"];
    const reason = receipt.reason ? ": " + receipt.reason.replace(/_/g, " ") : "";
    return [receipt.status.replace(/^./, (first) => first.toUpperCase()) + reason, "mild"];
  }

  // ---- what is pressed

  at("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    signIn(at("name").value.trim());
  });
  at("names").addEventListener("click", (event) => {
    if (event.target.tagName === "BUTTON") signIn(event.target.textContent);
  });
  at("sign-out").addEventListener("click", signOut);
  at("again").addEventListener("click", connect);
  at("cut").addEventListener("click", cutLine);
  at("foreground").addEventListener("change", (event) => me.client.setForeground(event.target.checked ? null : false));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    publish();
  });
  form.addEventListener("input", (event) => {
    // The topic follows the receiver until somebody writes another one.
    const { user_id: to, topic } = form.elements;
    if (event.target === topic) topic.dataset.own = "yes";
    if (event.target === to && !topic.dataset.own) topic.value = "user:" + to.value;
    drawCurl();
  });
  at("copy").addEventListener("click", async () => {
    const copied = navigator.clipboard.writeText(at("curl").textContent);
    at("copy").textContent = await copied.then(() => "Copied", () => "Not allowed");
    setTimeout(() => (at("copy").textContent = "Copy"), 1500);
  });
  for (const button of document.querySelectorAll("[data-control]")) {
    button.addEventListener("click", () => {
      const kind = button.dataset.control;
      const body = { kind, user_id: kind.startsWith("usage") ? me.name : null };
      const asked = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
      reach("/demo/control", asked).catch((error) => note("controls", kind, { problem: error.message }, "error"));
    });
  }

  form.elements.secret.value = secret;
  at("name").select();
  const known = sessionStorage.getItem("name");
  if (known) signIn(known);
})();
