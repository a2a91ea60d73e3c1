/* The phone panel: made-up phones of one's own, and what was or would have been pushed to them. */
(function () {
  "use strict";

  const { at, element, say } = self.tools;
  const { banner, row } = self.push;
  const AGAIN_MS = 2000; // while something waits
  const BANNERS = 3;

  const random = () => crypto.randomUUID().replaceAll("-", "");

  /** `who()` is whoever is here. */
  function phone({ who }) {
    let devices = [];
    let pushes = [];
    let recorded = true;
    let present = true;
    let again = null;
    let drawn = "";

    /** What is asked for somebody who has left meanwhile is not drawn. */
    async function said(job) {
      const asking = who();
      if (asking.gone) return;
      const ask = async (path, how = "GET", body) => {
        const answer = await asking.ask(how, path, body, path.startsWith("/demo/"));
        if (asking !== who()) throw new Error("somebody else is here now");
        return answer;
      };
      let problem = "";
      try {
        await job(ask);
      } catch (error) {
        problem = error.message;
      }
      if (asking !== who()) return;
      say("phone-problem", problem);
      draw();
    }

    const fetchDevices = async (ask) => (devices = (await ask("/v1/devices")).items);

    const refused = () => pushes.filter(({ state }) => state === "failed").length;

    async function fetchPushes(ask) {
      const before = refused();
      const answer = await ask("/demo/pushes");
      pushes = answer.items;
      recorded = answer.recorded;
      if (refused() > before) await fetchDevices(ask); // the app may be gone from one
    }

    const refresh = () => said(fetchPushes);

    const register = () =>
      said(async (ask) => {
        const device_id = "demo-phone-" + random().slice(0, 6);
        await ask("/v1/devices/register-toast", "POST", { device_id, apns: { token: random() + random() } });
        await fetchDevices(ask);
      });

    const remove = ({ device_id }) =>
      said(async (ask) => {
        await ask("/v1/devices/" + encodeURIComponent(device_id), "DELETE");
        await fetchDevices(ask);
      });

    const told = ({ bundle_id, environment, apns_fallback_enabled }) =>
      bundle_id + ", " + (apns_fallback_enabled ? environment : "cannot be pushed to");

    function deviceRow(device) {
      const line = element("li");
      const button = element("button", "Remove", "quiet");
      button.type = "button";
      button.setAttribute("aria-label", "Remove " + device.device_id);
      button.addEventListener("click", () => remove(device));
      line.append(element("b", device.device_id), element("span", told(device), "hint"), button);
      return line;
    }

    function draw() {
      clearTimeout(again);
      if (pushes.some(({ state }) => state === "waiting")) again = setTimeout(refresh, AGAIN_MS);
      const all = JSON.stringify([devices, pushes]);
      if (all === drawn) return; // so that the focus stays where it is
      drawn = all;
      at("devices").replaceChildren(...devices.map(deviceRow));
      drawHint();
      drawScreen();
      drawPushes();
    }

    /** Whatever was opened or closed by hand stays so; a new push comes open, the older ones close. */
    function drawPushes() {
      const before = new Map(Array.from(at("pushes").children, (each) => [each.dataset.id, each.open]));
      const news = pushes.length > 0 && !before.has(pushes[0].id);
      const rows = pushes.map((push, index) => {
        const isOpen = news ? index === 0 : before.get(push.id);
        const made = row(push, { recorded, open: isOpen });
        made.dataset.id = push.id;
        return made;
      });
      at("pushes").replaceChildren(...rows);
    }

    /** The phone that rang last; of one collapse id the newest takes the place of the others. */
    function drawScreen() {
      const shown = new Map();
      const rung = pushes.filter(({ state, request }) => state === "sent" && request);
      for (const push of rung.filter(({ device_id }) => device_id === rung[0].device_id)) {
        const id = push.request.headers["apns-collapse-id"];
        if (!shown.has(id)) shown.set(id, push);
      }
      at("banners").replaceChildren(...Array.from(shown.values()).slice(0, BANNERS).map(banner));
      at("screen").hidden = !shown.size;
      at("banners").setAttribute("aria-label", shown.size ? "Lock screen of " + rung[0].device_id : "");
      at("clock").textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
    }

    function drawHint() {
      const reachable = devices.some((device) => device.apns_fallback_enabled);
      at("phone-hint").textContent = !reachable
        ? "None yet: a toast that you are not here for goes to nobody."
        : present
          ? "You are in front of the page, so it does not ring. Go into the background above, then publish."
          : "You are away: publish to yourself, and it rings.";
    }

    at("register").addEventListener("click", register);
    return {
      start: () =>
        said(async (ask) => {
          await fetchDevices(ask);
          await fetchPushes(ask);
        }),
      refresh,
      /** Whether somebody is in front of the page. */
      present(yes) {
        present = yes;
        drawHint();
      },
      /** Somebody else is here now, or nobody. */
      forget() {
        devices = pushes = [];
        draw();
      },
    };
  }

  self.phone = phone;
})();
