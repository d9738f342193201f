// Who changed what, newest first, as the audit chain has it.
// Promises: old and new value and reason stand as they were noted. Never: says that the chain is
// whole: `inspector audit verify` proves that.

import { clock, t } from "../i18n.js";
import { button, el, put } from "../ui.js";
import { deed, fields } from "./audit-words.js";

const PAGE = 50;

export function audit(root, get) {
  const body = el("tbody");
  const more = button(t("common.more"), () => load(), "", { hidden: true });
  const problem = el("p", { role: "status" });
  const head = ["when", "who", "what", "detail"].map((name) =>
    el("th", { scope: "col" }, t(`health.audit.${name}`)));
  put(root, el("div", { class: "panel scroll grow", tabindex: "0", role: "region",
    "aria-label": t("health.audit") },
    el("table", { class: "sheet audit" }, el("thead", {}, el("tr", {}, head)), body), problem, more));
  let before = 0;

  async function load() {
    const query = `/api/audit?limit=${PAGE}${before ? `&before=${before}` : ""}`;
    const found = await get(query).catch((error) => ({ error: error.message, entries: [] }));
    put(problem, found.error ?? "");
    body.append(...found.entries.map(row));
    before = found.entries.at(-1)?.id ?? before;
    more.hidden = !found.error && found.entries.length < PAGE;
    if (!body.children.length && !found.error) put(problem, t("health.audit.none"));
  }
  load();
}

function row(entry) {
  const odd = /_failed$|refused$/.test(entry.action);
  return el("tr", {}, el("td", { class: "when" }, clock(entry.wall_ns, true, true)),
    el("td", { class: "who" }, entry.who),
    el("td", { class: odd ? "odd" : "" }, deed(entry.action)),
    el("td", { class: "detail" }, fields(entry).map(([name, value]) =>
      el("span", { class: "noted" }, name && el("span", { class: "muted" }, `${name}: `), value))));
}
