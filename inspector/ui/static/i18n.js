// The words of the page in the language chosen.
// Promises: a key that a catalogue lacks is shown in English; numbers and plurals follow the
// language. Never: builds markup from words; what `t` returns is text.

export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", "zh-CN": "简体中文" };
const CHOSEN = "inspector.language";

let language = "en";
let words = {};
let english = {};

export const current = () => language;

/** The language chosen on this screen, or null. */
export const chosen = () => localStorage.getItem(CHOSEN);

/** Load a language: the one given, or the one chosen on this screen before. */
export async function use(wanted, byHand = false) {
  const name = byHand ? wanted : chosen() || wanted;
  language = name in LANGUAGES ? name : "en";
  if (byHand) localStorage.setItem(CHOSEN, language);
  [english, words] = await Promise.all([catalogue("en"), catalogue(language)]);
  document.documentElement.lang = language;
}

const catalogues = new Map();

function catalogue(name) {
  if (!catalogues.has(name)) catalogues.set(name, fetched(name));
  return catalogues.get(name);
}

async function fetched(name) {
  const answer = await fetch(`/static/i18n/${name}.json`).catch(() => null);
  if (answer?.ok) return answer.json();
  catalogues.delete(name); // once more the next time
  return english;
}

catalogue("en");

/** True when there are words for the key. */
export const has = (key) => key in words || key in english;

/** The words of a key; `{name}` is replaced by values.name, `n` chooses the plural. */
export function t(key, values = {}) {
  const found = look(key, values) ?? key;
  return found.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole));
}

function look(key, values) {
  if ("n" in values) {
    const plural = `${key}.${form(Intl.PluralRules, {}).select(values.n)}`;
    for (const name of [plural, `${key}.other`]) if (has(name)) return words[name] ?? english[name];
  }
  return words[key] ?? english[key];
}

function shown(value) {
  return typeof value === "number" ? form(Intl.NumberFormat, {}).format(value) : String(value);
}

const forms = new Map(); // making one costs a hundred times what using it does

function form(kind, options) {
  const key = `${language} ${kind.name} ${JSON.stringify(options)}`;
  if (!forms.has(key)) forms.set(key, new kind(language, options));
  return forms.get(key);
}

const digitsOf = (digits) => ({ maximumFractionDigits: digits, minimumFractionDigits: digits });

export function number(value, digits = 0) {
  return form(Intl.NumberFormat, digitsOf(digits)).format(value);
}

/** A count; from a million on in short, as 1.23 million parts are counted on no line by eye. */
export function count(value) {
  if (value < 1e6) return number(value);
  return form(Intl.NumberFormat, { notation: "compact", maximumFractionDigits: 2 }).format(value);
}

/** A share (0 to 1) as a percentage; a dash where there is none. */
export function percent(share, digits = 1) {
  if (share === null || share === undefined || Number.isNaN(share)) return "–";
  return form(Intl.NumberFormat, { style: "percent", ...digitsOf(digits) }).format(share);
}

/** A wall time in nanoseconds, as the clock of the wall shows it. */
export function clock(wallNs, withDay = false, withSeconds = false) {
  const day = withDay ? { day: "numeric", month: "short" } : {};
  const seconds = withSeconds ? { second: "2-digit" } : {};
  const parts = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...seconds, ...day };
  return form(Intl.DateTimeFormat, parts).format(new Date(wallNs / 1e6));
}

/** The day of a wall time in nanoseconds. */
export function day(wallNs) {
  return form(Intl.DateTimeFormat, { day: "numeric", month: "short" }).format(new Date(wallNs / 1e6));
}

/** Bytes in a unit that a person reads. */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let left = count;
  let unit = 0;
  while (left >= 1000 && unit < units.length - 1) [left, unit] = [left / 1000, unit + 1];
  return `${number(left, unit && left < 100 ? 1 : 0)} ${units[unit]}`;
}
