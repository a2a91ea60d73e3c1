"use strict";
// The phone panel of the demo page: phones of one's own, and what was pushed to them.
const { test } = require("node:test");
const assert = require("node:assert/strict");
const { settle, signedIn, status } = require("./demo.js");

const AT = "2026-05-05T08:35:00+00:00";

function push(id, more = {}, aps = {}, collapse = id) {
  const headers = { authorization: "bearer …", "apns-topic": "com.example", "apns-collapse-id": collapse };
  const body = { aps: { alert: { title: "title " + id, body: "body " + id }, ...aps } };
  const request = { method: "POST", url: "https://api.push.apple.com/3/device/abcdef01…", headers, body };
  return { id, toast_id: "t" + id, device_id: "d", state: "sent", attempts: 1, last_answer: "200", at: AT, request, ...more };
}

async function panel(t, items = []) {
  const { here, lost } = await signedIn(t);
  here.options.onState(status());
  await settle();
  const see = async (...pushes) => {
    here.service.pushes.items = pushes;
    here.options.onToast({ id: "d" }, {});
    await settle();
  };
  t.after(() => (here.service.pushes.items = [])); // what waits would be asked for without end
  if (items.length) await see(...items);
  const banners = () => here.at("banners").children;
  const rows = () => here.at("pushes").children;
  const hint = () => here.at("phone-hint").textContent;
  return { here, lost, see, banners, rows, hint };
}

test("a phone is registered with a token that is made up, and removed", async (t) => {
  const { here, hint } = await panel(t);
  assert.match(hint(), /None yet/);
  here.at("register").press();
  await settle();
  const [, , body, bearer] = here.service.last("POST", "/v1/devices/register-toast");
  assert.match(body.device_id, /^demo-phone-/);
  assert.ok(body.apns.token);
  assert.equal(bearer, "t1");
  const [line] = here.at("devices").children;
  assert.ok(line.saying(body.device_id));
  assert.match(hint(), /in front of the page, so it does not ring/);
  line.press("Remove");
  await settle();
  assert.equal(here.at("devices").children.length, 0);
  assert.match(hint(), /None yet/);
});

test("a device that somebody else registered under any name can be removed", async (t) => {
  const { here } = await panel(t);
  here.service.register({ device_id: "clerk:ada &?#%" });
  here.options.onState(status({ state: "waiting", retryIn: 1, reason: "" }));
  here.at("register").press();
  await settle();
  here.at("devices").children[0].press("Remove");
  await settle();
  assert.equal(here.service.devices.length, 1);
  assert.ok(here.service.last("DELETE", "/v1/devices/clerk%3Aada%20%26%3F%23%25"));
});

test("whoever is in the background is told that it rings", async (t) => {
  const { here, hint } = await panel(t);
  here.at("register").press();
  await settle();
  here.options.onState(status({ foreground: false }));
  assert.match(hint(), /You are away/);
  here.options.onState(status());
  assert.match(hint(), /in front of the page/);
});

test("a push is on the lock screen, and whole below it", async (t) => {
  const { here, banners, rows } = await panel(t, [push("1", {}, { "interruption-level": "time-sensitive" })]);
  assert.equal(here.at("screen").hidden, false);
  assert.ok(banners()[0].saying("title 1"));
  assert.ok(banners()[0].saying("body 1"));
  assert.ok(banners()[0].saying("Time sensitive"));
  const [row] = rows();
  assert.ok(row.saying("Would have been sent"));
  assert.ok(row.saying("POST https://api.push.apple.com/3/device/abcdef01…"));
  assert.ok(row.saying("apns-collapse-id"));
  assert.ok(row.saying("bearer …"));
  assert.ok(row.saying(JSON.stringify(here.service.pushes.items[0].request.body, null, 2)));
  assert.equal(row.open, true);
});

test("the newer of a collapse id takes the place of the older, and quiet ones are quiet", async (t) => {
  const { banners, rows } = await panel(t, [push("2", {}, {}, "same"), push("1", {}, {}, "same")]);
  assert.equal(banners().length, 1);
  assert.ok(banners()[0].saying("title 2"));
  assert.equal(rows().length, 2);
});

test("a lock screen is of one phone, the one that rang last", async (t) => {
  const { here, banners, rows } = await panel(t, [push("3", { device_id: "e" }), push("2"), push("1", { device_id: "e" })]);
  assert.deepEqual(banners().map((each) => each.children[1].textContent), ["title 3", "title 1"]);
  assert.equal(here.at("banners")["aria-label"], "Lock screen of e");
  assert.equal(rows().length, 3);
});

test("what was not taken is not on the lock screen, and says why", async (t) => {
  const { here, banners, rows, see } = await panel(t);
  await see(
    push("6", { state: "waiting", last_answer: null }),
    push("5", { state: "waiting", attempts: 2, last_answer: "503 Shutdown" }),
    push("4", { state: "waiting", attempts: 0, last_answer: null, request: null }),
    push("3", { state: "dropped", last_answer: "read" }),
    push("2", { state: "failed", last_answer: "400 BadTopic" }),
    push("1", { state: "expired", last_answer: null })
  );
  assert.equal(here.at("screen").hidden, true);
  assert.equal(banners().length, 0);
  const said = ["Being tried", "Tried again soon", "Waits", "Not wanted any more", "Refused", "Its time was over"];
  said.forEach((text, index) => assert.ok(rows()[index].saying(text), text));
  assert.ok(rows()[1].saying("503 Shutdown"));
  assert.ok(rows()[1].saying("2 attempts"));
  assert.ok(rows()[4].saying("400 BadTopic"));
});

test("a phone whose app is gone is not said to ring", async (t) => {
  const { here, hint, see } = await panel(t);
  here.at("register").press();
  await settle();
  here.service.devices = here.service.devices.map((each) => ({ ...each, apns_fallback_enabled: false }));
  await see(push("1", { state: "failed", last_answer: "410 Unregistered" }));
  assert.match(hint(), /None yet/);
  assert.ok(here.at("devices").children[0].saying("com.example, cannot be pushed to"));
});

test("what waits is asked for again, until it does not", async (t) => {
  const { here, see } = await panel(t);
  await see(push("1", { state: "waiting" }));
  here.service.pushes.items = [push("1")];
  for (let i = 0; i < 6; i++) await settle();
  const before = here.service.times("GET", "/demo/pushes");
  for (let i = 0; i < 6; i++) await settle();
  assert.equal(here.service.times("GET", "/demo/pushes"), before);
  assert.equal(here.at("screen").hidden, false);
});

test("a push that was sent says what Apple answered", async (t) => {
  const { here, rows, see } = await panel(t);
  here.service.pushes.recorded = false;
  await see(push("1"));
  assert.ok(rows()[0].saying("Sent"));
  assert.ok(rows()[0].saying("200"));
});

test("what is drawn already is not drawn again, and what was closed by hand stays closed", async (t) => {
  const { rows, see } = await panel(t, [push("1")]);
  const [row] = rows();
  await see(push("1"));
  assert.equal(rows()[0], row);
  row.open = false;
  await see(push("1", { attempts: 2 }));
  assert.equal(rows()[0].open, false);
  await see(push("2"), push("1", { attempts: 2 }));
  assert.deepEqual(rows().map(({ open }) => open), [true, false]);
});

test("after a publish the phone is looked at", async (t) => {
  const { here } = await panel(t);
  const before = here.service.times("GET", "/demo/pushes");
  here.at("publish").listeners.submit({ preventDefault() {} });
  await settle();
  assert.equal(here.service.times("GET", "/demo/pushes"), before + 1);
});

test("a receipt of a phone says so", async (t) => {
  const { here } = await panel(t);
  const publish = async (receipt) => {
    here.service.receipt = { session_count: 0, reason: null, transport: "apns", ...receipt };
    here.at("publish").listeners.submit({ preventDefault() {} });
    await settle();
    return here.at("verdict").textContent;
  };
  assert.equal(await publish({ delivered: true, status: "delivered" }), "Pushed to a phone");
  assert.equal(await publish({ delivered: false, status: "queued" }), "On its way to a phone");
});

test("a server that is gone is said, and so is what it refuses", async (t) => {
  const { here, lost } = await panel(t);
  here.gone = true;
  here.at("register").press();
  await settle();
  assert.deepEqual(lost, []);
  assert.match(here.at("phone-problem").textContent, /cannot be reached/);
  here.gone = false;
  here.service.register = () => [422, { message: "apns.token must be 64-200 hex digits" }];
  here.at("register").press();
  await settle();
  assert.equal(here.at("phone-problem").textContent, "apns.token must be 64-200 hex digits");
});

test("nothing of the one is shown to the next", async (t) => {
  const { here, rows, lost } = await panel(t, [push("1")]);
  here.at("register").press();
  await settle();
  here.at("sign-out").press();
  await settle();
  here.options.onToast({ id: "late" }, {});
  await settle();
  assert.deepEqual(lost, []);
  assert.equal(rows().length, 0);
  assert.equal(here.at("devices").children.length, 0);
  assert.equal(here.at("phone-problem").hidden, true);
});
