// What an operator may do to the line: pause and resume, another recipe, another lot.
// Promises: a pause says beforehand what becomes of the parts; nothing is ordered by one stray
// touch. Never: offers a recipe that cannot be loaded.

import { get, order } from "../api.js";
import { t } from "../i18n.js";
import { button, confirm, dialog, el, icon, keyboard, onChange, put, text } from "../ui.js";

/** {root, update(state)} */
export function controls() {
  let live = null;
  const pause = el("button", { type: "button", class: "button pause", onclick: () => halt(live) });
  const recipe = named("recipe", () => chooseRecipe(live));
  const lot = named("lot", () => newLot(live.coming || live.recipe, live.lot));
  const root = el("section", { class: "controls", "aria-label": t("line.controls") },
    pause, recipe.root, lot.root);

  const paused = onChange((is) => {
    pause.classList.toggle("primary", is);
    put(pause, icon(is ? "play" : "pause"), el("span", {}, t(is ? "line.resume" : "line.pause")));
  });
  return {
    root,
    update(state) {
      live = state.live;
      paused(live.mode === "paused");
      recipe.show(live.coming ? t("line.coming", { recipe: live.coming }) : live.recipe);
      lot.show(live.lot || "–");
    },
  };
}

function named(name, onclick) {
  const value = el("strong", { class: "cut" });
  const root = el("button", { type: "button", class: "button named", onclick },
    el("span", { class: "label" }, t(`line.${name}`)), value);
  return { root, show: (words) => text(value, words) };
}

async function halt(live) {
  if (live.mode === "paused") return order({ order: "resume" });
  const { pause = "unknown" } = await get("/api/recipes").catch(() => ({}));
  const sure = await confirm(t("line.pause.title"), t(`line.pause.${pause}`), t("line.pause"));
  if (sure) await order({ order: "pause" });
}

async function chooseRecipe(live) {
  const { recipes } = await get("/api/recipes").catch(() => ({ recipes: [] }));
  dialog(t("line.recipe.title"), (close) => {
    if (!recipes.length) return el("p", {}, t("common.unreachable"));
    return el("div", { class: "column" }, recipes.map(({ name, problem }) => {
      const take = () => {
        close();
        newLot(name, live.lot);
      };
      const choose = button(name, take, "wide-button", {
        "aria-pressed": String(name === live.recipe), disabled: Boolean(problem),
      });
      return problem ? [choose, el("p", { class: "muted small" }, problem)] : choose;
    }));
  });
}

function newLot(recipe, lot) {
  const label = t("line.lot.title", { recipe });
  dialog(label, (close) => keyboard({
    value: lot,
    label,
    done: (name) => {
      close();
      order({ order: "set_recipe", recipe, lot: name.trim() });
    },
  }), { wide: true });
}
