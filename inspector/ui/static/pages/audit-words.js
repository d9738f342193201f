// An entry of the audit chain in the words of the page.
// Promises: an action or a field that has no words is shown as it was noted; nothing that was
// noted is left out. Never: judges the chain: `inspector audit verify` does.

import { has, t } from "../i18n.js";

const ENDED = /^(.+)_(done|failed)$/;
const BEFORE = "_before";
const LATER = ["role", "code"]; // said after what was ordered

/** What was done, e.g. "Recipe chosen: failed". */
export function deed(action) {
  if (has(`order.${action}`)) return t(`order.${action}`);
  const [, name, end] = ENDED.exec(action) ?? [];
  return name && has(`order.${name}`) ? t(`audit.${end}`, { what: t(`order.${name}`) }) : action;
}

/** The fields of an entry as [name, value], the old and the new value in one. */
export function fields({ detail }) {
  const noted = parsed(detail);
  if (!noted) return [["", String(detail)]];
  return Object.entries(noted)
    .filter(([name, value]) => value !== "" && !(name.endsWith(BEFORE) && name.slice(0, -BEFORE.length) in noted))
    .sort(([a], [b]) => LATER.includes(a) - LATER.includes(b))
    .map(([name, value]) => [named(name), changed(noted[name + BEFORE], said(name, value), name)]);
}

function parsed(detail) {
  try {
    const noted = typeof detail === "string" ? JSON.parse(detail) : detail;
    return noted && typeof noted === "object" ? noted : null;
  } catch {
    return null;
  }
}

function changed(before, value, name) {
  const old = before === undefined || before === "" ? "" : said(name, before);
  return old && old !== value ? `${old} → ${value}` : value;
}

function named(name) {
  if (!name.endsWith(BEFORE)) return has(`audit.field.${name}`) ? t(`audit.field.${name}`) : name;
  return t("audit.before", { what: named(name.slice(0, -BEFORE.length)) });
}

const WORDS = { role: "role", order: "order", verdict: "verdict", mode: "audit.mode", code: "reply",
  label: "teach.step" };

function said(name, value) {
  const key = `${WORDS[name]}.${value}`;
  return name in WORDS && has(key) ? t(key) : String(value);
}
