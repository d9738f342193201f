// What the workshop has of a product, and what it is at.
// Promises: what it says of one product is never shown of another. Never: orders anything.

import { get } from "../api.js";

const NOTHING = { job: "idle", product: "", good: 0, defective: 0, wanted: 0, warnings: [], step: "",
  progress: 0, taught: null, shadow: null, error: "", label: "" };
const STEP_OF = { teaching: "teach", shadow: "shadow", switching: "adopt" };

const shadows = new Map(); // what was last seen in shadow, by product
const limits = new Map(); // chosen with the slider, by the model taught

/** The limits in question for a taught model: those chosen on this screen, or the taught ones. */
export const limitsOf = (taught) =>
  limits.get(taught.model) ?? { review: taught.review, fail: taught.fail };

export const chooseLimits = (taught, chosen) => limits.set(taught.model, chosen);

/** {now, products, take(workshop), look(), of(product), stepOf(product)} */
export function shop() {
  const self = { now: NOTHING, products: [], take, look, of, stepOf };

  function take(workshop) {
    self.now = workshop ?? NOTHING;
    if (self.now.shadow && isOwn(self.now.product)) shadows.set(self.now.product, self.now.shadow);
  }

  /** Ask what there is. True when it could be had. */
  async function look() {
    const found = await get("/api/workshop").catch(() => null);
    if (found) self.products = found.products;
    return Boolean(found);
  }

  /** Proving is of models; so are the counts then of whatever was worked on before. */
  const isOwn = (product) => self.now.product === product && self.now.job !== "proving";

  /** The state of one product. `other`: the job that the workshop is at for something else. */
  function of(product) {
    const { now } = self;
    const kept = self.products.find((one) => one.product === product);
    const shadow = shadows.get(product);
    const same = shadow && shadow.model === kept?.taught?.model;
    const idle = { ...NOTHING, ...kept, product, shadow: same ? shadow : null };
    if (!isOwn(product)) return { ...idle, other: now.job === "idle" ? "" : now.job };
    // A switch may be one of the page Models, with the counts of another product.
    if (now.job === "switching") {
      return { ...idle, job: now.job, step: now.step, progress: now.progress, other: "" };
    }
    return { ...now, shadow: now.shadow ?? idle.shadow, other: "" };
  }

  /** Where to go on with a product. */
  function stepOf(product) {
    const { job, label } = isOwn(product) ? self.now : NOTHING;
    if (job === "collecting") return label || "good";
    if (job in STEP_OF) return STEP_OF[job];
    const kept = self.products.find((one) => one.product === product);
    return kept?.taught ? "limit" : kept?.good ? "teach" : "good";
  }

  return self;
}
