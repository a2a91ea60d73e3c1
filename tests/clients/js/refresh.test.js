"use strict";
// The ticket ends soon: a fresh one goes over the living connection, and nothing is opened anew.
const { test } = require("node:test");
const assert = require("node:assert/strict");
const { connected, last, toast } = require("./world.js");

const WAIT = 15000;
const MINUTES = 60000;

/** A page that was told that its ticket ends soon, and has had time to act. */
async function expiring(given, how) {
  const here = await connected(given, how);
  last(here).expire();
  await here.pass(1000);
  return here;
}

test("a fresh ticket is fetched and sent over the living connection", async () => {
  const here = await expiring();
  assert.deepEqual(last(here).refreshes(), ["t2"]);
  assert.equal(last(here).sent.pop().id, "refresh");
  last(here).hear({ type: "refresh_ack", id: "refresh", expires_at: "2026-01-01T00:15:00+00:00" });
  await here.pass(1000);
  assert.equal(here.sockets().length, 1);
  assert.equal(last(here).closed, null);
  assert.deepEqual(here.heard.states.filter((state) => state !== "connected"), ["connecting"]);
});

test("a connection is not renewed before the server says so", async () => {
  const here = await connected();
  for (let i = 0; i < 30; i++) {
    last(here).hear({ type: "pong" });
    await here.pass(30000);
  }
  assert.deepEqual(last(here).refreshes(), []);
  assert.equal(here.state.asked.length, 1);
});

test("a connection that is lost later comes back with the fresh ticket", async () => {
  const here = await expiring();
  last(here).lose(1006);
  await here.pass(1000);
  assert.match(last(here).url, /token=t2(&|$)/);
  assert.equal(here.state.asked.length, 2);
});

test("a page never shows a ticket in onFrame", async () => {
  const shown = [];
  await expiring({ onFrame: (frame) => shown.push(frame) });
  assert.ok(shown.some((frame) => frame.type === "refresh"));
  assert.ok(!JSON.stringify(shown).includes("t2"));
});

test("while no ticket is to be had the connection stays, and it is tried again", async () => {
  const here = await connected();
  here.state.answer = here.refusal(503, { detail: "no" });
  last(here).expire();
  await here.pass(20000);
  assert.ok(here.state.asked.length > 2);
  assert.equal(here.client.status.state, "connected");
  here.state.answer = null;
  await here.pass(20000);
  assert.equal(last(here).refreshes().length, 1);
  assert.equal(here.sockets().length, 1);
});

test("who is not known any more stays until the server ends it, and stops then", async () => {
  const here = await connected();
  here.state.answer = here.refusal(401, { detail: "Token expired" });
  last(here).expire();
  await here.pass(5000);
  assert.equal(here.client.status.state, "connected");
  last(here).lose(4001, "token expired");
  await here.pass(MINUTES);
  assert.equal(here.client.status.state, "stopped");
  assert.equal(here.client.status.reason, "Token expired");
});

test("a refresh that failed for the moment is said again with the same ticket", async () => {
  const here = await expiring();
  last(here).hear({ type: "error", id: "refresh", code: "internal_error", retryable: true });
  await here.pass(5000);
  assert.deepEqual(last(here).refreshes(), ["t2", "t2"]);
  assert.equal(here.state.asked.length, 2);
});

test("a refresh that was refused ends with 4001, and a new ticket opens a new connection", async () => {
  const here = await expiring();
  last(here).hear({ type: "error", id: "refresh", code: "invalid_token", retryable: false });
  last(here).lose(4001, "token rejected");
  await here.pass(1000);
  assert.equal(here.sockets().length, 2);
  assert.match(last(here).url, /token=t3/);
});

test("who has become another user is connected anew, not refreshed", async () => {
  const here = await connected();
  const [old] = here.sockets();
  here.state.who = "bob";
  old.expire();
  await here.pass(1000);
  assert.deepEqual(old.refreshes(), []);
  assert.equal(here.sockets().length, 2);
  last(here).greet(["user:bob"]);
  assert.equal(old.closed, 1000);
});

test("what the old connection says late, the new one does not act upon", async () => {
  const here = await connected();
  const [old] = here.sockets();
  old.lose(1006);
  await here.pass(1000);
  last(here).greet();
  old.expire();
  old.hear({ type: "error", id: "refresh", code: "internal_error", retryable: true });
  await here.pass(20000);
  assert.deepEqual(last(here).refreshes(), []);
  assert.equal(here.sockets().length, 2);
});

test("toasts go on while a ticket is fetched", async () => {
  const here = await connected();
  here.state.answer = () => new Promise(() => {});
  last(here).expire();
  await here.pass(1000);
  last(here).hear(toast("t1"));
  assert.deepEqual(here.heard.toasts.map((each) => each.id), ["t1"]);
});

test("no storm: a server that says so all the time is believed every fifteen seconds", async () => {
  const here = await connected();
  for (let i = 0; i < 3000; i++) {
    last(here).expire();
    if (i % 100 === 0) last(here).hear({ type: "pong" });
    await here.pass(100);
  }
  const most = 300000 / WAIT + 1;
  assert.ok(here.state.asked.length <= most + 1, here.state.asked.length + " tickets");
  assert.ok(last(here).refreshes().length >= most - 2);
});

test("a page that is closed renews nothing", async () => {
  const here = await connected();
  last(here).expire();
  here.client.close();
  await here.pass(MINUTES);
  assert.equal(here.state.asked.length, 1);
  assert.equal(here.timers.size, 0);
});
