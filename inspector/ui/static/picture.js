// A part's picture with its heatmap and boxes over it.
// Promises: heat and boxes lie where they belong at any size, and come up together with the
// picture they belong to; a part without a picture says so.
// Never: shows the picture of another part: every part has an address of its own.

import { t } from "./i18n.js";
import { el, put, svg } from "./ui.js";

const SLOW_MS = 700; // a film's last picture is not shown for longer beside another part

export const address = (part, width = 0) =>
  `/part/${part.stream}/${part.seq}/image${width ? `?width=${width}` : ""}`;

const keyOf = (part) => (part ? `${part.stream}/${part.seq}` : "");

/** A picture that can be given other parts: {root, show(outcome), heat(on), zoom(times), again(),
 * leave()}: whoever takes it from the page for good lets go of what is still on its way.
 * An outcome needs stream, seq, frame, heatmap and boxes (RecentPart will do without the last).
 * `again` asks once more for a picture that could not be had, as the station may be back.
 * `film`: the last picture stays until the next is there. `settled` is called when a part's
 * picture is there, or is known not to be. */
export function picture({
  width = 0, heat = true, label = "", film = false, settled = () => {},
} = {}) {
  const none = el("p", { class: "none", hidden: true });
  let [front, back] = [sheet(label), sheet(label)];
  back.root.hidden = true;
  const root = el("div", { class: "picture" }, front.root, back.root, none);
  let wanted = null;
  let busy = false;
  let warm = heat;
  let failed = false;

  function show(part) {
    if (part && keyOf(part) === keyOf(wanted)) return;
    wanted = part;
    if (!part?.frame) return missing(true);
    if (!film) hide();
    if (!busy) load();
  }

  function hide() {
    front.root.hidden = true;
    none.hidden = true;
  }

  function missing(is) {
    front.root.hidden = is;
    none.hidden = !is;
    if (is) none.textContent = t(wanted ? "picture.none" : "picture.nothing");
  }

  async function load() {
    busy = true;
    let part = null;
    while (wanted?.frame && part !== wanted) {
      part = wanted;
      const slow = setTimeout(hide, SLOW_MS);
      const there = await back.load(part, width, warm);
      clearTimeout(slow);
      if (!wanted?.frame || (!film && part !== wanted)) continue;
      failed = !there;
      if (there) swap();
      missing(!there);
      root.dataset.part = keyOf(part);
      settled();
    }
    busy = false;
  }

  function swap() {
    [front, back] = [back, front];
    back.root.hidden = true;
    back.clear();
  }

  return {
    root,
    show,
    again() {
      if (failed && wanted?.frame && !busy) load();
    },
    leave() {
      wanted = null;
      front.clear();
      back.clear();
    },
    heat(on) {
      warm = on;
      front.heat(on);
      back.heat(on);
    },
    zoom(times) {
      root.style.setProperty("--zoom", times);
      root.classList.toggle("zoomed", times > 1);
    },
  };
}

/** One picture with what lies over it. */
function sheet(label) {
  const image = el("img", { alt: label, draggable: "false", decoding: "sync" });
  const over = el("img", { class: "heat", alt: "", draggable: "false", decoding: "sync",
    hidden: true });
  const boxes = svg("svg", { class: "boxes", "aria-hidden": "true" });
  const root = el("div", { class: "sheet" }, image, over, boxes);
  let there = false; // a heatmap

  async function load(part, width, warm) {
    const { width: w, height: h } = part.frame.format;
    root.style.aspectRatio = `${w} / ${h}`;
    root.style.setProperty("--ratio", w / h);
    boxes.setAttribute("viewBox", `0 0 ${w} ${h}`);
    put(boxes, (part.boxes ?? []).map((box) => drawn(box, w)));
    over.hidden = true;
    const hot = part.heatmap ? laid(over, part, w, h) : false;
    const ready = await fetched(image, address(part, width));
    there = await hot;
    heat(warm);
    return ready;
  }

  function heat(on) {
    over.hidden = !on || !there;
  }

  function clear() {
    image.removeAttribute("src");
    over.removeAttribute("src");
    there = false;
  }

  return { root, load, heat, clear };
}

async function laid(over, part, w, h) {
  const [x, y, width, height] = part.heatmap.region;
  Object.assign(over.style, {
    left: `${(100 * x) / w}%`, top: `${(100 * y) / h}%`,
    width: `${(100 * width) / w}%`, height: `${(100 * height) / h}%`,
  });
  return fetched(over, `/part/${part.stream}/${part.seq}/heat`);
}

// Not with `decode()`: Chromium never ends some of those whose element leaves the page meanwhile,
// and keeps the whole page that was left with each.
function fetched(image, source) {
  return new Promise((resolve) => {
    image.onload = () => resolve(true);
    image.onerror = () => resolve(false);
    image.src = source;
  });
}

function drawn(box, frameWidth) {
  const { x, y, width, height } = box;
  const thick = frameWidth / 200;
  return [
    svg("rect", { x, y, width, height, class: "halo", "stroke-width": 2.2 * thick }),
    svg("rect", { x, y, width, height, class: "box", "stroke-width": thick }),
    box.label && svg("text", { x, y: Math.max(y - 2 * thick, 6 * thick), class: "label",
      "font-size": 7 * thick }, box.label),
  ];
}
