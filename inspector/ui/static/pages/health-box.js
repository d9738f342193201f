// The box: disk, evidence, memory, temperature, clock, camera, broker, versions.
// Promises: what cannot be known is a dash. Never: shows facts older than it says.

import { bytes, number, percent, t } from "../i18n.js";
import { el, put, sign } from "../ui.js";
import { span } from "./health-services.js";

const AGAIN_MS = 5000;
const NEARLY = 0.9; // of a disk, or of memory

export function box(root, get) {
  const list = el("div", { class: "cards" });
  put(root, el("div", { class: "scroll grow", tabindex: "0", role: "region",
    "aria-label": t("health.box") }, list));
  let live = null;
  const look = async () => {
    const facts = await get("/api/health").catch((error) => ({ error: error.message }));
    put(list, facts.error ? el("p", { class: "panel bad-text" }, facts.error) : cards(facts, live));
  };
  look();
  const timer = setInterval(look, AGAIN_MS);
  return {
    update(state) {
      live = state.live;
    },
    leave: () => clearInterval(timer),
  };
}

function cards(facts, live) {
  const { disk, evidence, memory, clock, broker, versions } = facts;
  return [
    room("disk", disk.free_bytes, disk.total_bytes),
    card("evidence", bytes(evidence.used_bytes), t("health.of", { all: bytes(evidence.quota_bytes) }),
      evidence.used_bytes / evidence.quota_bytes),
    room("memory", memory?.available, memory?.total),
    card("temperature", facts.temperature_c === null ? "–" : `${number(facts.temperature_c, 0)} °C`,
      facts.temperature_c === null ? t("health.temperature.none") : ""),
    card("clock", new Date(clock.wall_ns / 1e6).toLocaleString(document.documentElement.lang,
      { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" }),
      clock.synchronised ? t("health.clock.good") : t("health.clock.alone")),
    ...cameras(live),
    brokerCard(broker),
    card("uptime", facts.uptime_s ? span(facts.uptime_s) : "–"),
    card("versions", versions.inspector,
      Object.entries(versions).slice(1).map(([name, one]) => `${name} ${one}`).join(", ")),
  ];
}

/** What is free of a whole. */
function room(name, free, total) {
  const known = Number.isFinite(free) && total > 0;
  return known ? card(name, `${bytes(free)} ${t("health.free")}`, t("health.of", { all: bytes(total) }),
    1 - free / total) : card(name, "–");
}

const cameras = (live) => (live?.services ?? [])
  .filter((one) => one.heartbeat.service.startsWith("capture"))
  .map(({ heartbeat: beat }) => card("camera", beat.note || t(`health.state.${beat.state}`),
    `${beat.service} · ${t("health.per_s", { rate: number(beat.per_s, 1) })}`));

function brokerCard({ configured, state, note, pending }) {
  if (!configured) return card("broker", t("health.broker.none"));
  const well = state === "running";
  return card("broker", t(`health.broker.${well ? "up" : "down"}`),
    [t("health.broker.pending", { n: pending ?? 0 }), note].filter(Boolean).join(" · "), null, !well);
}

function card(name, value, more = "", share = null, odd = share >= NEARLY) {
  const meter = share !== null && el("progress", { max: 1, value: Math.min(1, share),
    "aria-label": `${t(`health.${name}`)}: ${percent(share, 0)}` });
  return el("section", { class: odd ? "panel card odd" : "panel card" },
    el("h2", {}, odd && sign("degraded", 28), t(`health.${name}`)),
    el("p", { class: "value" }, value), meter, more && el("p", { class: "muted small" }, more));
}
