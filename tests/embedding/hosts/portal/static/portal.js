document.addEventListener("DOMContentLoaded", () => {
  document.body.classList.add("ready");
  if (window.toastkit) toastkit.connect(); // toastkit
});
