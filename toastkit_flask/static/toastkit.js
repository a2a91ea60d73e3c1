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
 *   onGap(reason)           toasts were missed that do not come again: fetch the list
 *   onError(frame)          what the server refused: {code, message, topic}
 *   onFrame(frame, sent)    every frame heard, and every frame sent (sent = true, no tickets in it)
 *   render                  true (default), false, or the element to draw into
 *   mark                    true (default): following a drawn toast's link marks it read, closing
 *                           it marks it seen
 *   token                   a bearer token or a function that gives one (or a promise of one);
 *                           without it the page's own cookie signs in
 *   headers                 sent with each request, such as a CSRF token of your login's
 *   base                    origin and prefix of the service; those this script was loaded from
 *   deviceId, bundleId, topics     of the bootstrap request
 * client: subscribe(topics), unsubscribe(topics), setForeground(true | false | null), close(),
 *   status; and of the list, each a promise that is rejected with an Error that has code and status:
 *   list({limit, cursor, unread}) -> {items, next_cursor, unread_count},
 *   read(id), unread(id), seen(id), remove(id), readAll(before)
 *
 * What a connection misses comes when the next one is greeted. That holds from page to page of a
 * tab, too: a toast that no visible page has shown for a moment is shown by the next.
 */
(function (root) {
  "use strict";

  const SCRIPT = root.document && root.document.currentScript;
  const FAULT = {}; // what a host's function that threw has said
  const NOTE = "toastkit "; // and the base: a name in sessionStorage
  const REFRESH = "refresh"; // the id of what we ask when a ticket ends soon
  const RECENT_IDS = 1000;
  const TOPICS_PER_MESSAGE = 50;
  const ASK_MS = 30000; // how long the answer to a bootstrap may take
  const HELLO_MS = 10000; // from dialling to connection_ack
  const BEAT_MS = 30000; // a browser is not told of a dead network: ask now and then
  const PROBE_MS = 5000; // how long an answer may take when we doubt the network
  const SETTLED_MS = 10000; // a connection this old was a success: start counting anew
  const FLOOR_MS = 500; // no attempt follows another at once, whatever went wrong
  const LONGEST_MS = 600000; // what a Retry-After may ask for
  const TICKET_MS = 86400000; // the longest a ticket is believed to live
  const RENEW_MS = 15000; // from one renewal to the next, however often a server asks for one
  const ACK_MS = 100; // what arrives together is acked together
  const ACKS_PER_MESSAGE = 100;
  const SIGHT_MS = 1500; // on a visible page for so long: seen
  const AWAY_MS = 600000; // a tab that comes back later begins anew

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

  const at = (id) => "/" + encodeURIComponent(id);

  /** Whose these topics are: positions of two users have nothing to do with each other. */
  function owner(topics) {
    const text = Array.isArray(topics) ? topics.join("\n") : "";
    return (/^user:((anon:)?[^:\n]+)/m.exec(text) || [])[1] || "";
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
      this.code = "no_answer";
      this.status = 0;
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
      this.note = seat(env.document, NOTE + options.base);
      this.recent = new Ring(RECENT_IDS);
      this.acks = new Ring(RECENT_IDS); // owed to the server
      this.position = null; // {seq, epoch} up to which every toast has come
      this.who = null;
      this.unseen = new Map(); // toasts that nobody had time to look at, oldest first
      this.looked = new Ring(RECENT_IDS / 10); // those that were seen before an older one was
      this.timers = new Map();
      this.wanted = new Set(options.topics || []);
      this.heard = []; // what the server says is heard
      this.unwanted = new Set();
      this.link = null; // the connection that was greeted
      this.next = null; // the one being opened
      this.ticket = null;
      this.renewed = -Infinity; // when a ticket was last asked for over a living connection
      this.attempt = 0;
      this.earliest = 0; // when the server lets us come again
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

    /** End for good; what was drawn goes, too: it is not for whoever signs in next. */
    close() {
      this._stop("closed");
      this._undraw();
    }

    // ---- the list

    list(query) {
      const given = Object.entries(query || {}).filter(([, value]) => value !== undefined && value !== null);
      return this._ask("GET", "?" + new URLSearchParams(given));
    }

    read(id) {
      return this._ask("POST", at(id) + "/read", {}, { kind: "toast.read", params: { id } });
    }

    unread(id) {
      return this._ask("POST", at(id) + "/unread", {});
    }

    seen(id) {
      return this._ask("POST", at(id) + "/seen", {});
    }

    remove(id) {
      return this._ask("DELETE", at(id), undefined, { kind: "toast.deleted", params: { id } });
    }

    /** Mark all as read, or those up to an id. */
    readAll(before) {
      const told = { kind: "toasts.read_all", params: { up_to: before } };
      return this._ask("POST", "/read-all", before ? { before } : {}, told);
    }

    /** `told` is the control that the user's other pages get: it holds here as well. */
    async _ask(method, path, body, told) {
      try {
        const answer = await this._fetch(method, "/v1/toasts" + path, body);
        if (told) this._withdraw(told);
        return answer.body;
      } catch (thrown) {
        throw Failure.of(thrown);
      }
    }

    // ---- getting there

    _dial() {
      const turn = ++this.turn;
      this._clear("ask", "retry", "renew");
      if (!this.link) this._tell({ state: "connecting" });
      if (turn !== this.turn) return; // closed by who was told
      this._ticket(turn)
        .then((ticket) => turn === this.turn && this._use(ticket))
        .catch((thrown) => turn === this.turn && this._refused(Failure.of(thrown)));
    }

    async _ticket(turn) {
      // Only what a ticket hears is recovered: that is what was heard last, or what the page named.
      const topics = this.heard.filter((topic) => !this.unwanted.has(topic));
      const { bundleId, deviceId } = this.options;
      const old = this.ticket;
      if (old && this.env.now() < old.until && topics.every((topic) => old.topics.includes(topic))) return old;
      const asked = { default_topics: topics.length ? topics : Array.from(this.options.topics || []) };
      if (deviceId) asked.device_id = deviceId;
      if (bundleId) asked.bundle_id = bundleId;
      const path = "/v1/sessions/toast-bootstrap";
      const { body, headers } = await this._fetch("POST", path, asked, () => this._patience(turn));
      if (typeof body.ws_url !== "string") throw new Failure("an answer without ws_url");
      // The two clocks may differ by hours: measure the ticket's life on the server's own.
      const now = Date.parse(headers.get("date") || "") || Date.now();
      const life = within(Date.parse(body.expires_at) - now, 0, TICKET_MS) || 900000;
      const granted = Array.isArray(body.default_topics) ? body.default_topics : [];
      if (topics.some((topic) => !granted.includes(topic))) {
        this.heard = []; // somebody else has signed in: begin as at first
        return this._ticket(turn);
      }
      const who = owner(granted) || (topics.length && this.who) || "";
      return { url: body.ws_url, token: body.token, until: this.env.now() + life - 10000, topics: granted, who };
    }

    /** A living connection of the same user goes on with a fresh ticket; any other is opened. */
    _use(ticket) {
      if (!this.link || ticket.who !== this.who || typeof ticket.token !== "string") return this._open(ticket);
      this._clear("ask", "retry");
      this.ticket = ticket;
      this._send({ type: "refresh", token: ticket.token, id: REFRESH }, { type: "refresh" });
    }

    /** The ticket ends soon, says the server: one attempt at a time, and not too many. */
    _expiring() {
      if (["renew", "retry", "ask"].some((name) => this.timers.has(name))) return;
      const wait = within(this.renewed + RENEW_MS - this.env.now(), FLOOR_MS, RENEW_MS);
      this._after("renew", wait, () => {
        this.ticket = null;
        this.renewed = this.env.now();
        this._dial();
      });
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

    async _fetch(method, path, body, patience) {
      const { base, token, headers } = this.options;
      const all = { "Content-Type": "application/json", "X-ToastKit": "1", ...headers };
      const bearer = typeof token === "function" ? await token() : token;
      if (bearer) all.Authorization = "Bearer " + bearer;
      if (this.link) all["X-ToastKit-Session"] = this.status.sessionId; // who need not be told
      const response = await this.env.fetch(base + path, {
        method,
        credentials: "same-origin",
        cache: "no-store",
        keepalive: !patience, // the link that was followed may leave the page
        headers: all,
        signal: patience && patience(),
        body: body && JSON.stringify(body),
      });
      const answer = (await response.json().catch(() => null)) || {};
      if (!response.ok) throw refusal(response, answer);
      return { body: answer, headers: response.headers };
    }

    _refused(failure) {
      this._clear("ask");
      this.ticket = null;
      // A function may have given what ran out while the computer slept: it may give better.
      const again = failure.code === "token_expired" && typeof this.options.token === "function";
      if (failure.final && !again && !this.link) return this._stop(failure.message);
      this._later(0, failure.message, failure.retryMs);
    }

    _open(ticket) {
      this._clear("ask", "retry"); // set when a live connection was lost while the ticket was fetched
      this.ticket = ticket;
      this._recall(ticket.who);
      const { seq, epoch } = this.position || {};
      const since = this.position ? "&since=" + seq + "." + encodeURIComponent(epoch) : "";
      const state = this._foreground() ? "" : "&state=background";
      const socket = new this.env.WebSocket(ticket.url + state + since);
      const link = (this.next = { socket, awaiting: false, since: 0 });
      socket.onmessage = (event) => this._heard(link, event.data);
      socket.onclose = (event) => this._lost(link, event.code, event.reason);
      this._after("hello", HELLO_MS, () => this._drop(link, "no answer"));
    }

    _ready(link, frame) {
      const old = this.link;
      this.link = link;
      this.next = null;
      link.since = this.env.now();
      if (old && old !== link) part(old); // another user's: theirs was opened beside it
      this._clear("hello");
      this._after("beat", BEAT_MS, () => this._beat());
      const gap = frame.recovered === false;
      if (gap) this._anew();
      // Toasts that are on their way bring their positions: one that is lost is asked for again.
      if (!(frame.replayed > 0)) this._stand(frame);
      this._keep();
      const topics = Array.isArray(frame.topics) ? frame.topics : [];
      this.heard = topics;
      this._tell({ state: "connected", sessionId: frame.session_id, topics });
      if (gap) this._call("onGap", frame.reason);
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
      this.earliest = this.env.now() + (least > 0 ? wait : 0);
      this._after("retry", wait, () => this._dial());
      if (!this.link) this._tell({ state: "waiting", reason, retryIn: wait });
    }

    _stop(reason) {
      this.turn++;
      this._clear(...this.timers.keys());
      for (const link of [this.link, this.next]) if (link) part(link);
      this.link = this.next = null;
      this._unwatch();
      seats(this.env.document).delete(this.note);
      this._tell({ state: "stopped", reason });
    }

    _beat() {
      if (!this.link) return;
      if (this.link.awaiting) return this._drop(this.link, "no answer");
      this._keep();
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
      if (link !== this.link && link !== this.next) return; // closed by who was told
      if (frame.type === "connection_ack" && link === this.next) this._ready(link, frame);
      else if (frame.type === "toast") this._toast(frame);
      else if (frame.type === "token_expiring" && link === this.link) this._expiring();
      else if (frame.type === "control" && frame.control) {
        this._withdraw(frame.control);
        this._call("onControl", frame.control);
      } else if (frame.type === "error") {
        this._call("onError", frame);
        if (frame.code === "unrecoverable_position") this._call("onGap", frame.code);
        if (frame.id === REFRESH && frame.retryable && link === this.link) this._later(0, frame.code, 0);
      } else if (frame.type === "subscribe_ack") this._hears(frame.all_topics || []);
      else if (frame.type === "unsubscribe_ack") {
        const gone = new Set(frame.topics);
        this._hears(this.heard.filter((topic) => !gone.has(topic)));
      }
    }

    _hears(topics) {
      this.heard = topics;
      this._tell({ topics });
    }

    _toast(frame) {
      const toast = frame.toast;
      if (!toast || typeof toast.id !== "string") return;
      const before = this.position;
      this._stand(frame);
      if (!this.recent.fresh(toast.id)) return this._ack(toast.id); // the first ack may be lost
      const said = this._call("onToast", toast, frame);
      if (this.status.state === "stopped") return;
      if (said !== false && this.options.stack) {
        this.options.stack.show(toast, (deed) => this._mark(toast.id, deed));
      } else if (said === FAULT) {
        // Nobody has it: there is no ack, and another try when it comes again.
        return void this.recent.ids.delete(toast.id);
      }
      this._ack(toast.id);
      this.unseen.set(toast.id, { before, at: this.env.now() });
      if (this.unseen.size > RECENT_IDS) this.unseen.delete(this.unseen.keys().next().value);
      this._look();
    }

    /** What is read or deleted, here or elsewhere, is no longer drawn. Ids are in order of time. */
    _withdraw({ kind, params }) {
      const { id, up_to: last } = params || {};
      const one = kind === "toast.read" || kind === "toast.deleted";
      if (!one && kind !== "toasts.read_all") return;
      const gone = one ? (each) => each === id : (each) => !last || each <= last;
      if (this.options.stack) this.options.stack.withdraw(gone);
      for (const each of this.unseen.keys()) if (gone(each)) this._saw(each);
    }

    _undraw() {
      if (this.options.stack) this.options.stack.withdraw((id) => this.recent.ids.has(id));
    }

    /** The user has dealt with a drawn toast: "read" or "seen". The host hears of it as of what
     * another page did. */
    _mark(id, deed) {
      this._saw(id);
      if (!this.options.mark) return;
      const control = { kind: "toast." + deed, params: { id }, ts: new Date().toISOString() };
      const marked = () => void this._call("onControl", control);
      this[deed](id).then(marked, (failure) => this._call("onError", failure));
    }

    /** An ack says that this page has the toast, and somebody in front of it. A tab that nobody sees
     * waits with its acks: for them a phone would stay silent. */
    _ack(id) {
      this.acks.fresh(id);
      if (this.acks.ids.size >= ACKS_PER_MESSAGE) this._sendAcks();
      else if (!this.timers.has("ack")) this._after("ack", ACK_MS, () => this._sendAcks());
    }

    _sendAcks() {
      this._clear("ack");
      while (this.acks.ids.size && this._foreground()) {
        const ids = Array.from(this.acks.ids).slice(0, ACKS_PER_MESSAGE);
        if (!this._send({ type: "ack", ids })) return; // after the next greeting
        for (const id of ids) this.acks.ids.delete(id);
      }
    }

    _send(frame, shown = frame) {
      if (!this.link || this.link.socket.readyState !== 1) return false;
      this.link.socket.send(JSON.stringify(frame));
      this._call("onFrame", shown, true);
      return true;
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
      this._sendAcks();
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
        return FAULT;
      }
    }

    // ---- where we stand

    /** Take the position that a frame tells; within an epoch never an older one. */
    _stand({ seq, epoch }) {
      if (!Number.isSafeInteger(seq) || typeof epoch !== "string") return;
      const old = this.position;
      if (!old || old.epoch !== epoch || old.seq < seq) this.position = { seq, epoch };
    }

    _anew() {
      this.position = null;
      this.unseen.clear();
      this.looked = new Ring(this.looked.size);
      this._clear("sight");
    }

    /** A toast in front of somebody for a moment has been seen. One that the user is just leaving
     * the page of (a form was sent, the answer is a redirect) has not: the next page shows it. */
    _look() {
      this._clear("sight");
      if (this.env.document && this.env.document.visibilityState === "hidden") return;
      const now = this.env.now();
      for (const [id, toast] of this.unseen) if (now - toast.at >= SIGHT_MS) this._saw(id);
      const [next] = this.unseen.values();
      if (next) this._after("sight", next.at + SIGHT_MS - now, () => this._look());
    }

    _saw(id) {
      if (!this.unseen.delete(id)) return;
      this.looked.fresh(id);
      this._keep();
    }

    /** Leave a note for the next page of this tab. */
    _keep() {
      if (this.status.state === "stopped") return; // the note may be another client's by now
      const [oldest] = this.unseen.values();
      const from = oldest ? oldest.before : this.position;
      const note = { ...from, who: this.who, ids: Array.from(this.looked.ids), at: Date.now() };
      attempt(() => this.env.storage().setItem(this.note, JSON.stringify(note)));
    }

    /** Go on where the page before this one was left, if it was the same user's and not long ago. */
    _recall(who) {
      if (this.who !== null && this.who !== who) {
        this._anew();
        this._undraw();
      }
      this.who = who;
      attempt(() => {
        const note = JSON.parse(this.env.storage().getItem(this.note));
        if (note.who !== who || !(Date.now() - note.at < AWAY_MS)) return;
        if (!who && !note.epoch) return; // the position before the first toast is everybody's
        const { position } = this;
        if (!position || !position.epoch || position.epoch === note.epoch) this._stand(note);
        for (const id of note.ids) this.recent.fresh(id), this.looked.fresh(id);
      });
    }

    // ---- the page around us

    _watch() {
      this.onVisible = () => {
        for (const toast of this.unseen.values()) toast.at = this.env.now();
        this._look();
        this._sayForeground();
        if (this._foreground()) this._wake();
      };
      this.onOnline = () => this._wake();
      if (this.env.document) this.env.document.addEventListener("visibilitychange", this.onVisible);
      if (this.env.window) this.env.window.addEventListener("online", this.onOnline);
    }

    /** Somebody looks, or the network is back: ask whether the connection lives, or for the next
     * one, unless the server said when to come again. */
    _wake() {
      if (this.link) this._probe(PROBE_MS);
      else if (this.timers.has("retry") && this.env.now() >= this.earliest) this._dial();
    }

    _unwatch() {
      if (this.env.document) this.env.document.removeEventListener("visibilitychange", this.onVisible);
      if (this.env.window) this.env.window.removeEventListener("online", this.onOnline);
    }

    _after(name, wait, then) {
      this._clear(name);
      if (this.status.state === "stopped") return; // by a function of the host that was just called
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

  /** Which notes this page's clients have; the document knows, as a script may be loaded twice. */
  function seats(document) {
    if (!document) return new Set();
    if (!document.toastkitNotes) document.toastkitNotes = new Set();
    return document.toastkitNotes;
  }

  /** Each client of a page has a note of its own: the first of the next page goes on where the
   * first was, the second where the second was. */
  function seat(document, name) {
    const taken = seats(document);
    let note = name;
    for (let number = 2; taken.has(note); number++) note = name + " " + number;
    taken.add(note);
    return note;
  }

  /** sessionStorage may be missing, forbidden, full, or hold what is not ours. */
  function attempt(job) {
    try {
      job();
    } catch (error) {
      return; // without it each page is on its own
    }
  }

  function part(link) {
    link.socket.onmessage = link.socket.onclose = null;
    link.socket.close(1000);
  }

  function refusal(response, body) {
    const why = body.detail || body.code || "HTTP " + response.status;
    const again = response.status === 429 || response.status >= 500;
    const wait = 1000 * Number(response.headers.get("retry-after")) || 0;
    const named = { code: body.code || "http_" + response.status, status: response.status };
    return Object.assign(new Failure(String(why), !again, wait), named);
  }

  // ---- drawing

  const CARDS = 5; // more would leave the screen; the list has them all
  const LIFE_MS = { info: 7000, success: 7000, warning: 12000 }; // an error waits to be read

  /** Draw toasts into an element: newest last, one place per collapse key, textContent only. */
  class Stack {
    constructor(document, place) {
      this.document = document;
      this.places = new Map();
      this.ids = new Map();
      this.ages = new Map(); // the cards that leave by themselves
      this.before = null; // what had the focus before a card
      this.element = place || this._element("section", "toastkit");
      this.element.setAttribute("role", "region");
      this.element.setAttribute("aria-label", "Notifications");
      this.element.setAttribute("aria-live", "polite");
      this.element.addEventListener("focusin", ({ relatedTarget: from }) => {
        if (from && !this.element.contains(from)) this.before = from;
      });
      this.settle = () => {
        if (!place && document.body && !this.element.isConnected) document.body.append(this.element);
      };
      this.settle();
      document.addEventListener("DOMContentLoaded", this.settle); // a script in the head
      dress(document);
      document.addEventListener("visibilitychange", () => this.ages.forEach((age) => age.run()));
    }

    /** Draw a toast. `deal` is told what the user does with it: once, "read" or "seen". */
    show(toast, deal) {
      for (const [card, id] of this.ids) if (id === toast.id) return card; // another client drew it
      this.settle(); // the page may have put a new body in the place of the old
      const card = this._card(toast, deal);
      this.ids.set(card, toast.id);
      const key = toast.collapse_key;
      const old = key ? this.places.get(key) : null;
      if (old && old.isConnected) {
        const focused = this._focus(old);
        this._forget(old);
        card.classList.add("toastkit-again");
        old.replaceWith(card);
        if (focused) button(card).focus();
      } else this.element.append(card);
      if (key) this.places.set(key, card);
      while (this.ids.size > CARDS) this._dismiss(this.ids.keys().next().value);
      return card;
    }

    /** Take away the toasts of these ids. */
    withdraw(gone) {
      for (const [card, id] of this.ids) if (gone(id)) this._dismiss(card);
    }

    _card(toast, deal) {
      const deals = deal ? [deal] : [];
      const tell = (deed) => deals.splice(0).forEach((each) => each(deed));
      const style = ["success", "warning", "error"].find((name) => name === toast.style) || "info";
      const card = this._element("article", "toastkit-toast toastkit-" + style);
      const text = this._element("div", "toastkit-text");
      text.append(this._words("strong", "toastkit-title", toast.title));
      if (toast.body) text.append(this._words("p", "toastkit-body", toast.body));
      const link = safeLink(toast.deeplink);
      if (link) text.append(this._link(link, () => tell("read")));
      const close = this._element("button", "toastkit-close", "\u00d7");
      close.type = "button";
      close.setAttribute("aria-label", "Dismiss: " + toast.title);
      const dismiss = () => this._dismiss(card); // by its age: that proves nothing
      close.addEventListener("click", () => (dismiss(), tell("seen")));
      card.addEventListener("keydown", (event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation(); // it is not meant for a dialog of the page
        dismiss();
        tell("seen");
      });
      card.append(text, close);
      if (style !== "error" && toast.priority !== "high") this._age(card, LIFE_MS[style], dismiss);
      return card;
    }

    _dismiss(card) {
      const heir = this._heir(card);
      card.remove();
      this._forget(card);
      for (const [key, place] of this.places) if (place === card) this.places.delete(key);
      if (heir) heir.focus({ preventScroll: true }); // who has scrolled away goes on reading there
    }

    /** What has the focus in a card, if anything. */
    _focus(card) {
      const focus = this.document.activeElement;
      return focus && card.contains(focus) ? focus : null;
    }

    /** Where the focus of a card that goes is to go: on to another toast, for who goes through them
     * by keyboard, else back to where it was before. */
    _heir(card) {
      const focus = this._focus(card);
      if (!focus) return null;
      const cards = Array.from(this.ids.keys());
      const place = cards.indexOf(card);
      const next = focus.matches(":focus-visible") && (cards[place + 1] || cards[place - 1]);
      return next ? button(next) : this.before;
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
      this.ids.delete(card);
      const age = this.ages.get(card);
      if (!age) return;
      this.ages.delete(card);
      age.held.add("gone");
      age.run();
    }

    _link(target, follow) {
      const link = this._element("a", "toastkit-link", "Open");
      link.addEventListener("click", follow);
      link.setAttribute("href", target);
      link.setAttribute("rel", "noopener noreferrer");
      if (/^https?:/i.test(target)) link.setAttribute("target", "_blank");
      return link;
    }

    /** Words of a publisher: Arabic goes from right to left on an English page, too. */
    _words(name, className, text) {
      const words = this._element(name, className, text);
      words.setAttribute("dir", "auto");
      return words;
    }

    _element(name, className, text) {
      const element = this.document.createElement(name);
      element.className = className;
      if (text !== undefined) element.textContent = String(text);
      return element;
    }
  }

  const button = (card) => card.querySelector(".toastkit-close");

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
.toastkit{position:fixed;z-index:2147483000;bottom:0;inset-inline-end:0;display:flex;gap:10px;padding:16px;
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
.toastkit-body{margin:1px 0 0;opacity:.8;white-space:pre-line;max-height:8.7em;overflow-y:auto}
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
      storage: () => root.sessionStorage,
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
    const options = { render: true, mark: true, ...given };
    const home = SCRIPT ? SCRIPT.src.replace(/\/toastkit\/toastkit\.js([?#].*)?$/, "") : "";
    if (options.base === undefined) options.base = home;
    const env = surroundings(options.environment);
    if (options.render && env.document && !options.stack) {
      const { document } = env;
      if (options.render !== true) options.stack = new Stack(document, options.render);
      else options.stack = document.toastkitStack = document.toastkitStack || new Stack(document);
    }
    return new Client(options, env);
  }

  const toastkit = { connect, Stack, Ring, backoff, policy, safeLink };
  if (typeof module === "object" && module.exports) module.exports = toastkit;
  else root.toastkit = toastkit;
})(typeof self === "object" ? self : globalThis);
