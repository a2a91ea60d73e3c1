/* The demo page: who is here, and what the connection hears. Tokens stay in memory. */
(function () {
  "use strict";

  const { at, element, ask, say, many } = self.tools;
  const { somebody, device, remembered } = self.identity;
  const { prefix } = document.body.dataset;
  const stack = new toastkit.Stack(document);
  let who = null; // whoever is here; nobody on the welcome page
  let client = null;

  const called = () => (who.anonymous ? "Anonymous" : who.name);
  const title = (unread) => (document.title = unread + called() + " · toastkit");
  const list = self.notifications({ at, element, title, client: () => client });
  const mine = self.account({ who: () => who, secret: self.publishing.secret, ask });
  const phone = self.phone({ who: () => who });

  // ---- coming, signing in, leaving

  async function enter(next) {
    who = next;
    remembered.set(who);
    list.forget();
    phone.forget();
    at("me").textContent = called();
    at("avatar").textContent = who.anonymous ? "?" : who.name.slice(0, 1).toUpperCase();
    at("who").className = who.anonymous ? "who anonymous" : "who";
    at("sign-out").textContent = who.anonymous ? "End session" : "Sign out";
    at("everywhere").hidden = who.anonymous;
    at("visitor").hidden = !who.anonymous;
    at("welcome").hidden = true;
    at("who").hidden = at("desk").hidden = false;
    at("desk").focus({ preventScroll: true }); // the form that had it is gone
    title("");
    if (!who.anonymous) self.publishing.address(who.name);
    connect();
    await Promise.all([mine.start(), phone.start()]);
  }

  async function stayAnonymous() {
    const visitor = somebody(null);
    try {
      await visitor.token();
    } catch (error) {
      return say("sign-in-problem", error.message);
    }
    await enter(visitor);
  }

  async function signIn(name, problem) {
    const next = somebody(name);
    try {
      await next.token();
    } catch (error) {
      return say(problem, error.message);
    }
    say(problem, "");
    const visitor = who;
    const before = { projects: visitor ? mine.ids() : [], toasts: visitor ? list.ids() : [] };
    const outcome = device.known() ? await rebind(next, visitor) : {};
    if (visitor) client.close();
    mine.cameAlong(before.projects);
    list.cameAlong(before.toasts);
    await enter(next);
    await list.refresh();
    if (visitor || outcome.failure || (outcome.answer && outcome.answer.rebound)) drawRebound(outcome, visitor && before);
  }

  /** After every sign-in: what this browser's visitor made becomes the user's. */
  async function rebind(next, visitor) {
    if (visitor) visitor.end("The visitor has signed in");
    const closing = line.closing();
    try {
      const answer = await next.ask("POST", "/auth/rebind", device.get());
      return { answer, closed: visitor && answer.rebound ? await closing : null };
    } catch (failure) {
      return { failure };
    }
  }

  function drawRebound({ answer, failure, closed }, before) {
    const [headline, text] = failure ? notRebound(failure) : rebound(answer, closed, before);
    at("rebound-title").textContent = headline;
    at("rebound-text").textContent = device.hidden(text);
    at("rebound-answer").textContent = device.hidden(JSON.stringify(answer || failure.answer || {}, null, 2));
    at("rebound").className = "card rebound" + (failure ? " bad" : "");
    at("new-device").hidden = !failure || failure.status !== 409;
    at("rebound").hidden = false;
    at("rebound-title").focus();
  }

  function rebound(answer, closed, before) {
    if (!answer.rebound) return ["Nothing to bring along", "All that was made here anonymously is " + who.name + "'s already."];
    const found = before && [many(both(before.projects, mine.ids()), "project"), many(both(before.toasts, list.ids()), "toast")];
    const told = [
      found ? found.join(" and ") + " are " + who.name + "'s now: " : "",
      "POST /auth/rebind moved " + many(answer.rows_updated, "row") + " in one transaction",
      closed ? "; " + closed.ms + " ms after the call the server had closed the anonymous socket with " + closed.code : "",
    ];
    return ["What you made came along", told.join("") + "."];
  }

  const notRebound = (failure) => [
    failure.status === 409 ? "What was made here anonymously is somebody else's" : "What you made could not be brought along",
    failure.message + ". Nothing was moved.",
  ];

  const both = (some, others) => some.filter((id) => others.includes(id)).length;

  async function signOut(path) {
    const closing = line.closing();
    let told;
    try {
      await who.ask("DELETE", path);
      const closed = await closing;
      told = closed
        ? "The session is revoked, and " + closed.ms + " ms after the call the server had closed the socket with " + closed.code
        : "The session is revoked; there was no socket to close";
    } catch (error) {
      told = error.message + ": the session ends by itself, within half an hour";
    }
    who.end("Signed out");
    client.close();
    leave(told);
  }

  /** Show how it ended, with what there was to see; the start is one button away. */
  function leave(told) {
    remembered.set(null);
    phone.forget();
    clearInterval(countdown);
    who = { ...who, gone: true };
    at("lamp").className = "lamp stopped";
    at("state").textContent = "Signed out";
    at("why").textContent = told;
    for (const id of ["left", "right", "visitor", "rebound"]) at(id).inert = true;
    for (const id of ["controls-of-line", "again", "who"]) at(id).hidden = true;
    at("home").hidden = false;
    at("home").focus();
  }

  // ---- the live half

  function connect() {
    client = toastkit.connect({
      base: prefix,
      stack,
      token: who.token,
      topics: who.anonymous ? undefined : ["user:" + who.name, "user:" + who.name + ":*"],
      onToast: (toast, frame) => {
        if (frame.replayed) list.replayed(toast.id);
        fetchList();
        fetchPushes();
      },
      onControl: (control) => {
        note("controls", control.kind, control.params, "control");
        if (/^toasts?\./.test(control.kind)) fetchList();
        mine.hear(control.kind);
      },
      onGap: (reason) => {
        drawRecovery("Not recovered (" + reason.replace(/_/g, " ") + "): the list has it all");
        fetchList();
      },
      onState: drawState,
      onFrame: drawFrame,
      environment: { WebSocket: Line },
    });
    at("foreground").checked = true;
    at("again").hidden = true;
    isBack = false;
  }

  const NAMES = { connecting: "Connecting", connected: "Connected", waiting: "Not connected", stopped: "Stopped" };
  let countdown;
  let isBack; // not the first greeting

  function drawState(status) {
    if (who.gone) return;
    clearInterval(countdown);
    at("lamp").className = "lamp " + status.state;
    at("state").textContent = NAMES[status.state];
    at("again").hidden = status.state !== "stopped";
    at("why").textContent =
      status.state === "connected" ? "session " + status.sessionId.slice(0, 8) : status.reason || "";
    if (status.state === "stopped") who.lost(); // most likely revoked elsewhere: ask for a fresh one
    if (status.state === "waiting") countDown(status);
    if (status.state === "connected" && !at("state").dataset.known) greeted(status.topics[0]);
    at("state").dataset.known = status.state === "connected" ? "yes" : "";
    at("foreground-text").textContent = status.foreground ? "In front of the page" : "In the background";
    at("background").hidden = status.foreground;
    phone.present(status.state === "connected" && status.foreground);
    at("topics").replaceChildren("Hears ", ...heard(status).map((topic) => element("code", topic)));
  }

  function greeted(topic) {
    fetchList();
    fetchPushes();
    if (isBack) mine.start(); // controls are not stored: whatever they tell of may have changed
    isBack = true;
    if (who.anonymous && topic) self.publishing.address(topic.replace(/^user:/, ""));
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
    if (frame.recovered) drawRecovery("Recovered: " + (frame.replayed ? many(frame.replayed, "toast") + " replayed" : "nothing was missed"));
  }

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
  const fetchPushes = later(() => phone.refresh(), 300);

  function later(then, wait) {
    let timer;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(then, wait);
    };
  }

  // ---- the line, which can be cut to see what recovery does

  const CUT_MS = 10000;
  const CLOSING_MS = 3000;
  const line = {
    cut: false,
    open: new Set(),
    hear: null,
    /** How an open socket was closed, and how long that took; null when it was not. */
    closing() {
      if (!line.open.size) return Promise.resolve(null);
      const since = performance.now();
      return new Promise((done) => {
        line.hear = ({ code }) => done({ code, ms: Math.round(performance.now() - since) });
        setTimeout(done, CLOSING_MS, null);
      });
    },
  };

  class Line extends WebSocket {
    constructor(url) {
      if (line.cut) throw new Error("cut off by hand");
      super(url);
      line.open.add(this);
      this.addEventListener("close", (event) => {
        line.open.delete(this);
        note("frames", "← close " + event.code, { reason: event.reason }, event.code === 1000 ? "" : "error");
        if (line.hear) line.hear(event);
      });
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

  // ---- what is pressed

  at("sign-in").addEventListener("submit", (event) => {
    event.preventDefault();
    signIn(at("name").value.trim(), "sign-in-problem");
  });
  at("names").addEventListener("click", (event) => {
    if (event.target.tagName === "BUTTON") signIn(event.target.textContent, "sign-in-problem");
  });
  at("visitor").addEventListener("submit", (event) => {
    event.preventDefault();
    signIn(at("visitor-name").value.trim(), "visitor-problem");
  });
  at("stay-anonymous").addEventListener("click", stayAnonymous);
  at("sign-out").addEventListener("click", () => signOut("/auth/session"));
  at("everywhere").addEventListener("click", () => signOut("/auth/sessions"));
  at("home").addEventListener("click", () => location.reload());
  at("rebound-close").addEventListener("click", () => (at("rebound").hidden = true));
  at("new-device").addEventListener("click", () => {
    device.forget();
    at("new-device").hidden = true;
    at("rebound-text").textContent = "Whoever stays anonymous here next is somebody new.";
  });
  at("again").addEventListener("click", connect);
  at("cut").addEventListener("click", cutLine);
  at("foreground").addEventListener("change", (event) => client.setForeground(event.target.checked ? null : false));

  self.publishing.afterwards(fetchPushes);
  at("name").select();
  if (remembered.isVisitor()) stayAnonymous();
  else if (remembered.get()) signIn(remembered.get(), "sign-in-problem");
})();
