/*! toastkit.js: toasts over a WebSocket. One file, no dependencies. MIT licence.
 *
 *   <script src="/toastkit/toastkit.js"></script>
 *   <script>toastkit.connect()</script>
 *
 * connect(options) -> client; every option may be left out:
 *   onToast(toast, frame)   a toast, once per id; return false to keep it from being drawn
 *   onControl(control)      {kind, params, ts}: something to fetch again, nothing to show
 *   onState(status)         {state, reason, retryIn, sessionId, topics, foreground};
 *                           state is connecting, connected, waiting or stopped
 *   onError(frame)          what the server refused: {code, message, topic}
 *   onFrame(frame, sent)    every frame heard, and every frame sent (sent = true)
 *   render                  true (default), false, or the element to draw into
 *   token                   a bearer token or a function that gives one (or a promise of one);
 *                           without it the page's own cookie signs in
 *   headers, base, deviceId, bundleId, topics     of the bootstrap request
 * client: subscribe(topics), unsubscribe(topics), setForeground(true | false | null), close(),
 *   status
 */
(function (root) {
  "use strict";

  const SCRIPT = root.document && root.document.currentScript;
  const RECENT_IDS = 1000;
  const TOPICS_PER_MESSAGE = 50;
  const ASK_MS = 30000; // how long the answer to a bootstrap may take
  const HELLO_MS = 10000; // from dialling to connection_ack
  const BEAT_MS = 30000; // a browser is not told of a dead network: ask now and then
  const PROBE_MS = 5000; // how long an answer may take when we doubt the network
  const SETTLED_MS = 10000; // a connection this old was a success: start counting anew
  const FLOOR_MS = 500; // no attempt follows another at once, whatever went wrong
  const LONGEST_MS = 600000; // what a Retry-After may ask for
  const RENEW_MS = [15000, 86400000]; // a browser takes a delay beyond 24 days for none

  /** Milliseconds until the next attempt. Everybody is cut off by a restart at once, so the
   * random share is the whole delay and not a decoration. */
  function backoff(code, attempt, random) {
    const most = Math.min(30000, 1000 * Math.pow(2, Math.min(attempt, 10)));
    const spread = code === 1012 || code === 1013 ? 5000 : 0;
    return FLOOR_MS + random() * (Math.max(most, spread) - FLOOR_MS);
  }

  /** A number within bounds, whatever was given: setTimeout takes NaN and Infinity for "at once". */
  function within(value, least, most) {
    return value >= least ? Math.min(value, most) : least;
  }

  /** What a close code asks for: "stop", "bootstrap" (a new token first) or "retry". */
  function policy(code) {
    if (code === 4002 || (code >= 4400 && code <= 4499)) return "stop";
    return code === 4001 ? "bootstrap" : "retry";
  }

  /** A deeplink that may become an href, or null. The server checks too; a page must not depend
   * on every server it will ever talk to. */
  function safeLink(text) {
    if (typeof text !== "string" || text.length > 2000) return null;
    if (/[\s\\]|\p{C}/u.test(text)) return null; // "java\tscript:", "/\evil", bidi tricks
    if (/^\/(?!\/)/.test(text)) return text;
    const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):./.exec(text);
    const active = /^(javascript|data|vbscript|blob|filesystem|view-source|about|file)$/i;
    return scheme && !active.test(scheme[1]) ? text : null;
  }

  /** The last ids seen. At least once on the wire, shown once. */
  class Ring {
    constructor(size) {
      this.size = size;
      this.ids = new Set(); // keeps insertion order; an id may be "__proto__"
    }
    fresh(id) {
      if (this.ids.has(id)) return false;
      this.ids.add(id);
      if (this.ids.size > this.size) this.ids.delete(this.ids.values().next().value);
      return true;
    }
  }

  class Failure extends Error {
    constructor(reason, final, retryMs) {
      super(reason);
      this.final = final; // asking again would get the same answer
      this.retryMs = retryMs || 0;
    }

    /** Anything may be thrown at us, undefined too: by fetch, by a token function, by WebSocket. */
    static of(thrown) {
      if (thrown instanceof Failure) return thrown;
      const words = thrown && thrown.message ? thrown.message : thrown;
      return new Failure(typeof words === "string" && words ? words : "no answer");
    }
  }

  class Client {
    constructor(options, env) {
      this.options = options;
      this.env = env;
      this.seen = new Ring(RECENT_IDS);
      this.timers = new Map();
      this.wanted = new Set(options.topics || []);
      this.unwanted = new Set();
      this.link = null; // the connection that was greeted
      this.next = null; // the one being opened
      this.ticket = null;
      this.attempt = 0;
      this.turn = 0; // answers of an abandoned attempt are recognised by it
      this.override = null;
      this.status = { state: "connecting", topics: [], foreground: this._foreground() };
      this._watch();
      this._dial();
    }

    subscribe(topics) {
      for (const topic of topics) this.wanted.add(topic), this.unwanted.delete(topic);
      this._sendTopics("subscribe", topics);
    }

    unsubscribe(topics) {
      for (const topic of topics) this.wanted.delete(topic), this.unwanted.add(topic);
      this._sendTopics("unsubscribe", topics);
    }

    /** Say whether the user is in front of the page; null = as the browser says. */
    setForeground(value) {
      this.override = value;
      this._sayForeground();
    }

    /** End for good. */
    close() {
      this._stop("closed");
    }

    // ---- getting there

    _dial() {
      const turn = ++this.turn;
      this._clear("ask", "retry", "renew");
      if (!this.link) this._tell({ state: "connecting" });
      if (turn !== this.turn) return; // closed by who was told
      this._ticket(turn)
        .then((ticket) => turn === this.turn && this._open(ticket))
        .catch((thrown) => turn === this.turn && this._refused(Failure.of(thrown)));
    }

    async _ticket(turn) {
      if (this.ticket && this.env.now() < this.ticket.until) return this.ticket;
      const { base, bundleId, deviceId } = this.options;
      const asked = { default_topics: Array.from(this.wanted) };
      if (deviceId) asked.device_id = deviceId;
      if (bundleId) asked.bundle_id = bundleId;
      const headers = await this._headers();
      const signal = this._patience(turn);
      const response = await this.env.fetch(base + "/v1/sessions/toast-bootstrap", {
        method: "POST",
        credentials: "same-origin",
        cache: "no-store",
        headers,
        signal,
        body: JSON.stringify(asked),
      });
      const body = (await response.json().catch(() => null)) || {};
      if (!response.ok) throw refusal(response, body);
      if (typeof body.ws_url !== "string") throw new Failure("an answer without ws_url");
      // The two clocks may differ by hours: measure the ticket's life on the server's own.
      const now = Date.parse(response.headers.get("date") || "") || Date.now();
      const life = within(Date.parse(body.expires_at) - now, 0, RENEW_MS[1]) || 900000;
      return { url: body.ws_url, until: this.env.now() + life - 10000, life };
    }

    /** A server that takes the request and says nothing has failed as well. */
    _patience(turn) {
      const cut = new AbortController();
      const over = () => {
        this.turn++;
        cut.abort();
        this._refused(new Failure("no answer"));
      };
      if (turn === this.turn) this._after("ask", ASK_MS, over);
      return cut.signal;
    }

    async _headers() {
      const { token, headers } = this.options;
      const all = { "Content-Type": "application/json", "X-ToastKit": "1", ...headers };
      const bearer = typeof token === "function" ? await token() : token;
      if (bearer) all.Authorization = "Bearer " + bearer;
      return all;
    }

    _refused(failure) {
      this._clear("ask");
      this.ticket = null;
      if (failure.final && !this.link) return this._stop(failure.message);
      this._later(0, failure.message, failure.retryMs);
    }

    _open(ticket) {
      this._clear("ask", "retry"); // set when a live connection was lost while the ticket was fetched
      this.ticket = ticket;
      const state = this._foreground() ? "" : "&state=background";
      const socket = new this.env.WebSocket(ticket.url + state);
      const link = (this.next = { socket, awaiting: false, since: 0, life: ticket.life });
      socket.onmessage = (event) => this._heard(link, event.data);
      socket.onclose = (event) => this._lost(link, event.code, event.reason);
      this._after("hello", HELLO_MS, () => this._drop(link, "no answer"));
    }

    _ready(link, frame) {
      const old = this.link;
      this.link = link;
      this.next = null;
      link.since = this.env.now();
      if (old && old !== link) part(old); // the new one was opened beside it: nothing is missed
      this._clear("hello");
      this._after("beat", BEAT_MS, () => this._beat());
      const renew = Math.max(link.life / 2, link.life - 60000 * (1 + this.env.random()));
      this._after("renew", within(renew, ...RENEW_MS), () => {
        this.ticket = null;
        this._dial();
      });
      const topics = Array.isArray(frame.topics) ? frame.topics : [];
      this._tell({ state: "connected", sessionId: frame.session_id, topics });
      const heard = new Set(topics);
      this._sendTopics("subscribe", Array.from(this.wanted).filter((topic) => !heard.has(topic)));
      this._sendTopics("unsubscribe", Array.from(this.unwanted).filter((topic) => heard.has(topic)));
      this._sayForeground();
    }

    // ---- losing it

    _lost(link, code, reason) {
      if (link !== this.link && link !== this.next) return;
      const settled = link.since && this.env.now() - link.since > SETTLED_MS;
      if (link === this.link) this._clear("beat", "renew");
      if (link === this.next) this._clear("hello");
      if (link === this.link) this.link = null;
      else this.next = null;
      if (settled) this.attempt = 0;
      const verdict = policy(code);
      const why = reason || "closed with " + code;
      if (verdict === "stop") return this._stop(why);
      if (verdict === "bootstrap" || !link.since) this.ticket = null;
      if (!this.next) this._later(code, why, 0);
    }

    _drop(link, why) {
      part(link); // its own close event may take minutes: the network is gone
      this._lost(link, 1006, why);
    }

    _later(code, reason, least) {
      const drawn = backoff(code, this.attempt++, this.env.random);
      const wait = within(Math.max(least, drawn), FLOOR_MS, LONGEST_MS);
      this._after("retry", wait, () => this._dial());
      if (!this.link) this._tell({ state: "waiting", reason, retryIn: wait });
    }

    _stop(reason) {
      this.turn++;
      this._clear(...this.timers.keys());
      for (const link of [this.link, this.next]) if (link) part(link);
      this.link = this.next = null;
      this._unwatch();
      this._tell({ state: "stopped", reason });
    }

    _beat() {
      if (!this.link) return;
      if (this.link.awaiting) return this._drop(this.link, "no answer");
      this._probe(BEAT_MS);
    }

    _probe(wait) {
      if (!this.link) return;
      this.link.awaiting = true;
      this._send({ type: "ping" });
      this._after("beat", wait, () => this._beat());
    }

    // ---- hearing and saying

    _heard(link, data) {
      link.awaiting = false;
      let frame;
      try {
        frame = JSON.parse(data);
      } catch (error) {
        return;
      }
      if (!frame || typeof frame !== "object") return;
      this._call("onFrame", frame, false);
      if (frame.type === "connection_ack" && link === this.next) this._ready(link, frame);
      else if (frame.type === "toast") this._toast(frame);
      else if (frame.type === "control" && frame.control) this._call("onControl", frame.control);
      else if (frame.type === "error") this._call("onError", frame);
      else if (frame.type === "subscribe_ack") this._tell({ topics: frame.all_topics || [] });
      else if (frame.type === "unsubscribe_ack") {
        const gone = new Set(frame.topics);
        this._tell({ topics: this.status.topics.filter((topic) => !gone.has(topic)) });
      }
    }

    _toast(frame) {
      const toast = frame.toast;
      if (!toast || typeof toast.id !== "string" || !this.seen.fresh(toast.id)) return;
      if (this._call("onToast", toast, frame) !== false && this.options.stack) {
        this.options.stack.show(toast);
      }
    }

    _send(frame) {
      if (!this.link || this.link.socket.readyState !== 1) return;
      this.link.socket.send(JSON.stringify(frame));
      this._call("onFrame", frame, true);
    }

    _sendTopics(type, topics) {
      for (let i = 0; i < topics.length; i += TOPICS_PER_MESSAGE) {
        this._send({ type, topics: topics.slice(i, i + TOPICS_PER_MESSAGE) });
      }
    }

    _foreground() {
      if (this.override === true || this.override === false) return this.override;
      const page = this.env.document;
      return !page || page.visibilityState !== "hidden";
    }

    _sayForeground() {
      const foreground = this._foreground();
      this._send({ type: "state", state: foreground ? "foreground" : "background" });
      this._tell({ foreground });
    }

    _tell(change) {
      const fresh = change.state ? { reason: undefined, retryIn: undefined } : {};
      this.status = { ...this.status, ...fresh, ...change };
      this._call("onState", this.status);
    }

    _call(name, ...given) {
      if (!this.options[name]) return undefined;
      try {
        return this.options[name](...given);
      } catch (error) {
        console.error(error); // a host's mistake must not end the connection
        return undefined;
      }
    }

    // ---- the page around us

    _watch() {
      this.onVisible = () => {
        this._sayForeground();
        if (this._foreground()) this._probe(PROBE_MS);
      };
      this.onOnline = () => (this.link ? this._probe(PROBE_MS) : this.timers.has("retry") && this._dial());
      if (this.env.document) this.env.document.addEventListener("visibilitychange", this.onVisible);
      if (this.env.window) this.env.window.addEventListener("online", this.onOnline);
    }

    _unwatch() {
      if (this.env.document) this.env.document.removeEventListener("visibilitychange", this.onVisible);
      if (this.env.window) this.env.window.removeEventListener("online", this.onOnline);
    }

    _after(name, wait, then) {
      this._clear(name);
      const run = () => {
        this.timers.delete(name);
        then();
      };
      this.timers.set(name, this.env.setTimeout(run, wait));
    }

    _clear(...names) {
      for (const name of names) {
        this.env.clearTimeout(this.timers.get(name));
        this.timers.delete(name);
      }
    }
  }

  function part(link) {
    link.socket.onmessage = link.socket.onclose = null;
    link.socket.close(1000);
  }

  function refusal(response, body) {
    const why = body.detail || body.code || "HTTP " + response.status;
    const again = response.status === 429 || response.status >= 500;
    return new Failure(String(why), !again, 1000 * Number(response.headers.get("retry-after")) || 0);
  }

  // ---- drawing

  const CARDS = 5; // more would leave the screen; the list has them all
  const LIFE_MS = { info: 7000, success: 7000, warning: 12000 }; // an error waits to be read

  /** Draw toasts into an element: newest last, one place per collapse key, textContent only. */
  class Stack {
    constructor(document, place) {
      this.document = document;
      this.places = new Map();
      this.ages = new Map(); // the cards that leave by themselves
      this.element = place || this._element("section", "toastkit");
      this.element.setAttribute("role", "region");
      this.element.setAttribute("aria-label", "Notifications");
      this.element.setAttribute("aria-live", "polite");
      if (!place) document.body.append(this.element);
      dress(document);
      document.addEventListener("visibilitychange", () => this.ages.forEach((age) => age.run()));
    }

    show(toast) {
      const card = this._card(toast);
      const key = toast.collapse_key;
      const old = key ? this.places.get(key) : null;
      if (old && old.isConnected) {
        this._forget(old);
        card.classList.add("toastkit-again");
        old.replaceWith(card);
      } else this.element.append(card);
      if (key) this.places.set(key, card);
      while (this.element.children.length > CARDS) this._dismiss(this.element.children[0]);
      return card;
    }

    _card(toast) {
      const style = ["success", "warning", "error"].find((name) => name === toast.style) || "info";
      const card = this._element("article", "toastkit-toast toastkit-" + style);
      const text = this._element("div", "toastkit-text");
      text.append(this._element("strong", "toastkit-title", toast.title));
      if (toast.body) text.append(this._element("p", "toastkit-body", toast.body));
      const link = safeLink(toast.deeplink);
      if (link) text.append(this._link(link));
      const close = this._element("button", "toastkit-close", "\u00d7");
      close.type = "button";
      close.setAttribute("aria-label", "Dismiss: " + toast.title);
      const dismiss = () => this._dismiss(card);
      close.addEventListener("click", dismiss);
      card.append(text, close);
      if (style !== "error" && toast.priority !== "high") this._age(card, LIFE_MS[style], dismiss);
      return card;
    }

    _dismiss(card) {
      card.remove();
      this._forget(card);
      for (const [key, place] of this.places) if (place === card) this.places.delete(key);
    }

    /** Nothing vanishes under a pointer, under the focus, or in a tab that nobody sees: who comes
     * back has the whole time to read it. */
    _age(card, life, dismiss) {
      const held = new Set();
      let timer;
      const run = () => {
        clearTimeout(timer);
        if (!held.size && this.document.visibilityState !== "hidden") timer = setTimeout(dismiss, life);
      };
      for (const [on, off] of [["mouseenter", "mouseleave"], ["focusin", "focusout"]]) {
        card.addEventListener(on, () => (held.add(on), run()));
        card.addEventListener(off, () => (held.delete(on), run()));
      }
      this.ages.set(card, { run, held });
      run();
    }

    _forget(card) {
      const age = this.ages.get(card);
      if (!age) return;
      this.ages.delete(card);
      age.held.add("gone");
      age.run();
    }

    _link(target) {
      const link = this._element("a", "toastkit-link", "Open");
      link.setAttribute("href", target);
      link.setAttribute("rel", "noopener noreferrer");
      if (/^https?:/i.test(target)) link.setAttribute("target", "_blank");
      return link;
    }

    _element(name, className, text) {
      const element = this.document.createElement(name);
      element.className = className;
      if (text !== undefined) element.textContent = String(text);
      return element;
    }
  }

  /** A constructed sheet passes a strict Content-Security-Policy; older browsers get a style
   * element with the nonce of our own script tag. */
  function dress(document) {
    if (document.toastkitDressed) return;
    document.toastkitDressed = true;
    try {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLES);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    } catch (error) {
      const style = document.createElement("style");
      if (SCRIPT && SCRIPT.nonce) style.nonce = SCRIPT.nonce;
      style.textContent = STYLES;
      document.head.append(style);
    }
  }

  const STYLES = `
.toastkit{position:fixed;z-index:2147483000;inset:auto 0 0 auto;display:flex;gap:10px;padding:16px;
flex-direction:column;box-sizing:border-box;width:min(412px,100vw);pointer-events:none;font:14px/1.45 system-ui,sans-serif}
.toastkit-toast{--toastkit-tint:#2563eb;--toastkit-mark:"i";pointer-events:auto;display:flex;gap:12px;
align-items:flex-start;padding:14px 12px 14px 14px;border-radius:14px;color:#17181c;background:#fff;
border:1px solid #0000001a;box-shadow:0 10px 30px -8px #00000040,0 2px 6px #00000014;
animation:toastkit-in .28s cubic-bezier(.2,.9,.3,1.2)}
.toastkit-success{--toastkit-tint:#15803d;--toastkit-mark:"\\2713"}
.toastkit-warning{--toastkit-tint:#b45309;--toastkit-mark:"!"}
.toastkit-error{--toastkit-tint:#c81e3a;--toastkit-mark:"\\2715"}
.toastkit-toast::before{content:var(--toastkit-mark);flex:none;width:24px;height:24px;border-radius:50%;
background:var(--toastkit-tint);color:#fff;font:700 13px/24px system-ui,sans-serif;text-align:center}
.toastkit-text{flex:1;min-width:0;overflow-wrap:anywhere}
.toastkit-title{display:block;font-weight:650;line-height:24px}
.toastkit-body{margin:1px 0 0;opacity:.8;white-space:pre-line}
.toastkit-link{display:inline-block;margin-top:6px;font-weight:600;color:var(--toastkit-tint)}
.toastkit-close{flex:none;width:28px;height:28px;margin:-2px 0 0;border:0;border-radius:8px;
background:none;color:inherit;opacity:.55;font:20px/1 system-ui,sans-serif;cursor:pointer}
.toastkit-close:hover,.toastkit-close:focus-visible{opacity:1;background:#8881}
.toastkit-again{animation:toastkit-again .3s}
@keyframes toastkit-in{from{opacity:0;transform:translateY(14px) scale(.97)}}
@keyframes toastkit-again{from{transform:scale(1.03)}}
@media (prefers-color-scheme:dark){.toastkit-toast{--toastkit-tint:#3b82f6;color:#f1f2f4;background:#22252d;
border-color:#ffffff1f;box-shadow:0 12px 32px -8px #000a}.toastkit-success{--toastkit-tint:#22a355}
.toastkit-warning{--toastkit-tint:#d98417}.toastkit-error{--toastkit-tint:#ee4a63}}
@media (prefers-reduced-motion:reduce){.toastkit-toast{animation:none}}
`;

  // ---- the door

  function surroundings(given) {
    const env = {
      document: root.document,
      window: root.document && root,
      WebSocket: root.WebSocket,
      fetch: (...request) => root.fetch(...request),
      setTimeout: (then, wait) => root.setTimeout(then, wait),
      clearTimeout: (timer) => root.clearTimeout(timer),
      random: Math.random,
      now: () => performance.now(),
    };
    return { ...env, ...given };
  }

  function connect(given) {
    const options = { render: true, ...given };
    const home = SCRIPT ? SCRIPT.src.replace(/\/toastkit\/toastkit\.js([?#].*)?$/, "") : "";
    if (options.base === undefined) options.base = home;
    const env = surroundings(options.environment);
    if (options.render && env.document && !options.stack) {
      options.stack = new Stack(env.document, options.render === true ? null : options.render);
    }
    return new Client(options, env);
  }

  const toastkit = { connect, Stack, Ring, backoff, policy, safeLink };
  if (typeof module === "object" && module.exports) module.exports = toastkit;
  else root.toastkit = toastkit;
})(typeof self === "object" ? self : globalThis);
