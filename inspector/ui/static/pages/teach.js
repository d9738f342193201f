// A product taught on the running line, in six steps from its name to the switch.
// Promises: the line goes on meanwhile; only the last step changes what decides; product and step
// stand in the address, so that they come back after a restart of anything.
// Never: keeps more itself than where somebody was: the rest is the workshop's.

import { order } from "../api.js";
import { onChange, put } from "../ui.js";
import { guide } from "./teach-guide.js";
import { shop } from "./teach-shop.js";
import { PRODUCT, STEPS, starting } from "./teach-start.js";

const OWN = ["collecting", "teaching", "shadow", "switching"];

let came = []; // where somebody was when the page was left

export function page(root, context) {
  const work = shop();
  let sheet = null;
  let state = null;
  let asked = context.rest.filter(Boolean);
  if (!asked.length) asked = came;

  const path = {
    product: "",
    step: "",
    recipe: () => state.live.coming || state.live.recipe,
    model: () => state.live.last?.model ?? "",
    go: (step) => open(path.product, step),
    begin: (product) => open(product, work.stepOf(product)),
    leave: () => open("", ""),
    stop: () => order({ order: "stop_work" }, { quiet: true }),
    look: () => work.look().then(draw),
    to: context.go,
  };

  function open(product, step) {
    sheet?.leave?.();
    Object.assign(path, { product, step });
    came = [product, step].filter(Boolean);
    const address = `#/${["teach", ...came].join("/")}`;
    if (location.hash !== address) history.replaceState(null, "", address);
    put(root);
    sheet = product ? guide(root, path) : starting(root, path);
    draw();
  }

  function draw() {
    if (state && sheet) sheet.update(work, state.live);
  }

  /** The place in the address; without one, what the workshop is at. */
  function place() {
    const { job, product: worked } = work.now;
    const [product, step] = asked.length || !OWN.includes(job) ? asked : [worked];
    if (!PRODUCT.test(product ?? "")) return path.leave();
    open(product, STEPS.includes(step) ? step : work.stepOf(product));
  }

  const changed = onChange(async () => {
    await work.look();
    if (left) return;
    if (sheet) draw();
    else place();
  });
  let left = false;

  return {
    update(now) {
      state = now;
      work.take(now.live.workshop);
      changed(work.now.job, work.now.product, now.fresh, work.now.taught?.model);
      draw();
    },
    leave() {
      left = true;
      sheet?.leave?.();
    },
  };
}
