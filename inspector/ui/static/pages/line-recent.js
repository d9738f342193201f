// The last parts as thumbnails; a touch opens one.
// Promises: the newest is the first; they stay where they are while a finger is on them.
// Never: fetches more than a picture per part, or more than a row of them per second on a fast
// line.

import { clock, t } from "../i18n.js";
import { address } from "../picture.js";
import { partDialog, signed } from "../part.js";
import { attribute, el } from "../ui.js";

const MOST = 12;
const MANY = 3; // new ones at once: the line is fast
const CALM_MS = 1000;

/** {root, update(state)} */
export function recent() {
  const root = el("section", { class: "recent", "aria-label": t("line.recent") });
  let shown = Array.from({ length: MOST }, thumb);
  root.append(...shown.map((one) => one.root));
  let held = false;
  let drawn = 0;
  root.addEventListener("pointerdown", () => (held = true));
  for (const kind of ["pointerup", "pointercancel", "pointerleave"]) {
    root.addEventListener(kind, () => (held = false));
  }

  function update({ live }) {
    const parts = live.recent;
    const fresh = freshOf(parts);
    if (!fresh || held) return;
    const now = performance.now();
    if (fresh > MANY && now - drawn < CALM_MS) return;
    drawn = now;
    move(fresh, parts);
  }

  function freshOf(parts) {
    const known = shown[0].key();
    const index = parts.findIndex((part) => keyOf(part) === known);
    if (index >= 0) return index;
    return parts.length || known ? MOST : 0;
  }

  function move(fresh, parts) {
    const again = shown.splice(MOST - fresh, fresh);
    shown = [...again, ...shown];
    if (fresh < MOST) root.prepend(...again.map((one) => one.root));
    again.forEach((one, index) => one.show(parts[index]));
  }

  return { root, update };
}

const keyOf = (part) => `${part.stream}/${part.seq}`;

function thumb() {
  let part = null;
  const image = el("img", { alt: "", draggable: "false", hidden: true });
  const light = el("span", { class: "light" });
  const root = el("button", { type: "button", class: "thumb", disabled: true,
    onclick: () => part && partDialog(part) }, image, light);
  image.addEventListener("error", () => (image.hidden = true));

  function show(given) {
    part = given ?? null;
    root.disabled = !part;
    image.hidden = !part?.frame;
    image.removeAttribute("src");
    if (part?.frame) image.src = address(part, 320);
    const face = part ? (part.cause === "paused" ? "paused" : part.kind) : "";
    attribute(root, "data-kind", face);
    if (part) {
      signed(light, face, 26);
      attribute(root, "aria-label", t("line.part.is", { n: String(part.seq),
        verdict: t(`verdict.${part.kind}`), time: clock(part.trigger_wall_ns, false, true) }));
    } else {
      light.replaceChildren();
      delete light.dataset.sign;
      attribute(root, "aria-label", t("line.part.none"));
    }
  }
  show();
  return { root, show, key: () => (part ? keyOf(part) : "") };
}
