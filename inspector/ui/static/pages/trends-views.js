// What the tabs of Trends show: charts with their points or bars, and what stands beside them.
// Promises: every point and bar has words, figures, and what to ask for the parts behind it.
// Never: asks the station, or remembers anything.

import { controlChart, histogramChart, latencyChart, paretoChart, yieldChart } from "../chart.js";
import { decimal } from "../chart-parts.js";
import { current, has, number, percent, t } from "../i18n.js";
import { el } from "../ui.js";

const DAY = 86_400;

// What each tab shows: rows of charts, each with its items (points or bars)

export const VIEWS = {
  yield: (data) => [{
    label: t("trends.label.yield", { yield: percent(data.first_pass / data.parts) }),
    items: data.points.map((one) => pointItem(one, data)),
    draw: (more) => yieldChart({ ...axis(data), title: t("trends.yield"), ...more }),
  }],
  control: (data) => [{
    label: t("trends.label.control", { centre: percent(data.chart.centre),
      n: data.chart.breaks.length }),
    items: data.points.map((one) => pointItem(one, data)),
    draw: (more) => controlChart({ ...axis(data), centre: data.chart.centre,
      title: t("trends.control"), ...more }),
  }],
  pareto: (data) => [paretoRow(data.classes, "class"), paretoRow(data.causes, "cause")]
    .filter(Boolean),
  scores: ({ scores }) => (scores ? [scoresRow(scores)] : []),
  latency: (data) => [{
    label: t("trends.label.latency", { ms: decimal(data.deadline_ms) }),
    items: data.points.map((one) => latencyItem(one, data)),
    draw: (more) => latencyChart({ ...axis(data), deadline: data.deadline_ms, ...more,
      title: t("trends.trigger_to_lane"),
      names: { p50: "p50", p95: "p95", max: t("trends.max"), deadline: t("trends.deadline") } }),
  }],
};

const axis = (data) => ({ points: data.points, start: data.start_s, end: data.end_s });

function pointItem(one, data) {
  const failing = one.parts - one.first_pass;
  return {
    key: one.start_s,
    said: period(one.start_s, one.end_s, data),
    rules: one.rules,
    facts: [
      [t("trends.yield"), percent(one.parts ? one.first_pass / one.parts : null)],
      [t("trends.parts"), number(one.parts)],
      [t("trends.failing"), number(failing)],
      one.upper !== null && [t("spc.limits"), `${percent(one.lower)} – ${percent(one.upper)}`],
    ].filter(Boolean),
    asks: { start: one.start_s, end: one.end_s, of: "failing" },
  };
}

function latencyItem(one, data) {
  return {
    key: one.start_s,
    said: period(one.start_s, one.end_s, data),
    facts: [...latencies(one), [t("trends.parts"), number(one.parts)]],
    asks: { start: one.start_s, end: one.end_s, of: "slowest" },
  };
}

const ms = (us) => `${number(us / 1e3, us < 99_950 ? 1 : 0)} ms`;
const latencies = (one) => [["p50", one.p50_us], ["p95", one.p95_us], [t("trends.max"), one.max_us]]
  .map(([name, us]) => [name, ms(us)]);

function paretoRow({ bars, others, total }, kind) {
  if (!total) return null;
  const all = bars.map((bar) => ({ ...bar, label: nameOf(kind, bar.name) }));
  if (others) {
    all.push({ name: null, label: t("trends.others"), count: others, share: others / total,
      cumulative: 1 });
  }
  const title = t(`trends.pareto.${kind}`);
  return {
    label: `${title}: ${all.map((bar) => `${bar.label} ${number(bar.count)}`).join(", ")}`,
    items: all.map((bar) => ({
      key: `${kind}.${bar.name}`,
      said: bar.label,
      facts: [[t("trends.parts"), number(bar.count)], [t("trends.share"), percent(bar.share)],
        [t("trends.cumulative"), percent(bar.cumulative)]],
      asks: bar.name === null ? null : { of: kind, name: bar.name },
    })),
    draw: (more) => paretoChart({ bars: all, total, title, ...more }),
  };
}

function nameOf(kind, name) {
  const key = `cause.${name}`;
  return kind === "cause" && has(key) ? t(key) : name;
}

function scoresRow(scores) {
  const { bins } = scores;
  const wide = (bins.high - bins.low) / bins.now.length;
  const names = { now: t("trends.now", { n: scores.parts_now }),
    before: t("trends.first", { n: scores.parts_before }), review: t("trends.limit.review"),
    fail: t("trends.limit.fail") };
  return {
    label: t("trends.label.scores", { model: scores.model }),
    items: bins.now.map((count, at) => ({
      key: at,
      said: t(at < bins.now.length - 1 ? "trends.score_range" : "trends.score_above",
        { low: decimal(bins.low + at * wide), high: decimal(bins.low + (at + 1) * wide) }),
      facts: [[t("trends.now_short"), percent(count / Math.max(1, scores.parts_now))],
        [t("trends.first_short"), percent(bins.before[at] / Math.max(1, scores.parts_before))],
        [t("trends.parts"), number(count)]],
      asks: { of: "score", name: scores.model,
        low: at ? bins.low + at * wide : -1e9,
        high: at < bins.now.length - 1 ? bins.low + (at + 1) * wide : 1e12 },
    })),
    draw: (more) => histogramChart({ bins, limits: scores.limits, names, ...more }),
  };
}

// What stands beside the charts while nothing is chosen

export const SIDES = {
  yield: (data, { rules }) => [figure(data), rules()],
  control: (data, { rules }) => [figure(data), rules()],
  pareto: (data) => [figure(data), el("p", { class: "muted" }, t("trends.touch_bar"))],
  scores: ({ scores }) => [
    el("h2", {}, t("trends.drift")),
    el("p", { class: "figure" }, scores.drift === null ? "–" : number(scores.drift, 2)),
    el("p", {}, t(`trends.drift.${driftWord(scores.drift)}`)),
    el("dl", {}, el("dt", {}, t("trends.model")), el("dd", {}, scores.model)),
    el("p", { class: "muted" }, t("trends.touch_bar")),
  ],
  latency: (data) => {
    const last = data.points.findLast((one) => one.parts);
    return [
      el("h2", {}, period(last.start_s, last.end_s, data)),
      el("dl", {}, latencies(last).map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
        el("dt", {}, t("trends.deadline")), el("dd", {}, `${decimal(data.deadline_ms)} ms`)),
      el("p", { class: "muted" }, t("trends.touch_point")),
    ];
  },
};

function driftWord(index) {
  if (index === null) return "unknown";
  return index < 0.1 ? "none" : index < 0.25 ? "some" : "much";
}

function figure(data) {
  return [
    el("h2", {}, t("trends.yield")),
    el("p", { class: "figure" }, percent(data.first_pass / data.parts)),
    el("dl", {},
      el("dt", {}, t("trends.parts")), el("dd", {}, number(data.parts)),
      el("dt", {}, t("trends.failing")), el("dd", {}, number(data.parts - data.first_pass))),
  ];
}

/** From when to when, with the day where the span has several. */
export function period(start, end, data) {
  const days = data.end_s - data.start_s > DAY || end - start >= DAY;
  const form = { hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    ...(days ? { weekday: "short", day: "numeric" } : {}) };
  return new Intl.DateTimeFormat(current(), form)
    .formatRange(new Date(start * 1000), new Date(end * 1000));
}
