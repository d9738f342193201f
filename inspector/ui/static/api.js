// Asking the station and ordering from it.
// Promises: an order that needs somebody to log in, or a reason, asks for it and is sent again;
// whatever comes of an order is said; an answer that never comes is given up. Never: gives an order
// twice, or keeps a PIN.

import { t } from "./i18n.js";
import { reopen } from "./live.js";
import { button, dialog, el, keyboard, toast } from "./ui.js";

const PATIENT_MS = 15_000; // the station itself gives up asking after a third of it

/** JSON of a path, or throws an Error with one line for a person. */
export async function get(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENT_MS) }).catch(() => null);
  if (!answer) throw new Error(t("common.unreachable"));
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.error ?? t("common.unreachable"));
  return body;
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENT_MS),
  }).catch(() => null);
  const reply = answer && (await answer.json().catch(() => null));
  return reply && "ok" in reply
    ? reply
    : { ok: false, code: "unreachable", text: reply?.error ?? t("common.unreachable") };
}

const under = new Map(); // orders on their way, and what will come of them

/** Give an order, e.g. order({order: "pause"}). Resolves to the reply; says what came of it
 * unless `quiet` and it went well, or `silent`: then the page says it. The same order once more,
 * while it is on its way, is the same order: a glove touches twice. */
export function order(wanted, how = {}) {
  const key = JSON.stringify(wanted);
  if (!under.has(key)) {
    under.set(key, give(wanted, how).finally(() => under.delete(key)));
  }
  return under.get(key);
}

async function give(wanted, { reason = "", quiet = false, silent = false }) {
  let reply = await post("/order", { order: wanted, reason });
  if (reply.code === "no_session" || reply.code === "low_role") {
    if (reply.code === "low_role") toast(said(reply), "bad");
    if (!(await login())) return reply;
    reply = await post("/order", { order: wanted, reason });
  }
  if (reply.code === "reason_wanted") {
    const given = await askReason();
    if (!given) return reply;
    return { ...(await give(wanted, { reason: given, quiet, silent })), reason: given };
  }
  if (silent) return reply;
  if (!reply.ok) toast(said(reply), "bad");
  else if (!quiet) toast(t("reply.done"));
  return reply;
}

/** What became of an order, in words. */
export function said(reply) {
  const key = `reply.${reply.code}`;
  const words = t(key, { wait_s: reply.wait_s ?? 0, n: reply.wait_s ?? 0 });
  return words === key || reply.code === "refused" ? reply.text : words;
}

export async function logout() {
  const reply = await post("/logout", {});
  if (!reply.ok) toast(said(reply), "bad");
  reopen();
  return reply;
}

export const renew = () => post("/renew", {});

/** Choose a name, give the PIN. Resolves to true when somebody is logged in. */
export async function login() {
  const { people } = await get("/api/people").catch(() => ({ people: [] }));
  return new Promise((resolve) => {
    dialog(
      t("login.title"),
      (close) => {
        if (!people.length) return el("p", {}, t("login.nobody"));
        const box = el("div", { class: "login" });
        const names = people.map((one) =>
          button(`${one.name} · ${t(`role.${one.role}`)}`, () => {
            box.replaceChildren(...pinOf(one.name, close));
          }, "wide-button"));
        box.append(...names);
        return box;
      },
      { onclose: (value) => resolve(value === true) },
    );
  });
}

function pinOf(name, close) {
  const problem = el("p", { class: "bad-text", role: "alert" });
  const done = async (pin) => {
    const reply = await post("/login", { name, pin });
    if (reply.ok) {
      reopen();
      return close(true);
    }
    problem.textContent = said(reply);
    pad.replaceWith((pad = draw()));
  };
  const draw = () =>
    keyboard({ done, digits: true, secret: true, most: 8, label: t("login.pin", { name }) });
  let pad = draw();
  return [el("p", {}, t("login.pin", { name })), problem, pad];
}

const REASONS = ["setup", "material", "wrong_choice", "test", "maintenance"];

function askReason() {
  return new Promise((resolve) => {
    dialog(
      t("reason.title"),
      (close) => [
        el("div", { class: "row wrap" },
          REASONS.map((key) => button(t(`reason.${key}`), () => close(t(`reason.${key}`))))),
        keyboard({ done: (words) => close(words.trim()), most: 200, label: t("reason.title") }),
      ],
      { onclose: (value) => resolve(value || "") , wide: true },
    );
  });
}
