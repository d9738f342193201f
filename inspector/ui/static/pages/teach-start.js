// Where teaching begins: the way in six steps, a name, and the products that are under way.
// Promises: whatever was begun can be gone on with, or thrown away. Never: throws away unasked.

import { order } from "../api.js";
import { t } from "../i18n.js";
import { button, confirm, dialog, el, keyboard, onChange, put } from "../ui.js";

export const STEPS = ["good", "defective", "teach", "limit", "shadow", "adopt"];
export const PRODUCT = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const MOST = 32;
const DISCARDED_MS = 400; // the workshop has done it by then

/** {update(work, live)}; `path.begin(product)` is called for the one chosen. */
export function starting(root, path) {
  const again = el("div", { class: "row wrap" });
  const list = el("div", { class: "column scroll grow", tabindex: "0", role: "region",
    "aria-label": t("teach.begun") });
  const begun = el("section", { class: "panel column begun", hidden: true },
    el("h2", {}, t("teach.begun")), list);
  put(root, el("div", { class: "start" },
    el("section", { class: "panel column" },
      el("h2", {}, t("teach.none")),
      el("p", { class: "lead" }, t("teach.begin")),
      el("ol", { class: "way grow" }, STEPS.map((step, at) =>
        el("li", {}, el("span", { class: "number" }, at + 1),
          el("div", {}, el("h3", {}, t(`teach.step.${step}`)), el("p", {}, t(`teach.about.${step}`)))))),
      again),
    begun));

  const offer = onChange((recipe) => put(again,
    button(t("teach.new"), () => named(path.begin), "primary big"),
    PRODUCT.test(recipe) && button(t("teach.anew", { name: recipe }), () => path.begin(recipe), "big")));
  let work = null;
  const fill = onChange(() => {
    begun.hidden = !work.products.length;
    put(list, work.products.map((one) => item(one, path, work.now)));
  });
  return {
    update(shop, live) {
      work = shop;
      offer(live.recipe);
      fill([...shop.products.map(facts), shop.now.job, shop.now.product].join("\n"));
    },
  };
}

/** What there is of a product, in words. */
const facts = ({ product, good, defective, taught }) => [product,
  [t("teach.counts", { good, defective }), taught && t("teach.is_taught")].filter(Boolean).join(" · ")];

function item(one, path, job) {
  const { product } = one;
  const busy = job.job !== "idle" && job.product === product;
  const discard = async () => {
    const sure = await confirm(t("teach.discard"), t("teach.discard.sure", { name: product }),
      t("teach.discard"), "danger");
    if (sure && (await order({ order: "discard_product", product }, { quiet: true })).ok) {
      setTimeout(path.look, DISCARDED_MS);
    }
  };
  return el("article", { class: "begun-one" },
    el("div", {}, el("h3", { class: "cut" }, product),
      el("p", {}, busy ? t(`workshop.${job.job}`) : facts(one)[1])),
    el("div", { class: "row" },
      button(t("teach.go_on"), () => path.begin(product), "primary wide"),
      button(t("teach.discard"), discard, "wide", { disabled: busy })));
}

/** Ask for a name that a product may have. */
function named(then) {
  const problem = el("p", { class: "bad-text", role: "alert" });
  dialog(t("teach.name"), (close) => [
    el("p", {}, t("teach.name.how")), problem,
    keyboard({ label: t("teach.name"), most: MOST, done: (words) => {
      const product = words.trim().toLowerCase().replaceAll(" ", "-");
      if (!PRODUCT.test(product)) return put(problem, t("teach.name.bad"));
      close();
      then(product);
    } }),
  ], { wide: true });
}
