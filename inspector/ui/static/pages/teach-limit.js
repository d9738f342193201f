// Step 4: the limit as a slider over the scores, with what it would cost and what it would miss.
// Promises: overkill and escapes are counted on parts that the model had not seen when it scored
// them; the slider's thumb stands below the limit that it moves. Never: changes a limit: that is
// the last step's.

import { chart, histogramChart } from "../chart.js";
import { number, percent, t } from "../i18n.js";
import { button, el, put, text } from "../ui.js";
import { chooseLimits, limitsOf } from "./teach-shop.js";

const BINS = 40;
const STEPS = 1000;
const NUDGE = 5;

export function limiting(root, path) {
  const picture = chart();
  const slider = el("input", { type: "range", min: 1, max: STEPS, class: "limit",
    "aria-label": t("teach.limit.fail") });
  const none = el("p", { class: "lead" }, t("teach.limit.none"));
  const values = {};
  const fact = (name) => el("p", { class: "fact" }, el("span", {}, t(`teach.${name}`)),
    el("span", {}, (values[name] = el("strong", { class: "value" })), " ",
      (values[`${name}.of`] = el("span", { class: "small" }))));
  const nudge = (by) => choose((most * (Number(slider.value) + by)) / STEPS);
  const sheet = el("div", { class: "column grow" },
    el("div", { class: "grow plot" }, picture.root), slider,
    el("div", { class: "row facts" }, fact("overkill"), fact("for_review"), fact("escapes")),
    el("div", { class: "row" },
      button("−", () => nudge(-NUDGE), "nudge", { "aria-label": t("teach.limit.less") }),
      button("+", () => nudge(NUDGE), "nudge", { "aria-label": t("teach.limit.more") }),
      button(t("teach.limit.taught"), () => choose(taught.fail)),
      el("span", { class: "grow" }),
      button(t("teach.next"), () => path.go("shadow"), "primary")));
  put(root, el("h2", { class: "spare" }, t("teach.step.limit")), el("p", {}, t("teach.limit.how")), none, sheet);
  let taught = null;
  let most = 1; // score at the right end

  function choose(wanted) {
    // Doubt begins as far below the limit, in proportion, as it was taught.
    const fail = Math.min(most, Math.max(most / STEPS, wanted));
    chooseLimits(taught, { fail, review: (fail * taught.review) / taught.fail });
    draw();
  }
  slider.addEventListener("input", () => choose((most * slider.value) / STEPS));

  function draw() {
    const { review, fail } = limitsOf(taught);
    slider.value = Math.round((STEPS * fail) / most);
    slider.setAttribute("aria-valuetext", number(fail, 3));
    const { good_scores: good, defect_scores: bad } = taught;
    say("overkill", good, (one) => one >= fail);
    say("for_review", good, (one) => one >= review && one < fail);
    say("escapes", bad, (one) => one < review);
    picture.show({ label: t("teach.limit.chart"), draw: histogramChart({
      bins: { low: 0, high: most, now: binned(good), before: binned(bad) },
      limits: { review, fail }, chosen: null,
      names: { now: t("teach.good_parts"), before: bad.length ? t("teach.defective_parts")
        : t("teach.limit.no_defects"), review: t("teach.limit.review"), fail: t("teach.limit.fail") } }) });
  }

  function say(name, scores, test) {
    const some = scores.filter(test).length;
    text(values[name], scores.length ? percent(some / scores.length) : "–");
    text(values[`${name}.of`], scores.length ? t("teach.of", { some, all: scores.length })
      : t("teach.limit.no_defects"));
  }

  function binned(scores) {
    const bins = Array(BINS).fill(0);
    for (const one of scores) {
      bins[Math.min(BINS - 1, Math.max(0, Math.floor((BINS * one) / most)))] += 1;
    }
    return bins;
  }

  return {
    update(shop) {
      none.hidden = Boolean(shop.taught);
      sheet.hidden = !shop.taught;
      if (!shop.taught || shop.taught.model === taught?.model) return;
      taught = shop.taught;
      const highest = Math.max(taught.fail * 1.5, ...taught.good_scores, ...taught.defect_scores);
      most = Math.min(highest * 1.05, taught.fail * 6);
      draw();
    },
  };
}
