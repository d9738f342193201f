// Elements and controls: one way to build each.
// Promises: data enters the page as text alone; every control is at least 64 px high; a dialog
// can be closed by touch and by Escape. Never: innerHTML.

import { t } from "./i18n.js";

const SVG = "http://www.w3.org/2000/svg";

/** An element: el("p", {class: "x", onclick: f}, "text", child). Falsy children are left out. */
export function el(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child || child === 0));
  return element;
}

/** Replace what is in an element. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat(3).filter((child) => child || child === 0));
}

/** Set a text only where it changed: no work for the browser at ten states a second. */
export function text(element, value) {
  const wanted = String(value);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** `draw` that is only called when what it is given differs from the last time, or after
 * `forget()`. */
export function onChange(draw) {
  let before = null;
  const call = (...now) => {
    if (before && now.every((value, index) => value === before[index])) return;
    before = now;
    draw(...now);
  };
  call.forget = () => (before = null);
  return call;
}

/** Set an attribute only where it changed. */
export function attribute(element, name, value) {
  if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** A button. `kind`: "" | "primary" | "danger" | "big" (several by blanks). */
export function button(label, onclick, kind = "", properties = {}) {
  return el("button", { type: "button", class: `button ${kind}`, onclick, ...properties }, label);
}

/** Several choices, one of them taken: choice([[value, label]], chosen, onchoose). */
export function choice(options, chosen, onchoose, label = "") {
  const group = el("div", { class: "choice", role: "group", "aria-label": label || null });
  const show = (value) => {
    for (const one of group.children) {
      one.setAttribute("aria-pressed", String(one.dataset.value === String(value)));
    }
  };
  for (const [value, name] of options) {
    const take = () => {
      show(value);
      onchoose(value);
    };
    group.append(button(name, take, "", { "data-value": value }));
  }
  show(chosen);
  group.show = show;
  return group;
}

/** A modal dialog. Returns {close}; `body` gets a function that closes it with a value. */
export function dialog(title, body, { onclose = () => {}, wide = false } = {}) {
  const box = el("dialog", { class: wide ? "wide" : "", "aria-label": title });
  let value;
  const close = (given) => {
    value = given;
    box.close();
  };
  const away = button("✕", () => close(), "away", { "aria-label": t("common.close") });
  box.append(el("header", {}, el("h2", {}, title), away), el("div", { class: "body" }, body(close)));
  box.addEventListener("close", () => {
    box.remove();
    onclose(value);
  });
  document.body.append(box);
  box.showModal();
  raise();
  return { close, box };
}

/** What must be seen over any dialog, an open one included: it is shown as a popover. */
function raise() {
  for (const over of document.querySelectorAll("[popover]:popover-open")) {
    over.hidePopover();
    over.showPopover();
  }
}

/** Ask for yes or no. Resolves to true or false. */
export function confirm(title, question, yes, kind = "primary") {
  return new Promise((resolve) => {
    dialog(
      title,
      (close) => [
        el("p", {}, question),
        el("div", { class: "row end" },
          button(t("common.cancel"), () => close(false)),
          button(yes, () => close(true), kind)),
      ],
      { onclose: (value) => resolve(value === true) },
    );
  });
}

/** Say something for some seconds. `kind`: "" | "bad". */
export function toast(message, kind = "") {
  const box = el("p", { class: `toast ${kind}` }, message);
  const all = document.getElementById("toasts");
  all.append(box);
  while (all.children.length > TOASTS) all.firstChild.remove();
  if (!all.matches(":popover-open")) all.showPopover();
  setTimeout(() => {
    box.remove();
    if (!all.children.length && all.matches(":popover-open")) all.hidePopover();
  }, kind ? 8000 : 4000);
}

const TOASTS = 3;
const LETTERS = ["1234567890", "QWERTYUIOP", "ASDFGHJKL-", "ZXCVBNM_."];
const DIGITS = ["123", "456", "789"];

/** A keypad under a field, as there is no other keyboard. `secret` shows dots. Calls
 * `done(text)` on ✓. A real keyboard works, too. */
export function keyboard({ value = "", done, digits = false, secret = false, most = 64, label }) {
  const field = el("input", {
    class: secret ? "field secret" : "field", // a browser offers to keep what is a password
    type: "text",
    inputmode: "none",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: most,
    "aria-label": label,
  });
  field.value = value;
  let upper = true;
  const type = (sign) => {
    const key = upper ? sign : sign.toLowerCase();
    if (field.value.length < most) field.value += key;
  };
  const finish = () => done(field.value);
  field.addEventListener("keydown", (event) => event.key === "Enter" && finish());
  const keys = el("div", { class: digits ? "keys digits" : "keys" });
  const key = (sign) => button(upper ? sign : sign.toLowerCase(), () => type(sign), "key");
  const draw = () => {
    const rows = (digits ? DIGITS : LETTERS).map((row) =>
      el("div", { class: "keyrow" }, [...row].map(key)));
    const erase = button("⌫", () => (field.value = field.value.slice(0, -1)), "key",
      { "aria-label": t("common.erase") });
    const enter = button("✓", finish, "key primary", { "aria-label": t("common.done") });
    const shift = button("⇧", () => { upper = !upper; draw(); }, "key",
      { "aria-label": t("common.shift"), "aria-pressed": String(upper) });
    const space = button("␣", () => type(" "), "key space", { "aria-label": t("common.space") });
    rows.push(el("div", { class: "keyrow" },
      digits ? [erase, key("0"), enter] : [shift, space, erase, enter]));
    put(keys, rows);
  };
  draw();
  setTimeout(() => field.focus(), 0);
  return el("div", { class: "keyboard" }, field, keys);
}

/** A sign: shape and colour both tell it. kind: pass fail review fault paused stopped starting
 * degraded none challenge note. */
export function sign(kind, size = 96) {
  const [shape, mark] = SIGNS[kind] ?? SIGNS.fault;
  return svg("svg", { class: `sign ${kind}`, viewBox: "0 0 48 48", width: size, height: size,
    "aria-hidden": "true" },
    svg("path", { class: "shape", d: shape }), svg("path", { class: "mark", d: mark }));
}

const CIRCLE = "M24 3a21 21 0 1 0 .01 0z";
const SIGNS = {
  pass: [CIRCLE, "M14 25l7 7 13-15"],
  fail: ["M15 3h18l12 12v18l-12 12H15L3 33V15z", "M16 16l16 16M32 16L16 32"],
  review: ["M24 2l22 22-22 22L2 24z", "M19 19a5 5 0 1 1 7 4.600c-2 1-2 2-2 4M24 33v.5"],
  fault: ["M24 4l22 40H2z", "M24 18v13M24 36.500v.5"],
  paused: ["M4 4h40v40H4z", "M18 14v20M30 14v20"],
  stopped: ["M15 3h18l12 12v18l-12 12H15L3 33V15z", "M13 24h22"],
  starting: [CIRCLE, "M24 12v12l8 6"],
  degraded: ["M24 4l22 40H2z", "M24 18v13M24 36.500v.5"],
  none: [CIRCLE, "M15 24h.5M24 24h.5M33 24h.5"],
  challenge: ["M8 6h32v39H8z", "M18 3h12v6H18zM16 28l6 6 11-13"],
  note: [CIRCLE, "M24 14v.5M24 22v13"],
};

/** A small picture for a word, in the text's own colour. */
export function icon(name, size = 28) {
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", width: size, height: size,
    "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

const ICONS = {
  line: "M7 3h10v9H7zM2 16h20M5 20h.1M12 20h.1M19 20h.1",
  review: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 1 0 .01 0z",
  trends: "M3 3v18h18M7 16l4-6 4 3 6-8",
  teach: "M12 4L2 9l10 5 10-5zM6 12v5c3 3 9 3 12 0v-5",
  challenge: "M5 4h14v17H5zM9 2h6v4H9zM8 14l3 3 5-6",
  models: "M12 3l9 5-9 5-9-5zM3 12l9 5 9-5M3 16l9 5 9-5",
  health: "M2 12h5l3-8 4 16 3-8h5",
  pause: "M8 4v16M16 4v16",
  play: "M7 4l13 8-13 8z",
  recipe: "M4 3h16v18H4zM8 8h8M8 12h8M8 16h5",
  lot: "M3 8l9-5 9 5v8l-9 5-9-5zM3 8l9 5 9-5M12 13v8",
};
