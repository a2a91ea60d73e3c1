"use strict";
// The demo page's scripts, with a page made of nothing and a server that goes away.
const { test } = require("node:test");
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const DEMO = path.join(__dirname, "../../../example_app/demo");
const SCRIPTS = ["list.js", "page.js"].map((name) => fs.readFileSync(path.join(DEMO, "static", name), "utf8"));
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
  setAttribute(name, value) {
    this[name] = value;
  }
  select() {}
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
  close() {}
}

/** Every element that the page has, and no other: an id that is not there is an error. */
function page() {
  const elements = new Map([...PAGE.matchAll(/ id="([\w-]+)"/g)].map(([, id]) => [id, new Element()]));
  for (const [, id] of PAGE.matchAll(/ id="([\w-]+)"[^>]* hidden/g)) elements.get(id).hidden = true;
  const control = Object.assign(new Element(), { dataset: { control: "flags.changed" } });
  elements.get("publish").elements = new Proxy({}, { get: (all, name) => (all[name] = all[name] || new Element()) });
  const here = { at: (id) => elements.get(id), control, gone: false, options: null, reloads: 0 };
  here.client = new Client(here);
  const body = (url) => (url === "/demo/sign-in" ? { jwt: "j" } : { token: "t", expires_in: 1800 });
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
      querySelectorAll: () => [control],
    },
    sessionStorage: { getItem: () => "ada", setItem() {}, removeItem() {} },
    location: { origin: "", reload: () => here.reloads++ },
    navigator: { clipboard: { writeText: async () => Promise.reject(new Error("denied")) } },
    performance,
    setTimeout: (then, wait) => (wait > 5000 ? (here.later = then) : setImmediate(then)),
    clearTimeout: clearImmediate,
    setInterval: () => 0,
    clearInterval() {},
    toastkit: {
      connect: (options) => ((here.options = options), here.client),
    },
    fetch: async (url) => {
      if (here.gone) throw new TypeError("Failed to fetch");
      return { ok: !here.refuses, status: 200, json: async () => (here.refuses ? { message: "Refused" } : body(url)) };
    },
  });
  context.self = context;
  vm.createContext(context);
  for (const script of SCRIPTS) vm.runInContext(script, context);
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
