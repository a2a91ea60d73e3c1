"use strict";
// The demo page: its list, its line, and a server that goes away.
const { test } = require("node:test");
const assert = require("node:assert/strict");
const { PAGE, settle, signedIn, status } = require("./demo.js");

test("a list that cannot be fetched is said on the page, until it can", async (t) => {
  const { here, lost } = await signedIn(t);
  here.gone = true;
  here.options.onToast({ id: "d" }, {});
  await settle();
  assert.deepEqual(lost, []);
  assert.equal(here.at("recent-problem").hidden, false);
  assert.match(here.at("recent-problem").textContent, /cannot be reached/);
  here.gone = false;
  here.options.onState(status());
  await settle();
  assert.equal(here.at("recent-problem").hidden, true);
});

test("what controls would have told meanwhile is fetched by who comes back", async (t) => {
  const { here } = await signedIn(t);
  here.options.onState(status());
  await settle();
  assert.equal(here.service.times("GET", "/v1/flags"), 1, "what the page starts with");
  here.gone = true;
  here.options.onState(status({ state: "waiting", retryIn: 500 }));
  here.at("new-project").listeners.submit({ preventDefault() {} });
  await settle();
  assert.match(here.at("projects-problem").textContent, /cannot be reached/);
  here.gone = false;
  here.service.usage = { ...here.service.usage, credits_total: 25 };
  here.options.onState(status());
  await settle();
  assert.match(here.at("usage").textContent, /of 25/);
  assert.equal(here.service.times("GET", "/v1/flags"), 2);
  assert.equal(here.at("projects-problem").hidden, true);
});

test("a gap in an open connection fetches the list", async (t) => {
  const { here, titles } = await listed(t);
  here.client.publish("d", 4);
  here.options.onGap("unrecoverable_position");
  await settle();
  assert.equal(titles()[0], "d");
});

test("a list that is refused is said too", async (t) => {
  const { here, lost } = await signedIn(t);
  here.refuses = true;
  here.options.onState(status());
  await settle();
  assert.deepEqual(lost, []);
  assert.equal(here.at("recent-problem").textContent, "Refused");
});

test("no button throws when the server is gone", async (t) => {
  const { here, lost } = await signedIn(t);
  here.gone = true;
  here.at("grant").listeners.click();
  here.at("new-project").listeners.submit({ preventDefault() {} });
  here.at("publish").listeners.submit({ preventDefault() {} });
  here.at("copy").listeners.click();
  here.at("sign-out").listeners.click();
  await settle();
  assert.deepEqual(lost, []);
  assert.match(here.at("verdict").textContent, /cannot be reached/);
  assert.match(here.at("controls-problem").textContent, /cannot be reached/);
  assert.match(here.at("projects-problem").textContent, /cannot be reached/);
  assert.match(here.at("why").textContent, /cannot be reached: the session ends by itself/);
});

test("in the background the page says what that means", async (t) => {
  const { here } = await signedIn(t);
  here.options.onState(status());
  assert.equal(here.at("background").hidden, true);
  here.options.onState(status({ foreground: false }));
  assert.equal(here.at("background").hidden, false);
  assert.match(PAGE, /id="background"[^>]*>[^<]*still gets the frame[^<]*<\/p>/);
});

// ---- the list

async function listed(t) {
  const { here, lost } = await signedIn(t);
  here.options.onState(status());
  await settle();
  const rows = () => here.at("recent").children;
  const titles = () => rows().map((row) => row.children[1].textContent.slice(6));
  const unread = () => rows().filter((row) => row.className.includes("unread")).length;
  return { here, lost, rows, titles, unread };
}

test("the list is newest first, and the bell and the title say how many are unread", async (t) => {
  const { here, titles, unread } = await listed(t);
  assert.deepEqual(titles(), ["c", "b", "a"]);
  assert.equal(unread(), 3);
  assert.equal(here.at("unread").textContent, "3");
  assert.equal(here.at("unread").hidden, false);
  assert.equal(here.context.document.title, "(3) ada · toastkit");
  assert.match(here.at("bell")["aria-label"], /3 unread/);
});

test("a toast is marked read and unread again, deleted, and all are read", async (t) => {
  const { here, rows, titles, unread } = await listed(t);
  const [first] = rows();
  assert.equal(first.saying("Mark read")["aria-label"], "Mark read: toast c");
  first.press("Mark read");
  await settle();
  assert.equal(unread(), 2);
  assert.equal(rows()[0], first, "the row stays where it is, and the focus in it");
  first.press("Mark unread");
  await settle();
  assert.equal(unread(), 3);
  rows()[1].press("Delete");
  await settle();
  assert.deepEqual(titles(), ["c", "a"]);
  here.at("read-all").press();
  await settle();
  assert.equal(unread(), 0);
  assert.equal(here.at("unread").hidden, true);
  assert.equal(here.at("read-all").disabled, true);
  assert.equal(here.context.document.title, "ada · toastkit");
});

test("more is loaded while there is more, and what was loaded stays", async (t) => {
  const { here, titles } = await listed(t);
  assert.equal(here.at("more").hidden, true);
  for (let i = 0; i < 40; i++) here.client.publish("n" + i, 10 + i);
  here.options.onGap("too_many");
  here.options.onToast({ id: "n39" }, {});
  await settle();
  assert.equal(titles().length, 20);
  assert.equal(here.at("more").hidden, false);
  here.at("more").press();
  await settle();
  assert.equal(titles().length, 40);
  here.client.publish("newest", 99);
  here.options.onToast({ id: "newest" }, {});
  await settle();
  assert.equal(titles().length, 40);
  assert.equal(titles()[0], "newest");
  here.at("more").press();
  await settle();
  assert.deepEqual(titles().length, 44);
  assert.equal(here.at("more").hidden, true);
  assert.equal(new Set(titles()).size, 44);
});

test("what another tab does is followed, and other controls are not", async (t) => {
  const { here, unread, titles } = await listed(t);
  const before = here.client.asked.length;
  here.options.onControl({ kind: "usage.changed", params: {} });
  await settle();
  assert.equal(here.client.asked.length, before);
  here.client.items[0].read_at = "2026-05-05T08:45:00+00:00";
  here.client.items.pop();
  here.options.onControl({ kind: "toast.read", params: { id: "c" } });
  here.options.onControl({ kind: "toast.deleted", params: { id: "a" } });
  await settle();
  assert.equal(here.client.asked.length, before + 1, "what comes together is fetched together");
  assert.equal(unread(), 1);
  assert.deepEqual(titles(), ["c", "b"]);
});

test("a deed that fails is said", async (t) => {
  const { here, lost, rows } = await listed(t);
  here.gone = true;
  rows()[0].press("Delete");
  await settle();
  assert.deepEqual(lost, []);
  assert.match(here.at("recent-problem").textContent, /cannot be reached/);
  assert.equal(rows().length, 3);
});

// ---- recovery

test("the line is cut for ten seconds; then the client is told that it is back", async (t) => {
  const { here } = await signedIn(t);
  const { WebSocket: Line } = here.options.environment;
  const open = new Line("ws://here/");
  here.at("cut").press();
  assert.equal(open.closed, true);
  assert.equal(here.at("cut").disabled, true);
  assert.throws(() => new Line("ws://here/"), /by hand/);
  here.later();
  assert.equal(here.told, "online");
  assert.equal(here.at("cut").disabled, false);
  assert.ok(new Line("ws://here/"));
});

test("what recovery did is said", async (t) => {
  const { here } = await listed(t);
  const said = () => here.at("recovery").textContent;
  const frame = (more) => here.options.onFrame({ type: "connection_ack", seq: 12, epoch: "ab", ...more }, false);
  const before = said();
  frame({});
  assert.equal(here.at("position").textContent, "seq 12 of ab");
  assert.equal(said(), before, "nothing was to be recovered");
  frame({ recovered: true, replayed: 0 });
  assert.match(said(), /nothing was missed/);
  frame({ recovered: true, replayed: 1 });
  assert.match(said(), /1 toast replayed/);
  here.options.onGap("epoch_changed");
  assert.match(said(), /epoch changed/);
});

test("a replayed toast is marked, on the wire and in the list", async (t) => {
  const { here, rows } = await listed(t);
  const frame = { type: "toast", seq: 9, epoch: "ab", replayed: true, toast: { id: "d" } };
  here.client.publish("d", 9);
  here.options.onFrame(frame, false);
  here.options.onToast(frame.toast, frame);
  await settle();
  assert.ok(here.at("frames").saying("replayed"));
  assert.ok(rows()[0].saying("replayed"));
  assert.equal(rows()[1].saying("replayed"), null);
});
