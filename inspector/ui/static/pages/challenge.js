// Challenge test: golden parts are shown to the line, and it must say of each what is known.
// Promises: the test goes on where it is, on every screen and after a restart of anything; while
// it is on, the page says that every part is rejected; a failed test says what to do.
// Never: takes a part for shown that nobody said lies there, or judges; the station does.

import { get, order } from "../api.js";
import { clock, t } from "../i18n.js";
import { picture } from "../picture.js";
import { button, confirm, dialog, el, put, sign, text } from "../ui.js";
import {
  HALF_DAY_NS, SIGN, dueWords, none, stepWords, track, wrongWords,
} from "./challenge-words.js";

const JUST_NS = 120e9; // a test that ended so lately has its result shown large
const SHOWN = 30; // tests in the history

let read = 0; // the end of the test whose result somebody has put away

export function page(root) {
  const box = el("div", { class: "test" });
  const pictures = partPictures();
  let live = null;
  let drawn = "";
  let tick = () => {};
  let tests = null;
  let rules = null;
  let asked = "";
  let sending = false;
  root.append(box);

  function draw() {
    const test = live.challenge;
    const now = JSON.stringify([test, live.mode === "challenge", tests, rules, sending, read,
      live.recipe, fresh()]);
    if (now === drawn) return tick();
    drawn = now;
    tick = () => {};
    if (!test) put(box, none(live.recipe));
    else if (test.step) put(box, running(test));
    else put(box, idle(test), history());
    tick();
  }

  const fresh = () => live.challenge?.last_wall_ns !== read
    && live.wall_ns - live.challenge?.last_wall_ns < JUST_NS;

  async function give(wanted) {
    if (sending) return;
    sending = true;
    draw();
    await order(wanted, { quiet: true }).catch(() => null);
    sending = false;
    draw();
  }

  async function load() {
    const [told, recipe] = await Promise.all([
      get(`/api/challenges?limit=${SHOWN}`).catch(() => null),
      get("/api/recipes").catch(() => null),
    ]);
    tests = told?.challenges.filter((one) => one.result) ?? tests;
    rules = recipe?.challenge ?? null;
    if (live) draw();
  }

  // Before and after a test

  function idle(test) {
    const failed = test.last_result === "failed";
    const large = failed || (fresh() && test.last_result === "passed");
    return el("section", { class: "panel now" },
      large ? result(test, failed) : introduction(test),
      el("div", { class: "row buttons" },
        large && !failed && button(t("common.done"), () => {
          read = test.last_wall_ns;
          draw();
        }, "big"),
        begin(failed ? t("challenge.again") : t("challenge.begin"))));
  }

  const begin = (label) =>
    button(label, () => give({ order: "begin_challenge" }), "primary big grow",
      { disabled: sending });

  function introduction(test) {
    const due = el("p", { class: "due" });
    const words = el("span", {});
    const mark = el("span", { class: "flag" });
    due.append(mark, words);
    tick = () => {
      const late = test.overdue || (test.due_wall_ns && test.due_wall_ns <= live.wall_ns);
      due.className = `due ${test.overdue ? "overdue" : late ? "late" : ""}`;
      if (mark.childElementCount === 0 || mark.dataset.late !== String(late)) {
        mark.dataset.late = String(late);
        put(mark, late ? sign(test.overdue ? "fail" : "review", 48) : "");
      }
      text(words, dueWords(test, live.wall_ns));
    };
    return [
      el("h2", {}, t("challenge.title")), due, last(test),
      el("p", {}, t("challenge.what")),
      partList(test),
      el("p", { class: "caution" }, t("challenge.caution")),
    ];
  }

  function last(test) {
    if (!test.last_result) return el("p", { class: "muted" }, t("challenge.never"));
    return el("p", { class: "last" }, sign(SIGN[test.last_result], 32),
      el("span", {}, t(`challenge.last.${test.last_result}`, { when: when(test.last_wall_ns) })));
  }

  const when = (wall) => clock(wall, Math.abs(live.wall_ns - wall) > HALF_DAY_NS);

  function partList(test) {
    return el("ul", { class: "parts scroll expected", tabindex: "0" }, test.steps.map((step) =>
      el("li", {}, sign(step.expected, 28), el("strong", {}, step.part),
        el("span", { class: "muted" }, t(`challenge.expect.${step.expected}`)))));
  }

  function result(test, failed) {
    const wrong = test.steps.filter((step) => step.ok === false);
    const said = el("div", { class: failed ? "said bad" : "said" },
      sign(failed ? "fail" : "pass", 120),
      el("div", {}, el("h2", {}, t(failed ? "challenge.failed" : "challenge.passed")),
        el("p", {}, failed ? when(test.last_wall_ns) : dueWords(test, live.wall_ns))));
    if (!failed) return [said, el("p", {}, t(`challenge.after.${live.mode}`))];
    const stops = rules?.on_failure === "stop";
    return [
      said,
      el("div", { class: "row wrap" }, wrong.map((step) =>
        button(wrongWords(step), () => pictures.open(step), "wrong"))),
      el("h3", {}, t("challenge.what_now")),
      el("ol", { class: "scroll", tabindex: "0" }, ["check", "repeat", "call", "parts"].map((key) =>
        el("li", {}, t(`challenge.do.${key}`)))),
      stops && el("p", { class: "bad-text" }, t("challenge.stopped")),
    ];
  }

  function history() {
    const rows = (tests ?? []).map((test) =>
      button([
        sign(SIGN[test.result], 32),
        el("span", { class: "words" },
          el("strong", {}, t(`challenge.result.${test.result}`)),
          el("span", {}, `${clock(test.begun_wall_ns, true)} · ${test.recipe} · ${test.who}`)),
      ], () => details(test), "entry"));
    return el("section", { class: "panel history" }, el("h3", {}, t("challenge.history")),
      rows.length ? el("div", { class: "entries scroll", tabindex: "0" }, rows)
        : el("p", { class: "muted" }, tests ? t("challenge.never") : ""));
  }

  function details(test) {
    dialog(`${t(`challenge.result.${test.result}`)} · ${clock(test.begun_wall_ns, true)}`, () => [
      el("p", {}, `${test.recipe} · ${test.who}${test.model ? ` · ${test.model}` : ""}`),
      el("div", { class: "column test-steps" }, test.steps.map((step) =>
        step.kind ? button(stepWords(step), () => pictures.open(step), "entry")
          : el("p", { class: "entry" }, stepWords(step)))),
    ], { wide: true });
  }

  // During a test

  function running(test) {
    const step = test.steps[test.step - 1];
    const before = test.steps[test.step - 2];
    return [
      el("div", { class: "banner" }, sign("paused", 44),
        el("strong", { class: "grow" }, t("challenge.on")),
        button(t("challenge.abandon"), abandon, "", { disabled: sending })),
      el("ol", { class: "steps scroll", tabindex: "0" },
        test.steps.map((one) => track(one, test.step))),
      el("section", { class: "panel do" },
        el("p", { class: "muted" },
          t("challenge.step", { step: test.step, all: test.steps.length })),
        el("div", { class: "golden-name expected" }, sign(step.expected, 88),
          el("div", {}, el("strong", {}, step.part),
            el("span", {}, t(`challenge.expect.${step.expected}`)))),
        test.waiting ? waiting(step) : ask(step)),
      el("section", { class: "panel answer" }, before ? answer(before)
        : el("p", { class: "muted" }, t("challenge.answer_here"))),
    ];
  }

  const present = (label, kind, step) =>
    button(label, () => give({ order: "present_golden", step: step.number }), kind,
      { disabled: sending });

  const ask = (step) => [
    el("p", { class: "instruction" }, t("challenge.lay", { part: step.part })),
    present(t("challenge.lies_there"), "primary big lies", step),
  ];

  const waiting = (step) => [
    el("p", { class: "instruction wait", role: "status" }, t("challenge.waiting")),
    present(t("challenge.lies_again"), "", step),
  ];

  function answer(step) {
    return [
      el("div", { class: step.ok ? "said" : "said bad" }, sign(step.ok ? "pass" : "fail", 56),
        el("div", {}, el("strong", {}, `${step.part}: ${right(step.ok)}`),
          el("span", {}, t("challenge.line_said", { verdict: t(`verdict.${step.kind}`) })))),
      pictures.of(step),
    ];
  }

  const right = (ok) => (ok ? t("challenge.right") : t("challenge.wrong"));

  async function abandon() {
    const sure = await confirm(t("challenge.abandon"), t("challenge.abandon_sure"),
      t("challenge.abandon"), "danger");
    if (sure) give({ order: "abandon_challenge" });
  }

  return {
    update(state) {
      live = state.live;
      const wanted = JSON.stringify([live.recipe, live.challenge?.last_wall_ns]);
      if (wanted !== asked) {
        asked = wanted;
        load();
      }
      draw();
    },
  };
}

/** Pictures of what was shown, each fetched once. */
function partPictures() {
  let key = "";
  let kept = null;

  function of(step) {
    const wanted = `${step.stream}/${step.seq}`;
    if (wanted === key) return kept;
    const pic = picture({ width: 1280, label: step.part });
    get(`/part/${wanted}`).then(({ outcome }) => pic.show(outcome), () => pic.show(null));
    [key, kept] = [wanted, pic.root];
    return kept;
  }

  return {
    of,
    open(step) {
      const pic = picture({ width: 1280, label: step.part });
      get(`/part/${step.stream}/${step.seq}`).then(({ outcome }) => pic.show(outcome),
        () => pic.show(null));
      dialog(`${step.part} · ${t(`verdict.${step.kind}`)}`, () =>
        el("div", { class: "test-picture" }, pic.root), { wide: true });
    },
  };
}
