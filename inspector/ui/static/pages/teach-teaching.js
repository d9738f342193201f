// Step 3: teaching itself, with its progress and what it has to say.
// Promises: what was left out and what was noticed is shown. Never: waits for it.

import { order } from "../api.js";
import { number, percent, t } from "../i18n.js";
import { button, el, onChange, put, sign, text } from "../ui.js";
import { pictures } from "./teach-collect.js";
import { stepWords } from "./teach-words.js";

const FEWEST = 5; // good parts

export function teaching(root, path) {
  const meter = el("progress", { max: 1, value: 0, "aria-label": t("teach.step.teach") });
  const step = el("p", { class: "lead", role: "status" });
  const working = el("div", { class: "column" }, step, meter);
  const controls = el("div", { class: "row" });
  const result = el("div", { class: "column scroll grow", tabindex: "0", role: "region",
    "aria-label": t("teach.result") });
  const counts = ["good", "defective"].map((label) => count(path.product, label));
  const albums = el("div", { class: "albums" }, counts.map((one) => one.root));
  put(root, el("h2", {}, t("teach.step.teach")), el("p", {}, t("teach.teach.how")),
    working, albums, result, controls);

  const teach = () => order({ order: "teach_product", product: path.product }, { quiet: true });
  const face = onChange((busy, other, enough, taught) => {
    working.hidden = !busy;
    put(controls, busy ? button(t("teach.stop"), path.stop, "stop") : [
      button(t(taught ? "teach.again" : "teach.now"), teach, taught ? "" : "primary big",
        { disabled: other || !enough }),
      !enough && el("p", {}, t("teach.few", { n: FEWEST })),
      el("span", { class: "grow" }),
      taught && button(t("teach.next"), () => path.go("limit"), "primary"),
    ]);
  });
  const show = onChange((model, busy, taught) => put(result, taught && !busy && [
    el("div", { class: "row said" }, sign("pass", 48),
      el("p", { class: "lead" }, t("teach.taught", { n: Math.round(taught.seconds), model }))),
    el("h3", {}, t("teach.result")),
    el("ul", { lang: "en", class: "remarks" }, taught.notes.map(remark)),
  ]));
  let before = "";
  return {
    update(shop) {
      const busy = shop.job === "teaching";
      for (const one of counts) one.update(shop);
      meter.value = shop.progress;
      text(step, `${stepWords(shop.step)} · ${percent(shop.progress, 0)}`);
      face(busy, Boolean(shop.other) || (shop.job !== "idle" && !busy), shop.good >= FEWEST,
        Boolean(shop.taught));
      const now = `${shop.taught?.model} ${shop.taught?.seconds} ${busy}`;
      albums.classList.toggle("low", Boolean(shop.taught) && !busy);
      result.hidden = !shop.taught || busy;
      if (now !== before) show(shop.taught?.model ?? "", busy, shop.taught);
      before = now;
    },
  };
}

const WARNING = /^warning: /;
const FILE = /[^\s/]+-0*(\d+)\.(png|jpg)/g; // a part by its number

/** A remark of the teaching, which is the program's own text. */
function remark(note) {
  const words = note.replace(WARNING, "").replace(FILE, "#$1");
  return el("li", {}, sign(WARNING.test(note) ? "degraded" : "note", 24), el("span", {}, words));
}

/** How many pictures of a label there are, and the last of them. */
function count(product, label) {
  const value = el("strong", { class: "value" });
  const album = pictures(product, label);
  return {
    root: el("section", { class: "column" },
      el("p", { class: "fact" }, el("span", {}, t(`teach.step.${label}`)), value), album.root),
    update(shop) {
      text(value, number(shop[label]));
      album.look(shop[label]);
    },
  };
}
