// The last verdict as word, shape and colour, and in short why.
// Promises: readable from three metres and without colour; stopped, paused, starting and "no part
// yet" are faces of their own.
// Never: shows a limit of another recipe beside a score.

import { get } from "../api.js";
import { clock, t } from "../i18n.js";
import { reason, score, signed } from "../part.js";
import { attribute, el, onChange, text } from "../ui.js";
import { toDo } from "./line-care.js";

const RENEW_MS = 30_000;
const VERDICTS = ["pass", "fail", "review", "fault"];

/** {root, update(live, face)} */
export function verdict() {
  const light = el("span", { class: "light" });
  const word = el("strong", { class: "word" });
  const why = el("p", { class: "why" });
  const bar = gauge();
  const facts = el("p", { class: "facts" });
  const detail = el("p", { class: "detail clamp" });
  const root = el("section", { class: "verdict", "aria-label": t("line.last") },
    light, word, el("div", { class: "because" }, why, bar.root, facts, detail));
  let limits = null;
  let part = null;

  let asked = 0;
  const ask = onChange(async () => {
    const mine = (asked += 1);
    const found = await get("/api/recipes").catch(() => null);
    if (mine !== asked) return; // of a recipe that is not in force any more
    limits = found?.limits ?? null;
    draw.forget();
  });
  const renew = onChange(() => {
    limits = null;
    ask.forget();
  });

  const draw = onChange((face, reasonOfState) => {
    attribute(root, "data-face", face);
    attribute(root, "data-part", part ? `${part.stream}/${part.seq}` : "");
    signed(light, face, 120);
    const judged = VERDICTS.includes(face);
    text(word, t(judged ? `verdict.${face}` : `line.face.${face}`));
    text(why, judged ? reason(part) : saying(face, reasonOfState));
    bar.show(judged ? part.score : null, limits);
    text(facts, judged ? told(part, limits) : "");
    text(detail, part && face !== "none" ? detailed(part, judged) : "");
  });

  return {
    root,
    update(live, face) {
      part = live.last;
      renew(live.recipe, part?.model);
      ask(Math.floor(performance.now() / RENEW_MS)); // the limits of a recipe may be changed
      draw(face, live.why, part?.stream, part?.seq);
    },
  };
}

const saying = (face, why) => (face === "none" ? t("line.face.none.why") : toDo(face, why));

function told(part, limits) {
  if (part.score === null) return "";
  const values = { score: score(part.score) };
  if (!limits) return t("line.score", values);
  return t("line.score.limits", { ...values, review: limits.review, fail: limits.fail });
}

function detailed(part, judged) {
  const time = clock(part.trigger_wall_ns, false, true);
  const which = t("line.part", { n: String(part.seq), time });
  return judged ? `${which} · ${part.reason}` : t("line.part.last", { n: String(part.seq), time });
}

/** Where the score lies between nothing and beyond the fail limit. */
function gauge() {
  const zone = (name) => el("span", { class: `zone ${name}` });
  const [good, review, fail] = ["good", "review", "fail"].map(zone);
  const mark = el("span", { class: "mark" });
  const root = el("div", { class: "gauge", "aria-hidden": "true" }, good, review, fail, mark);
  const scale = onChange((from, to) => {
    const end = 1.5 * to;
    good.style.flexGrow = from / end;
    review.style.flexGrow = (to - from) / end;
    fail.style.flexGrow = (end - to) / end;
  });
  return {
    root,
    show(value, limits) {
      const there = value !== null && limits !== null;
      root.classList.toggle("unseen-box", !there);
      if (!there) return;
      scale(limits.review, limits.fail);
      mark.style.left = `${100 * Math.min(1, Math.max(0, value / (1.5 * limits.fail)))}%`;
    },
  };
}
