/* How one push looks: on a lock screen, and as the request it is. Data becomes text, never markup. */
(function () {
  "use strict";

  const { element } = self.tools;

  const time = (text) => new Date(text).toLocaleTimeString([], { hour12: false });

  /** As the phone shows it to who does not unlock it. */
  function banner({ request, at }) {
    const { aps } = request.body;
    const alert = aps.alert || {};
    const level = aps["interruption-level"];
    const shown = element("li", undefined, level === "passive" ? "passive" : "");
    const app = element("p", undefined, "app");
    app.append(element("i", "t"), element("span", request.headers["apns-topic"].split(".").pop()));
    if (level === "time-sensitive") app.append(element("em", "Time sensitive"));
    app.append(element("time", time(at)));
    shown.append(app, element("b", alert.title));
    if (alert.body) shown.append(element("p", alert.body));
    return shown;
  }

  /** What a state means: in a word, its tone, and more. */
  function verdict(push, recorded) {
    const why = push.last_answer || "";
    switch (push.state) {
      case "sent":
        return recorded ? ["Would have been sent", "good", ""] : ["Sent", "good", why];
      case "waiting":
        if (!push.attempts) return ["Waits", "mild", ""];
        return why ? ["Tried again soon", "mild", why] : ["Being tried", "mild", ""];
      case "dropped":
        return ["Not wanted any more", "mild", why];
      case "expired":
        return ["Its time was over", "bad", why];
      default:
        return ["Refused", "bad", why];
    }
  }

  function headers({ headers }) {
    const table = element("dl", undefined, "headers");
    for (const [name, value] of Object.entries(headers)) table.append(element("dt", name), element("dd", value));
    return table;
  }

  /** The request, with what became of it; `open` shows all of it. */
  function row(push, { recorded, open }) {
    const [said, tone, why] = verdict(push, recorded);
    const made = element("details", undefined, "push");
    const head = element("summary");
    head.append(element("b", said, "verdict " + tone), element("time", time(push.at)), element("code", push.device_id));
    made.open = open === true;
    made.append(head);
    if (why) made.append(element("p", why, "hint"));
    if (push.attempts > 1) made.append(element("p", push.attempts + " attempts", "hint"));
    const { request } = push;
    if (request) made.append(element("code", request.method + " " + request.url, "line"), headers(request), body(request));
    return made;
  }

  const body = (request) => element("pre", JSON.stringify(request.body, null, 2), "json");

  self.push = { banner, row };
})();
