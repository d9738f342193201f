// The frame of the six steps: which is on, which are done, and what keeps the workshop busy.
// Promises: every step can be looked at any time; a problem is shown until somebody puts it away.
// Never: holds anybody up: a step that cannot be done yet says why.

import { t } from "../i18n.js";
import { attribute, button, el, onChange, put, sign, text } from "../ui.js";
import { adopting } from "./teach-adopt.js";
import { collecting, ENOUGH } from "./teach-collect.js";
import { limiting } from "./teach-limit.js";
import { shadowing } from "./teach-shadow.js";
import { STEPS } from "./teach-start.js";
import { teaching } from "./teach-teaching.js";
import { jobWords } from "./teach-words.js";

const SHEETS = { good: collecting, defective: collecting, teach: teaching, limit: limiting,
  shadow: shadowing, adopt: adopting };

/** {update(work, live), leave()} */
export function guide(root, path) {
  const rail = el("ol", { class: "steps", "aria-label": t("teach.steps") });
  const back = el("button", { type: "button", class: "button product", onclick: path.leave },
    el("span", { class: "small" }, `‹ ${t("teach.products")}`),
    el("strong", { class: "cut" }, path.product));
  const body = el("section", { class: "panel step", "aria-label": t(`teach.step.${path.step}`) });
  const note = notice(path.stop);
  put(root, el("div", { class: "guide" },
    el("div", { class: "column" }, back, rail), el("div", { class: "column" }, note.root, body)));
  const sheet = SHEETS[path.step](body, path, path.step);

  const mark = onChange((ready) => put(rail, STEPS.map((step, at) => {
    const on = step === path.step;
    const done = ready[at] === "1";
    return el("li", {}, el("button", { type: "button", class: on ? "button on" : "button",
      onclick: () => path.go(step), "aria-current": on ? "step" : null },
    el("span", { class: "number", "aria-hidden": "true" }, done ? "✓" : at + 1),
    el("span", {}, t(`teach.step.${step}`)), done && el("span", { class: "unseen" }, t("teach.done"))));
  })));
  return {
    update(work, live) {
      const shop = work.of(path.product);
      note.update(work.now, shop);
      mark(done(shop).map(Number).join(""));
      sheet.update(shop, live);
    },
    leave: () => sheet.leave?.(),
  };
}

/** Which of the steps are done. */
const done = (shop) => [shop.good >= ENOUGH || Boolean(shop.taught), shop.defective > 0, Boolean(shop.taught),
  Boolean(shop.taught), shop.shadow?.parts > 0, false];

let heeded = ""; // the problem that somebody has put away

/** What keeps the workshop busy with something else, or why its last work failed. */
function notice(stop) {
  const words = el("p", { class: "grow" });
  const end = button(t("teach.stop"), stop);
  const away = button("✕", () => heed(), "away", { "aria-label": t("common.close") });
  const light = el("span", { class: "light" });
  const root = el("div", { class: "panel row notice", role: "status", hidden: true },
    light, words, end, away);
  let said = "";
  const heed = () => {
    heeded = said;
    root.hidden = true;
  };
  const draw = onChange((busy, product, error) => {
    root.hidden = !busy && !error;
    end.hidden = !busy;
    away.hidden = Boolean(busy);
    attribute(root, "data-kind", busy ? "busy" : "problem");
    put(light, sign(busy ? "note" : "fault", 40));
    text(words, busy ? jobWords(busy, product) : t("teach.problem", { text: error }));
  });
  return {
    root,
    update(now, shop) {
      said = now.error;
      draw(shop.other, now.product, shop.other || shop.job !== "idle" || said === heeded ? "" : said);
    },
  };
}
