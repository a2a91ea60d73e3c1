"use strict";
// The demo page: who one is on it, what comes along at a sign-in, and what one has.
const { test } = require("node:test");
const assert = require("node:assert/strict");
const { page, settle, signedIn, status } = require("./demo.js");

const button = { preventDefault() {} };
const nobody = () => ({ tab: new Map() });

async function anonymous(t, given = nobody()) {
  const here = page(given);
  await settle();
  assert.equal(here.options, null, "nobody comes in unasked");
  here.at("stay-anonymous").press();
  await settle();
  return here;
}

function connected(here, topic) {
  const line = new here.options.environment.WebSocket("ws://here/");
  here.options.onState(status({ topics: [topic] }));
  return (code) => line.listeners.close({ code, reason: "token revoked" });
}

async function signInAs(here, name) {
  here.at("visitor-name").value = name;
  here.at("visitor").listeners.submit(button);
  await settle();
}

test("who stays anonymous is told so, and hears what is their own", async (t) => {
  const here = await anonymous(t);
  const [, , { device_id }] = here.service.last("POST", "/auth/anonymous");
  assert.match(device_id, /^device-/);
  assert.equal(here.at("me").textContent, "Anonymous");
  assert.equal(here.at("who").className, "who anonymous");
  assert.equal(here.at("visitor").hidden, false);
  assert.equal(here.at("everywhere").hidden, true);
  assert.equal(here.options.topics, undefined);
  connected(here, "user:anon:b1e4");
  assert.equal(here.at("publish").elements.user_id.value, "anon:b1e4");
});

test("a browser stays the same device, and a reload the same visitor", async (t) => {
  const first = await anonymous(t);
  const again = page({ tab: first.tab, browser: first.browser });
  await settle();
  assert.equal(again.at("me").textContent, "Anonymous");
  const [, , sent] = again.service.last("POST", "/auth/anonymous");
  assert.deepEqual(sent, first.service.last("POST", "/auth/anonymous")[2]);
});

test("a secret that the service gives a device is kept and sent along", async (t) => {
  const here = page(nobody());
  const answer = here.service.answer.bind(here.service);
  here.service.answer = (...asked) => {
    const [code, body] = answer(...asked);
    return [code, asked[1] === "/auth/anonymous" ? { ...body, device_secret: "s" } : body];
  };
  here.at("stay-anonymous").press();
  await settle();
  await signInAs(here, "ada");
  assert.equal(here.service.last("POST", "/auth/rebind")[2].device_secret, "s");
});

test("who signs in brings along what was made, and sees what the rebind did", async (t) => {
  const here = await anonymous(t);
  const close = connected(here, "user:anon:b1e4");
  here.at("project-name").value = "Tracker";
  here.at("new-project").listeners.submit(button);
  await settle();
  assert.equal(here.at("project-name").value, "");
  const visitor = here.client;
  const signing = signInAs(here, "ada");
  setTimeout(close, 5, 4001);
  await signing;
  await settle();
  const calls = here.service.asked.map(([method, url]) => method + " " + url);
  assert.ok(calls.indexOf("POST /auth/session") < calls.indexOf("POST /auth/rebind"));
  const [, , body, bearer] = here.service.last("POST", "/auth/rebind");
  assert.deepEqual(body, here.service.last("POST", "/auth/anonymous")[2]);
  assert.equal(bearer, "t2", "with the session of who signed in, never the visitor's");
  assert.equal(visitor.closed, true);
  assert.notEqual(here.client, visitor);
  assert.equal(here.at("me").textContent, "ada");
  assert.equal(here.at("visitor").hidden, true);
  assert.equal(here.at("rebound").hidden, false);
  assert.match(here.at("rebound-text").textContent, /^1 project and 3 toasts are ada's now: POST/);
  assert.match(here.at("rebound-text").textContent, /moved 3 rows in one transaction; \d+ ms .* with 4001/);
  assert.deepEqual(JSON.parse(here.at("rebound-answer").textContent), here.service.rebind[1]);
  assert.ok(here.at("rebound-title").focused);
  assert.deepEqual(Array.from(here.tab), [["name", "ada"]], "a reload is ada's, too");
  assert.ok(here.at("projects").saying("came along"));
  assert.ok(here.at("recent").saying("came along"));
});

test("a socket that the server did not close is not said to be closed", async (t) => {
  const here = await anonymous(t);
  connected(here, "user:anon:b1e4");
  await signInAs(here, "ada");
  await new Promise((done) => setTimeout(done, 100));
  assert.match(here.at("rebound-text").textContent, /moved 3 rows in one transaction\.$/);
});

test("an anonymous client that is closed gets no further session", async (t) => {
  const here = await anonymous(t);
  const { token } = here.options;
  await signInAs(here, "ada");
  const before = here.service.times("POST", "/auth/anonymous");
  await assert.rejects(token(), /signed in/);
  assert.equal(here.service.times("POST", "/auth/anonymous"), before);
});

test("of a device that is somebody else's by now nothing is moved, and one may begin anew", async (t) => {
  const here = await anonymous(t);
  const [, , { device_id }] = here.service.last("POST", "/auth/anonymous");
  const detail = `device ${device_id} already rebound to a different user`;
  here.service.rebind = [409, { detail, message: detail }];
  await signInAs(here, "grace");
  assert.equal(here.at("me").textContent, "grace", "signed in all the same");
  assert.match(here.at("rebound-text").textContent, /already rebound to a different user\. Nothing was moved/);
  for (const id of ["rebound-text", "rebound-answer"]) assert(!here.at(id).textContent.includes(device_id), id);
  assert.equal(here.at("rebound").className, "card rebound bad");
  assert.equal(here.at("new-device").hidden, false);
  here.at("new-device").press();
  assert.equal(here.browser.size, 0);
});

test("signing in on a browser that never was anonymous rebinds nothing", async (t) => {
  const { here } = await signedIn(t);
  assert.equal(here.service.times("POST", "/auth/rebind"), 0);
  assert.equal(here.at("rebound").hidden, true);
});

test("a rebind with nothing to move is not shown after a reload", async (t) => {
  const browser = new Map([["toastkit demo device", '{"device_id": "d"}']]);
  const given = { tab: new Map([["name", "ada"]]), browser };
  const here = page(given);
  here.service.rebind = [200, { rebound: false, rows_updated: 0, anon_uuid: "b1e4" }];
  await settle();
  assert.equal(here.service.times("POST", "/auth/rebind"), 1);
  assert.equal(here.at("rebound").hidden, true);
});

test("signing out shows how the server closed the socket, and keeps the page to look at", async (t) => {
  const { here } = await signedIn(t);
  const close = connected(here, "user:ada");
  here.at("sign-out").press();
  setTimeout(close, 5, 4001);
  await settle();
  assert.deepEqual(here.service.last("DELETE", "/auth/session"), ["DELETE", "/auth/session", "t1"]);
  assert.match(here.at("why").textContent, /revoked, and \d+ ms after the call .* with 4001/);
  assert.ok(here.at("frames").saying("← close 4001"));
  assert.equal(here.at("left").inert, true);
  assert.equal(here.tab.size, 0);
  assert.equal(here.client.closed, true);
  here.options.onState(status({ state: "waiting", reason: "x", retryIn: 1 }));
  assert.equal(here.at("state").textContent, "Signed out");
  here.at("home").press();
  assert.equal(here.reloads, 1);
});

test("signing out everywhere ends every session of the user", async (t) => {
  const { here } = await signedIn(t);
  here.at("everywhere").press();
  await settle();
  assert.equal(here.service.times("DELETE", "/auth/sessions"), 1);
});

test("a session that was revoked elsewhere is replaced when one connects again", async (t) => {
  const { here } = await signedIn(t);
  here.options.onState(status({ state: "stopped", reason: "Invalid token: session revoked" }));
  assert.equal(here.at("again").hidden, false);
  here.at("again").press();
  assert.equal(await here.options.token(), "t2");
});

test("who asks for a token while one is fetched gets the same", async (t) => {
  const { here } = await signedIn(t);
  here.options.onState(status({ state: "stopped", reason: "x" }));
  const tokens = await Promise.all([here.options.token(), here.options.token()]);
  assert.deepEqual(tokens, ["t2", "t2"]);
});

// ---- what one has

test("a control fetches what it is about, and nothing else", async (t) => {
  const { here } = await signedIn(t);
  const asked = async (kind) => {
    const before = here.service.asked.length;
    here.options.onControl({ kind, params: {} });
    await settle();
    return here.service.asked.slice(before).map(([method, url]) => method + " " + url);
  };
  here.service.usage = { credits_used: 2, credits_total: 25 };
  assert.deepEqual(await asked("usage.changed"), ["GET /v1/usage"]);
  assert.equal(here.at("usage").textContent, "2 of 25 credits used");
  assert.deepEqual(await asked("flags.changed"), ["GET /v1/flags"]);
  assert.ok(here.at("flags").saying("new_editor on"));
  assert.deepEqual(await asked("toasts.rebound"), ["GET /projects", "GET /v1/usage"]);
  assert.deepEqual(await asked("__proto__"), []);
  assert.equal(here.at("projects-problem").textContent, "");
});

test("an operator's acts go to the user who is here", async (t) => {
  const { here } = await signedIn(t);
  here.at("grant").press();
  here.at("flag").press();
  await settle();
  assert.deepEqual(here.service.last("POST", "/v1/admin/credits")[2], { user_id: "ada", credits: 5 });
  assert.deepEqual(here.service.last("POST", "/v1/admin/flags")[2], { name: "new_editor", enabled: false });
});

test("a project that is refused is said, and the name stays", async (t) => {
  const { here } = await signedIn(t);
  const answer = here.service.answer.bind(here.service);
  here.service.answer = (method, url, ...more) =>
    method + url === "POST/projects" ? [402, { message: "all 20 credits have been used" }] : answer(method, url, ...more);
  here.at("project-name").value = "One more";
  here.at("new-project").listeners.submit(button);
  await settle();
  assert.equal(here.at("projects-problem").textContent, "all 20 credits have been used");
  assert.equal(here.at("project-name").value, "One more");
  assert.equal(here.at("create").disabled, false);
});
