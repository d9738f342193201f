// What has left this station: every message word for word, and their sum against the pixels.
// Promises: nothing is shortened or left out; the sums are those of the whole ledger.
// Never: shows a message as sent that was not written down before.

import { bytes, clock, number, t } from "../i18n.js";
import { button, el, onChange, put, text } from "../ui.js";

const PAGE = 50;

export function departures(root, get) {
  const values = Object.fromEntries(["messages", "bytes", "pixels"].map((name) => [name, el("strong")]));
  const times = el("p", { class: "times" });
  const fresh = button("", () => load(true), "", { hidden: true });
  const list = el("ol", { class: "messages" });
  const problem = el("p", { role: "status" });
  const more = button(t("common.more"), () => load(), "", { hidden: true });
  put(root, el("div", { class: "panel sums" },
    Object.entries(values).map(([name, value]) =>
      el("p", { class: "fact" }, el("span", { class: "muted" }, t(`health.left.${name}`)), value)),
    el("div", { class: "grow" }, el("p", {}, el("strong", {}, t("health.left.none"))), times), fresh),
  el("div", { class: "panel scroll grow", tabindex: "0", role: "region",
    "aria-label": t("health.departures") }, list, problem, more));
  let before = 0;
  let shown = 0; // messages that had left when the list was fetched

  async function load(anew = false) {
    if (anew) before = 0;
    const query = `/api/departures?limit=${PAGE}${before ? `&before=${before}` : ""}`;
    const found = await get(query).catch((error) => ({ error: error.message }));
    if (found.error) return put(problem, found.error);
    if (!before) put(list);
    if (!before) shown = found.count;
    list.append(...found.messages.map(item));
    before = found.messages.at(-1)?.id ?? before;
    more.hidden = found.messages.length < PAGE;
    fresh.hidden = true;
    put(problem, !list.children.length && t("health.nothing_left"));
  }
  load();

  const sum = onChange((count, left, pixels) => {
    text(values.messages, number(count));
    text(values.bytes, bytes(left));
    text(values.pixels, bytes(pixels));
    text(times, left ? t("health.times", { times: number(pixels / left, 0) }) : "");
    fresh.hidden = count <= shown || !before;
    text(fresh, t("health.left.new", { n: count - shown }));
  });
  return { update: ({ live }) => sum(live.departed, live.departed_bytes, live.pixel_bytes) };
}

function item(one) {
  return el("li", {},
    el("p", { class: "muted small" },
      `${clock(one.wall_ns, true, true)} · ${one.topic} · ${bytes(one.bytes)}`),
    el("code", {}, breakable(one.payload)));
}

/** The very text, which a narrow screen may break between two fields rather than within one. */
function breakable(payload) {
  return payload.split(/(?<=,)/).map((piece) => [piece, el("wbr")]);
}
