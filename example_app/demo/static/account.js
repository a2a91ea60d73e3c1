/* What one has: projects, credits and flags; and what controls say to fetch again. */
(function () {
  "use strict";

  const { at, element, say, many } = self.tools;

  /** `who()` is whoever is here, `secret()` what opens the doors of an operator. */
  function account({ who, secret, ask }) {
    const moved = new Set();
    let shown = [];
    let flags = {};

    async function fetchProjects() {
      shown = (await who().ask("GET", "/projects")).items;
      const rows = shown.map((project) => {
        const row = element("li");
        row.append(element("b", project.name));
        if (moved.has(project.id)) row.append(element("em", "came along", "tag"));
        const time = element("time", new Date(project.created_at).toLocaleTimeString([], { hour12: false }));
        time.dateTime = project.created_at;
        row.append(time);
        return row;
      });
      at("projects").replaceChildren(...rows);
      at("projects-empty").hidden = shown.length > 0;
    }

    const drawUsage = (usage) =>
      (at("usage").textContent = usage.credits_used + " of " + usage.credits_total + " credits used");

    async function fetchUsage() {
      drawUsage(await who().ask("GET", "/v1/usage"));
    }

    async function fetchFlags() {
      flags = (await who().ask("GET", "/v1/flags")).flags;
      const chips = Object.entries(flags).map(([name, on]) => element("code", name + (on ? " on" : " off"), on ? "on" : ""));
      at("flags").replaceChildren(...chips);
      at("flags-empty").hidden = chips.length > 0;
    }

    /** The first thing an app asks for when it starts. */
    async function fetchAll() {
      const { profile } = await who().ask("GET", "/auth/bootstrap");
      drawUsage(profile);
      await Promise.all([fetchProjects(), fetchFlags()]);
      return profile;
    }

    async function said(job) {
      try {
        await job();
        say("projects-problem", "");
      } catch (error) {
        say("projects-problem", error.message);
      }
    }

    async function create() {
      const button = at("create");
      button.disabled = true;
      await said(async () => {
        await who().ask("POST", "/projects", { name: at("project-name").value });
        at("project-name").value = "";
        await Promise.all([fetchProjects(), fetchUsage()]);
      });
      button.disabled = false;
    }

    /** Acts of an operator: what they change is told by a control, and only that fetches it again. */
    async function operate(path, body) {
      try {
        await ask("POST", "/v1/admin/" + path, { bearer: secret(), body });
        say("controls-problem", "");
      } catch (error) {
        say("controls-problem", error.message);
      }
    }

    at("new-project").addEventListener("submit", (event) => {
      event.preventDefault();
      create();
    });
    at("grant").addEventListener("click", () => operate("credits", { user_id: at("grant").dataset.user, credits: 5 }));
    at("flag").addEventListener("click", () => operate("flags", { name: "new_editor", enabled: !flags.new_editor }));

    // A rebind brought more than toasts along.
    const fetchRebound = () => Promise.all([fetchProjects(), fetchUsage()]);
    const refetch = { "usage.changed": fetchUsage, "flags.changed": fetchFlags, "toasts.rebound": fetchRebound };
    return {
      start: () => said(fetchAll),
      profile: fetchAll,
      hear: (kind) => Object.hasOwn(refetch, kind) && said(refetch[kind]),
      ids: () => shown.map(({ id }) => id),
      cameAlong: (ids) => ids.forEach((id) => moved.add(id)),
      counted: (ids) => many(shown.filter(({ id }) => ids.includes(id)).length, "project"),
    };
  }

  self.account = account;
})();
