// Findings on their way to the station.
// Promises: one at a time and in the order given, also after the page was left; a login or a
// reason is asked for once, not for every part. Never: keeps a finding that was refused.

import { order } from "../api.js";

const waiting = []; // {finding, done(reply)}
let under = null; // the one under way
let sending = false;
let reason = "";

const keyOf = ({ finding }) => `${finding.stream}/${finding.seq}`;

export const outbox = {
  /** True while a finding on this part has not arrived. */
  holds: (key) => [under, ...waiting].some((one) => one && keyOf(one) === key),
  count: () => waiting.length + (under ? 1 : 0),
  reason: () => reason,
  forgetReason: () => (reason = ""),
  /** Send a finding {stream, seq, verdict, defect_class}; `done` gets the reply. */
  give(finding, done) {
    waiting.push({ finding, done });
    send();
  },
  /** Take back the last finding on a part that is not under way yet. False when it is too late. */
  takeBack(key) {
    const at = waiting.findLastIndex((one) => keyOf(one) === key);
    if (at >= 0) waiting.splice(at, 1);
    return at >= 0;
  },
};

async function send() {
  if (sending) return;
  sending = true;
  while ((under = waiting.shift() ?? null)) {
    const wanted = { order: "review_part", ...under.finding };
    const reply = await order(wanted, { reason, silent: true }).catch((error) => (
      { ok: false, code: "unreachable", text: error.message }));
    if (reply.ok) reason = reply.reason || reason;
    // Refused for itself: the next may do. Nobody logged in, or no station: all would fail.
    const lost = reply.ok || reply.code === "refused" ? [] : waiting.splice(0);
    const first = under;
    under = null;
    for (const one of [first, ...lost].reverse()) one.done(reply);
  }
  sending = false;
}
