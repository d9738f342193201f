// Trends: yield, control chart, Pareto, scores and latency of a shift, a lot, a day or a week.
// Promises: a point or bar that is touched shows the very parts that it counted; a rule that is
// broken is named and said in words; what is shown is counted anew every REFRESH_MS, and where that
// cannot be done, it is said from when it is.
// Never: counts itself, or takes a chosen point for another one when new ones come.

import { get } from "../api.js";
import { chart } from "../chart.js";
import { clock, t } from "../i18n.js";
import { partDialog } from "../part.js";
import { address } from "../picture.js";
import { button, choice, el, put, sign, text } from "../ui.js";
import { SIDES, VIEWS, period } from "./trends-views.js";

const SPANS = ["shift", "lot", "day", "week"];
const TABS = ["yield", "control", "pareto", "scores", "latency"];
const REFRESH_MS = 15_000;
const SETTLE_MS = 250; // a thumb that slides over points asks for the parts of the last one

export function page(root, { rest }) {
  const shown = { span: SPANS.includes(rest[0]) ? rest[0] : "shift",
    tab: TABS.includes(rest[1]) ? rest[1] : "yield" };
  let data = null;
  let chosen = null; // {row, key}: which of the tab's charts, which point or bar
  let band = null; // the rule that is looked at
  let asked = 0;
  let left = false;
  let timer = 0;
  let said = "";

  const charts = el("section", { class: "panel charts" });
  const side = el("section", { class: "panel side scroll", "aria-live": "polite",
    "aria-label": t("trends.beside"), tabindex: "0" });
  const spans = choice(SPANS.map((name) => [name, t(`trends.span.${name}`)]), shown.span,
    (name) => go({ span: name }), t("trends.spans"));
  const tabs = choice(TABS.map((name) => [name, t(`trends.tab.${name}`)]), shown.tab,
    (name) => go({ tab: name }), t("trends.tabs"));
  const late = el("p", { class: "late bad-text", role: "alert", hidden: true });
  put(root, el("div", { class: "asked" }, spans, tabs), late, el("div", { class: "shown" }, charts, side));
  let drawn = [];

  function go(wanted) {
    Object.assign(shown, wanted);
    history.replaceState(null, "", `#/trends/${shown.span}/${shown.tab}`);
    chosen = band = null;
    if (wanted.span) {
      data = null;
      old("");
      load();
    } else draw();
  }

  async function load() {
    asked = performance.now(); // the wall clock may be set
    const span = shown.span;
    try {
      const found = await get(`/api/trends?span=${span}`);
      if (left || span !== shown.span) return;
      data = joinedUp(found);
      old("");
      draw();
    } catch (error) {
      if (left || span !== shown.span) return;
      if (data) old(t("trends.as_of", { time: clock(data.end_s * 1e9), why: error.message }));
      else say(error.message);
    }
  }

  function old(words) {
    late.hidden = !words;
    text(late, words);
  }

  function say(words) {
    drawn = [];
    put(charts, el("p", { class: "empty" }, words));
    put(side);
  }

  function draw() {
    if (!data) return say(t("trends.loading"));
    if (!data.parts) return say(t("trends.empty"));
    const rows = VIEWS[shown.tab](data);
    if (!rows.length) return say(t(`trends.nothing.${shown.tab}`));
    while (drawn.length < rows.length) drawn.push(chart());
    drawn.length = rows.length;
    // A chart that is put in anew would lose its focus and the finger that slides over it.
    const there = [...charts.children];
    if (there.length !== drawn.length || drawn.some((one, at) => one.root !== there[at])) {
      put(charts, drawn.map((one) => one.root));
    }
    rows.forEach((row, at) => drawn[at].show(modelOf(row, at)));
    beside(rows);
  }

  function modelOf(row, at) {
    const index = chosen?.row === at ? row.items.findIndex((item) => item.key === chosen.key) : -1;
    return {
      label: row.label,
      chosen: index < 0 ? null : index,
      choose: (place) => choose(row, at, place),
      say: (place) => row.items[place]?.said ?? "",
      draw: row.draw({ chosen: index, band: band && [band.first, band.last] }),
    };
  }

  function choose(row, at, place) {
    const item = place === null ? null : row.items[place];
    if (!item || (chosen?.row === at && chosen.key === item.key)) return;
    chosen = { row: at, key: item.key };
    band = null;
    draw();
  }

  function beside(rows) {
    const row = chosen && rows[chosen.row];
    const item = row?.items.find((one) => one.key === chosen.key);
    // What says the same is left alone: pictures do not flicker, a finger meets what it aimed at.
    const says = JSON.stringify([shown, item ?? [data.parts, data.chart.breaks, data.scores], band]);
    if (says === said && side.hasChildNodes()) return;
    said = says;
    if (item) put(side, detail(item, drawn[chosen.row], row, chosen.row));
    else put(side, SIDES[shown.tab](data, { rules }));
  }

  function rules() {
    const { breaks, runs_judged: judged } = data.chart;
    const kind = (one) => `${one.rule}.${one.first}`;
    return el("div", { class: "rules" },
      el("h2", {}, t("spc.title")),
      !breaks.length && el("p", {}, t("spc.none")),
      breaks.toSorted((one, two) => two.last - one.last).map((one) => button(ruleWords(one), () => {
        band = band && kind(band) === kind(one) ? null : one;
        draw();
      }, "rule", { "aria-pressed": String(Boolean(band) && kind(band) === kind(one)) })),
      !judged && el("p", { class: "muted" }, t("spc.few")));
  }

  function ruleWords(one) {
    const [first, last] = [data.points[one.first], data.points[one.last]];
    return [el("b", {}, t(`spc.${one.rule}.name`)), t(`spc.${one.rule}`), " ",
      period(first.start_s, last.end_s, data)];
  }

  function detail(item, shape, row, at) {
    const thumbs = el("div", { class: "thumbs" });
    const step = (by) => choose(row, at, shape.beside(by));
    clearTimeout(timer);
    timer = setTimeout(() => fetchParts(item, thumbs), SETTLE_MS);
    return [
      el("h2", {}, item.said),
      el("dl", {}, item.facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
      (item.rules ?? []).map((rule) => el("p", { class: "bad-text" }, "◆ ", t(`spc.${rule}.name`))),
      el("div", { class: "row" },
        button("‹", () => step(-1), "", { "aria-label": t("trends.before") }),
        button("›", () => step(1), "", { "aria-label": t("trends.after") }),
        button("✕", () => { chosen = null; draw(); }, "", { "aria-label": t("common.close") })),
      thumbs,
    ];
  }

  async function fetchParts(item, thumbs) {
    if (!item.asks) return;
    const query = new URLSearchParams({ start: data.start_s, end: data.end_s, limit: 24,
      ...item.asks });
    if (data.lot !== null) query.set("lot", data.lot);
    try {
      const { parts } = await get(`/api/trends/parts?${query}`);
      put(thumbs, parts.length ? parts.map(thumb) : el("p", {}, t("trends.no_parts")));
    } catch (error) {
      put(thumbs, el("p", { class: "bad-text" }, error.message));
    }
  }

  draw();
  load();
  return {
    update(state) {
      if (state.fresh && performance.now() - asked > REFRESH_MS && !document.querySelector("dialog")) load();
    },
    leave() {
      left = true;
      clearTimeout(timer);
    },
  };
}

/** The points with what the chart says of them, and sums. */
function joinedUp(found) {
  const points = found.points.map((point, at) => ({ ...found.chart.points[at], ...point }));
  const sum = (key) => points.reduce((all, one) => all + one[key], 0);
  return { ...found, points, parts: sum("parts"), first_pass: sum("first_pass") };
}

function thumb(part) {
  const box = el("span", { class: "image" });
  const image = el("img", { src: address(part, 160), alt: "", draggable: "false", loading: "lazy" });
  image.addEventListener("error", () => put(box, t("picture.none")));
  box.append(image);
  const time = clock(part.trigger_wall_ns);
  return button([box, el("span", { class: "when" }, sign(part.kind, 22), time)],
    () => partDialog(part), "behind", { "aria-label": `${t(`verdict.${part.kind}`)} ${time}` });
}
