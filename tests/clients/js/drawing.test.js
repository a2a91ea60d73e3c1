"use strict";
const { test } = require("node:test");
const assert = require("node:assert/strict");
const toastkit = require("../../../toastkit_flask/static/toastkit.js");

class Element {
  constructor(name) {
    Object.assign(this, { name, className: "", children: [], attributes: new Map(), parent: null, textContent: "" });
    this.classList = { add: (more) => (this.className += " " + more) };
    this.listeners = new Map();
  }
  set innerHTML(_) {
    throw new Error("markup from data");
  }
  get isConnected() {
    return this.parent !== null;
  }
  setAttribute(name, value) {
    this.attributes.set(name, value);
  }
  addEventListener(name, then) {
    this.listeners.set(name, then);
  }
  append(...more) {
    for (const child of more) child.parent = this;
    this.children.push(...more);
  }
  remove() {
    if (!this.parent) return;
    this.parent.children.splice(this.parent.children.indexOf(this), 1);
    this.parent = null;
  }
  replaceWith(other) {
    this.parent.children.splice(this.parent.children.indexOf(this), 1, other);
    other.parent = this.parent;
    this.parent = null;
  }
  find(name) {
    for (const child of this.children) {
      const found = child.name === name ? child : child.find(name);
      if (found) return found;
    }
    return null;
  }
}

function stack(visibilityState = "visible") {
  const document = new Element("document");
  Object.assign(document, { createElement: (name) => new Element(name), body: new Element("body"), head: new Element("head") });
  document.visibilityState = visibilityState;
  const drawn = new toastkit.Stack(document);
  drawn.page = (state) => {
    document.visibilityState = state;
    document.listeners.get("visibilitychange")();
  };
  return drawn;
}

test("a script in the head draws as soon as there is a body", () => {
  const document = new Element("document");
  Object.assign(document, { createElement: (name) => new Element(name), body: null, head: new Element("head") });
  const drawn = new toastkit.Stack(document);
  drawn.show({ id: "early", title: "Early", style: "error" });
  document.body = new Element("body");
  document.listeners.get("DOMContentLoaded")();
  assert.equal(document.body.children[0], drawn.element);
});

const titles = (drawn) => drawn.element.children.map((card) => card.find("strong").textContent);
const error = (title, more) => ({ id: title, title, style: "error", ...more });

test("toasts are stacked in a polite live region", () => {
  const drawn = stack();
  drawn.show(error("one"));
  drawn.show(error("two"));
  assert.deepEqual(titles(drawn), ["one", "two"]);
  assert.equal(drawn.element.attributes.get("aria-live"), "polite");
});

test("five are shown; the oldest makes room", () => {
  const drawn = stack();
  for (const title of "abcdefg") drawn.show(error(title, { collapse_key: title }));
  assert.deepEqual(titles(drawn), ["c", "d", "e", "f", "g"]);
  assert.equal(drawn.places.size, 5);
});

test("a collapse key replaces in place, even one called __proto__", () => {
  for (const key of ["build", "__proto__"]) {
    const drawn = stack();
    drawn.show(error("one", { collapse_key: key }));
    drawn.show(error("two"));
    drawn.show(error("three", { collapse_key: key }));
    assert.deepEqual(titles(drawn), ["three", "two"]);
  }
});

test("a dismissed toast does not come back in its old place", () => {
  const drawn = stack();
  const card = drawn.show(error("one", { collapse_key: "build" }));
  drawn.show(error("two"));
  card.find("button").listeners.get("click")();
  drawn.show(error("three", { collapse_key: "build" }));
  assert.deepEqual(titles(drawn), ["two", "three"]);
});

test("text is text, and an unknown style is no class name", () => {
  const card = stack().show({ id: "a", title: "<img src=x onerror=alert(1)>", style: 'x" onclick="', priority: "high" });
  assert.equal(card.find("strong").textContent, "<img src=x onerror=alert(1)>");
  assert.equal(card.className, "toastkit-toast toastkit-info");
});

test("only a sound deeplink becomes a link", () => {
  const link = stack().show(error("a", { deeplink: "https://example.com/x" })).find("a");
  assert.equal(link.attributes.get("href"), "https://example.com/x");
  assert.equal(link.attributes.get("rel"), "noopener noreferrer");
  assert.equal(stack().show(error("b", { deeplink: "javascript:alert(1)" })).find("a"), null);
});

const plain = (title, more) => ({ id: title, title, style: "info", ...more });
const tell = (card, ...names) => names.forEach((name) => card.listeners.get(name)());

test("a toast leaves after seven seconds in front of somebody; an error stays", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const drawn = stack();
  drawn.show(plain("info"));
  drawn.show(plain("warning", { style: "warning" }));
  drawn.show(error("error"));
  drawn.show(plain("high", { priority: "high" }));
  t.mock.timers.tick(6999);
  assert.equal(titles(drawn).length, 4);
  t.mock.timers.tick(1);
  assert.deepEqual(titles(drawn), ["warning", "error", "high"]);
  t.mock.timers.tick(5000);
  assert.deepEqual(titles(drawn), ["error", "high"]);
});

test("a toast drawn in a hidden tab is there when the user comes back", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const drawn = stack("hidden");
  drawn.show(plain("one"));
  t.mock.timers.tick(3600000);
  assert.deepEqual(titles(drawn), ["one"]);
  drawn.page("visible");
  t.mock.timers.tick(6999);
  assert.deepEqual(titles(drawn), ["one"]);
  t.mock.timers.tick(1);
  assert.deepEqual(titles(drawn), []);
});

test("a tab that is hidden holds what it shows, each time", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const drawn = stack();
  drawn.show(plain("one"));
  for (let i = 0; i < 3; i++) {
    t.mock.timers.tick(6000);
    drawn.page("hidden");
    t.mock.timers.tick(60000);
    drawn.page("visible");
  }
  assert.deepEqual(titles(drawn), ["one"]);
  t.mock.timers.tick(7000);
  assert.deepEqual(titles(drawn), []);
  assert.equal(drawn.ages.size, 0);
});

test("nothing vanishes under a pointer or the focus, whatever else changes", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const drawn = stack();
  const card = drawn.show(plain("one"));
  tell(card, "mouseenter", "focusin", "mouseleave"); // the focus is still in it
  t.mock.timers.tick(60000);
  tell(card, "mouseenter", "focusout");
  drawn.page("hidden");
  drawn.page("visible"); // the pointer is still over it
  t.mock.timers.tick(60000);
  assert.deepEqual(titles(drawn), ["one"]);
  drawn.page("hidden");
  tell(card, "mouseleave");
  t.mock.timers.tick(60000);
  assert.deepEqual(titles(drawn), ["one"]);
  drawn.page("visible");
  t.mock.timers.tick(7000);
  assert.deepEqual(titles(drawn), []);
});

test("what is dismissed, replaced or crowded out is not waited for", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const drawn = stack();
  drawn.show(plain("old", { collapse_key: "build" }));
  t.mock.timers.tick(6000);
  drawn.show(plain("new", { collapse_key: "build" }));
  assert.equal(drawn.ages.size, 1);
  t.mock.timers.tick(6000);
  assert.deepEqual(titles(drawn), ["new"]);
  for (const title of "abcdefg") drawn.show(plain(title));
  assert.equal(drawn.ages.size, 5);
  for (const card of [...drawn.element.children]) card.find("button").listeners.get("click")();
  assert.equal(drawn.ages.size, 0);
});

const press = (card, name) => card.find(name).listeners.get("click")();

test("what the user does with a toast is told once, and that it is old is no deed", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const told = [];
  const drawn = stack();
  const show = (title, more) => drawn.show(plain(title, { deeplink: "/x", ...more }), (deed) => told.push(title + " " + deed));
  press(show("closed"), "button");
  const followed = show("followed");
  for (const name of ["a", "a", "button"]) press(followed, name);
  show("old");
  t.mock.timers.tick(7000);
  for (const title of "abcdef") show(title);
  show("again", { collapse_key: "k" });
  show("and again", { collapse_key: "k" });
  assert.deepEqual(told, ["closed seen", "followed read"]);
});

test("toasts are taken away by their ids, and nothing else of the host's is", () => {
  const drawn = stack();
  drawn.element.append(new Element("p"));
  for (const title of ["a", "b"]) drawn.show(plain(title));
  drawn.withdraw((id) => id === "a");
  assert.equal(drawn.ages.size, 1);
  drawn.withdraw(() => true);
  assert.deepEqual(drawn.element.children.map((child) => child.name), ["p"]);
  assert.equal(drawn.ids.size, 0);
  drawn.show(plain("c")).find("button").listeners.get("click")();
  assert.equal(drawn.ids.size, 0);
});

const GOOD = ["https://a.example/b?c=d#e", "http://a.example", "manticscore://research/01HXY7AA", "/orders/7", "mailto:a@b.example", "tel:+123"];
const SCHEMES = ["javascript", "JavaScript", "JAVASCRIPT", "data", "vbscript", "blob", "filesystem", "view-source", "about", "file"];
const BODIES = [":alert(1)", "://x/%0aalert(1)", ":text/html,<script>alert(1)</script>", "://https://a.example"];
const BLANKS = ["\t", "\n", "\r", " ", "\u0000", "\u0001", "\u001f", "\u007f", "\u0085", "\u00a0", "\u00ad", "\u200b", "\u200e", "\u202e", "\u2028", "\u2066", "\ufeff", "\ud800", "\u3000"];
const BAD = [
  ...SCHEMES.flatMap((scheme) => BODIES.map((body) => scheme + body)),
  ...BLANKS.flatMap((blank) => [
    blank + "javascript:alert(1)",
    "java" + blank + "script:alert(1)",
    "javascript" + blank + ":alert(1)",
    "https://a.example/" + blank,
    "/" + blank + "/a.example",
    blank + "https://a.example",
    blank,
  ]),
  ...["", "//a.example", "/\\a.example", "\\\\a.example", "https:\\\\a.example", "a", "a.html", "?a", "#a", "1:a", ":a", "https:"],
  ...["javascript&colon;alert(1)", "&#106;avascript:alert(1)", "java\uff53cript:alert(1)", "javascript\uff1aalert(1)", "x".repeat(2001)],
  ...[null, undefined, 7, {}, [], true, { toString: () => "https://a.example" }, ["https://a.example"]],
];

test("the corpus of deeplinks: what is good stays, what is bad is nothing", () => {
  assert.ok(BAD.length >= 190);
  for (const text of GOOD) assert.equal(toastkit.safeLink(text), text);
  for (const text of BAD) assert.equal(toastkit.safeLink(text), null, JSON.stringify(text));
});

test("a toast that is on screen is not drawn beside itself", () => {
  const drawn = stack();
  const card = drawn.show(error("one"));
  assert.equal(drawn.show(error("one")), card);
  drawn.withdraw(() => true);
  assert.notEqual(drawn.show(error("one")), card);
  assert.deepEqual(titles(drawn), ["one"]);
});

test("the oldest toast makes room, and nothing else of the host's", () => {
  const drawn = stack();
  drawn.element.append(new Element("p"));
  for (const title of "abcdefg") drawn.show(error(title));
  assert.equal(drawn.element.children[0].name, "p");
  assert.equal(drawn.element.children.length, 6);
});
