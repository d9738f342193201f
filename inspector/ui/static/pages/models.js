// The station's models: which decides, which could, and how good each was measured to be.
// Promises: a version is proven before it is put in use, and going back is one touch; what is
// not in order says why. Never: removes a version.

import { get, order } from "../api.js";
import { clock, has, number, percent, t } from "../i18n.js";
import { score } from "../part.js";
import { attribute, button, confirm, el, onChange, put, sign, text, toast } from "../ui.js";
import { historyDialog } from "./models-history.js";
import { jobWords, stepWords } from "./teach-words.js";

const SHARES = ["image_auroc", "pixel_auroc", "aupro", "overkill", "escapes", "review"];
const OWN = ["proving", "switching"];

export function page(root) {
  const work = working();
  const list = el("div", { class: "scroll grow column", tabindex: "0", role: "region",
    "aria-label": t("nav.models") });
  put(root, el("div", { class: "column fill" },
    el("div", { class: "row top" }, work.root, button(t("models.history"), historyDialog)), list));
  let busy = false;
  let decides = ""; // the model that the line judges with
  let found = null;
  let asked = 0;

  async function look() {
    asked += 1;
    const mine = asked;
    const answer = await get("/api/models").catch((error) => ({ error: error.message }));
    if (mine !== asked) return;
    found = answer;
    draw();
  }
  function draw() {
    if (!found) return;
    if (found.error) return put(list, el("p", { class: "panel bad-text" }, found.error));
    const { models, proofs } = found;
    const groups = grouped(models, decides);
    put(list, groups.length ? groups.map((group) => family(group, { proofs, busy, decides }))
      : el("p", { class: "panel lead" }, t("models.none")));
  }
  // What was ordered shows as soon as the workshop is done with it.
  const changed = onChange(look);
  const hold = onChange((...now) => {
    [busy, decides] = now;
    draw();
  });
  return {
    update({ live, fresh }) {
      const now = live.workshop;
      work.update(now);
      hold(!now || now.job !== "idle", live.last?.model ?? "");
      changed(now?.job, now?.product, live.recipe, fresh);
    },
  };
}

/** What the workshop is at, and how its last work on a model ended. */
function working() {
  const light = el("span", { class: "light" });
  const words = el("p", {});
  const meter = el("progress", { "aria-label": t("models.progress") });
  const stop = button(t("teach.stop"), () => order({ order: "stop_work" }, { quiet: true }));
  const root = el("div", { class: "panel row grow work", role: "status" },
    light, el("div", { class: "grow" }, words, meter), stop);
  let job = "";
  let ended = "";
  const draw = onChange((busy, kind, said, problem) => {
    stop.hidden = meter.hidden = !busy;
    put(light, sign(kind, 40));
    attribute(root, "data-kind", kind);
    text(words, said);
    words.classList.toggle("bad-text", problem);
  });
  return {
    root,
    update(now) {
      if (!now) return draw(false, "fault", t("models.no_workshop"), false);
      if (now.job === "idle" && OWN.includes(job)) ended = now.error || "well";
      if (now.job === "idle" && OWN.includes(job) && !now.error) toast(t("models.ended"));
      if (now.job !== "idle") ended = "";
      job = now.job;
      if (job !== "idle") {
        const step = stepWords(now.step.replace(/^proving .*/, "proving"));
        return draw(true, "note", [jobWords(job, now.product), step].filter(Boolean).join(" "), false);
      }
      const failed = Boolean(now.error) && ended !== "well";
      draw(false, failed ? "fault" : ended ? "pass" : "none",
        failed ? t("teach.problem", { text: now.error }) : t(ended ? "models.ended" : "models.idle"), failed);
    },
  };
}

const idOf = ({ name, version: id }) => `${name}@${id}`;

/** By name; the one that decides first, and of each what is in use. */
function grouped(models, decides) {
  const names = [...new Set(models.map((one) => one.name))];
  const rank = (one) => 4 * (idOf(one) === decides) + 2 * one.current + one.previous;
  const groups = names.map((name) => models.filter((one) => one.name === name)
    .sort((a, b) => rank(b) - rank(a)));
  const first = (group) => group.some((one) => idOf(one) === decides);
  return groups.sort((a, b) => first(b) - first(a));
}

function family(versions, known) {
  const { busy } = known;
  const { name } = versions[0];
  const back = versions.some((one) => one.previous && !one.problem);
  const go = async () => {
    if (await confirm(t("models.back"), t("models.back.sure", { name }), t("models.back"))) {
      await order({ order: "back_model", name }, { quiet: true });
    }
  };
  return el("section", { class: "panel family", "aria-label": name },
    el("div", { class: "row" }, el("h2", { class: "grow cut" }, name),
      back && button(t("models.back"), go, "", { disabled: busy })),
    versions.map((one) => version(one, known)));
}

function version(one, { proofs, busy, decides }) {
  const { name, version: id, current, previous, problem } = one;
  const proof = proofs.find((stamp) => stamp.model === idOf(one));
  const use = async () => {
    if (await confirm(t("models.use"), t("models.use.sure", { name, version: id }), t("models.use"))) {
      await order({ order: "use_model", name, version: id }, { quiet: true });
    }
  };
  const prove = () => order({ order: "prove_model", name, version: id }, { quiet: true });
  const tag = idOf(one) === decides ? "deciding"
    : current ? "current" : previous ? "previous" : "candidate";
  const installed = one.installed !== false;
  return el("article", { class: `version ${tag}` },
    el("div", { class: "grow" },
      el("p", { class: "row wrap" }, el("strong", { class: "id" }, id),
        el("span", { class: "tag" }, t(`models.${tag}`)),
        problem && el("span", { class: "tag bad" }, sign("fail", 24), t("models.damaged")),
        !installed && el("span", { class: "tag" }, t("models.elsewhere")),
        el("span", { class: "small muted" }, proof
          ? t("models.proven", { when: clock(proof.wall_ns, true), difference: number(proof.difference, 4) })
          : t("models.unproven"))),
      problem ? el("p", { class: "bad-text", lang: "en" }, problem) : measured(one),
      el("p", { class: "small muted" }, origin(one))),
    installed && !problem && el("div", { class: "row" },
      button(t("models.prove"), prove, "", { disabled: busy }),
      !current && button(t("models.use"), use, "primary", { disabled: busy })));
}

/** Figures, each with its interval and the images that it was measured on. */
function measured({ metrics = [], limits }) {
  return el("div", { class: "figures" },
    metrics.map((one) => el("p", { class: "figure" }, el("span", {}, label(one.name)),
      el("strong", {}, value(one, one.value)),
      el("span", { class: "small muted" }, [one.low !== null && one.low !== undefined
        && `${value(one, one.low)} – ${value(one, one.high)}`, t("models.images", { n: one.images })]
        .filter(Boolean).join(" · ")))),
    limits && el("p", { class: "figure" }, el("span", {}, t("part.limits.short")),
      el("strong", {}, `${score(limits.review)} / ${score(limits.fail)}`),
      el("span", { class: "small muted" }, t("models.limits.are"))));
}

function origin({ installed, task, made_from: from, calibration }) {
  return [installed === false && t("models.elsewhere.how"),
    task && t(`models.task.${task}`),
    calibration && t("models.taught_from", { n: calibration.good_images }),
    from && !calibration && t("models.from", { from: from.split("/").pop() })].filter(Boolean).join(" · ");
}

const label = (name) => (has(`metric.${name}`) ? t(`metric.${name}`) : name.replaceAll("_", " "));
const value = ({ name }, figure) => (SHARES.includes(name) ? percent(figure, 1) : number(figure, 3));
