/* The notification list of the demo page. Data becomes text, never markup. */
(function () {
  "use strict";

  const PAGE = 20;
  const MOST = 200; // what the server gives at once

  /** `at` finds an element of the page, `element` makes one, `title` is the page's own. */
  function notifications({ at, element, client, title }) {
    const rows = new Map(); // id -> row, newest first
    const tags = new Map(); // id -> how a toast got here
    let cursor = null;

    function row(item) {
      const line = element("li");
      const toggle = element("button");
      const remove = element("button", "Delete");
      toggle.type = remove.type = "button";
      const made = { line, toggle, item };
      toggle.addEventListener("click", () => act(made.item.read_at ? client().unread(item.id) : client().read(item.id)));
      remove.addEventListener("click", () => act(client().remove(item.id)));
      remove.setAttribute("aria-label", "Delete: " + item.title);
      const time = element("time", when(item.created_at));
      time.dateTime = item.created_at;
      const deeds = element("div", undefined, "deeds");
      if (tags.has(item.id)) deeds.append(element("em", tags.get(item.id), "tag"));
      deeds.append(element("code", "seq " + item.seq), toggle, remove);
      line.append(element("i"), element("b", item.title), time);
      if (item.body) line.append(element("p", item.body));
      line.append(deeds);
      return made;
    }

    /** A row that stays keeps its element: nothing jumps, and the focus stays where it is. */
    function draw(items, unread) {
      const before = Array.from(rows.keys()).join();
      const kept = new Map(rows);
      rows.clear();
      for (const item of items) {
        const known = kept.get(item.id);
        const same = known && known.item.seq === item.seq;
        const made = same ? Object.assign(known, { item }) : row(item);
        const style = ["success", "warning", "error"].find((name) => name === item.style) || "info";
        made.line.className = style + (item.read_at ? "" : " unread");
        made.toggle.textContent = item.read_at ? "Mark unread" : "Mark read";
        made.toggle.setAttribute("aria-label", made.toggle.textContent + ": " + item.title);
        rows.set(item.id, made);
      }
      const changed = before !== Array.from(rows.keys()).join() || kept.size !== rows.size;
      if (changed) at("recent").replaceChildren(...Array.from(rows.values(), ({ line }) => line));
      at("recent-empty").hidden = rows.size > 0;
      at("more").hidden = !cursor;
      count(unread);
    }

    function count(unread) {
      title(unread ? "(" + unread + ") " : "");
      at("unread").textContent = unread > 99 ? "99+" : String(unread);
      at("unread").hidden = !unread;
      at("unread-text").textContent = unread ? unread + " unread" : "";
      at("read-all").disabled = !unread;
      at("bell").setAttribute("aria-label", "Notifications, " + unread + " unread");
    }

    /** Ask for as many as are shown: what is drawn is always what the server has. */
    async function refresh() {
      const limit = Math.min(MOST, Math.max(PAGE, rows.size));
      await said(async () => {
        const page = await client().list({ limit });
        cursor = page.next_cursor;
        draw(page.items, page.unread_count);
      });
    }

    async function more() {
      await said(async () => {
        const page = await client().list({ limit: PAGE, cursor });
        cursor = page.next_cursor;
        const shown = Array.from(rows.values(), ({ item }) => item).filter(({ id }) => page.items.every((each) => each.id !== id));
        draw([...shown, ...page.items], page.unread_count);
      });
    }

    const act = (deed) => said(() => deed.then(refresh));

    async function said(job) {
      const problem = at("recent-problem");
      try {
        await job();
        problem.hidden = true;
      } catch (error) {
        problem.textContent = error.status ? error.message : "The server cannot be reached";
        problem.hidden = false;
      }
    }

    at("read-all").addEventListener("click", () => act(client().readAll()));
    at("more").addEventListener("click", more);
    return {
      refresh,
      ids: () => Array.from(rows.keys()),
      replayed: (id) => tags.set(id, "replayed"),
      cameAlong: (ids) => ids.forEach((id) => tags.set(id, "came along")),
      /** Somebody else is here now. */
      forget() {
        cursor = null;
        draw([], 0);
      },
    };
  }

  function when(text) {
    const made = new Date(text);
    const time = made.toLocaleTimeString([], { hour12: false });
    return made.toDateString() === new Date().toDateString() ? time : made.toLocaleDateString() + " " + time;
  }

  self.notifications = notifications;
})();
