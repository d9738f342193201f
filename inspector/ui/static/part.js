// One part large, with all that is known of it.
// Promises: shows what the station kept of that very part; what is not known is a dash.
// Never: changes anything.

import { get } from "./api.js";
import { clock, number, t } from "./i18n.js";
import { state } from "./live.js";
import { picture } from "./picture.js";
import { button, dialog, el, put, sign } from "./ui.js";

/** Open the dialog of a part, by {stream, seq}. */
export function partDialog(part) {
  const label = t("part.title", { n: String(part.seq) });
  const facts = el("div", { class: "facts scroll", tabindex: "0", role: "region",
    "aria-label": label });
  const view = picture({ width: 1280, label });
  const heat = button(t("part.heat"), () => warm(), "", { "aria-pressed": "true", hidden: true });
  function warm() {
    const on = heat.getAttribute("aria-pressed") !== "true";
    heat.setAttribute("aria-pressed", String(on));
    view.heat(on);
  }
  dialog(label, () => el("div", { class: "part" },
    el("div", { class: "column look" }, view.root, heat), facts),
  { wide: true, onclose: view.leave });
  fill(part, view, facts, heat);
}

async function fill(part, view, facts, heat) {
  try {
    const found = await get(`/part/${part.stream}/${part.seq}`);
    view.show(found.outcome);
    heat.hidden = !found.outcome.heatmap;
    put(facts, verdict(found.outcome), list(found, await limits(found.outcome)));
  } catch (error) {
    view.show(null);
    put(facts, el("p", { class: "bad-text", role: "alert" }, error.message));
  }
}

/** What the score is held against, where that recipe is the one in force. */
async function limits(outcome) {
  if (outcome.recipe !== state.live?.recipe) return null;
  return (await get("/api/recipes").catch(() => null))?.limits ?? null;
}

function verdict(outcome) {
  return el("div", { class: `head ${outcome.kind}` }, sign(outcome.kind, 56),
    el("div", {}, el("strong", { class: "kind" }, t(`verdict.${outcome.kind}`)),
      el("p", {}, reason(outcome)), el("p", { class: "muted small" }, outcome.reason)));
}

function list({ outcome, finding, defect_class: defect, reviewed_by: who }, limit) {
  const ms = (us) => t("part.ms", { ms: number(us / 1000, 1) });
  const rows = [
    ["part.score", score(outcome.score)],
    ["part.limits", limit && t("part.limits.are", limit)],
    ["part.lane", t(`part.lane.${outcome.lane}`)],
    ["part.model", outcome.model],
    ["part.recipe", outcome.recipe],
    ["part.lot", outcome.lot],
    ["part.latency", ms(outcome.latency_us)],
    ["part.inference", outcome.timing.inference_us && ms(outcome.timing.inference_us)],
    ["part.time", clock(outcome.trigger_wall_ns, true, true)],
    ["part.camera", outcome.camera],
    finding && ["part.finding", t("part.found", { finding: t(`verdict.${finding}`), defect, who })],
  ];
  return el("dl", {}, rows.filter(Boolean).map(([key, value]) =>
    el("div", {}, el("dt", {}, t(key)), el("dd", {}, value || "–"))));
}

/** A score with as many digits as tell something. */
export const score = (value) =>
  value === null || value === undefined ? "–" : number(value, value < 10 ? 3 : 1);

/** Why a part is what it is, in the words of whoever looks at it. */
export function reason({ kind, cause, boxes = [] }) {
  if (kind === "fault") return t(`cause.${cause}`);
  const named = [...new Set(boxes.map((box) => box.label).filter(Boolean))];
  if (kind === "fail" && named.length) return t("reason.found", { what: named.join(", ") });
  return t(`reason.kind.${kind}`);
}

/** Set the sign of a kind in an element, and only where it changed. */
export function signed(element, kind, size) {
  if (element.dataset.sign === kind) return;
  element.dataset.sign = kind;
  put(element, sign(kind, size));
}

