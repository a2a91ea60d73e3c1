"use strict";
// Nothing is missed and nothing is shown twice: positions, acks, and what goes from page to page.
const { test } = require("node:test");
const assert = require("node:assert/strict");
const toastkit = require("../../../toastkit_flask/static/toastkit.js");
const { world, connected, tab, toast, last } = require("./world.js");

const SIGHT = 1500;
const at = (seq, more) => ({ seq, epoch: "e", ...more });
const numbered = (seq, more) => toast("t" + seq, {}, at(seq, more));
const ids = (here) => here.heard.toasts.map((each) => each.id);

/** Lose the connection and greet the next one. */
async function again(here, greeting) {
  last(here).lose(1006);
  await here.pass(here.client.status.retryIn);
  last(here).greet(undefined, greeting);
  return last(here);
}

// ---- positions

test("the first connection asks for nothing that was before it", async () => {
  const here = await connected({}, { greeting: at(4) });
  assert.equal(last(here).since, null);
});

test("every later connection says where the one before it stood", async () => {
  const here = await connected({}, { greeting: at(4) });
  assert.equal((await again(here, at(4, { recovered: true, replayed: 0 }))).since, "4.e");
  last(here).hear(numbered(5));
  last(here).hear(numbered(6));
  assert.equal((await again(here, at(6, { recovered: true, replayed: 0 }))).since, "6.e");
  assert.deepEqual(here.heard.gaps, []);
});

test("an epoch is text and no part of a URL", async () => {
  const here = await connected({}, { greeting: { seq: 1, epoch: "a&b=#c" } });
  assert.equal((await again(here)).since, "1.a&b=#c");
});

test("a position never goes back within an epoch, and begins anew with another", async () => {
  const here = await connected({}, { greeting: at(9) });
  last(here).hear(numbered(7));
  assert.equal((await again(here)).since, "9.e");
  last(here).hear(toast("x", {}, { seq: 1, epoch: "f" }));
  assert.equal((await again(here)).since, "1.f");
});

test("what is no position changes none", async () => {
  const here = await connected({}, { greeting: at(9) });
  for (const seq of [undefined, null, "12", NaN, 1.5, 2 ** 60, {}]) {
    last(here).hear(toast("t" + String(seq), {}, { seq, epoch: "e" }));
  }
  last(here).hear(toast("u", {}, { seq: 12 }));
  assert.equal((await again(here)).since, "9.e");
});

test("a server that tells no positions is asked for none", async () => {
  const here = await connected();
  last(here).hear(toast("t"));
  assert.equal((await again(here)).since, null);
});

test("toasts that are announced and then lost on the way are asked for again", async () => {
  const here = await connected({}, { greeting: at(4) });
  await again(here, at(7, { recovered: true, replayed: 3 }));
  last(here).hear(numbered(5, { replayed: true }));
  assert.equal((await again(here, at(7, { recovered: true, replayed: 2 }))).since, "5.e");
  for (const seq of [6, 7]) last(here).hear(numbered(seq, { replayed: true }));
  assert.equal((await again(here)).since, "7.e");
  assert.deepEqual(ids(here), ["t5", "t6", "t7"]);
});

test("what cannot be replayed is told once, and the new position holds", async () => {
  const here = await connected({}, { greeting: at(4) });
  await again(here, { seq: 2, epoch: "f", recovered: false, reason: "epoch_changed" });
  assert.deepEqual(here.heard.gaps, ["epoch_changed"]);
  await again(here, { seq: 300, epoch: "f", recovered: false, reason: "too_many" });
  assert.deepEqual(here.heard.gaps, ["epoch_changed", "too_many"]);
  assert.equal((await again(here)).since, "300.f");
});

test("after a gap nothing of before is noted for the next page", async () => {
  const storage = tab();
  const here = await connected({}, { greeting: at(4), storage });
  last(here).hear(numbered(5));
  await again(here, { seq: 2, epoch: "f", recovered: false, reason: "epoch_changed" });
  assert.equal(last(await connected({}, { storage })).since, "2.f");
});

test("a note never takes a page back", async () => {
  const here = await connected({}, { greeting: { seq: 0, epoch: "" }, storage: tab() });
  last(here).hear(numbered(1));
  assert.equal((await again(here)).since, "1.e", "the note still says 0, for the toast is unseen");
});

test("a gap in a living connection is told as well", async () => {
  const here = await connected({}, { greeting: at(4) });
  last(here).hear({ type: "error", code: "unrecoverable_position", message: "…" });
  last(here).hear({ type: "error", code: "bad_message", message: "…" });
  assert.deepEqual(here.heard.gaps, ["unrecoverable_position"]);
  assert.equal(here.heard.errors.length, 2);
});

test("another user's position is not this one's", async () => {
  const how = { greeting: { seq: 0, epoch: "" }, who: "ada" };
  const here = await connected({}, how);
  here.state.who = "grace";
  last(here).lose(4001);
  await here.pass(30000);
  assert.equal(last(here).since, null);
});

// ---- topics that were subscribed later

const asked = (here) => here.state.asked.map(({ body }) => body.default_topics);

/** Subscribe, as the server allows. */
function subscribe(here, topic) {
  here.client.subscribe([topic]);
  last(here).hear({ type: "subscribe_ack", topics: [topic], all_topics: [...here.client.status.topics, topic] });
}

test("what was subscribed later is recovered like the rest: the next ticket hears it", async () => {
  const here = await connected({ topics: ["user:ada"] }, { greeting: at(4) });
  subscribe(here, "user:ada:builds");
  assert.equal((await again(here, at(4))).since, "4.e");
  last(here).greet(["user:ada", "user:ada:builds"]);
  assert.deepEqual(asked(here), [["user:ada"], ["user:ada", "user:ada:builds"]]);
  await again(here, at(4));
  assert.equal(here.state.asked.length, 2, "that ticket is good for all of them");
});

test("who named no topics goes on to hear their own", async () => {
  const here = await connected({}, { greeting: at(4) });
  subscribe(here, "user:ada:builds");
  last(here).lose(1006);
  await here.pass(here.client.status.retryIn);
  assert.deepEqual(asked(here), [[], ["user:ada", "user:ada:builds"]]);
  last(here).greet(["user:ada", "user:ada:builds"]);
  here.client.unsubscribe(["user:ada"]);
  last(here).lose(4001);
  await here.pass(here.client.status.retryIn);
  assert.deepEqual(asked(here).pop(), ["user:ada:builds"]);
});

test("who hears nothing of their own any more stays who they are", async () => {
  const here = await connected({}, { greeting: at(4) });
  subscribe(here, "news");
  here.client.unsubscribe(["user:ada"]);
  last(here).lose(4001);
  await here.pass(here.client.status.retryIn);
  assert.deepEqual(asked(here), [[], ["news"]]);
  assert.equal(last(here).since, "4.e");
});

test("what was refused is in no ticket: too many there would be the end", async () => {
  const here = await connected();
  here.client.subscribe(Array.from({ length: 120 }, (_, i) => "t" + i));
  last(here).lose(4001);
  await here.pass(here.client.status.retryIn);
  assert.deepEqual(asked(here), [[], ["user:ada"]]);
});

test("who subscribes before anything is known hears their own as well", async () => {
  const here = world();
  here.state.answer = here.refusal(503, {});
  const client = toastkit.connect({ base: "", render: false, environment: here.environment });
  client.subscribe(["news"]);
  await here.settle();
  here.state.answer = null;
  await here.pass(client.status.retryIn);
  assert.deepEqual(asked(here), [[], []]);
  last(here).greet();
  assert.deepEqual(last(here).sent[0], { type: "subscribe", topics: ["news"] });
});

test("somebody else who has signed in meanwhile hears what is theirs", async () => {
  const here = await connected({}, { greeting: at(4) });
  subscribe(here, "news");
  here.state.who = "grace";
  last(here).lose(4001);
  await here.pass(here.client.status.retryIn);
  assert.deepEqual(asked(here), [[], ["user:ada", "news"], []]);
  assert.equal(last(here).since, null);
  last(here).greet(["user:grace"]);
  assert.deepEqual(last(here).sent[0], { type: "subscribe", topics: ["news"] });
});

// ---- acks

test("what has come is acked, together", async () => {
  const here = await connected();
  for (const id of ["a", "b", "c"]) last(here).hear(toast(id));
  await here.pass(99);
  assert.deepEqual(last(here).acked(), []);
  await here.pass(1);
  assert.deepEqual(last(here).acked(), [["a", "b", "c"]]);
  last(here).hear(toast("d"));
  await here.pass(100);
  assert.deepEqual(last(here).acked(), [["a", "b", "c"], ["d"]]);
});

test("a hundred do not wait, and no message has more", async () => {
  const here = await connected();
  for (let i = 0; i < 250; i++) last(here).hear(toast("t" + i));
  assert.deepEqual(last(here).acked().map((each) => each.length), [100, 100]);
  await here.pass(100);
  assert.deepEqual(last(here).acked().map((each) => each.length), [100, 100, 50]);
  assert.equal(new Set(last(here).acked().flat()).size, 250);
});

test("what comes twice is acked twice: the server may not know", async () => {
  const here = await connected();
  last(here).hear(toast("a"));
  await here.pass(100);
  last(here).hear(toast("a"));
  await here.pass(100);
  assert.deepEqual(last(here).acked(), [["a"], ["a"]]);
  assert.deepEqual(ids(here), ["a"]);
});

test("an ack that the socket did not take goes with the next one", async () => {
  const here = await connected({}, { greeting: at(4) });
  last(here).hear(numbered(5));
  const next = await again(here, at(5, { recovered: true, replayed: 0 }));
  assert.deepEqual(here.sockets()[0].acked(), []);
  assert.deepEqual(next.acked(), [["t5"]]);
});

test("a tab that nobody sees acks when somebody comes: until then a phone may ring", async () => {
  const here = await connected();
  here.document.visibilityState = "hidden";
  here.document.tell("visibilitychange");
  for (let i = 0; i < 120; i++) last(here).hear(toast("t" + i));
  await here.pass(1000);
  assert.deepEqual(last(here).acked(), []);
  here.document.visibilityState = "visible";
  here.document.tell("visibilitychange");
  assert.deepEqual(last(here).acked().map((each) => each.length), [100, 20]);
  assert.deepEqual(last(here).types().slice(-4, -1), ["state", "ack", "ack"], "the state first");
});

test("acks that are owed do not pile up without end", async () => {
  const here = await connected();
  const [socket] = here.sockets();
  socket.readyState = 2; // closing: it takes nothing more
  for (let i = 0; i < 3000; i++) socket.hear(toast("t" + i));
  const acked = (await again(here)).acked();
  assert.deepEqual(acked.map((each) => each.length), Array(10).fill(100));
  assert.equal(acked.flat().pop(), "t2999");
});

test("a toast that nobody took is not acked, and is tried again when it comes again", async (t) => {
  t.mock.method(console, "error", () => {});
  let broken = true;
  const got = [];
  const here = await connected({
    onToast: (toast) => {
      if (broken) throw new Error("host");
      got.push(toast.id);
    },
  });
  last(here).hear(toast("a"));
  await here.pass(1000);
  assert.deepEqual(last(here).acked(), []);
  broken = false;
  last(here).hear(toast("a"));
  await here.pass(1000);
  assert.deepEqual(last(here).acked(), [["a"]]);
  assert.deepEqual(got, ["a"]);
});

test("a toast that is drawn is there, whatever the host's function did", async (t) => {
  t.mock.method(console, "error", () => {});
  const drawn = [];
  const here = await connected({
    stack: { show: (toast) => drawn.push(toast.id) },
    onToast: () => {
      throw new Error("host");
    },
  });
  for (const id of ["a", "a"]) last(here).hear(toast(id));
  await here.pass(100);
  assert.deepEqual(drawn, ["a"]);
  assert.deepEqual(last(here).acked(), [["a"]]);
});

test("close() while a toast is told leaves nothing behind", async () => {
  const here = await connected({ onToast: () => here.client.close() });
  last(here).hear(toast("a"));
  assert.equal(here.timers.size, 0);
});

// ---- from page to page

const greeted = (greeting, storage, more) => connected({}, { greeting, storage, ...more });

test("a toast that the page is just left with is shown by the next one", async () => {
  const storage = tab();
  const left = await greeted(at(4), storage);
  last(left).hear(numbered(5));
  await left.pass(SIGHT - 1);
  const here = await greeted(at(5, { recovered: true, replayed: 1 }), storage);
  assert.equal(last(here).since, "4.e");
  last(here).hear(numbered(5, { replayed: true }));
  assert.deepEqual(ids(here), ["t5"]);
});

test("the first toast that a user ever gets is no exception", async () => {
  const storage = tab();
  const left = await greeted({ seq: 0, epoch: "" }, storage);
  last(left).hear(numbered(1));
  const here = await greeted(undefined, storage);
  assert.equal(last(here).since, "0.");
});

test("a toast that was on screen for a while is not asked for", async () => {
  const storage = tab();
  const left = await greeted(at(4), storage);
  last(left).hear(numbered(5));
  await left.pass(SIGHT);
  assert.equal(last(await greeted(at(5), storage)).since, "5.e");
});

test("toasts that keep coming are seen one by one", async () => {
  const storage = tab();
  const left = await greeted(at(0), storage);
  for (let seq = 1; seq <= 5; seq++) {
    last(left).hear(numbered(seq));
    await left.pass(1000);
  }
  // They came at 0, 1, 2, 3 and 4 seconds; it is 5 now.
  assert.equal(last(await greeted(at(5), storage)).since, "4.e");
});

test("in a tab that nobody sees nothing is seen, and who comes back has the whole time", async () => {
  const storage = tab();
  const left = await greeted(at(4), storage);
  left.document.visibilityState = "hidden";
  left.document.tell("visibilitychange");
  last(left).hear(numbered(5));
  await left.pass(20000);
  left.document.visibilityState = "visible";
  left.document.tell("visibilitychange");
  const noted = () => JSON.parse([...storage.kept.values()][0]).seq;
  await left.pass(SIGHT - 1);
  assert.equal(noted(), 4);
  await left.pass(1);
  assert.equal(noted(), 5);
});

test("a tab that nobody sees for days remembers the last thousand", async () => {
  const storage = tab();
  const here = await greeted(at(0), storage);
  here.document.visibilityState = "hidden";
  for (let seq = 1; seq <= 1500; seq++) last(here).hear(numbered(seq));
  await here.pass(30000);
  assert.equal(here.client.unseen.size, 1000);
  assert.equal(last(await greeted(undefined, storage)).since, "500.e");
});

test("what was closed by hand is not shown again, though an older one is", async () => {
  const storage = tab();
  const deeds = new Map();
  const stack = { show: ({ id }, deal) => deeds.set(id, deal), withdraw() {} };
  const left = await connected({ stack, mark: false }, { greeting: at(4), storage });
  for (const seq of [5, 6]) last(left).hear(numbered(seq));
  deeds.get("t6")("seen");
  const replay = at(6, { recovered: true, replayed: 2 });
  for (let page = 0; page < 3; page++) {
    const here = await greeted(replay, storage);
    assert.equal(last(here).since, "4.e");
    for (const seq of [5, 6]) last(here).hear(numbered(seq, { replayed: true }));
    assert.deepEqual(ids(here), ["t5"]);
    await here.pass(500); // and this page is left as well
    assert.deepEqual(last(here).acked(), [["t5", "t6"]]);
  }
});

test("a note is one user's: another one begins anew, and finds no ids", async () => {
  for (const epoch of ["e", ""]) {
    const storage = tab();
    const left = await greeted({ seq: 4, epoch }, storage);
    last(left).hear(toast("secret", {}, { seq: 5, epoch }));
    await left.pass(SIGHT);
    const here = await greeted({ seq: 70, epoch: "g" }, storage, { who: "grace" });
    assert.equal(last(here).since, null);
    assert.doesNotMatch([...storage.kept.values()].join(), /secret|ada/);
  }
});

test("where users cannot be told apart the epoch does it", async () => {
  const storage = tab();
  const nameless = { who: ":", greeting: { seq: 0, epoch: "" }, storage };
  const left = await connected({}, nameless);
  assert.equal(last(await connected({}, nameless)).since, null);
  last(left).hear(toast("secret", {}, at(1)));
  await left.pass(SIGHT);
  const verdict = { seq: 70, epoch: "g", recovered: false, reason: "epoch_changed" };
  const here = await connected({}, { ...nameless, greeting: verdict });
  assert.equal(last(here).since, "1.e");
  assert.deepEqual(here.heard.gaps, ["epoch_changed"]);
  assert.doesNotMatch([...storage.kept.values()].join(), /secret/);
});

test("anonymous users are told apart, too", async () => {
  const storage = tab();
  await greeted({ seq: 0, epoch: "" }, storage, { who: "anon:1" });
  assert.equal(last(await greeted(at(9), storage, { who: "anon:2:x" })).since, null);
  assert.equal(last(await greeted(at(9), storage, { who: "anon:2" })).since, "9.e");
});

test("a tab that comes back after hours begins anew", async () => {
  const storage = tab();
  await greeted(at(4), storage);
  const [[key, text]] = storage.kept;
  const note = JSON.parse(text);
  storage.setItem(key, JSON.stringify({ ...note, at: note.at - 599000 }));
  assert.equal(last(await greeted(at(4), storage)).since, "4.e");
  storage.setItem(key, JSON.stringify({ ...note, at: note.at - 601000 }));
  assert.equal(last(await greeted(at(9), storage)).since, null);
});

test("an open page keeps its note fresh", async () => {
  const storage = tab();
  const here = await greeted(at(4), storage);
  storage.kept.clear();
  await here.pass(30000);
  assert.equal(storage.kept.size, 1);
});

test("the clients of one page have a note each, and leave it to those of the next", async () => {
  const storage = tab();
  const page = await greeted(at(4), storage);
  const beside = async (here) => {
    const client = toastkit.connect({ base: "", render: false, environment: here.environment });
    await here.settle();
    return client;
  };
  const second = await beside(page);
  last(page).greet(undefined, at(4));
  page.sockets()[0].hear(numbered(5)); // of a topic that the second does not hear
  await page.pass(SIGHT);
  last(page).lose(1006);
  await page.pass(second.status.retryIn);
  assert.equal(last(page).since, "4.e", "what the first was told the second was not");
  const next = await greeted(undefined, storage);
  assert.equal(last(next).since, "5.e");
  await beside(next);
  assert.equal(last(next).since, "4.e");
  next.client.close();
  await beside(next);
  assert.equal(last(next).since, "5.e", "who is closed leaves its note to who comes");
});

test("who is closed writes on no note, for it may be another's by now", async () => {
  const storage = tab();
  const deeds = [];
  const stack = { show: (_, deal) => deeds.push(deal), withdraw() {} };
  const here = await connected({ stack, mark: false }, { greeting: at(4), storage });
  last(here).hear(numbered(5));
  here.client.close();
  storage.kept.clear();
  deeds[0]("seen");
  assert.equal(storage.kept.size, 0);
});

test("two services in one tab have two notes", async () => {
  const storage = tab();
  await connected({ base: "/a" }, { greeting: at(4), storage });
  const other = await connected({ base: "/b" }, { greeting: at(7), storage });
  assert.equal(last(other).since, null);
  assert.equal(last(await connected({ base: "/a" }, { storage })).since, "4.e");
});

test("a page taken out of the browser's cache knows what the later one has shown", async () => {
  const storage = tab();
  const early = await greeted(at(4), storage);
  const late = await greeted(at(4, { recovered: true, replayed: 0 }), storage);
  last(late).hear(numbered(5));
  await late.pass(SIGHT);
  const before = early.sockets().length;
  last(early).lose(1006);
  await early.pass(early.client.status.retryIn);
  assert.equal(early.sockets().length, before + 1);
  assert.equal(last(early).since, "5.e");
});

const broken = () => {
  throw new DOMException("denied", "SecurityError");
};
const STORAGES = {
  "there is none": undefined,
  "it may not be read": { getItem: broken, setItem: broken },
  "it is full": { ...tab(), setItem: broken },
};
for (const text of ["", "{", "null", "7", '"x"', "[]", "{}", '{"who":"ada","ids":7,"at":0}']) {
  STORAGES["it holds " + text] = { getItem: () => text, setItem: broken };
}
const now = { who: "ada", at: Date.now() };
for (const note of [{ ids: 7, seq: 1, epoch: 7 }, { ids: [{}], seq: {}, epoch: [] }, { seq: 1e300, epoch: "e" }]) {
  STORAGES["it holds " + JSON.stringify(note)] = { getItem: () => JSON.stringify({ ...now, ...note }), setItem: broken };
}

for (const [name, storage] of Object.entries(STORAGES)) {
  test("sessionStorage is of no use: " + name, async () => {
    const here = await greeted(at(4), storage);
    assert.equal(here.sockets()[0].since, null);
    last(here).hear(numbered(5));
    await here.pass(SIGHT);
    assert.deepEqual(ids(here), ["t5"]);
    assert.equal((await again(here)).since, "5.e");
  });
}
