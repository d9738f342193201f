// Steps 1 and 2: pictures of parts from the running line, good ones and, if there are, bad ones.
// Promises: the counter is the workshop's; what is wrong with a picture is said at once, and shown
// on it. Never: takes a picture of a part that the line did not inspect.

import { get, order } from "../api.js";
import { t } from "../i18n.js";
import { button, el, onChange, put, sign, text, toast } from "../ui.js";
import { stepWords, warned } from "./teach-words.js";

const PARTS = { good: [20, 50, 100], defective: [1, 5, 10] };
export const ENOUGH = 20; // good parts, to teach well
const FEWEST = 5; // good parts, to teach at all
const SHOWN = 24;
const TRIES = 3;
const AGAIN_MS = 2000;

export function collecting(root, path, label) {
  const count = el("strong", { class: "huge" });
  const words = el("p", { class: "lead" });
  const meter = el("progress", { max: 1, value: 0, "aria-label": t(`teach.step.${label}`) });
  const doing = el("p", { role: "status" });
  const reviewed = button(t("teach.reviewed"),
    () => order({ order: "add_reviewed", product: path.product }, { quiet: true }));
  const warnings = el("ul", { class: "warnings", role: "status" });
  const album = pictures(path.product, label);
  const controls = el("div", { class: "row grow" });
  const next = button(t("teach.next"), () => path.go(label === "good" ? "defective" : "teach"));
  put(root, el("h2", {}, t(`teach.step.${label}`)), el("p", {}, t(`teach.${label}.how`)),
    el("div", { class: "gather" },
      el("div", { class: "tally" }, el("div", { class: "of" }, count, words), meter, doing, warnings,
        el("span", { class: "grow" }), reviewed),
      album.root),
    el("div", { class: "row" }, controls, next));

  const collect = (parts) =>
    order({ order: "collect_parts", product: path.product, label, parts }, { quiet: true });
  const face = onChange((busy, other) => {
    reviewed.disabled = busy || other;
    put(controls, busy ? button(t("teach.stop"), path.stop, "stop") : [
      el("span", {}, t("teach.take_next")),
      PARTS[label].map((parts) => button(parts, () => collect(parts), "primary",
        { disabled: other, "aria-label": t("teach.take", { n: parts }) })),
    ]);
  });
  const warn = onChange((said) => {
    const { files, lines } = warned(said ? said.split("\n") : []);
    put(warnings, lines.map((one) => el("li", {}, sign("degraded", 24), one)));
    album.suspect(files);
  });

  let had = null; // pictures when reviewed parts began to be added
  function added(shop) {
    const all = shop.good + shop.defective;
    const adding = shop.job === "collecting" && !shop.label;
    if (adding) had ??= all;
    else if (had !== null && shop.job === "idle") {
      if (!shop.error) toast(t("teach.added", { n: all - had }));
      had = null;
    }
  }

  return {
    update(shop) {
      const have = shop[label];
      added(shop);
      const busy = shop.job === "collecting" && ["", label].includes(shop.label);
      const taking = busy && shop.label === label;
      text(count, have);
      text(words, t(`teach.${label}.count`, { n: have }));
      meter.value = taking && shop.wanted ? have / shop.wanted : busy ? shop.progress
        : label === "good" ? Math.min(1, have / ENOUGH) : Number(have > 0);
      text(doing, busy ? [stepWords(shop.step), taking && shop.wanted > 0 && t("teach.of", { some: have, all: shop.wanted })]
        .filter(Boolean).join(" · ") : hint(label, have));
      face(busy, Boolean(shop.other) || (shop.job !== "idle" && !busy));
      next.disabled = label === "good" && have < FEWEST;
      next.classList.toggle("primary", !busy && (label === "defective" || have >= ENOUGH));
      album.look(have);
      warn(shop.label && shop.label !== label ? "" : shop.warnings.join("\n"));
    },
  };
}

function hint(label, have) {
  if (label === "defective") return have ? "" : t("teach.optional");
  return have < ENOUGH ? t("teach.wanted", { n: ENOUGH - have }) : t("teach.enough");
}

/** The last pictures taken, {root, look(have), suspect(files)}; each is fetched once. */
export function pictures(product, label) {
  const sheet = el("div", { class: "pictures" });
  const root = el("div", { class: "scroll grow album", tabindex: "0", role: "region",
    "aria-label": t("teach.pictures") }, sheet);
  const shown = new Map();
  let bad = new Set();
  let wanted = 0;
  let busy = false;

  const look = onChange(async (have) => {
    wanted += 1;
    if (busy) return;
    busy = true;
    for (let seen = 0; seen !== wanted;) {
      seen = wanted;
      const found = await get(`/api/workshop/${label}?product=${product}`).catch(() => null);
      if (found) show(found.files.slice(-SHOWN).reverse());
      else look.forget();
    }
    busy = false;
  });

  function show(files) {
    for (const file of shown.keys()) if (!files.includes(file)) shown.delete(file);
    for (const file of files) if (!shown.has(file)) shown.set(file, picture(file));
    put(sheet, files.length ? files.map((file) => shown.get(file))
      : el("p", { class: "empty" }, t(`teach.${label}.empty`)));
    mark();
  }

  const tries = new Map();
  const picture = (file) => el("figure", {},
    el("img", { src: `/workshop/${product}/${label}/${file}`, alt: t("teach.picture"), draggable: "false",
      onerror: () => lost(file) }), sign("degraded", 32));

  /** A picture that could not be had is asked for again, as the station may be back. */
  function lost(file) {
    tries.set(file, (tries.get(file) ?? 0) + 1);
    if (tries.get(file) > TRIES) return;
    setTimeout(() => {
      shown.delete(file);
      look.forget();
    }, AGAIN_MS);
  }

  function mark() {
    for (const [file, one] of shown) one.classList.toggle("suspect", bad.has(file));
  }

  return {
    root,
    look,
    suspect(files) {
      bad = files;
      mark();
    },
  };
}
