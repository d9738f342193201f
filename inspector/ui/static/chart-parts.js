// What charts are made of: scales, axes, lines, marks and words.
// Promises: text is never scaled or cut off in the middle of a sign; names that would lie upon
// each other are moved apart.
// Never: knows what is drawn, or touches the page.

import { current, number, percent } from "./i18n.js";
import { svg } from "./ui.js";

export const LINE = 19; // px from one line of text to the next
export const TITLED = 44; // px above a plot that has a title

export function room(width, height, { left = 68, top = 16, right = 16, bottom = 34 } = {}) {
  return { left, top, right: Math.max(left + 1, width - right), bottom: height - bottom };
}

/** A straight scale from values to pixels. */
export function scale(from, to, start, end) {
  const unit = (end - start) / (to - from || 1);
  return (value) => start + (value - from) * unit;
}

/** Round values from low to high, about `most` of them. */
export function ticks(low, high, most) {
  const rough = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough * 0.999);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at++) {
    found.push(Number((at * step).toPrecision(12)));
  }
  return found;
}

export function decades(low, high, plot) {
  const all = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
    for (const one of [1, 2, 5]) all.push(one * 10 ** power);
  }
  const inside = all.filter((ms) => ms >= low && ms <= high);
  const some = inside.filter((ms) => Math.abs(Math.log10(ms) % 1) < 1e-9);
  return inside.length * LINE * 1.6 > plot.bottom - plot.top && some.length > 1 ? some : inside;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const STEPS = [MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR,
  3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY];

/** The axis of time, in seconds since 1970, with round local times. */
export function times(plot, x, start, end) {
  const most = Math.max(2, (plot.right - plot.left) / 92);
  const step = STEPS.find((one) => (end - start) / one <= most) ?? (end - start) / most;
  const ahead = -new Date(start * 1000).getTimezoneOffset() * 60;
  const nodes = [line(plot.left, plot.bottom, plot.right, plot.bottom, "axis")];
  for (let at = Math.ceil((start + ahead) / step) * step - ahead; at <= end; at += step) {
    nodes.push(line(x(at), plot.bottom, x(at), plot.bottom + 6, "axis"));
    nodes.push(words(x(at), plot.bottom + 6 + LINE - 3, moment(at, step, end - start), "middle"));
  }
  return nodes;
}

function moment(at, step, span) {
  const date = new Date(at * 1000);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  const form = step >= DAY || (midnight && span > DAY)
    ? span > 14 * DAY ? { day: "numeric", month: "short" } : { weekday: "short", day: "numeric" }
    : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat(current(), form).format(date);
}

/** The axis of shares, with lines across. */
export function shares(plot, y, most, least = 0) {
  const found = ticks(least, most, (plot.bottom - plot.top) / 48);
  const step = found.length > 1 ? found[1] - found[0] : most - least;
  const digits = step < 0.001 ? 2 : step < 0.00999 ? 1 : 0;
  return found.map((share) => [
    line(plot.left, y(share), plot.right, y(share), "grid"),
    words(plot.left - 8, y(share) + 5, percent(share, digits), "end"),
  ]);
}

/** Names at the right end of lines, moved apart where they would lie upon each other. */
export function ends(plot, names) {
  const ordered = names.toSorted((one, two) => one.y - two.y);
  let free = plot.top - 6;
  const tops = ordered.map((one) => {
    const high = one.words.length * LINE;
    const top = Math.max(free, one.y - high / 2);
    free = top + high + 2;
    return top;
  });
  let ground = plot.bottom + 6;
  for (let at = ordered.length - 1; at >= 0; at--) {
    tops[at] = Math.min(tops[at], ground - ordered[at].words.length * LINE);
    ground = tops[at] - 2;
  }
  return ordered.map((one, at) => one.words.map((word, row) =>
    words(plot.right + 8, tops[at] + LINE * (row + 0.75), word, "start")));
}

/** A line through the points that have a value; it is broken where one has none. */
export function joined(points, x, y, value, name) {
  const runs = [[]];
  for (const one of points) {
    const found = value(one);
    if (found === null) runs.push([]);
    else runs.at(-1).push({ x: middleOf(one, x), y: y(found) });
  }
  return runs.filter((run) => run.length > 1)
    .map((run) => svg("path", { class: name, d: path(run) }));
}

/** A limit that may be another at every point. */
export function steps(points, x, y, key) {
  let d = "";
  let open = false;
  for (const one of points) {
    if (one[key] === null) open = false;
    else {
      const high = y(one[key]).toFixed(1);
      d += `${open ? "L" : "M"}${x(one.start_s).toFixed(1)} ${high}L${x(one.end_s).toFixed(1)} ${high}`;
      open = true;
    }
  }
  return svg("path", { class: "limits", d });
}

export function mark(one, x, y, value, chosen) {
  if (value === null) return null;
  const [cx, cy] = [middleOf(one, x), y(value)];
  return [
    one.rules.length ? diamond(cx, cy, 8) : svg("circle", { class: "dot", cx, cy, r: 3.5 }),
    chosen && svg("circle", { class: "ring", cx, cy, r: 13 }),
  ];
}

export function diamond(x, y, half) {
  return svg("path", { class: "abnormal",
    d: `M${x} ${y - half}L${x + half} ${y}L${x} ${y + half}L${x - half} ${y}z` });
}

export function cursor(plot, x, one) {
  return one && line(middleOf(one, x), plot.top, middleOf(one, x), plot.bottom, "cursor");
}

export function banded(plot, x, points, band) {
  if (!band || !points[band[0]] || !points[band[1]]) return null;
  const [from, to] = [x(points[band[0]].start_s), x(points[band[1]].end_s)];
  return svg("rect", { class: "band", x: from, y: plot.top, width: to - from,
    height: plot.bottom - plot.top });
}

export function limit(x, plot, name, anchor) {
  const aside = anchor === "end" ? -6 : 6;
  return [
    line(x, plot.top - 8, x, plot.bottom, "limit"),
    words(x + aside, plot.top - 12, name, anchor),
  ];
}

export function legend(plot, names) {
  const second = plot.left + (plot.right - plot.left) * 0.5;
  return [
    svg("rect", { class: "bin", x: plot.left, y: 4, width: 22, height: 16 }),
    words(plot.left + 30, 18, names.now, "start"),
    svg("path", { class: "before", d: `M${second} 20V6H${second + 22}V20` }),
    words(second + 30, 18, names.before, "start"),
  ];
}

export function outline(tops, plot, wide) {
  const along = tops.map((top, at) => `V${top.toFixed(1)}H${(plot.left + (at + 1) * wide).toFixed(1)}`);
  return `M${plot.left} ${plot.bottom}${along.join("")}V${plot.bottom}`;
}

/** A bar's name in at most two lines, its count below. */
export function below(x, y, bar, wide) {
  const fits = Math.max(4, Math.floor(wide / 8.6));
  const lines = folded(bar.label, fits);
  return [...lines, number(bar.count)].map((word, row) =>
    words(x, y + row * LINE, word, "middle", row === lines.length ? "count" : ""));
}

function folded(text, fits) {
  const full = [...text].map((sign) => (sign > "\u2e80" ? 2 : 1)); // Chinese signs are wider
  const length = (from, to) => full.slice(from, to).reduce((sum, one) => sum + one, 0);
  const signs = [...text];
  if (length(0) <= fits) return [text];
  const cut = (from) => {
    let to = from;
    while (to < signs.length && length(from, to + 1) <= fits) to++;
    return to;
  };
  let first = cut(0);
  const blank = signs.slice(0, first + 1).lastIndexOf(" ");
  const hyphen = blank <= 0 && full[first] === 1;
  first = blank > 0 ? blank : hyphen ? first - 1 : first;
  const rest = signs.slice(first).join("").trim();
  const start = signs.length - [...rest].length;
  const end = cut(start);
  const second = end < signs.length ? `${signs.slice(start, end - 1).join("")}…` : rest;
  return [signs.slice(0, first).join("") + (hyphen ? "-" : ""), second];
}

export const heading = (title) => svg("text", { class: "title", x: 8, y: 20 }, title);
export const middleOf = (one, x) => x((one.start_s + one.end_s) / 2);
export const places = (points, x) =>
  points.map((one) => (one.proportion === null ? null : middleOf(one, x)));
export const path = (dots) =>
  dots.map(({ x, y }, at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
export const line = (x1, y1, x2, y2, name) => svg("line", { class: name, x1, y1, x2, y2 });
export const words = (x, y, text, anchor, name = "") =>
  svg("text", { x, y, "text-anchor": anchor, class: name || null }, String(text));
export const shareOf = (counts) => {
  const all = counts.reduce((sum, one) => sum + one, 0);
  return counts.map((one) => (all ? one / all : 0));
};

/** A number with as many digits as it needs, at most three after the point. */
export const decimal = (value) =>
  new Intl.NumberFormat(current(), { maximumFractionDigits: 3, maximumSignificantDigits: 4 })
    .format(value);
