"use strict";
// The list, and what is done with drawn toasts: here, or on another page of the same user.
const { test } = require("node:test");
const assert = require("node:assert/strict");
const { connected, toast, last } = require("./world.js");

const says = (body, status = 200) => () => ({
  ok: status < 400,
  status,
  headers: new Map(),
  json: async () => body,
});
const asked = (here) => here.state.asked.slice(1).map(({ method, url }) => method + " " + url);

/** A stack that remembers what it draws. */
function stack() {
  const cards = new Map();
  return {
    cards,
    deal: new Map(),
    show(toast, deal) {
      cards.set(toast.id, toast);
      this.deal.set(toast.id, deal);
    },
    withdraw(gone) {
      for (const id of [...cards.keys()]) if (gone(id)) cards.delete(id);
    },
  };
}

async function drawing(more) {
  const drawn = stack();
  const here = await connected({ stack: drawn, base: "/app", ...more });
  here.state.list = says({});
  for (const id of ["01A", "01B", "01C"]) last(here).hear(toast(id));
  return { here, drawn, ids: () => [...drawn.cards.keys()] };
}

test("the list is asked for as whoever is signed in", async () => {
  const given = { token: async () => "jwt", headers: { "X-Shop": "7" }, base: "/app" };
  const here = await connected(given);
  const page = { items: [{ id: "01A" }], next_cursor: "01A", unread_count: 3 };
  here.state.list = says(page);
  assert.deepEqual(await here.client.list({ limit: 20, cursor: "01B&", unread: true }), page);
  const request = here.state.asked.pop();
  assert.equal(request.url, "/app/v1/toasts?limit=20&cursor=01B%26&unread=true");
  assert.equal(request.method, "GET");
  assert.equal(request.body, undefined);
  assert.equal(request.credentials, "same-origin");
  assert.equal(request.cache, "no-store");
  const { Authorization, ...headers } = request.headers;
  assert.equal(Authorization, "Bearer jwt");
  assert.equal(headers["X-ToastKit"], "1");
  assert.equal(headers["X-Shop"], "7");
});

test("what is not given is not asked", async () => {
  const here = await connected();
  here.state.list = says({});
  await here.client.list();
  await here.client.list({ cursor: null, limit: undefined });
  assert.deepEqual(asked(here), ["GET /v1/toasts?", "GET /v1/toasts?"]);
});

test("every deed is one request, from this connection", async () => {
  const here = await connected();
  here.state.list = says({ done: true });
  for (const deed of ["read", "unread", "seen", "remove"]) {
    assert.deepEqual(await here.client[deed]("01/A"), { done: true });
  }
  await here.client.readAll();
  await here.client.readAll("01B");
  assert.deepEqual(asked(here), [
    "POST /v1/toasts/01%2FA/read",
    "POST /v1/toasts/01%2FA/unread",
    "POST /v1/toasts/01%2FA/seen",
    "DELETE /v1/toasts/01%2FA",
    "POST /v1/toasts/read-all",
    "POST /v1/toasts/read-all",
  ]);
  const sent = here.state.asked.slice(1);
  assert.deepEqual(sent.map((each) => each.headers["X-ToastKit-Session"]), Array(6).fill("s-1"));
  assert.deepEqual(sent.map((each) => each.body).slice(4), [{}, { before: "01B" }]);
});

test("an answer without a body is an answer", async () => {
  const here = await connected();
  here.state.list = () => ({ ...says()(), status: 204, json: () => Promise.reject(new SyntaxError("no")) });
  assert.deepEqual(await here.client.read("01A"), {});
});

test("a refusal is an Error with code and status", async () => {
  const here = await connected();
  here.state.list = says({ detail: "No such toast", code: "unknown_toast" }, 404);
  const error = await here.client.read("01A").catch((each) => each);
  assert.ok(error instanceof Error);
  assert.deepEqual([error.code, error.status, error.message], ["unknown_toast", 404, "No such toast"]);
  here.state.list = says(null, 502);
  await assert.rejects(here.client.list(), { code: "http_502", status: 502 });
  assert.equal(here.client.status.state, "connected");
});

test("whatever else goes wrong is an Error, too", async () => {
  for (const thrown of [new TypeError("Failed to fetch"), undefined, null, "no"]) {
    const here = await connected();
    here.state.list = () => Promise.reject(thrown);
    const error = await here.client.list().catch((each) => each);
    assert.ok(error instanceof Error);
    assert.deepEqual([error.code, error.status], ["no_answer", 0]);
  }
  let signedIn = true;
  const here = await connected({ token: () => (signedIn ? "jwt" : Promise.reject(new Error("nobody"))) });
  signedIn = false;
  await assert.rejects(here.client.list(), { message: "nobody", code: "no_answer", status: 0 });
});

test("a drawn toast that is closed is seen, one whose link is followed is read", async () => {
  const { here, drawn } = await drawing();
  drawn.deal.get("01A")("seen");
  drawn.deal.get("01B")("read");
  await here.settle();
  assert.deepEqual(asked(here), ["POST /app/v1/toasts/01A/seen", "POST /app/v1/toasts/01B/read"]);
  assert.ok(here.state.asked.slice(1).every((each) => each.keepalive), "the page may be left");
  const told = here.heard.controls.map(({ kind, params }) => [kind, params.id]);
  assert.deepEqual(told, [["toast.seen", "01A"], ["toast.read", "01B"]], "a bell has to know");
});

test("no mark is made where the host keeps its own", async () => {
  const { here, drawn } = await drawing({ mark: false });
  drawn.deal.get("01A")("seen");
  drawn.deal.get("01B")("read");
  await here.settle();
  assert.deepEqual(asked(here), []);
});

test("a mark that fails is told to onError and to nobody else", async (t) => {
  const lost = [];
  const hear = (error) => lost.push(error);
  process.on("unhandledRejection", hear);
  t.after(() => process.off("unhandledRejection", hear));
  const { here, drawn } = await drawing();
  here.state.list = says({ detail: "busy" }, 503);
  drawn.deal.get("01A")("seen");
  await here.settle();
  await here.settle();
  assert.deepEqual(here.heard.errors.map((each) => [each.status, each.code]), [[503, "http_503"]]);
  assert.deepEqual(lost, []);
});

test("what is read or deleted elsewhere is no longer drawn, before the host is told", async () => {
  const seen = [];
  const { here, drawn, ids } = await drawing({ onControl: ({ kind }) => seen.push([kind, drawn.cards.size]) });
  const control = (kind, params) => last(here).hear({ type: "control", control: { kind, params } });
  control("toast.seen", { id: "01A" });
  control("toast.unread", { id: "01A" });
  control("usage.changed", { id: "01A" });
  control("toasts.changed", null);
  assert.deepEqual(ids(), ["01A", "01B", "01C"]);
  control("toast.read", { id: "01A" });
  control("toast.deleted", { id: "01C" });
  assert.deepEqual(ids(), ["01B"]);
  assert.deepEqual(seen.slice(-2), [["toast.read", 2], ["toast.deleted", 1]]);
  assert.deepEqual(asked(here), [], "who told it knows it");
});

test("all read elsewhere: all, or those up to one", async () => {
  for (const [params, left] of [[{ up_to: "01B" }, ["01C"]], [{ up_to: null }, []], [null, []]]) {
    const { here, ids } = await drawing();
    last(here).hear({ type: "control", control: { kind: "toasts.read_all", params } });
    assert.deepEqual(ids(), left);
  }
});

test("what is read or deleted here is no longer drawn either, once the server knows", async () => {
  const { here, ids } = await drawing();
  here.state.list = says({}, 503);
  await here.client.read("01A").catch(() => null);
  assert.deepEqual(ids(), ["01A", "01B", "01C"]);
  here.state.list = says({});
  await here.client.read("01A");
  await here.client.seen("01B");
  assert.deepEqual(ids(), ["01B", "01C"]);
  await here.client.remove("01B");
  assert.deepEqual(ids(), ["01C"]);
  await here.client.readAll();
  assert.deepEqual(ids(), []);
});

test("without a place to draw into the list is the same", async () => {
  const here = await connected({ stack: undefined });
  here.state.list = says({});
  last(here).hear(toast("01A"));
  last(here).hear({ type: "control", control: { kind: "toasts.read_all", params: {} } });
  await here.client.read("01A");
  assert.equal(here.heard.controls.length, 1);
});

test("what was drawn goes with its user: at close(), and when somebody else is signed in", async () => {
  const { here, drawn, ids } = await drawing();
  drawn.show({ id: "01Z" }); // another client's
  here.state.who = "grace";
  last(here).lose(4001);
  assert.deepEqual(ids(), ["01A", "01B", "01C", "01Z"], "a lost connection takes nothing away");
  await here.pass(here.client.status.retryIn);
  assert.deepEqual(ids(), ["01Z"]);
  last(here).greet(["user:grace"]);
  last(here).hear(toast("01D"));
  here.client.close();
  assert.deepEqual(ids(), ["01Z"]);
});
