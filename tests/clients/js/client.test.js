"use strict";
const { test } = require("node:test");
const assert = require("node:assert/strict");
const toastkit = require("../../../toastkit_flask/static/toastkit.js");
const { world, connected, toast, last } = require("./world.js");

test("bootstraps with the cookie and the header that no other site may send", async () => {
  const here = await connected({ topics: ["user:ada"] });
  const [asked] = here.state.asked;
  assert.equal(asked.url, "/v1/sessions/toast-bootstrap");
  assert.equal(asked.credentials, "same-origin");
  assert.equal(asked.headers["X-ToastKit"], "1");
  assert.equal(asked.headers.Authorization, undefined);
  assert.deepEqual(asked.body, { default_topics: ["user:ada"] });
  assert.deepEqual(here.heard.states.slice(0, 2), ["connecting", "connected"]);
});

test("a token function is asked anew for every bootstrap", async () => {
  let count = 0;
  const here = await connected({ token: async () => "jwt" + ++count, deviceId: "d", bundleId: "b" });
  last(here).lose(4001);
  await here.pass(1000);
  assert.deepEqual(here.state.asked.map((asked) => asked.headers.Authorization), ["Bearer jwt1", "Bearer jwt2"]);
  assert.deepEqual(here.state.asked[0].body, { default_topics: [], device_id: "d", bundle_id: "b" });
});

test("a toast is told once per id, whatever the id is", async () => {
  const here = await connected();
  for (const id of ["a", "__proto__", "a", "constructor", "__proto__", "toString"]) last(here).hear(toast(id));
  assert.deepEqual(here.heard.toasts.map((each) => each.id), ["a", "__proto__", "constructor", "toString"]);
  assert.equal({}.id, undefined);
});

test("a toast without an id of text is nothing", async () => {
  const here = await connected();
  for (const frame of [{ type: "toast" }, toast(7), toast(null), toast({})]) last(here).hear(frame);
  assert.deepEqual(here.heard.toasts, []);
});

test("what is no frame changes nothing", async () => {
  const here = await connected();
  for (const text of ["", "{", "null", "7", '"toast"', "[]", '{"type":"__proto__"}']) last(here).hear(text);
  assert.equal(here.client.status.state, "connected");
});

test("the ring forgets the oldest of a thousand", () => {
  const ring = new toastkit.Ring(1000);
  for (let i = 0; i <= 1000; i++) assert.ok(ring.fresh("t" + i));
  assert.ok(!ring.fresh("t1000"));
  assert.ok(!ring.fresh("t1"));
  assert.ok(ring.fresh("t0"));
  assert.equal(ring.ids.size, 1000);
});

test("controls go to onControl and nowhere else", async () => {
  const here = await connected();
  const control = { kind: "usage.changed", params: {}, ts: "2026-05-05T08:45:00+00:00" };
  last(here).hear({ type: "control", control });
  assert.deepEqual(here.heard.controls, [control]);
  assert.deepEqual(here.heard.toasts, []);
});

test("a host's mistake does not end the connection", async (t) => {
  t.mock.method(console, "error", () => {});
  const here = await connected({
    onToast: () => {
      throw new Error("host");
    },
  });
  last(here).hear(toast("a"));
  assert.equal(here.client.status.state, "connected");
  assert.equal(console.error.mock.callCount(), 1);
});

test("backoff is between half a second and thirty, and all of it is chance", () => {
  for (let attempt = 0; attempt < 50; attempt++) {
    const most = Math.min(30000, 1000 * 2 ** attempt);
    assert.equal(toastkit.backoff(1006, attempt, () => 0), 500);
    assert.ok(Math.abs(toastkit.backoff(1006, attempt, () => 1) - most) < 1e-6);
  }
});

test("a restart spreads everybody over five seconds, and is waited for like any other failure", () => {
  for (const code of [1012, 1013]) {
    assert.equal(toastkit.backoff(code, 0, () => 0), 500);
    assert.equal(toastkit.backoff(code, 0, () => 1), 5000);
    assert.equal(toastkit.backoff(code, 30, () => 1), 30000);
  }
});

test("close codes: what is done about each", () => {
  for (const code of [4002, 4400, 4404, 4410, 4499]) assert.equal(toastkit.policy(code), "stop");
  assert.equal(toastkit.policy(4001), "bootstrap");
  for (const code of [1000, 1001, 1006, 1011, 1012, 1013, 4008]) assert.equal(toastkit.policy(code), "retry");
});

test("a lost connection comes back with the token it has", async () => {
  const here = await connected();
  last(here).lose(1006);
  assert.equal(here.client.status.state, "waiting");
  await here.pass(here.client.status.retryIn);
  assert.equal(here.sockets().length, 2);
  assert.equal(here.state.asked.length, 1);
  last(here).greet();
  assert.equal(here.client.status.state, "connected");
});

test("4001 asks for a new token first", async () => {
  const here = await connected();
  last(here).lose(4001);
  await here.pass(1000);
  assert.equal(here.state.asked.length, 2);
  assert.match(last(here).url, /token=t2$/);
});

test("a policy close ends it, and nothing is tried again", async () => {
  const here = await connected();
  last(here).lose(4404, "channel unknown");
  await here.pass(600000);
  assert.deepEqual(here.client.status, { ...here.client.status, state: "stopped", reason: "channel unknown" });
  assert.equal(here.sockets().length, 1);
  assert.equal(here.timers.size, 0);
});

test("nobody signed in ends it; a busy server is asked again when it said", async () => {
  const here = world();
  here.state.answer = here.refusal(429, { detail: "Rate limit exceeded" }, [["retry-after", "20"]]);
  const client = toastkit.connect({ base: "", render: false, environment: here.environment });
  await here.settle();
  assert.equal(client.status.state, "waiting");
  assert.equal(client.status.retryIn, 20000);
  here.state.answer = here.refusal(401, { detail: "Missing Bearer token" });
  await here.pass(20000);
  assert.equal(client.status.state, "stopped");
  assert.equal(client.status.reason, "Missing Bearer token");
});

test("attempts grow apart, and count anew after a connection that held", async () => {
  const here = await connected({}, { random: 1 });
  const waits = [];
  for (let i = 0; i < 6; i++) {
    last(here).lose(1006);
    waits.push(here.client.status.retryIn);
    await here.pass(waits[i]);
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16000, 30000]);
  last(here).greet();
  await here.pass(11000);
  last(here).lose(1006);
  assert.equal(here.client.status.retryIn, 1000);
});

test("a dead network is noticed", async () => {
  const here = await connected();
  await here.pass(30000);
  assert.ok(last(here).types().includes("ping"));
  await here.pass(30000);
  assert.equal(here.client.status.state, "waiting");
});

test("a server that never greets is given up", async () => {
  const here = world();
  const client = toastkit.connect({ base: "", render: false, environment: here.environment });
  await here.settle();
  await here.pass(10000);
  assert.equal(client.status.state, "waiting");
});

test("topics asked for are asked for again on the next connection", async () => {
  const here = await connected();
  here.client.subscribe(["user:ada:builds", "user:ada:deploys"]);
  here.client.unsubscribe(["user:ada"]);
  assert.deepEqual(last(here).types(), ["state", "subscribe", "unsubscribe"]);
  last(here).lose(1006);
  await here.pass(30000);
  last(here).greet(["user:ada", "user:ada:builds"]);
  assert.deepEqual(last(here).sent.slice(0, 2), [
    { type: "subscribe", topics: ["user:ada:deploys"] },
    { type: "unsubscribe", topics: ["user:ada"] },
  ]);
});

test("many topics go in messages of fifty", async () => {
  const here = await connected();
  here.client.subscribe(Array.from({ length: 120 }, (_, i) => "t" + i));
  assert.deepEqual(last(here).sent.slice(1).map((frame) => frame.topics.length), [50, 50, 20]);
});

test("the page's visibility is told, unless somebody decided", async () => {
  const here = await connected();
  here.document.visibilityState = "hidden";
  here.document.tell("visibilitychange");
  assert.deepEqual(last(here).sent.pop(), { type: "state", state: "background" });
  last(here).lose(1006);
  await here.pass(30000);
  assert.match(last(here).url, /&state=background$/);
  last(here).greet();
  here.client.setForeground(true);
  assert.deepEqual(last(here).sent.pop(), { type: "state", state: "foreground" });
});

test("the network's return is tried at once", async () => {
  const here = await connected({}, { random: 1 });
  last(here).lose(1006);
  here.window.tell("online");
  await here.settle();
  assert.equal(here.sockets().length, 2);
});

test("who comes back to a page that waits does not wait with it, unless the server said when", async () => {
  const here = await connected({}, { random: 1 });
  const look = () => (here.document.tell("visibilitychange"), here.settle());
  last(here).lose(4001);
  here.state.answer = here.refusal(503, {});
  await here.pass(1000);
  assert.equal(here.client.status.retryIn, 2000);
  await look();
  assert.equal(here.state.asked.length, 3);
  here.state.answer = here.refusal(429, {}, [["retry-after", "20"]]);
  await here.pass(4000);
  assert.equal(here.client.status.retryIn, 20000);
  await look();
  here.window.tell("online");
  await here.settle();
  assert.equal(here.state.asked.length, 4);
  here.document.visibilityState = "hidden";
  await look();
  here.state.answer = null;
  await here.pass(20000);
  assert.equal(here.sockets().length, 2);
});

test("a token that ran out is no end where a function gives another", async () => {
  let token = "old";
  const here = await connected({ token: () => token });
  here.state.answer = here.refusal(401, { detail: "Token expired", code: "token_expired" });
  last(here).lose(4001);
  await here.pass(here.client.status.retryIn);
  assert.equal(here.client.status.state, "waiting");
  token = "new";
  here.state.answer = null;
  await here.pass(here.client.status.retryIn);
  assert.equal(here.state.asked.pop().headers.Authorization, "Bearer new");
  last(here).greet();
  assert.equal(here.client.status.state, "connected");
});

test("a token that ran out and is the only one is the end", async () => {
  const here = await connected({ token: "old" });
  here.state.answer = here.refusal(401, { detail: "Token expired", code: "token_expired" });
  last(here).lose(4001);
  await here.pass(1000);
  assert.equal(here.client.status.state, "stopped");
});

test("a token that was never good is the end, a function's too", async () => {
  const here = await connected({ token: () => "bad" });
  here.state.answer = here.refusal(401, { detail: "Invalid token", code: "invalid_token" });
  last(here).lose(4001);
  await here.pass(1000);
  assert.equal(here.client.status.state, "stopped");
});

for (const name of ["onFrame", "onToast"]) {
  test("after a close() in " + name + " nothing is drawn", async () => {
    const drawn = [];
    const stack = { show: (each) => drawn.push(each.id), withdraw: () => {} };
    const here = await connected({ stack });
    here.client.options[name] = () => here.client.close();
    last(here).hear(toast("a"));
    assert.deepEqual([drawn, here.heard.toasts], [[], []]);
  });
}

test("close() leaves nothing behind", async () => {
  const here = await connected();
  here.client.close();
  assert.equal(last(here).closed, 1000);
  here.window.tell("online");
  await here.pass(600000);
  assert.equal(here.sockets().length, 1);
  assert.equal(here.timers.size, 0);
});
