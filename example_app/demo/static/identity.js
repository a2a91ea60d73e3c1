/* Who one is on the demo page: nobody yet, an anonymous visitor of this browser, or a user. */
(function () {
  "use strict";

  const { ask, kept } = self.tools;
  const DEVICE = "toastkit demo device";
  const EARLY_MS = 300000; // a session is renewed so long before it ends
  const browser = kept("localStorage"); // a device is a browser: all its tabs are the same visitor
  const tab = kept("sessionStorage");

  /** The id is in effect a password for what the visitor made: as long as a UUID, and never shown whole. */
  const device = {
    known: () => JSON.parse(browser.get(DEVICE) || "null"),
    get() {
      if (!device.known()) browser.set(DEVICE, JSON.stringify({ device_id: crypto.randomUUID() }));
      return device.known();
    },
    forget: () => browser.drop(DEVICE),
    /** What the server says may name it. */
    hidden(text) {
      const id = device.known() && device.known().device_id;
      return id ? text.replaceAll(id, id.slice(0, 4) + "…") : text;
    },
  };

  /** One session after the other of the same somebody: `name`, or the visitor without one. */
  function somebody(name) {
    let session = null;
    let asking = null;
    let ended = "";

    async function open() {
      if (name === null) {
        const answer = await ask("POST", "/auth/anonymous", { body: device.get() });
        const { device_secret } = answer;
        if (device_secret) browser.set(DEVICE, JSON.stringify({ ...device.get(), device_secret }));
        return answer;
      }
      const { jwt } = await ask("POST", "/demo/sign-in", { body: { name }, bare: true });
      return ask("POST", "/auth/session", { bearer: jwt });
    }

    async function renew() {
      const { token, expires_in } = await open();
      // Not performance.now(): in some browsers that stands still while the computer sleeps.
      session = { token, until: Date.now() + expires_in * 1000 - EARLY_MS };
      return token;
    }

    /** A token that is good for a while. Who asks while it is fetched gets the same. */
    async function token() {
      if (ended) throw new Error(ended);
      if (session && Date.now() < session.until) return session.token;
      if (!asking) asking = renew().finally(() => (asking = null));
      return asking;
    }

    return {
      name,
      anonymous: name === null,
      token,
      ask: async (method, path, body, bare) => ask(method, path, { bearer: await token(), body, bare }),
      /** From now on nobody gets a token of this one, whatever still asks. */
      end: (why) => (ended = why),
      /** The session was revoked elsewhere: the next token is a fresh one. */
      lost: () => (session = null),
    };
  }

  /** Remember who this tab is, for a reload. */
  const remembered = {
    get: () => tab.get("name"),
    isVisitor: () => tab.get("visitor") === "yes",
    set(who) {
      tab.drop("name");
      tab.drop("visitor");
      if (who && who.anonymous) tab.set("visitor", "yes");
      else if (who) tab.set("name", who.name);
    },
  };

  self.identity = { somebody, device, remembered };
})();
