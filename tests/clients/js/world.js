"use strict";
const toastkit = require("../../../toastkit_flask/static/toastkit.js");
// A world for toastkit.js: time that moves when told, sockets and a server that are played by hand.

class Socket {
  constructor(url, all) {
    Object.assign(this, { url, readyState: 1, sent: [], closed: null, name: "s-" + all.push(this) });
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close(code) {
    this.readyState = 3;
    this.closed = code;
  }
  hear(frame) {
    this.onmessage({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }
  greet(topics = ["user:ada"], more = {}) {
    this.hear({ type: "connection_ack", session_id: this.name, topics, ...more });
  }
  lose(code, reason = "") {
    this.readyState = 3;
    if (this.onclose) this.onclose({ code, reason });
  }
  expire() {
    this.hear({ type: "token_expiring", expires_at: "2026-01-01T00:00:00+00:00" });
  }
  refreshes() {
    return this.sent.filter((frame) => frame.type === "refresh").map((frame) => frame.token);
  }
  types() {
    return this.sent.map((frame) => frame.type);
  }
  acked() {
    return this.sent.filter((frame) => frame.type === "ack").map((frame) => frame.ids);
  }
  get since() {
    return new URL(this.url).searchParams.get("since");
  }
}

function listener(more) {
  const heard = new Map();
  return {
    addEventListener: (name, then) => heard.set(name, then),
    removeEventListener: (name) => heard.delete(name),
    tell: (name) => heard.has(name) && heard.get(name)({}),
    ...more,
  };
}

/** sessionStorage of one tab. */
function tab() {
  const kept = new Map();
  const read = (key) => (kept.has(key) ? kept.get(key) : null);
  return { kept, getItem: read, setItem: (key, text) => kept.set(key, String(text)) };
}

function world({ random = 0.5, life = 900, storage, who = "ada" } = {}) {
  const all = [];
  const timers = new Map();
  const state = { now: 1000, asked: [], answer: null, list: null, who, next: 1, delays: [] };
  const document = listener({ visibilityState: "visible" });
  const window = listener({});
  const isOpen = (topic) => !topic.startsWith("user:") || (topic + ":").startsWith("user:" + state.who + ":");
  const heard = (topics) => (topics.length ? topics.filter(isOpen) : ["user:" + state.who]);
  const granted = () => ({
    ok: true,
    status: 200,
    headers: new Map([["date", new Date(0).toUTCString()]]),
    json: async () => ({
      token: "t" + state.asked.length,
      ws_url: "ws://here/api/v1/realtime?token=t" + state.asked.length,
      expires_at: new Date(life * 1000).toISOString(),
      default_topics: heard(state.asked[state.asked.length - 1].body.default_topics),
    }),
  });
  const environment = {
    document,
    window,
    storage: () => storage,
    WebSocket: function (url) {
      return new Socket(url, all);
    },
    random: typeof random === "function" ? random : () => random,
    now: () => state.now,
    setTimeout: (then, wait) => {
      state.delays.push(wait);
      timers.set(state.next, { then, at: state.now + Math.max(0, wait | 0) }); // as browsers do: NaN is 0
      return state.next++;
    },
    clearTimeout: (id) => timers.delete(id),
    fetch: async (url, request) => {
      const body = request.body === undefined ? undefined : JSON.parse(request.body);
      state.asked.push({ url, ...request, body });
      if (state.list && !url.endsWith("/toast-bootstrap")) return state.list(url);
      return state.answer ? state.answer() : granted();
    },
  };
  const settle = () => new Promise((done) => setImmediate(done));
  const pass = async (wait) => {
    const until = state.now + wait;
    for (let turns = 0; ; turns++) {
      if (turns > 1000 + wait / 100) throw new Error("a storm: time stands still");
      const due = [...timers].filter(([, timer]) => timer.at <= until).sort((a, b) => a[1].at - b[1].at)[0];
      if (!due) break;
      timers.delete(due[0]);
      state.now = due[1].at;
      due[1].then();
      await settle();
    }
    state.now = until;
  };
  const refusal = (status, body, headers = []) => () => ({
    ok: false,
    status,
    headers: new Map(headers),
    json: async () => body,
  });
  return { environment, state, document, window, timers, settle, pass, refusal, sockets: () => all };
}

/** A page with a client that was greeted; `greeting` is what the first greeting says besides. */
async function connected(given = {}, { greeting, ...how } = {}) {
  const here = world(how);
  const heard = { toasts: [], controls: [], states: [], errors: [], gaps: [] };
  const client = toastkit.connect({
    base: "",
    render: false,
    onToast: (toast) => void heard.toasts.push(toast),
    onControl: (control) => heard.controls.push(control),
    onState: (status) => heard.states.push(status.state),
    onError: (frame) => heard.errors.push(frame),
    onGap: (reason) => heard.gaps.push(reason),
    environment: here.environment,
    ...given,
  });
  await here.settle();
  if (here.sockets().length) here.sockets()[0].greet(undefined, greeting);
  return { ...here, client, heard };
}

const toast = (id, more, frame) => ({
  type: "toast",
  topic: "user:ada",
  toast: { id, title: id, ...more },
  ...frame,
});
const last = (here) => here.sockets()[here.sockets().length - 1];

module.exports = { world, connected, tab, toast, last };
