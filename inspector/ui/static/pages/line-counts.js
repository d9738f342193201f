// The counts of this shift and this lot.
// Promises: as the station counts them; a lot or shift without parts has no yield.
// Never: adds anything up itself but the kinds of one tally.

import { clock, count, day, number, percent, t } from "../i18n.js";
import { el, text } from "../ui.js";

const DAY_NS = 86_400e9;
const ROWS = ["parts", "yield", "rejects", "faults"];

/** {root, update(state)} */
export function counts() {
  const cell = () => el("td");
  const cells = ROWS.map(() => [cell(), cell()]);
  const since = [el("span", { class: "since" }), el("span", { class: "since" })];
  const pace = el("strong", { class: "pace" });
  const head = (key, at) => el("th", { scope: "col" }, t(key), at);
  const root = el("section", { class: "counts panel", "aria-label": t("line.counts") },
    el("table", {},
      el("thead", {}, el("tr", {}, el("td"), head("line.shift", since[0]), head("line.lot", since[1]))),
      el("tbody", {}, ROWS.map((row, index) =>
        el("tr", {}, el("th", { scope: "row" }, t(`line.count.${row}`)), cells[index])))),
    el("p", { class: "rate" }, el("span", {}, t("line.count.pace")), pace));

  function tell(tally, column, now) {
    const { pass, fail, review, fault } = { pass: 0, fail: 0, review: 0, fault: 0, ...tally.counts };
    const parts = pass + fail + review + fault;
    const values = [count(parts), percent(parts ? tally.first_pass / parts : null),
      count(tally.rejected), count(fault)];
    values.forEach((value, row) => text(cells[row][column], value));
    text(since[column], tally.since_wall_ns ? sinceWhen(tally.since_wall_ns, now) : "");
  }

  return {
    root,
    update({ live }) {
      tell(live.shift, 0, live.wall_ns);
      tell(live.lot_tally, 1, live.wall_ns);
      text(pace, number(live.per_minute, live.per_minute < 10 ? 1 : 0));
    },
  };
}

const sinceWhen = (since, now) =>
  t("line.since", { time: now - since > DAY_NS ? day(since) : clock(since) });
