// The parts that wait for a person, and what was found on them.
// Promises: the next parts are there before they are asked for; a finding that the station
// refuses brings its part back; a part that somebody else has reviewed goes.
// Never: holds more than some pages of the queue, however long it is.

import { get, said } from "../api.js";
import { toast } from "../ui.js";
import { outbox } from "./review-outbox.js";

const PAGE = 20; // parts asked for at once
const FEW = 8; // with fewer at hand, more are asked for
const PAGES = 50; // looked through at most, where all on them have been skipped
const REMEMBERED = 1000; // decided parts that a late answer may still name
const UNDO = 30;

export const keyOf = (part) => `${part.outcome.stream}/${part.outcome.seq}`;

/** The queue of one visit. `tell(why)` is called when anything has changed; `why` is "other" when
 * somebody else has reviewed the part in front, "back" when one came back to the front. */
export function reviewQueue(tell) {
  let parts = [];
  let skipped = [];
  let classes = [];
  let asking = false;
  let left = false;
  const done = []; // {part, verdict, defectClass}, the last one at the end
  const decided = new Set();
  const state = { total: 0, problem: "", asked: false, refused: null };

  const self = {
    state,
    front: () => parts[0],
    ahead: (count) => parts.slice(0, count),
    classes: () => classes,
    skipped: () => skipped.length,
    last: () => done.at(-1),
    fill,
    check,
    decide,
    skip,
    undo,
    again,
    leave: () => (left = true),
  };
  return self;

  async function ask(before = null) {
    const from = before === null ? "" : `&before=${before}`;
    const page = await get(`/api/review?limit=${PAGE}${from}`);
    Object.assign(state, { total: page.total, problem: "", asked: true });
    classes = [...new Set([...classes, ...page.classes])]; // no button leaves its place
    return page.parts;
  }

  async function alone(work) {
    if (asking) return;
    asking = true;
    let why = "";
    try {
      why = (await work()) ?? "";
    } catch (error) {
      state.problem = error.message;
    }
    asking = false;
    tell(why);
  }

  /** Ask for more where few are left. */
  function fill() {
    if (parts.length >= FEW) return;
    alone(more);
  }

  async function more() {
    let before = null;
    for (let pages = 0; parts.length < FEW && pages < PAGES; pages += 1) {
      const found = await ask(before);
      const known = new Set([...parts, ...skipped].map(keyOf));
      const fresh = found.filter((one) => !known.has(keyOf(one)) && !decided.has(keyOf(one)));
      for (const one of fresh) one.since = performance.now();
      parts.push(...fresh);
      if (found.length < PAGE) return;
      before = found.at(-1).id;
    }
  }

  /** Ask again for the parts at hand: those that do not wait any more go. */
  function check() {
    if (parts.length < FEW) alone(more);
    else alone(sift);
  }

  async function sift() {
    const began = performance.now();
    const found = await ask(Math.max(...parts.map((part) => part.id)) + 1);
    const there = new Set(found.map(keyOf));
    const lowest = found.length < PAGE ? -Infinity : found.at(-1).id;
    const front = parts[0];
    parts = parts.filter((part) => {
      const asked = part.id >= lowest && part.since < began && !outbox.holds(keyOf(part));
      return !asked || there.has(keyOf(part));
    });
    if (parts.length < FEW) await more();
    // What was decided here while the answer came is not somebody else's doing.
    return front && !parts.includes(front) && !decided.has(keyOf(front)) ? "other" : "";
  }

  /** What was found on the part in front. The order goes off; the next part is in front. */
  function decide(verdict, defectClass = "") {
    const part = parts.shift();
    const entry = { part, verdict, defectClass, refused: false };
    if (defectClass && !classes.includes(defectClass)) classes = [...classes, defectClass];
    remember(entry);
    state.refused = null;
    state.total = Math.max(0, state.total - 1);
    outbox.give(finding(part, verdict, defectClass), (reply) => {
      if (!reply.ok) refuse(entry, reply);
      else tell("");
    });
    tell("");
    fill();
  }

  function remember(entry) {
    done.push(entry);
    if (done.length > UNDO) done.shift();
    decided.add(keyOf(entry.part));
    if (decided.size > REMEMBERED) decided.delete(decided.values().next().value);
  }

  function refuse(entry, reply) {
    entry.refused = true;
    const at = done.indexOf(entry);
    if (at >= 0) done.splice(at, 1);
    else if (parts.includes(entry.part)) return void outbox.takeBack(keyOf(entry.part)); // undone
    if (left) toast(said(reply), "bad"); // there is no page to say it on
    state.refused = { key: keyOf(entry.part), reply };
    bring(entry.part);
    tell("back");
  }

  function bring(part) {
    decided.delete(keyOf(part));
    part.since = performance.now();
    parts = [part, ...parts.filter((one) => keyOf(one) !== keyOf(part))];
  }

  function skip() {
    const part = parts.shift();
    skipped.push(part);
    done.push({ part, verdict: "", defectClass: "" });
    tell("");
    fill();
  }

  /** Take the last finding back, or show again what was skipped last. */
  function undo() {
    const entry = done.pop();
    if (!entry) return;
    const { part } = entry;
    skipped = skipped.filter((one) => one !== part);
    bring(part);
    if (entry.verdict) state.total += 1;
    if (entry.verdict && !outbox.takeBack(keyOf(part))) {
      outbox.give(finding(part, "withdrawn"), (reply) => {
        part.since = performance.now();
        if (reply.ok || entry.refused) tell("");
        else notWithdrawn(entry, reply);
      });
    }
    tell("");
  }

  function notWithdrawn(entry, reply) {
    parts = parts.filter((one) => one !== entry.part);
    remember(entry);
    if (left) toast(said(reply), "bad");
    state.refused = { key: parts[0] ? keyOf(parts[0]) : "", reply };
    tell("back");
  }

  /** Offer what was skipped once more. */
  function again() {
    parts.push(...skipped.splice(0));
    tell("");
  }
}

const finding = ({ outcome }, verdict, defectClass = "") => ({
  stream: outcome.stream, seq: outcome.seq, verdict, defect_class: defectClass,
});
