"use strict";
// A world for toastkit.js: time that moves when told, sockets and a server that are played by hand.

class Socket {
  constructor(url) {
    Object.assign(this, { url, readyState: 1, sent: [], closed: null });
    Socket.all.push(this);
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
  greet(topics = ["user:ada"]) {
    this.hear({ type: "connection_ack", session_id: "s-" + Socket.all.length, topics });
  }
  lose(code, reason = "") {
    this.readyState = 3;
    if (this.onclose) this.onclose({ code, reason });
  }
  types() {
    return this.sent.map((frame) => frame.type);
  }
}
Socket.all = [];

function listener(more) {
  const heard = new Map();
  return {
    addEventListener: (name, then) => heard.set(name, then),
    removeEventListener: (name) => heard.delete(name),
    tell: (name) => heard.has(name) && heard.get(name)({}),
    ...more,
  };
}

function world({ random = 0.5, life = 900 } = {}) {
  Socket.all = [];
  const timers = new Map();
  const state = { now: 1000, asked: [], answer: null, next: 1, delays: [] };
  const document = listener({ visibilityState: "visible" });
  const window = listener({});
  const granted = () => ({
    ok: true,
    status: 200,
    headers: new Map([["date", new Date(0).toUTCString()]]),
    json: async () => ({
      ws_url: "ws://here/api/v1/realtime?token=t" + state.asked.length,
      expires_at: new Date(life * 1000).toISOString(),
    }),
  });
  const environment = {
    document,
    window,
    WebSocket: Socket,
    random: typeof random === "function" ? random : () => random,
    now: () => state.now,
    setTimeout: (then, wait) => {
      state.delays.push(wait);
      timers.set(state.next, { then, at: state.now + Math.max(0, wait | 0) }); // as browsers do: NaN is 0
      return state.next++;
    },
    clearTimeout: (id) => timers.delete(id),
    fetch: async (url, request) => {
      state.asked.push({ url, ...request, body: JSON.parse(request.body) });
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
  return { environment, state, document, window, timers, settle, pass, refusal, sockets: () => Socket.all };
}

module.exports = { world };
