// What the workshop says, in the words of the page.
// Promises: what is not known by heart is shown as it was said. Never: leaves anything out.

import { has, t } from "../i18n.js";

/** What is being done at the moment. */
export function stepWords(step) {
  if (!step) return t("workshop.step.begins");
  const key = `workshop.step.${step.split(":")[0].trim().replaceAll(" ", "_")}`;
  return has(key) ? t(key) : step;
}

/** What the workshop is at, as a sentence. */
export const jobWords = (job, product) => t(`workshop.job.${job}`, { product });

const OF_ONE = [
  [/: too dark/, "dark"],
  [/: too bright/, "bright"],
  [/: no contrast/, "contrast"],
  [/: out of focus/, "focus"],
  [/: less sharp/, "blurred"],
];
const SAME = /^(\d+) of (\d+) show the very same picture/;
const MORE = /^and (\d+) more$/;

/** Warnings about pictures: {lines, files}, those of one kind as one line, and the names of the
 * pictures that they are about. */
export function warned(warnings) {
  const files = new Set();
  const kinds = new Map();
  const lines = [];
  for (const one of warnings) {
    const [, kind] = OF_ONE.find(([sign]) => sign.test(one)) ?? [];
    const same = SAME.exec(one);
    const more = MORE.exec(one);
    if (kind) {
      files.add(one.split(":")[0]);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    } else if (same) lines.push(t("teach.warn.same", { n: Number(same[1]) }));
    else if (more) lines.push(t("teach.warn.more", { n: Number(more[1]) }));
    else lines.push(one);
  }
  return { files, lines: [...[...kinds].map(([kind, n]) => t(`teach.warn.${kind}`, { n })), ...lines] };
}
