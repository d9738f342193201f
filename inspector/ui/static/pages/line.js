// The line at one look: the last verdict, its picture, the counts, what is wrong and what to do.
// Promises: what is shown first is what matters most (stopped, paused, starting, then the last
// part); a state that changes nothing costs nothing.
// Never: changes the face of the line more than three times a second (it would flicker).

import { picture } from "../picture.js";
import { t } from "../i18n.js";
import { el, put } from "../ui.js";
import { care } from "./line-care.js";
import { controls } from "./line-controls.js";
import { counts } from "./line-counts.js";
import { recent } from "./line-recent.js";
import { verdict } from "./line-verdict.js";

const HOLD_MS = 350;

export function page(root, context) {
  const look = picture({ width: 1280, label: t("line.picture"), film: true });
  const face = verdict();
  const others = [care(context), counts(), controls(), recent()];
  const [cared, counted, controlled, seen] = others;
  put(root, face.root,
    el("div", { class: "middle" },
      el("div", { class: "left" }, cared.sentence,
        el("div", { class: "views" }, look.root, cared.alarms), cared.notes),
      el("div", { class: "side" }, counted.root, controlled.root)),
    seen.root);

  const hold = holder((live, shown) => {
    face.update(live, shown);
    look.show(live.last);
  });
  let fresh = false;
  return {
    update(state) {
      hold.offer(state.live, faceOf(state.live));
      for (const one of others) one.update(state);
      if (state.fresh && !fresh) look.again();
      fresh = state.fresh;
    },
    leave() {
      hold.leave();
      look.leave();
    },
  };
}

/** What the line shows as its face: a verdict's kind, or why there is none now. */
function faceOf({ state, mode, last }) {
  if (state === "stopped") return "stopped";
  if (mode === "paused") return "paused";
  if (state === "starting") return "starting";
  return last ? last.kind : "none";
}

// A face stays for HOLD_MS before it gives way to another; the newest comes then.
function holder(show) {
  let [face, since, timer, newest] = ["", 0, 0, null];
  const turn = () => {
    timer = 0;
    const next = faceOf(newest);
    if (next !== face) since = performance.now();
    face = next;
    show(newest, next);
  };
  return {
    offer(live, next) {
      newest = live;
      if (timer) return;
      const left = next === face ? 0 : since + HOLD_MS - performance.now();
      if (left > 0) timer = setTimeout(turn, left);
      else turn();
    },
    leave: () => clearTimeout(timer),
  };
}
