// Step 6: the switch to what was taught.
// Promises: says what it replaces, with which limits, and asks once more. Never: switches to what
// the station has not proven: the workshop proves it first.

import { order } from "../api.js";
import { percent, t } from "../i18n.js";
import { score } from "../part.js";
import { button, confirm, el, onChange, put, sign, text } from "../ui.js";
import { limitsOf } from "./teach-shop.js";
import { stepWords } from "./teach-words.js";

export function adopting(root, path) {
  let shop = null;
  let was = "idle";
  let switched = false;
  let wanted = false; // as soon as the trial in shadow has ended
  const none = el("p", { class: "lead" }, t("teach.limit.none"));
  const cells = {};
  const cell = (name) => (cells[name] = el("dd"));
  const row = (name) => el("div", {}, el("dt", {}, t(`teach.adopt.${name}`)), cell(name));
  const [now, then] = [["recipe", "model"], ["product", "taught", "limits", "tried"]];
  const later = el("section", {}, el("h3", {}, t("teach.adopt.then")), el("dl", {}, then.map(row)));
  const compare = el("div", { class: "compare" },
    el("section", {}, el("h3", {}, t("teach.adopt.now")), el("dl", {}, now.map(row))), later);
  const words = el("p", { class: "lead" });
  const meter = el("progress", { max: 1, value: 0, "aria-label": t("workshop.switching") });
  const light = el("span", { class: "light" });
  const doing = el("div", { class: "said row", role: "status" }, light, words);
  const go = button(t("teach.adopt"), adopt, "primary big");
  const there = button(t("teach.adopt.line"), () => path.to("#/line"), "primary big", { hidden: true });
  put(root, el("h2", {}, t("teach.step.adopt")), el("p", {}, t("teach.adopt.how")), none, compare,
    doing, meter, el("span", { class: "grow" }), el("div", { class: "row" }, go, there));

  async function adopt() {
    const sure = await confirm(t("teach.adopt"), t("teach.adopt.sure", { name: path.product }),
      t("teach.adopt"));
    if (!sure) return;
    if (shop.job !== "shadow") return begin();
    wanted = true;
    path.stop();
  }
  function begin() {
    wanted = false;
    switched = false;
    order({ order: "adopt_product", product: path.product, ...limitsOf(shop.taught) }, { quiet: true });
  }

  const face = onChange((taught, busy, possible, done) => {
    none.hidden = taught;
    compare.hidden = !taught;
    meter.hidden = !busy;
    doing.hidden = !busy && !done;
    put(light, done && !busy && sign("pass", 48));
    later.hidden = done;
    go.hidden = !taught || done;
    go.disabled = !possible;
    there.hidden = !done;
  });
  return {
    update(state) {
      shop = state;
      const busy = state.job === "switching";
      if (was === "switching" && state.job === "idle") switched = !state.error;
      was = state.job;
      if (wanted && state.job === "idle") begin();
      const { taught, shadow } = state;
      face(Boolean(taught), busy, !state.other && ["idle", "shadow"].includes(state.job), switched);
      meter.value = state.progress;
      text(words, busy ? stepWords(state.step) : t("teach.adopt.done", { name: path.product }));
      text(cells.recipe, path.recipe());
      text(cells.model, path.model() || "–");
      if (!taught) return;
      const limits = limitsOf(taught);
      text(cells.product, path.product);
      text(cells.taught, `${path.product} · ${t("teach.is_taught")}`);
      text(cells.limits, t("models.limits", { review: score(limits.review), fail: score(limits.fail) }));
      text(cells.tried, shadow?.parts ? t("teach.adopt.tried_parts", { n: shadow.parts,
        share: percent(shadow.agree / shadow.parts) }) : t("teach.adopt.untried"));
    },
  };
}
