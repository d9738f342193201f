// What was done with the models, newest first, out of the audit chain.
// Promises: who, when, which version, and how it ended. Never: reads the chain to its beginning
// unasked.

import { get } from "../api.js";
import { clock, t } from "../i18n.js";
import { button, dialog, el, put } from "../ui.js";
import { deed, fields } from "./audit-words.js";

const PAGE = 200;
const TRIES = 5; // pages that are looked through for one touch
const OF_MODELS = /^(prove_model|use_model|back_model|adopt_product|teach_product)/;
const SHOWN = ["name", "product", "version", "version_before", "review", "fail", "text", "why"];

export function historyDialog() {
  const list = el("ol", { class: "deeds" });
  const problem = el("p", { role: "status" });
  const more = button(t("common.more"), () => load());
  dialog(t("models.history"), () => [el("div", { class: "scroll deeds-room", tabindex: "0",
    role: "region", "aria-label": t("models.history") }, list, problem), more], { wide: true });
  let before = 0;

  async function load() {
    more.disabled = true;
    let [found, tries] = [[], TRIES];
    while (tries && !found.length) {
      tries -= 1;
      const query = `/api/audit?limit=${PAGE}${before ? `&before=${before}` : ""}`;
      const answer = await get(query).catch((error) => ({ error: error.message, entries: [] }));
      if (answer.error) return failed(answer.error);
      before = answer.entries.at(-1)?.id ?? before;
      found = answer.entries.filter((one) => OF_MODELS.test(one.action));
      more.hidden = answer.entries.length < PAGE;
      if (more.hidden) break;
    }
    list.append(...found.map(item));
    put(problem, !list.children.length && more.hidden && t("models.history.none"));
    more.disabled = false;
  }

  function failed(words) {
    put(problem, words);
    more.disabled = false;
  }
  load();
}

function item(entry) {
  const failed = entry.action.endsWith("_failed");
  const detail = typeof entry.detail === "string" ? entry.detail : JSON.stringify(entry.detail);
  const kept = keep(detail);
  return el("li", {},
    el("p", {}, el("strong", { class: failed ? "bad-text" : "" }, deed(entry.action)), " ",
      el("span", { class: "muted" }, `${clock(entry.wall_ns, true)} · ${entry.who}`)),
    el("p", { class: "small" }, fields({ detail: kept }).map(([name, value]) =>
      [name, value].filter(Boolean).join(": ")).join(" · ")));
}

/** Of the fields, those that tell of models. */
function keep(detail) {
  try {
    const all = Object.entries(JSON.parse(detail));
    return Object.fromEntries(all.filter(([name]) => SHOWN.includes(name)));
  } catch {
    return detail;
  }
}
