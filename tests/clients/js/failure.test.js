"use strict";
// Whatever fails, and however it fails: later each time, by chance, and never a storm.
const { test } = require("node:test");
const assert = require("node:assert/strict");
const toastkit = require("../../../toastkit_flask/static/toastkit.js");
const { world } = require("./world.js");

const FLOOR = 500;
const MOST = 30000;

const rejects = (error) => () => Promise.reject(error);
const throws = (error) => () => {
  throw error;
};
const answers = (body, { status = 200, headers = [], text } = {}) => () => ({
  ok: status < 400,
  status,
  headers: new Map(headers),
  json: async () => (text === undefined ? body : JSON.parse(text)),
});
const lives = (expires_at) => answers({ ws_url: "ws://here/?token=t", expires_at });
const closes = (code) => ({ play: (socket) => socket.lose(code) });
const greets = (code) => ({ play: (socket) => (socket.greet(), socket.lose(code)) });
const bad = new Proxy({}, { get: () => NaN });

/** name -> what goes wrong: an answer of the server, options, an environment, a socket's play. */
const FAILURES = {
  "fetch rejects": { answer: rejects(new TypeError("Failed to fetch")) },
  "fetch rejects with nothing": { answer: rejects(undefined) },
  "fetch rejects with null": { answer: rejects(null) },
  "fetch rejects with text": { answer: rejects("no") },
  "fetch rejects with a field of ours": { answer: rejects({ retryMs: "soon", message: 7 }) },
  "fetch rejects with NaN everywhere": { answer: rejects(bad) },
  "fetch throws": { environment: { fetch: throws(new TypeError("no")) } },
  "fetch is missing": { environment: { fetch: undefined } },
  "token throws": { options: { token: throws(new Error("no")) } },
  "token rejects": { options: { token: rejects(new TypeError("Failed to fetch")) } },
  "token rejects with nothing": { options: { token: rejects() } },
  "an answer that is not JSON": { answer: answers(null, { text: "<html>" }) },
  "an answer that is null": { answer: answers(null) },
  "an answer that is a number": { answer: answers(7) },
  "an answer without an address": { answer: answers({}) },
  "an address that is no text": { answer: answers({ ws_url: {} }) },
  "an answer without headers": { answer: () => ({ ok: true, json: async () => ({}) }) },
  "no answer at all": { answer: () => undefined },
  "an error that is not JSON": { answer: answers(null, { status: 502, text: "Bad gateway" }) },
  "an error that is null": { answer: answers(null, { status: 503 }) },
  "an error with nothing to read": { answer: () => ({ ok: false, status: 500 }) },
  "the constructor throws": { environment: { WebSocket: class { constructor() { throw new SyntaxError("no"); } } } },
  "there is no constructor": { environment: { WebSocket: undefined } },
  "the handlers of the host throw": {
    answer: rejects(new TypeError("Failed to fetch")),
    options: { onState: throws(new Error("host")), onToast: throws(new Error("host")) },
  },
  "a toast whose handler throws, then a loss": {
    options: { onToast: throws(new Error("host")), onFrame: throws(new Error("host")) },
    play: (socket) => {
      socket.greet();
      socket.hear({ type: "toast", toast: { id: "t", title: "t" } });
      socket.lose(1006);
    },
  },
  "a greeting with topics that are none": {
    play: (socket) => {
      socket.hear({ type: "connection_ack", session_id: "s", topics: 7 });
      socket.lose(1006);
    },
  },
  "a ticket for the year 9999": { answer: lives("9999-12-31T00:00:00Z"), play: (socket) => socket.greet() },
  "a ticket for a moment": { answer: lives(new Date(Date.now() + 1).toISOString()), play: (socket) => socket.greet() },
  "a ticket for a time that is none": { answer: lives("soon"), play: (socket) => socket.greet() },
  "a ticket of the past": { answer: lives("1970-01-01T00:00:00Z"), play: (socket) => socket.lose(4001) },
};
for (const status of [429, 500, 502, 503, 504, 599]) {
  FAILURES["HTTP " + status] = { answer: answers({ detail: "no" }, { status }) };
}
const NUMBERS = ["", "0", "-1", "-1e9", "0.001", "NaN", "Infinity", "1e309", "1e300", "4294967.296", "2147484"];
for (const said of [...NUMBERS, "soon", "Wed, 21 Oct 2015 07:28:00 GMT"]) {
  FAILURES["Retry-After: " + said] = { answer: answers({}, { status: 503, headers: [["retry-after", said]] }) };
}
for (const code of [undefined, NaN, 0, 1000, 1001, 1005, 1006, 1011, 1012, 1013, 1015, 3000, 4001, 4008]) {
  FAILURES["a close with " + code] = closes(code);
  FAILURES["a greeting and a close with " + code] = greets(code);
}

async function minutes(failure, random, count) {
  const here = world({ random });
  let dialled = 0;
  let fetched = 0;
  const given = { ...here.environment, ...failure.environment };
  if (failure.answer) here.state.answer = failure.answer;
  const asks = (then) => (...request) => (fetched++, then(...request));
  const environment = {
    ...given,
    WebSocket: function (url) {
      dialled++;
      const socket = new given.WebSocket(url);
      if (failure.play) setImmediate(() => failure.play(socket));
      return socket;
    },
    fetch: asks(given.fetch),
  };
  const options = { base: "", render: false, ...failure.options, environment };
  if (options.token) options.token = asks(options.token);
  const client = toastkit.connect(options);
  const perMinute = [];
  await here.settle();
  await here.settle();
  for (let minute = 0; minute < count; minute++) {
    const before = Math.max(dialled, fetched);
    for (let step = 0; step < 60; step++) {
      await here.pass(1000);
      await here.settle();
      assert.ok(Math.max(dialled, fetched) - before < 200, "a storm");
    }
    perMinute.push(Math.max(dialled, fetched) - before);
  }
  const status = client.status;
  client.close();
  assert.equal(here.timers.size, 0);
  return { delays: here.state.delays, perMinute, status, attempts: Math.max(dialled, fetched) };
}

for (const [name, failure] of Object.entries(FAILURES)) {
  test("no storm: " + name, async (t) => {
    t.mock.method(console, "error", () => {});
    for (const random of [0, 0.999, Math.random]) {
      const { delays, perMinute, status, attempts } = await minutes(failure, random, 5);
      for (const delay of delays) {
        assert.ok(Number.isFinite(delay) && delay >= FLOOR && delay < 2 ** 31, "a delay of " + delay);
      }
      // By chance alone (random = 0) every wait is the floor; in the mean it is half of thirty seconds.
      const bound = random === 0 ? 60000 / FLOOR : random === Math.random ? 30 : 12;
      for (const count of perMinute) assert.ok(count <= bound, count + " in a minute");
      assert.notEqual(status.state, "stopped");
      assert.ok(attempts >= 1);
    }
  });
}

test("a server that cannot be reached is asked again, later each time, until it answers", async () => {
  const here = world({ random: 0.999999999 });
  here.state.answer = rejects(new TypeError("Failed to fetch"));
  const waits = [];
  const client = toastkit.connect({
    base: "",
    render: false,
    onState: (status) => status.state === "waiting" && waits.push(Math.round(status.retryIn)),
    environment: here.environment,
  });
  await here.settle();
  await here.pass(100000);
  assert.deepEqual(waits.slice(0, 7), [1000, 2000, 4000, 8000, 16000, MOST, MOST]);
  assert.equal(client.status.reason, "Failed to fetch");
  here.state.answer = null;
  await here.pass(MOST);
  here.sockets()[0].greet();
  assert.equal(client.status.state, "connected");
});

test("a constructor that throws does not end it", async () => {
  const here = world();
  const { WebSocket } = here.environment;
  let broken = true;
  const environment = {
    ...here.environment,
    WebSocket: function (url) {
      if (broken) throw new SyntaxError("no");
      return new WebSocket(url);
    },
  };
  const client = toastkit.connect({ base: "", render: false, environment });
  await here.settle();
  assert.equal(client.status.state, "waiting");
  broken = false;
  await here.pass(1000);
  here.sockets()[0].greet();
  assert.equal(client.status.state, "connected");
});

test("a server that is silent is not waited for without end", async () => {
  const here = world();
  here.state.answer = () => new Promise(() => {});
  const client = toastkit.connect({ base: "", render: false, environment: here.environment });
  await here.settle();
  await here.pass(MOST);
  assert.equal(client.status.state, "waiting");
  await here.pass(10 * MOST);
  assert.ok(here.state.asked.length > 2);
});

test("Retry-After is kept, up to ten minutes", async () => {
  for (const [said, wait] of [["20", 20000], ["599", 599000], ["86400", 600000], ["Infinity", 600000]]) {
    const here = world();
    here.state.answer = here.refusal(503, {}, [["retry-after", said]]);
    const client = toastkit.connect({ base: "", render: false, environment: here.environment });
    await here.settle();
    assert.equal(client.status.retryIn, wait);
  }
});

test("close() within a handler is the end", async () => {
  for (const state of ["waiting", "connected"]) {
    const here = world();
    if (state === "waiting") here.state.answer = rejects(new TypeError("Failed to fetch"));
    const client = toastkit.connect({
      base: "",
      render: false,
      onState: (status) => status.state === state && client.close(),
      environment: here.environment,
    });
    await here.settle();
    if (state === "connected") here.sockets()[0].greet();
    await here.pass(600000);
    assert.equal(client.status.state, "stopped");
    assert.equal(here.timers.size, 0);
  }
});
