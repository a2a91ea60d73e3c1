/* The form that publishes a toast, and the same with curl. */
(function () {
  "use strict";

  const { at, call } = self.tools;
  const { prefix, secret } = document.body.dataset;
  const form = at("publish");
  let published = () => {};

  function asked() {
    const value = (name) => form.elements[name].value;
    const toast = { title: value("title") };
    if (value("body")) toast.body = value("body");
    toast.style = form.elements.style.value;
    toast.priority = value("priority");
    if (value("deeplink")) toast.deeplink = value("deeplink");
    const body = { user_id: value("user_id"), topic: value("topic"), toast };
    for (const name of ["dedupe_key", "collapse_key"]) if (value(name)) body[name] = value(name);
    if (value("ttl_ms")) body.ttl_ms = /^-?\d+$/.test(value("ttl_ms")) ? Number(value("ttl_ms")) : value("ttl_ms");
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
      published();
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
    at("receipt").hidden = !answer.id && !answer.detail; // nobody answered
  }

  function verdict(receipt) {
    const count = receipt.session_count;
    if (receipt.transport === "apns") return [receipt.delivered ? "Pushed to a phone" : "On its way to a phone", "good"];
    if (receipt.delivered) return ["Shown in " + count + (count === 1 ? " place" : " places"), "good"];
    if (receipt.status === "duplicate") return ["A duplicate: dropped", "mild"];
    const reason = receipt.reason ? ": " + receipt.reason.replace(/_/g, " ") : "";
    return [receipt.status.replace(/^./, (first) => first.toUpperCase()) + reason, "mild"];
  }

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

  form.elements.secret.value = secret;

  self.publishing = {
    secret: () => form.elements.secret.value,
    /** Have something done after each publish. */
    afterwards: (job) => (published = job),
    /** Publish to this user, until somebody else is named. */
    address(user) {
      form.elements.user_id.value = user;
      form.elements.topic.value = "user:" + user;
      at("grant").dataset.user = user;
      drawCurl();
    },
  };
})();
