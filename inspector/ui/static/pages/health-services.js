// Every process of the line with its rate, latency, restarts, watchdog and age.
// Promises: a process that is silent, or was never heard, is told apart by word, sign and colour,
// and its last figures are not shown as if they were of now. Never: leaves one out.

import { number, t } from "../i18n.js";
import { el, onChange, put, sign, text } from "../ui.js";

const SILENT_MS = 2500; // a heartbeat comes once a second
const COLUMNS = ["process", "state", "rate", "latency", "queue", "restarts", "up", "heard", "note"];
const WELL = ["running", "off", "ended", "starting"];
const SIGNS = { off: "none", ended: "none", starting: "starting" };

export function services(root, get) {
  const head = el("tr", {}, COLUMNS.map((name) => el("th", { scope: "col" }, t(`health.${name}`))));
  const body = el("tbody");
  const rows = new Map();
  const watchdogs = new Map();
  put(root, el("div", { class: "panel scroll grow", tabindex: "0", role: "region",
    "aria-label": t("health.services") },
    el("table", { class: "sheet services" }, el("thead", {}, head), body)));

  const arrange = onChange(() => put(body, [...rows.values()].map((row) => row.root)));
  const known = onChange(async () => {
    const facts = await get("/api/health").catch(() => null);
    for (const one of facts?.services ?? []) watchdogs.set(one.name, one.watchdog_s);
  });

  return {
    update({ live, fresh }) {
      known(fresh);
      const heard = new Map(live.services.map((one) => [one.heartbeat.service, one]));
      for (const name of new Set([...heard.keys(), ...watchdogs.keys()])) {
        if (!rows.has(name)) rows.set(name, rowOf(name));
        rows.get(name).update(heard.get(name), watchdogs.get(name), live.sent_ns);
      }
      arrange([...rows.keys()].join());
    },
  };
}

function rowOf(name) {
  const light = el("span", { class: "light" });
  const cells = Object.fromEntries(COLUMNS.slice(1).map((column) => [column, el("td", { class: column })]));
  const word = el("span");
  put(cells.state, light, word);
  const root = el("tr", {}, el("th", { scope: "row" }, name), Object.values(cells));
  const face = onChange((state) => {
    const well = WELL.includes(state);
    root.className = state === "silent" || state === "never" ? "silent" : well ? "" : "unwell";
    put(light, sign(well ? SIGNS[state] ?? "pass" : "fault", 28));
    text(word, t(`health.state.${state}`));
  });
  return {
    root,
    update(service, watchdog, now) {
      const { heartbeat: beat, age_ms: age = 0, restarts = 0 } = service ?? {};
      const state = stateOf(beat, age);
      const dead = ["silent", "never", "off", "ended"].includes(state);
      const live = (value) => (dead ? "–" : value());
      face(state);
      text(cells.rate, live(() => number(beat.per_s, 1)));
      text(cells.latency, live(() => beat.p99_ms
        ? `${number(beat.p50_ms, 1)} / ${number(beat.p99_ms, 1)}` : "–"));
      text(cells.queue, live(() => number(beat.queue)));
      text(cells.restarts, number(restarts));
      text(cells.up, live(() => span((now - beat.started_ns) / 1e9)));
      text(cells.heard, [beat ? number(age / 1000, 1) : "–", watchdog && number(watchdog)]
        .filter(Boolean).join(" / "));
      text(cells.note, beat?.note ?? "");
    },
  };
}

function stateOf(beat, age) {
  if (!beat) return "never";
  return age > SILENT_MS && !["stopped", "off", "ended"].includes(beat.state) ? "silent" : beat.state;
}

/** A span of time in its two largest units. */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60];
  if (days) return t("health.span.days", { days, hours });
  if (hours) return t("health.span.hours", { hours, minutes });
  return minutes ? t("health.span.minutes", { minutes }) : t("health.span.seconds", { seconds: whole });
}
