/* What every script of the demo page uses. Data becomes text, never markup. */
(function () {
  "use strict";

  const { prefix } = document.body.dataset;
  const at = (id) => document.getElementById(id);

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  /** Ask the service; `bare` asks the demo's identity provider, which knows no prefix. */
  async function call(method, path, { bearer, body, bare } = {}) {
    const headers = { "Content-Type": "application/json" };
    if (bearer) headers.Authorization = "Bearer " + bearer;
    const asked = { method, headers, cache: "no-store", body: body && JSON.stringify(body) };
    const response = await fetch((bare ? "" : prefix) + path, asked).catch(() => {
      throw new Error("The server cannot be reached");
    });
    const answer = await response.json().catch(() => ({}));
    return { ok: response.ok, status: response.status, answer };
  }

  /** The answer, or an Error that says why there is none. */
  async function ask(method, path, given) {
    const { ok, status, answer } = await call(method, path, given);
    if (ok) return answer;
    throw Object.assign(new Error(answer.message || answer.detail || "HTTP " + status), { status, answer });
  }

  /** Show what went wrong, or nothing. */
  function say(id, text) {
    at(id).textContent = text || "";
    at(id).hidden = !text;
  }

  const many = (count, what) => count + " " + what + (count === 1 ? "" : "s");

  /** Browsers may forbid to keep anything; then it lasts as long as the page. */
  function kept(storage) {
    const here = new Map();
    const attempt = (job) => {
      try {
        return job(self[storage]);
      } catch (error) {
        return null;
      }
    };
    return {
      get: (key) => (here.has(key) ? here.get(key) : attempt((place) => place.getItem(key))),
      set: (key, text) => (here.set(key, text), attempt((place) => place.setItem(key, text))),
      drop: (key) => (here.set(key, null), attempt((place) => place.removeItem(key))),
    };
  }

  self.tools = { at, element, call, ask, say, many, kept };
})();
