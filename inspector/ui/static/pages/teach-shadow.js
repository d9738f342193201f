// Step 5: the taught model beside the present one, on the same parts.
// Promises: in shadow it decides nothing; every part on which the two differ can be looked at.
// Never: asks for a picture that is not there.

import { get, order } from "../api.js";
import { number, percent, t } from "../i18n.js";
import { partDialog, score } from "../part.js";
import { address } from "../picture.js";
import { button, el, onChange, put, sign, text } from "../ui.js";
import { limitsOf } from "./teach-shop.js";
import { stepWords } from "./teach-words.js";

const NAMES = ["parts", "agree", "only_shadow_rejects", "only_line_rejects"];

export function shadowing(root, path) {
  let shop = null;
  const none = el("p", { class: "lead" }, t("teach.limit.none"));
  const values = {};
  const sums = el("div", { class: "facts four" }, NAMES.map((name) =>
    el("p", { class: "fact" }, el("span", {}, t(`teach.shadow.${name}`)),
      (values[name] = el("strong", { class: "value" })))));
  const doing = el("p", { role: "status" });
  const differ = el("div", { class: "pictures" });
  const controls = el("div", { class: "row" });
  const sheet = el("div", { class: "column grow" }, sums, doing,
    el("h3", {}, t("teach.shadow.differences")),
    el("div", { class: "scroll grow", tabindex: "0", role: "region",
      "aria-label": t("teach.shadow.differences") }, differ));
  put(root, el("h2", {}, t("teach.step.shadow")), el("p", {}, t("teach.shadow.how")), none, sheet,
    controls);

  const begin = () => order({ order: "try_in_shadow", product: path.product,
    ...limitsOf(shop.taught) }, { quiet: true });
  // One who has seen enough goes on: the trial ends then.
  const next = (busy) => {
    if (busy) path.stop();
    path.go("adopt");
  };
  const face = onChange((busy, other, taught, seen) => put(controls,
    busy ? button(t("teach.stop"), path.stop, "stop")
      : button(t(seen ? "teach.shadow.again" : "teach.shadow.begin"), begin, seen ? "" : "primary big",
        { disabled: !taught || other }),
    el("span", { class: "grow" }),
    button(t("teach.next"), () => next(busy), seen ? "primary" : "", { disabled: !taught })));
  const thumbs = new Map();
  const show = onChange(() => {
    const parts = shop.shadow?.last_differences ?? [];
    const keys = new Set(parts.map((part) => `${part.stream}/${part.seq}`));
    for (const key of [...thumbs.keys()]) if (!keys.has(key)) thumbs.delete(key);
    put(differ, parts.length ? parts.map((part) => {
      const key = `${part.stream}/${part.seq}`;
      if (!thumbs.has(key)) thumbs.set(key, thumb(part));
      return thumbs.get(key);
    }) : el("p", { class: "muted whole" }, t("teach.shadow.none")));
  });
  return {
    update(now) {
      shop = now;
      none.hidden = Boolean(now.taught);
      sheet.hidden = !now.taught;
      const busy = now.job === "shadow";
      face(busy, Boolean(now.other) || (now.job !== "idle" && !busy), Boolean(now.taught),
        now.shadow?.parts > 0);
      const limits = now.taught && limitsOf(now.taught);
      text(doing, busy ? stepWords(now.step)
        : limits ? t("models.limits", { review: score(limits.review), fail: score(limits.fail) }) : "");
      for (const name of NAMES) text(values[name], value(name, now.shadow));
      show((now.shadow?.last_differences ?? []).map((one) => one.stream + one.seq).join());
    },
  };
}

function value(name, shadow) {
  if (!shadow) return "–";
  if (name === "agree") return shadow.parts ? percent(shadow.agree / shadow.parts) : "–";
  return number(shadow[name]);
}

/** A part on which they differ, with the line's verdict. */
function thumb(part) {
  const image = el("img", { alt: "", draggable: "false", hidden: true });
  const said = t(`verdict.${part.kind}`);
  get(`/part/${part.stream}/${part.seq}`).then(({ image: kept }) => {
    image.hidden = !kept;
    if (kept) image.src = address(part, 320);
  }, () => {});
  return el("button", { type: "button", class: "button thumb", onclick: () => partDialog(part),
    "aria-label": `${t("part.title", { n: String(part.seq) })}, ${said}` },
  el("span", { class: "image" }, image), el("span", { class: "row" }, sign(part.kind, 28), said));
}
