"use strict";
// The demo page's script, with a page made of nothing and a server that goes away.
const { test } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const DEMO = path.join(__dirname, "../../../example_app/demo");
const SCRIPT = fs.readFileSync(path.join(DEMO, "static/page.js"), "utf8");
const PAGE = fs.readFileSync(path.join(DEMO, "templates/page.html"), "utf8");

class Element {
  constructor() {
    Object.assign(this, { hidden: false, textContent: "", value: "", className: "", dataset: {}, children: [], listeners: {} });
  }
  addEventListener(name, then) {
    this.listeners[name] = then;
  }
  append(...more) {
    this.children.push(...more);
  }
  prepend(...more) {
    this.children.unshift(...more);
  }
  replaceChildren(...more) {
    this.children = more;
  }
  get childElementCount() {
    return this.children.length;
  }
  querySelector() {
    return new Element();
  }
  select() {}
}

/** Every element that the page has, and no other: an id that is not there is an error. */
function page() {
  const elements = new Map([...PAGE.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => [id, new Element()]));
  for (const [, id] of PAGE.matchAll(/ id="([\w-]+)"[^>]* hidden/g)) elements.get(id).hidden = true;
  const control = Object.assign(new Element(), { dataset: { control: "flags.changed" } });
  elements.get("publish").elements = new Proxy({}, { get: (all, name) => (all[name] = all[name] || new Element()) });
  const here = { at: (id) => elements.get(id), control, gone: false, options: null, reloads: 0, asked: [] };
  const body = (url) => (url === "/demo/sign-in" ? { jwt: "j" } : { token: "t", expires_in: 1800, items: [] });
  const context = {
    document: {
      body: { dataset: { prefix: "", secret: "" } },
      getElementById: (id) => elements.get(id),
      createElement: () => new Element(),
      querySelectorAll: () => [control],
    },
    sessionStorage: { getItem: () => "ada", setItem() {}, removeItem() {} },
    location: { origin: "", reload: () => here.reloads++ },
    navigator: { clipboard: { writeText: async () => Promise.reject(new Error("denied")) } },
    performance,
    setTimeout: (then) => setImmediate(then),
    clearTimeout: clearImmediate,
    setInterval: () => 0,
    clearInterval() {},
    toastkit: {
      connect: (options) => ((here.options = options), { close() {}, setForeground: (value) => (here.foreground = value) }),
    },
    fetch: async (url) => {
      here.asked.push(url);
      if (here.gone) throw new TypeError("Failed to fetch");
      return { ok: !here.refuses, status: 200, json: async () => (here.refuses ? { message: "Refused" } : body(url)) };
    },
  };
  vm.runInNewContext(SCRIPT, context);
  return here;
}

const settle = () => new Promise((done) => setTimeout(done, 20));
const status = (more) => ({ state: "connected", sessionId: "s", topics: [], foreground: true, ...more });

async function signedIn(t) {
  const lost = [];
  const hear = (error) => lost.push(error);
  process.on("unhandledRejection", hear);
  t.after(() => process.off("unhandledRejection", hear));
  const here = page();
  await settle();
  assert.ok(here.options, "signed in");
  return { here, lost };
}

test("a list that cannot be fetched is said on the page, until it can", async (t) => {
  const { here, lost } = await signedIn(t);
  here.gone = true;
  here.options.onToast();
  await settle();
  assert.deepEqual(lost, []);
  assert.equal(here.at("recent-problem").hidden, false);
  assert.match(here.at("recent-problem").textContent, /cannot be reached/);
  here.gone = false;
  here.options.onState(status());
  await settle();
  assert.equal(here.at("recent-problem").hidden, true);
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
  here.control.listeners.click();
  here.at("publish").listeners.submit({ preventDefault() {} });
  here.at("copy").listeners.click();
  here.at("sign-out").listeners.click();
  await settle();
  assert.deepEqual(lost, []);
  assert.match(here.at("verdict").textContent, /cannot be reached/);
  assert.match(here.at("controls").children[0].children[2].textContent, /cannot be reached/);
  assert.equal(here.reloads, 1);
});

test("in the background the page says what that means", async (t) => {
  const { here } = await signedIn(t);
  here.options.onState(status());
  assert.equal(here.at("background").hidden, true);
  here.options.onState(status({ foreground: false }));
  assert.equal(here.at("background").hidden, false);
  assert.match(PAGE, /id="background"[^>]*>[^<]*still gets the frame[^<]*<\/p>/);
});
