// Review: what the line was not sure of, or failed, for a person to decide.
// Promises: one touch is one finding, on the part that is seen; a part that changes by itself holds
// the buttons for a moment; every finding can be taken back; all of it works by keys, too.
// Never: waits for the station between two parts, or asks twice for a name or a reason.

import { said } from "../api.js";
import { clock, has, number, t } from "../i18n.js";
import { button, dialog, el, keyboard, put, sign, text } from "../ui.js";
import { outbox } from "./review-outbox.js";
import { goldenParts, pictures } from "./review-pictures.js";
import { keyOf, reviewQueue } from "./review-queue.js";
import { zoomable } from "./review-zoom.js";

const AHEAD = 3; // pictures fetched before they are asked for
const CHECK_MS = 8000;
const BOUNCE_MS = 180; // a glove touches twice
const HOLD_MS = 900; // after a part changed by itself

const tall = matchMedia("(min-height: 760px)");

let warm = true; // the heatmap, as it was left

export function page(root) {
  const view = draw();
  const queue = reviewQueue(changed);
  const shelf = pictures(view.stage, enable);
  const zoom = zoomable(view.stage, () => shelf.sheet(), zoomed);
  const good = goldenParts(view);
  let live = null;
  let shown = "";
  let freeAt = 0;
  let timer = 0;

  function changed(why) {
    const part = queue.front();
    const key = part ? keyOf(part) : "";
    if (why) hold(HOLD_MS);
    if (key !== shown) {
      if (!why && shown) freeAt = performance.now() + BOUNCE_MS;
      shown = key;
      view.root.dataset.part = key;
      zoom.reset();
      shelf.show(part, queue.ahead(1 + AHEAD));
      about(part);
    } else shelf.keep(queue.ahead(1 + AHEAD));
    say(why);
    lists();
    enable();
  }

  function hold(ms) {
    freeAt = performance.now() + ms;
    clearTimeout(timer);
    view.root.classList.add("held");
    timer = setTimeout(() => {
      view.root.classList.remove("held");
      enable();
    }, ms);
  }

  function enable() {
    const able = Boolean(queue.front()) && shelf.seen() && !view.root.classList.contains("held");
    for (const one of view.root.querySelectorAll(".needs-part")) one.disabled = !able;
    view.undo.disabled = !queue.last();
    view.in.disabled = !queue.front();
    view.out.disabled = !queue.front() || zoom.view().z <= 1;
  }

  function about(part) {
    view.empty.hidden = Boolean(part);
    view.stage.hidden = !part;
    if (!part) return put(view.what);
    const { kind, score, trigger_wall_ns: at, recipe, lot } = part.outcome;
    const made = live && (recipe !== live.recipe || lot !== live.lot) ? [recipe, lot] : [];
    const words = [
      score === null ? "" : t("review.score", { score: number(score, 2) }),
      clock(at, true), ...made,
    ];
    put(view.what, sign(kind, 34), el("strong", {}, t(`verdict.${kind}`)),
      el("span", {}, words.filter(Boolean).join(" · ")));
    good.show(part, live);
  }

  function say(why) {
    const { refused, problem } = queue.state;
    const mine = refused && refused.key === shown;
    const words = mine ? t("review.refused", { why: said(refused.reply) })
      : problem || (why === "other" ? t("review.other_screen") : "");
    if (why === "other" && !mine) setTimeout(() => say(""), 3000);
    view.notice.hidden = !words;
    view.notice.classList.toggle("bad", Boolean(mine || problem));
    text(view.notice, words);
  }

  function lists() {
    drawClasses(view, queue, find, other);
    const last = queue.last();
    text(view.undo.querySelector("small"), last
      ? `${finding(last)} · ${clock(last.part.outcome.trigger_wall_ns)}` : "");
    view.reason.hidden = !outbox.reason();
    text(view.reason.querySelector("small"), `${outbox.reason()} ✕`);
    empty();
    count();
  }

  function empty() {
    const { asked, problem } = queue.state;
    const skipped = queue.skipped();
    text(view.empty.querySelector("h2"), !asked ? t("review.loading")
      : skipped ? t("review.all_skipped", { n: skipped }) : t("review.empty"));
    const nothing = asked && !skipped;
    text(view.empty.querySelector("p"), problem || (nothing ? t("review.empty_hint") : ""));
    view.again.hidden = !skipped;
    view.empty.querySelector(".sign").style.visibility = asked ? "" : "hidden";
  }

  function count() {
    const total = live ? live.to_review : queue.state.total;
    const sending = outbox.count();
    text(view.count, sending > 2 ? t("review.sending", { n: sending })
      : t("review.waiting", { n: total }));
  }

  function may() {
    return queue.front() && performance.now() >= freeAt && shelf.seen();
  }

  function find(verdict, defectClass = "") {
    if (may()) queue.decide(verdict, defectClass);
  }

  function other() {
    if (!may()) return;
    const part = queue.front();
    dialog(t("review.other_title"), (close) =>
      keyboard({ done: (words) => close(words.trim()), most: 32, label: t("review.other_title") }),
    { wide: true, onclose: (words) => {
      if (words && queue.front() === part) queue.decide("fail", known(queue.classes(), words));
    } });
  }

  function zoomed({ z, x, y }) {
    const how = z > 1 ? `translate(${100 * x}%, ${100 * y}%) scale(${z})` : "";
    for (const sheet of [shelf.sheet(), good.sheet()]) if (sheet) sheet.style.transform = how;
    if (z > 1.2) shelf.sharpen(queue.front());
    view.out.disabled = z <= 1;
    text(view.times, z > 1 ? `${number(z, 1)}×` : "");
  }

  function heat(on = !warm) {
    warm = on;
    shelf.heat(on);
    view.heat.setAttribute("aria-pressed", String(on));
  }

  const does = {
    g: () => find("pass"), d: () => find("fail"), o: other, u: () => undo(), h: () => heat(),
    s: () => skip(), n: () => good.next(), "+": () => zoom.by(1.6), "=": () => zoom.by(1.6),
    "-": () => zoom.by(0.625), ArrowRight: () => skip(), ArrowLeft: () => undo(),
  };
  const undo = () => performance.now() >= freeAt && queue.undo();
  const skip = () => may() && queue.skip();

  function key(event) {
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    if (document.querySelector("dialog[open]")) return;
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const nth = queue.classes()[Number(event.key) - 1];
    if (/^[1-9]$/.test(event.key) && nth) find("fail", nth);
    else if (does[name]) does[name]();
    else return;
    event.preventDefault();
  }

  view.good.addEventListener("click", does.g);
  view.bad.addEventListener("click", does.d);
  view.undo.addEventListener("click", undo);
  view.skip.addEventListener("click", skip);
  view.heat.addEventListener("click", () => heat());
  view.in.addEventListener("click", does["+"]);
  view.out.addEventListener("click", does["-"]);
  view.golden.addEventListener("click", does.n);
  view.again.addEventListener("click", () => queue.again());
  view.reason.addEventListener("click", () => {
    outbox.forgetReason();
    lists();
  });
  addEventListener("keydown", key);
  root.append(view.root);
  heat(warm);
  about(null);
  changed("");
  queue.fill();
  const checking = setInterval(() => document.hidden || queue.check(), CHECK_MS);

  return {
    update(now) {
      const first = live?.recipe !== now.live.recipe;
      live = now.live;
      if (first) good.load().then(() => good.show(queue.front(), live));
      count();
      if (!queue.front() && live.to_review > queue.skipped() && now.fresh) queue.fill();
    },
    leave() {
      removeEventListener("keydown", key);
      clearInterval(checking);
      clearTimeout(timer);
      outbox.forgetReason();
      queue.leave();
    },
  };
}

function finding({ verdict, defectClass }) {
  if (!verdict) return t("review.skipped");
  return verdict === "pass" ? t("review.good") : shownClass(defectClass) || t("review.defect");
}

/** A class in the words of the language, where there are any; else as it was named. */
function shownClass(name) {
  const key = `class.${name.toLowerCase()}`;
  return has(key) ? t(key) : name.replaceAll("_", " ");
}

const plain = (words) => words.replaceAll("\u00ad", "").toLowerCase();

/** The class as others have written it. */
const known = (classes, words) =>
  classes.find((one) => [one, shownClass(one)].map(plain).includes(plain(words))) ?? words;

const hint = (key) => el("kbd", { "aria-hidden": "true" }, key);

function draw() {
  const keyed = (keys, label, kind, ...more) =>
    button([el("span", {}, label), hint(keys), ...more], null, kind);
  const one = {
    what: el("div", { class: "what" }),
    count: el("strong", { class: "count" }),
    times: el("span", { class: "times" }),
    notice: el("p", { class: "notice", role: "status", hidden: true }),
    stage: el("div", { class: "stage", "aria-label": t("review.picture"), role: "group" }),
    undo: keyed("U ←", t("review.undo"), "undo", el("small", {})),
    skip: keyed("S →", t("review.skip"), "needs-part"),
    heat: keyed("H", t("review.heat"), "heat-button"),
    in: button("+", null, "sized", { "aria-label": t("review.zoom_in") }),
    out: button("−", null, "sized", { "aria-label": t("review.zoom_out") }),
    reason: button([el("span", {}, t("review.reason")), el("small", {})], null, "reason"),
    golden: button("", null, "golden"),
    good: keyed("G", t("review.good"), "finding good needs-part"),
    bad: keyed("D", t("review.defect"), "finding bad needs-part"),
    classes: el("div", { class: "classes", role: "group", "aria-label": t("review.classes") }),
    again: button(t("review.again"), null, "primary big"),
  };
  one.good.prepend(sign("pass", 52));
  one.bad.prepend(sign("fail", 52));
  one.empty = el("div", { class: "empty panel" }, sign("pass", 120), el("h2", {}), el("p", {}),
    one.again);
  one.root = el("div", { class: "review" },
    el("div", { class: "look" },
      el("div", { class: "head" }, one.what, one.times, one.count),
      one.notice, one.stage, one.empty,
      el("div", { class: "tools" }, one.undo, one.skip, one.heat, one.out, one.in, one.reason)),
    el("div", { class: "side" }, one.golden, one.classes, one.good, one.bad));
  return one;
}

/** One button for every class; touched, it is the finding. Those that do not fit are in a list. */
function drawClasses(view, queue, find, other) {
  const classes = queue.classes();
  const room = tall.matches ? 7 : 5;
  const named = (queue.front()?.outcome.boxes ?? []).map((box) => box.label).filter(Boolean);
  const wanted = JSON.stringify([classes, named, room]);
  if (view.classes.dataset.shown === wanted) return;
  view.classes.dataset.shown = wanted;
  const one = (name, at, done = () => {}) => {
    const take = () => {
      done();
      find("fail", name);
    };
    return button([el("span", {}, shownClass(name)), at < 9 && hint(at + 1)], take,
      `class needs-part ${named.includes(name) ? "named" : ""}`);
  };
  const more = () => dialog(t("review.other_title"), (close) => el("div", { class: "all-classes" },
    classes.map((name, at) => one(name, at, close)),
    button([el("span", {}, t("review.other")), hint("O")], () => {
      close();
      other();
    }, "class")), { wide: true });
  const last = classes.length > room ? button(t("review.more"), more, "class needs-part")
    : button([el("span", {}, t("review.other")), hint("O")], other, "class needs-part");
  put(view.classes, classes.slice(0, room).map((name, at) => one(name, at)), last);
}
