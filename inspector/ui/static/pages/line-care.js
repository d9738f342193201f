// What is not as it should be, and what to do about it.
// Promises: there only while something is wrong; every alarm has cause and remedy, and what has to
// be acknowledged can be; notes stay quiet.
// Never: acknowledges more than the alarm touched.

import { order } from "../api.js";
import { clock, has, t } from "../i18n.js";
import { signed } from "../part.js";
import { attribute, button, dialog, el, onChange, put, sign, text } from "../ui.js";

/** {sentence, alarms, notes, update(state)}: three elements, each hidden while it has nothing. */
export function care(context) {
  const what = sentence(context);
  const list = alarms();
  const quiet = strip();
  return {
    sentence: what.root,
    alarms: list.root,
    notes: quiet.root,
    update({ live }) {
      what.update(live);
      list.update(live.alarms.filter((one) => one.severity === "alarm"));
      quiet.update(live.alarms.filter((one) => one.severity !== "alarm"));
    },
  };
}

/** What to do about the state, in the words for why it is so. */
export const toDo = (state, why) =>
  has(`line.why.${why}`) ? t(`line.why.${why}`) : t(`line.do.${state}`);

/** What the last verdict does not say: that the line is degraded, or under test. */
function sentence(context) {
  const light = el("span", { class: "light" });
  const word = el("h2");
  const what = el("p");
  const there = button(t("line.to_test"), () => context.go("#/challenge"), "primary");
  const root = el("section", { class: "sentence panel", "aria-label": t("line.care"), hidden: true },
    light, el("div", { class: "grow" }, word, what), there);
  const draw = onChange((kind, why, step, of, part) => {
    root.hidden = !kind;
    there.hidden = kind !== "challenge";
    if (!kind) return;
    signed(light, kind, 48);
    attribute(root, "data-kind", kind);
    text(word, t(kind === "challenge" ? "line.challenge" : `line.state.${kind}`));
    const test = step ? "line.challenge.do" : "line.challenge.all";
    text(what, kind === "challenge" ? t(test, { step, of, part }) : toDo(kind, why));
  });
  return {
    root,
    update({ state, mode, why, challenge }) {
      const step = challenge?.step ?? 0;
      const part = challenge?.steps[step - 1]?.part ?? "";
      draw(kindOf(state, mode), why, step, challenge?.steps.length ?? 0, part);
    },
  };
}

function kindOf(state, mode) {
  if (state === "degraded") return state;
  return state === "running" && mode === "challenge" ? mode : "";
}

/** Alarms by their number: one that stays keeps its element. */
function alarms() {
  const root = el("ul", { class: "care alarms scroll", tabindex: "0", "aria-live": "polite",
    "aria-label": t("line.alarms") });
  const shown = new Map();
  const arrange = onChange(() => put(root, [...shown.values()].map((one) => one.root)));

  function update(all) {
    const ids = all.map(keyOf);
    for (const id of [...shown.keys()]) if (!ids.includes(id)) shown.delete(id);
    const before = new Map(shown);
    shown.clear();
    for (const one of all) {
      const item = before.get(keyOf(one)) ?? alarmItem(one);
      item.update(one);
      shown.set(keyOf(one), item);
    }
    root.hidden = !all.length;
    arrange(ids.join());
  }
  return { root, update };
}

const keyOf = (alarm) => `${alarm.id} ${alarm.code}`;

function alarmItem(alarm) {
  const remedy = `alarm.${alarm.code}.remedy`;
  const seen = el("p", { class: "seen" });
  const detail = el("p", { class: "detail" });
  const ack = button(t("line.acknowledge"), async () => {
    ack.disabled = true;
    await order({ order: "acknowledge", alarm: alarm.id }, { quiet: true });
    ack.disabled = false;
  }, "ack");
  const title = has(`alarm.${alarm.code}`) ? t(`alarm.${alarm.code}`) : alarm.text;
  const root = el("li", { class: alarm.severity === "alarm" ? "alarm grave" : "alarm" },
    el("p", { class: "title" }, sign(alarm.severity === "alarm" ? "fault" : "note", 28), el("span", {}, title)),
    has(remedy) && el("p", { class: "remedy" }, t(remedy)), seen, ack, detail);
  const draw = onChange((words, active, by) => {
    const when = clock(alarm.raised_wall_ns);
    text(detail, [when, alarm.service, words !== title && words].filter(Boolean).join(" · "));
    root.classList.toggle("over", !active);
    text(seen, [!active && t("line.alarm.over"), by && t("line.alarm.seen", { name: by })]
      .filter(Boolean).join(" · "));
    ack.hidden = Boolean(by);
  });
  return { root, update: (now) => draw(now.text, now.active, now.acknowledged_by) };
}

/** Notes in one quiet line; a touch opens them. */
function strip() {
  let notes = [];
  const words = el("span", { class: "cut" });
  const root = button("", open, "notes", { hidden: true });
  put(root, sign("note", 32), words);
  const draw = onChange(() => {
    const [many, first] = [notes.length, notes[0]];
    root.hidden = !many;
    if (!many) return;
    const says = has(`alarm.${first.code}`) ? t(`alarm.${first.code}`) : first.text;
    text(words, many > 1 ? `${says} · ${t("line.notes.more", { n: many - 1 })}` : says);
    attribute(root, "aria-label", t("line.notes.open", { n: many }));
  });

  function open() {
    dialog(t("line.notes"), () => {
      const list = el("ul", { class: "alarms" });
      put(list, notes.map((note) => {
        const item = alarmItem(note);
        item.update(note);
        return item.root;
      }));
      return list;
    }, { wide: true });
  }

  return {
    root,
    update(now) {
      notes = now;
      draw(now.map(keyOf).join());
    },
  };
}
