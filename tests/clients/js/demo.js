"use strict";
// The demo page's scripts, on a page made of nothing, before a service that is played by hand.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const DEMO = path.join(__dirname, "../../../example_app/demo");
const PAGE = fs.readFileSync(path.join(DEMO, "templates/page.html"), "utf8");
const NAMES = PAGE.match(/for name in \(([^)]*)\)/)[1].match(/\w+/g);
const SCRIPTS = NAMES.map((name) => fs.readFileSync(path.join(DEMO, "static", name + ".js"), "utf8"));

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
  setAttribute(name, value) {
    this[name] = value;
  }
  select() {}
  focus() {
    this.focused = true;
  }
  /** The first element below that says this. */
  saying(text) {
    for (const child of this.children) {
      const found = child.textContent === text ? child : child.saying(text);
      if (found) return found;
    }
    return null;
  }
  press(text) {
    (text ? this.saying(text) : this).listeners.click();
  }
}

/** The client, and the server behind it: what it holds, and how it changes. */
class Client {
  constructor(here) {
    Object.assign(this, { here, asked: [], items: [], read_at: "2026-05-05T08:45:00+00:00" });
    for (const id of ["c", "b", "a"]) this.publish(id, this.items.length + 1);
    this.items.reverse();
  }
  publish(id, seq, more) {
    const created_at = "2026-05-05T08:35:00+00:00";
    this.items.unshift({ id, title: "toast " + id, style: "info", seq, created_at, read_at: null, ...more });
  }
  async _do(name, job) {
    this.asked.push(name);
    if (this.here.gone) throw Object.assign(new Error("Failed to fetch"), { status: 0 });
    if (this.here.refuses) throw Object.assign(new Error("Refused"), { status: 503 });
    return job();
  }
  list({ limit, cursor = null }) {
    return this._do("list " + limit + " " + cursor, () => {
      const from = this.items.findIndex(({ id }) => id === cursor) + 1;
      const items = this.items.slice(from, from + limit).map((item) => ({ ...item }));
      const left = this.items.length > from + limit;
      const unread_count = this.items.filter((item) => !item.read_at).length;
      return { items, next_cursor: left ? items[items.length - 1].id : null, unread_count };
    });
  }
  _set(name, id, read_at) {
    return this._do(name + " " + id, () => (this.items.find((item) => item.id === id).read_at = read_at));
  }
  read(id) {
    return this._set("read", id, this.read_at);
  }
  unread(id) {
    return this._set("unread", id, null);
  }
  remove(id) {
    return this._do("remove " + id, () => (this.items = this.items.filter((item) => item.id !== id)));
  }
  readAll() {
    return this._do("readAll", () => this.items.forEach((item) => (item.read_at = this.read_at)));
  }
  setForeground(value) {
    this.foreground = value;
  }
  close() {
    this.closed = true;
  }
}

/** What the service and the demo's identity provider answer, and what they were asked. */
class Service {
  constructor() {
    this.asked = [];
    this.projects = [];
    this.usage = { plan: "free", credits_used: 1, credits_total: 20 };
    this.rebind = [200, { rebound: true, rows_updated: 3, anon_uuid: "b1e4" }];
    this.opened = 0;
    this.receipt = { delivered: true, transport: "websocket", session_count: 1, status: "delivered", reason: null };
    this.devices = [];
    this.pushes = { recorded: true, items: [] };
  }
  answer(method, url, body, bearer) {
    this.asked.push([method, url, body, bearer].filter((each) => each !== undefined));
    const session = () => [200, { token: "t" + ++this.opened, expires_in: 1800 }];
    const answers = {
      "POST /demo/sign-in": () => [200, { jwt: "jwt of " + body.name }],
      "POST /auth/session": session,
      "POST /auth/anonymous": session,
      "POST /auth/rebind": () => this.rebind,
      "GET /auth/bootstrap": () => [200, { profile: this.usage }],
      "GET /projects": () => [200, { items: this.projects }],
      "POST /projects": () => (this.projects.unshift({ id: "p" + this.projects.length, ...body }), [201, {}]),
      "GET /v1/usage": () => [200, this.usage],
      "GET /v1/devices": () => [200, { items: this.devices }],
      "POST /v1/devices/register-toast": () => this.register(body),
      "GET /demo/pushes": () => [200, this.pushes],
      "POST /v1/toasts/publish": () => [202, this.receipt],
      "GET /v1/flags": () => [200, { flags: { new_editor: true } }],
    };
    if (method === "DELETE" && url.startsWith("/v1/devices/")) return this.unregister(url.slice(12));
    return (answers[method + " " + url] || (() => [200, {}]))();
  }
  register({ device_id }) {
    const known = { bundle_id: "com.example", environment: "production", apns_fallback_enabled: true };
    this.devices = [...this.devices, { device_id, ...known }];
    return [200, { registered: true, device_id, apns_fallback_enabled: true }];
  }
  unregister(name) {
    this.devices = this.devices.filter(({ device_id }) => device_id !== decodeURIComponent(name));
    return [200, {}];
  }
  times(method, url) {
    return this.asked.filter(([how, where]) => how === method && where === url).length;
  }
  last(method, url) {
    return this.asked.filter(([how, where]) => how === method && where === url).pop();
  }
}

const storage = (kept) => ({
  getItem: (key) => (kept.has(key) ? kept.get(key) : null),
  setItem: (key, text) => kept.set(key, text),
  removeItem: (key) => kept.delete(key),
});

/** Every element that the page has, and no other: an id that is not there is an error. */
function page({ tab = new Map([["name", "ada"]]), browser = new Map() } = {}) {
  const elements = new Map([...PAGE.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => [id, new Element()]));
  for (const [, id] of PAGE.matchAll(/ id="([\w-]+)"[^>]* hidden/g)) elements.get(id).hidden = true;
  elements.get("publish").elements = new Proxy({}, { get: (all, name) => (all[name] = all[name] || new Element()) });
  const here = { at: (id) => elements.get(id), gone: false, options: null, reloads: 0, clients: [], tab, browser };
  here.service = new Service();
  const context = (here.context = {
    WebSocket: class extends Element {
      close() {
        this.closed = true;
      }
    },
    Event: class {
      constructor(type) {
        this.type = type;
      }
    },
    dispatchEvent: (event) => (here.told = event.type),
    document: {
      body: { dataset: { prefix: "", secret: "" } },
      getElementById: (id) => elements.get(id),
      createElement: () => new Element(),
    },
    sessionStorage: storage(tab),
    localStorage: storage(browser),
    crypto: { randomUUID: () => "device-" + (browser.size + here.service.asked.length) },
    location: { origin: "", reload: () => here.reloads++ },
    navigator: { clipboard: { writeText: async () => Promise.reject(new Error("denied")) } },
    performance,
    setTimeout: (then, wait, ...given) => {
      if (wait > 5000) return (here.later = then);
      // What waits for a close that may never come waits a little longer than the rest.
      return setTimeout(then, wait > 1000 ? 60 : 0, ...given);
    },
    clearTimeout,
    setInterval: () => 0,
    clearInterval() {},
    toastkit: {
      Stack: class {},
      connect: (options) => {
        here.options = options;
        here.client = new Client(here);
        here.clients.push(here.client);
        return here.client;
      },
    },
    fetch: async (url, { method, headers, body }) => {
      if (here.gone) throw new TypeError("Failed to fetch");
      const bearer = headers.Authorization && headers.Authorization.slice(7);
      const [status, answer] = here.service.answer(method, url, body && JSON.parse(body), bearer);
      return { ok: status < 400, status, json: async () => answer };
    },
  });
  context.self = context;
  vm.createContext(context);
  for (const script of SCRIPTS) vm.runInContext(script, context);
  return here;
}

const settle = () => new Promise((done) => setTimeout(done, 20));
const status = (more) => ({ state: "connected", sessionId: "s", topics: [], foreground: true, ...more });

async function signedIn(t, given) {
  const lost = [];
  const hear = (error) => lost.push(error);
  process.on("unhandledRejection", hear);
  t.after(() => process.off("unhandledRejection", hear));
  const here = page(given);
  await settle();
  assert.ok(here.options, "signed in");
  return { here, lost };
}

module.exports = { PAGE, page, settle, status, signedIn };
