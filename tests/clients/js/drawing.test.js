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

function stack() {
  const document = { createElement: (name) => new Element(name), body: new Element("body"), head: new Element("head") };
  return new toastkit.Stack(document);
}

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
