// What the page of the challenge test says, and how each thing is drawn.
// Promises: every word follows the language. Never: asks or orders anything.

import { clock, current, t } from "../i18n.js";
import { el, sign } from "../ui.js";

export const HALF_DAY_NS = 12 * 3600e9; // what is farther away is told with its day

export const SIGN = { passed: "pass", failed: "fail", abandoned: "paused" };

export function dueWords(test, now) {
  const { due_wall_ns: due } = test;
  if (!due) return t("challenge.due_never");
  const at = clock(due, Math.abs(due - now) > HALF_DAY_NS);
  if (test.overdue) return t("challenge.overdue", { when: at });
  if (due <= now) return t("challenge.due_now");
  return t("challenge.due", { when: at, span: span(due - now) });
}

/** How long until then, in the words of the language. */
function span(ns) {
  const minutes = Math.max(1, Math.round(ns / 60e9));
  const [many, unit] = minutes < 90 ? [minutes, "minute"]
    : minutes < 48 * 60 ? [Math.round(minutes / 60), "hour"] : [Math.round(minutes / 1440), "day"];
  return new Intl.RelativeTimeFormat(current()).format(many, unit);
}

export const wrongWords = (step) => [
  sign("fail", 32),
  el("span", { class: "words" }, el("strong", {}, step.part),
    el("span", {}, t("challenge.said_not", {
      verdict: t(`verdict.${step.kind}`), wanted: t(`challenge.expect.${step.expected}`),
    }))),
];

export const stepWords = (step) => [
  step.kind ? sign(step.ok ? "pass" : "fail", 32) : sign("paused", 32),
  el("span", { class: "words" },
    el("strong", {}, `${step.number}. ${step.part} · ${t(`challenge.expect.${step.expected}`)}`),
    el("span", {}, step.kind ? t("challenge.line_said", { verdict: t(`verdict.${step.kind}`) })
      : t("challenge.not_shown"))),
];

/** A step in the row of all steps. */
export function track(step, on) {
  const mark = step.ok === null || step.ok === undefined ? el("b", {}, String(step.number))
    : sign(step.ok ? "pass" : "fail", 32);
  const now = step.number === on;
  return el("li", { class: now ? "on" : "", "aria-current": now && "step" }, mark,
    el("span", { class: "words" }, el("strong", {}, step.part),
      el("span", {}, t(`challenge.expect.${step.expected}`))));
}

/** No golden parts are named for this product: how to. */
export function none(recipe) {
  const example = [
    "[challenge]",
    "every_h = 8",
    "at_shift_start = true",
    "parts = [",
    '  { name = "G1", expect = "pass" },',
    '  { name = "D1", expect = "fail" },',
    "]",
  ].join("\n");
  return el("section", { class: "panel none" },
    el("h2", {}, t("challenge.none")),
    el("p", {}, t("challenge.what")),
    el("p", {}, t("challenge.how", { file: `recipes/${recipe}.toml` })),
    el("pre", { class: "scroll", tabindex: "0" }, example));
}
