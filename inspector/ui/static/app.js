// The frame around all pages: where to go, how the line is, who is there.
// Promises: the page in the address is the page on the screen, also after a restart of anything;
// what is old is greyed and said to be old; nobody stays logged in who went away.
// Never: holds state that a page needs after it is left.

import { login, logout, renew } from "./api.js";
import { LANGUAGES, chosen, current, has, t, use } from "./i18n.js";
import { onState, start, state } from "./live.js";
import {
  attribute, button, choice, dialog, el, icon, onChange, put, sign, text, toast,
} from "./ui.js";

const PAGES = ["line", "review", "trends", "teach", "challenge", "models", "health"];
const RENEW_MS = 30_000;
const FIRST_WORD_MS = 500; // the first state tells the language of the station

const rail = document.getElementById("rail");
const bar = document.getElementById("bar");
const root = document.getElementById("page");
const old = document.getElementById("old");

let shown = { name: "", page: null };
let renewed = -Infinity;
let ready = false;

const parts = {
  title: el("h1", { class: "unseen" }),
  sign: el("span", { class: "light" }),
  state: el("strong", { class: "state" }),
  what: el("span", { class: "what" }),
  recipe: el("strong", { class: "cut" }),
  lot: el("span", { class: "cut" }),
  name: el("strong", { class: "cut" }),
  role: el("span", { class: "cut" }),
  tongue: button("", tongue, "tongue"),
};
parts.person = el("button", { type: "button", class: "button person", onclick: person },
  parts.name, parts.role);

function frame() {
  attribute(rail, "aria-label", t("nav.label"));
  put(rail, PAGES.map((name) =>
    el("a", { href: `#/${name}`, "data-page": name }, icon(name),
      el("span", {}, t(`nav.${name}`)), name === "review" && el("b", { class: "count" }))));
  put(bar, parts.title, parts.sign,
    el("div", { class: "says", role: "status" }, parts.state, parts.what),
    el("div", { class: "made" }, parts.recipe, parts.lot), parts.tongue, parts.person);
  attribute(parts.tongue, "aria-label", `${t("language.title")}: ${LANGUAGES[current()]}`);
  text(parts.tongue, current().slice(0, 2).toUpperCase());
  mark();
}

const load = (name) => import(`./pages/${name}.js`).catch(() => null);

function wanted() {
  const name = location.hash.split("/")[1];
  return PAGES.includes(name) ? name : "line";
}

async function go() {
  const name = wanted();
  const rest = location.hash.split("/").slice(2);
  shown.page?.leave?.();
  const mine = { name, page: null };
  shown = mine;
  mark();
  const module = await load(name);
  if (shown !== mine) return;
  root.replaceChildren();
  root.className = `page-${name}`;
  if (!module) return lost(name);
  mine.page = module.page(root, { rest, go: (hash) => (location.hash = hash) });
  if (state.live) mine.page?.update?.(state);
}

// A page that could not be fetched is not tried again by the browser before it is reloaded; that
// is done by itself only when the station was away, so that a broken page is no endless loop.
function lost(name) {
  put(root, el("div", { class: "panel column" }, el("p", {}, t("common.unreachable")),
    button(t("common.again"), () => location.reload(), "primary")));
  let away = !state.connected;
  const stop = onState(({ connected }) => {
    if (shown.name !== name) setTimeout(() => stop());
    else if (connected && away) location.reload();
    away ||= !connected;
  });
}

function mark() {
  for (const link of rail.children) {
    if (link.dataset.page === shown.name) attribute(link, "aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const title = t(`nav.${shown.name || "line"}`);
  document.title = `${title} · inspector`;
  text(parts.title, title);
}

function show(now) {
  age(now.fresh, now.connected, now.locked);
  head(now);
  if (now.live) shown.page?.update?.(now);
}

const age = onChange((fresh, connected, locked) => {
  document.body.classList.toggle("is-old", !fresh);
  const why = locked ? "reply.no_session" : connected ? "old.record" : "old.ui";
  text(old, fresh ? "" : t(why));
  if (fresh === old.matches(":popover-open")) old.togglePopover();
  if (locked) login();
});

function head({ live, person: who, fresh }) {
  if (live && fresh) line(live.state, live.why, live.mode);
  else line("unknown", "", "");
  made(live?.coming || live?.recipe || "", live?.lot ?? "");
  somebody(who?.name ?? "", who?.role ?? "");
  waiting(live?.to_review ?? 0);
}

const SIGN = { unknown: "fault" };

const line = onChange((name, why, mode) => {
  attribute(bar, "data-state", name);
  const sentence = `line.why.${why}`;
  text(parts.state, t(`line.state.${name}`));
  text(parts.what, has(sentence) ? t(sentence) : "");
  const calm = name === "running" && mode !== "challenge";
  put(parts.sign, sign(calm ? "pass" : name === "running" ? mode : SIGN[name] ?? name, 48));
});

const made = onChange((recipe, lot) => {
  text(parts.recipe, recipe);
  text(parts.lot, lot);
});

const somebody = onChange((name, role) => {
  text(parts.name, name || t("login.title"));
  text(parts.role, role && t(`role.${role}`));
});

const waiting = onChange((many) => {
  const count = rail.querySelector(".count");
  if (count) text(count, many > 999 ? "999+" : many || "");
});

// Says so where the station itself has ended a session.
const watch = (() => {
  let was = null;
  return ({ person: who, fresh, logout_s: seconds }) => {
    if (!fresh) return;
    if (was && !who && !leaving) {
      toast(t("login.ended", { name: was.name, n: Math.round(seconds / 60) }));
    }
    leaving = false;
    was = who;
  };
})();
let leaving = false;

async function person() {
  if (!state.person) return login();
  dialog(state.person.name, (close) => [
    el("p", {}, t(`role.${state.person.role}`)),
    button(t("login.out"), async () => {
      leaving = true;
      leaving = (await logout()).ok;
      close();
    }, "primary big"),
  ]);
}

function tongue() {
  dialog(t("language.title"), (close) => {
    const names = choice(Object.entries(LANGUAGES), current(), async (name) => {
      close();
      await speak(name, true);
    }, t("language.title"));
    for (const one of names.children) one.lang = one.dataset.value;
    names.classList.add("tongues");
    return names;
  });
}

async function speak(name, byHand = false) {
  const before = current();
  await use(name, byHand);
  if (ready && current() === before) return;
  for (const forget of [age, line, made, somebody, waiting]) forget.forget();
  frame();
  await go();
  show(state);
}

// Whoever touches the screen stays logged in; the station ends a session that nobody renews.
function touch() {
  const now = performance.now(); // the wall clock may be set
  if (!state.person || now - renewed < Math.min(RENEW_MS, (state.logout_s * 1000) / 3)) return;
  renewed = now;
  renew();
}

function firstWord() {
  return new Promise((resolve) => {
    const stop = onState(() => state.language && resolve());
    setTimeout(() => resolve(stop()), FIRST_WORD_MS);
  });
}

async function begin() {
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, touch, { passive: true });
  addEventListener("hashchange", async () => {
    await go();
    root.focus({ preventScroll: true });
  });
  old.addEventListener("click", () => state.locked && login());
  addEventListener("contextmenu", (event) => event.preventDefault());
  start();
  load(wanted());
  if (!chosen()) await firstWord();
  await speak(state.language ?? "en");
  ready = true;
  onState((now) => {
    show(now);
    watch(now);
  });
  ahead();
}

// All pages now, so that going to one needs no station.
async function ahead() {
  for (const name of PAGES) await load(name);
}

begin();
