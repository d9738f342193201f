// Charts as SVG, drawn to the room they have, in which a thumb finds the nearest point.
// Promises: text is never scaled; what is abnormal is told by shape and colour; any place of a
// chart is its touch target, arrow keys work too, and a description says what is drawn.
// Never: markup from data. By hand, as libraries that come whole are large (ECharts 1 MB) or draw
// on a canvas, where nothing can be read out, focused or styled.

import {
  banded, below, cursor, decades, decimal, diamond, ends, heading, joined, legend, limit, line,
  LINE, mark, middleOf, outline, path, places, room, scale, shareOf, shares, steps, ticks, times,
  TITLED, words,
} from "./chart-parts.js";
import { number, percent, t } from "./i18n.js";
import { el, put, svg } from "./ui.js";

const TOUCH = 64;

/** A chart: {root, show(model)}. A model is {label, draw(width, height), chosen, choose(index),
 * say(index)}; `draw` gives {nodes, plot: {left, top, right, bottom}, places: [x or null]}. */
export function chart() {
  const sheet = svg("svg", { class: "sheet", role: "img" });
  const reach = el("div", { class: "reach", role: "slider", tabindex: "0" });
  const root = el("div", { class: "chart" }, sheet, reach);
  let model = null;
  let places = [];
  let left = 0;

  function draw() {
    const { clientWidth: width, clientHeight: height } = root;
    if (!model || width < TOUCH || height < TOUCH) return;
    const drawn = model.draw(width, height);
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}`,
      "aria-label": model.label })) sheet.setAttribute(name, value);
    put(sheet, drawn.nodes.flat(Infinity));
    places = drawn.places;
    left = drawn.plot.left;
    lay(drawn.plot, height);
  }

  function lay(plot, height) {
    reach.hidden = !model.choose || !places.some((place) => place !== null);
    const high = Math.max(TOUCH, height - plot.top);
    const wide = Math.max(TOUCH, plot.right - plot.left);
    Object.assign(reach.style, { left: `${plot.left}px`, top: `${height - high}px`,
      width: `${wide}px`, height: `${high}px` });
    const chosen = model.chosen ?? -1;
    for (const [name, value] of Object.entries({ "aria-label": model.label, "aria-valuemin": 1,
      "aria-valuemax": places.length, "aria-valuenow": Math.max(1, chosen + 1),
      "aria-valuetext": chosen < 0 ? t("trends.none_chosen") : model.say(chosen) })) {
      reach.setAttribute(name, value);
    }
  }

  const touch = (event) => {
    const at = nearest(places, event.clientX - reach.getBoundingClientRect().left + left);
    if (at !== model.chosen) model.choose(at);
  };
  reach.addEventListener("pointerdown", (event) => {
    reach.setPointerCapture(event.pointerId);
    touch(event);
  });
  reach.addEventListener("pointermove", (event) => {
    if (reach.hasPointerCapture(event.pointerId)) touch(event);
  });
  reach.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    model.choose(beside(places, model.chosen ?? -1, step));
  });
  new ResizeObserver(draw).observe(root);
  return {
    root,
    show(wanted) {
      model = wanted;
      draw();
    },
    /** The place before (-1) or after (1) the chosen one. */
    beside: (step) => beside(places, model.chosen ?? -1, step),
  };
}

function nearest(places, x) {
  let best = null;
  places.forEach((place, at) => {
    if (place === null) return;
    if (best === null || Math.abs(place - x) < Math.abs(places[best] - x)) best = at;
  });
  return best;
}

function beside(places, chosen, step) {
  let at = chosen < 0 && step < 0 ? places.length : chosen;
  do at += step;
  while (at >= 0 && at < places.length && places[at] === null);
  return at >= 0 && at < places.length ? at : chosen < 0 ? null : chosen;
}

/** Proportion failing with its limits. points: [{start_s, end_s, proportion, lower, upper,
 * rules}], band: [first, last] or null. */
export function controlChart({ points, centre, title, start, end, chosen, band }) {
  return (width, height) => {
    const plot = room(width, height, { right: 92, top: TITLED });
    const most = Math.max(0.005, ...points.map((one) => Math.max(one.upper ?? 0, one.proportion ?? 0)));
    const x = scale(start, end, plot.left, plot.right);
    const y = scale(0, Math.min(1, most * 1.08), plot.bottom, plot.top);
    const nodes = [
      heading(title),
      shares(plot, y, Math.min(1, most * 1.08)),
      times(plot, x, start, end),
      banded(plot, x, points, band),
      steps(points, x, y, "upper"),
      steps(points, x, y, "lower"),
      line(plot.left, y(centre), plot.right, y(centre), "centre"),
      joined(points, x, y, (one) => one.proportion, "series"),
      cursor(plot, x, points[chosen]),
      points.map((one, at) => mark(one, x, y, one.proportion, at === chosen)),
      ends(plot, limitNames(points, centre, y)),
    ];
    return { nodes, plot, places: places(points, x) };
  };
}

function limitNames(points, centre, y) {
  const last = points.findLast((one) => one.upper !== null);
  const digits = centre < 0.1 ? 1 : 0;
  const name = (key, value) => ({ y: y(value), words: [t(`spc.${key}`), percent(value, digits)] });
  return [last && name("upper", last.upper), name("centre", centre), last && name("lower", last.lower)]
    .filter(Boolean);
}

/** First-pass yield over time; the points that break a rule are marked as on the control chart. */
export function yieldChart({ points, title, start, end, chosen, band }) {
  return (width, height) => {
    const plot = room(width, height, { top: TITLED });
    const good = (one) => (one.proportion === null ? null : 1 - one.proportion);
    const least = Math.min(...points.map((one) => good(one) ?? 1));
    const low = Math.max(0, 1 - Math.max(0.02, (1 - least) * 1.15));
    const x = scale(start, end, plot.left, plot.right);
    const y = scale(low, 1, plot.bottom, plot.top);
    const nodes = [
      heading(title),
      shares(plot, y, 1, low),
      times(plot, x, start, end),
      banded(plot, x, points, band),
      joined(points, x, y, good, "series"),
      cursor(plot, x, points[chosen]),
      points.map((one, at) => mark(one, x, y, good(one), at === chosen)),
    ];
    return { nodes, plot, places: places(points, x) };
  };
}

/** Bars by count with the cumulative share as a line. bars: [{name, label, count, cumulative}],
 * the last may stand for all others (name null). */
export function paretoChart({ bars, total, title, chosen }) {
  return (width, height) => {
    const plot = room(width, height, { top: 30 + LINE, bottom: 3 * LINE + 8, right: 56 });
    const wide = Math.min(132, (plot.right - plot.left) / bars.length);
    const middle = (at) => plot.left + wide * (at + 0.5);
    const y = scale(0, 1, plot.bottom, plot.top);
    const sums = bars.map((bar, at) => ({ x: middle(at), y: y(bar.cumulative) }));
    const nodes = [
      heading(title),
      [0, 0.5, 1].map((share) => [
        line(plot.left, y(share), plot.right, y(share), "grid"),
        words(plot.left - 8, y(share) + 5, number(Math.round(total * share)), "end"),
        words(plot.right + 8, y(share) + 5, percent(share, 0), "start"),
      ]),
      bars.map((bar, at) => [
        svg("rect", { class: at === chosen ? "bar chosen" : "bar", x: middle(at) - wide * 0.36,
          y: y(bar.count / total), width: wide * 0.72,
          height: Math.max(2, plot.bottom - y(bar.count / total)) }),
        below(middle(at), plot.bottom + LINE - 2, bar, wide),
      ]),
      svg("path", { class: "sum", d: path(sums) }),
      sums.map((dot, at) => [
        svg("circle", { class: "dot", cx: dot.x, cy: dot.y, r: 4 }),
        words(dot.x, dot.y - 9, percent(bars[at].cumulative, 0), "middle"),
      ]),
    ];
    return { nodes, plot: { ...plot, right: plot.left + wide * bars.length },
      places: bars.map((_, at) => middle(at)) };
  };
}

/** Shares of scores over common bins, now as bars and before as an outline, with limits.
 * names: {now, before, review, fail}. */
export function histogramChart({ bins, limits, chosen, names }) {
  return (width, height) => {
    const plot = room(width, height, { top: 60, right: 16 });
    const [now, before] = [shareOf(bins.now), shareOf(bins.before)];
    const most = Math.max(0.01, ...now, ...before) * 1.05;
    const wide = (plot.right - plot.left) / now.length;
    const x = scale(bins.low, bins.high, plot.left, plot.right);
    const y = scale(0, most, plot.bottom, plot.top);
    const top = (share) => (share ? Math.min(y(share), plot.bottom - 2) : plot.bottom);
    const nodes = [
      shares(plot, y, most),
      ticks(bins.low, bins.high, width / 90).map((value) => [
        line(x(value), plot.bottom, x(value), plot.bottom + 6, "axis"),
        words(x(value), plot.bottom + 6 + LINE - 4, decimal(value), "middle"),
      ]),
      line(plot.left, plot.bottom, plot.right, plot.bottom, "axis"),
      now.map((share, at) => svg("rect", { class: at === chosen ? "bin chosen" : "bin",
        x: plot.left + at * wide + 0.5, y: top(share), width: Math.max(1, wide - 1),
        height: plot.bottom - top(share) })),
      svg("path", { class: "before", d: outline(before.map(top), plot, wide) }),
      limits && [
        limit(x(limits.review), plot, `${names.review} ${decimal(limits.review)}`, "end"),
        limit(x(limits.fail), plot, `${names.fail} ${decimal(limits.fail)}`, "start"),
      ],
      legend(plot, names),
    ];
    return { nodes, plot, places: now.map((_, at) => plot.left + (at + 0.5) * wide) };
  };
}

/** Latencies over time on a logarithmic scale. points: [{start_s, end_s, parts, p50_us, p95_us,
 * max_us}], deadline in ms, names: {p50, p95, max, deadline}. */
export function latencyChart({ points, deadline, title, start, end, chosen, names }) {
  return (width, height) => {
    const plot = room(width, height, { right: 104, left: 76, top: TITLED });
    const all = points.flatMap((one) => (one.parts ? [one.p50_us / 1e3, one.max_us / 1e3] : []));
    const low = Math.min(...all, deadline) * 0.7 || 0.1;
    const high = Math.max(...all, deadline) * 1.3;
    const x = scale(start, end, plot.left, plot.right);
    const log = scale(Math.log(low), Math.log(high), plot.bottom, plot.top);
    const y = (ms) => log(Math.log(Math.max(ms, low)));
    const at = (key) => (one) => (one.parts ? one[key] / 1e3 : null);
    const last = points.findLast((one) => one.parts);
    const kinds = ["p50", "p95", "max"];
    const nodes = [
      heading(title),
      decades(low, high, plot).map((ms) => [
        line(plot.left, y(ms), plot.right, y(ms), "grid"),
        words(plot.left - 8, y(ms) + 5, `${decimal(ms)} ms`, "end"),
      ]),
      times(plot, x, start, end),
      line(plot.left, y(deadline), plot.right, y(deadline), "deadline"),
      kinds.map((kind) => joined(points, x, y, at(`${kind}_us`), `series ${kind}`)),
      cursor(plot, x, points[chosen]),
      points.filter((one) => one.parts && one.max_us / 1e3 > deadline)
        .map((one) => diamond(middleOf(one, x), y(one.max_us / 1e3), 8)),
      ends(plot, [
        { y: y(deadline), words: [names.deadline, `${decimal(deadline)} ms`] },
        ...kinds.toReversed().map((kind) => ({ y: y(last[`${kind}_us`] / 1e3), words: [names[kind]] })),
      ]),
    ];
    return { nodes, plot, places: points.map((one) => (one.parts ? middleOf(one, x) : null)) };
  };
}
