// What a reviewer looks at: the part, the next parts behind it, and a golden part beside it.
// Promises: the next part's picture is there before it is shown; a golden part is one of the
// product of the part beside it. Never: the picture of another part.

import { get } from "../api.js";
import { t } from "../i18n.js";
import { address, picture } from "../picture.js";
import { el, text } from "../ui.js";
import { keyOf } from "./review-queue.js";

const WIDTH = 1280;
const UNSEEN_MS = 4000; // a picture that takes longer does not hold the decision

let golden = 0; // the one that was looked at last

/** The pictures of the part in front and of the next ones, each in a frame of its own, so that
 * the next one is there at once. */
export function pictures(stage, seen) {
  const frames = new Map(); // key -> {pic, settled, sharp}
  let front = "";
  let warm = true;

  function frame(part) {
    const key = keyOf(part);
    const there = frames.get(key);
    if (there) return there;
    const settled = () => {
      made.settled = true;
      if (key === front) seen();
    };
    const pic = picture({ width: WIDTH, heat: warm, label: t("review.picture"), settled });
    const made = { pic, settled: !part.outcome.frame, sharp: false };
    setTimeout(settled, UNSEEN_MS);
    frames.set(key, made);
    pic.root.classList.add("aside");
    stage.append(pic.root);
    pic.show(part.outcome);
    return made;
  }

  function keep(parts) {
    for (const part of parts) frame(part);
    const wanted = new Set(parts.map(keyOf));
    for (const [key, { pic }] of frames) {
      if (wanted.has(key)) continue;
      pic.root.remove();
      pic.leave();
      frames.delete(key);
    }
  }

  return {
    keep,
    show(part, parts) {
      front = part ? keyOf(part) : "";
      keep(parts);
      for (const [key, { pic }] of frames) pic.root.classList.toggle("aside", key !== front);
    },
    heat(on) {
      warm = on;
      frames.forEach(({ pic }) => pic.heat(on));
    },
    seen: () => frames.get(front)?.settled ?? false,
    sheet: () => frames.get(front)?.pic.root.querySelector(".sheet:not([hidden])"),
    /** The picture as the camera took it, to look closer. */
    sharpen(part) {
      const made = frames.get(front);
      if (!part || !made || made.sharp || !made.settled) return;
      made.sharp = true;
      if (part.outcome.frame?.format.width > WIDTH) {
        made.pic.root.querySelector(".sheet:not([hidden]) img").src = address(part.outcome);
      }
    },
  };
}

/** The golden part beside it, in the button `view.golden`: touched, the next one. */
export function goldenParts(view) {
  const image = el("img", { alt: "", draggable: "false" });
  const words = el("span", {});
  const box = el("span", { class: "frame" }, image);
  const next = el("span", { class: "next", "aria-hidden": "true" }, "›");
  view.golden.append(box, el("span", { class: "caption" }, words, next,
    el("kbd", { "aria-hidden": "true" }, "N")));
  let names = [];
  image.addEventListener("error", () => say(t("review.golden_none")));

  function say(missing) {
    box.hidden = Boolean(missing);
    view.golden.classList.toggle("none", Boolean(missing));
    text(words, missing || t("review.golden", { number: golden + 1, all: names.length }));
    next.hidden = Boolean(missing) || names.length < 2;
  }

  function show(part, live) {
    if (!names.length) return say(t("review.golden_none"));
    if (part && live && part.outcome.recipe !== live.recipe) {
      return say(t("review.golden_other", { recipe: part.outcome.recipe }));
    }
    golden %= names.length;
    const source = `/golden/${encodeURIComponent(names[golden])}`;
    if (!image.src.endsWith(source)) image.src = source;
    say("");
  }

  return {
    show,
    sheet: () => (box.hidden ? null : image),
    next() {
      if (box.hidden) return;
      golden += 1;
      show(null, null);
    },
    load: async () => {
      names = (await get("/api/golden").catch(() => ({ good: [] }))).good;
      image.removeAttribute("src"); // of another product, perhaps, under the same address
    },
  };
}
