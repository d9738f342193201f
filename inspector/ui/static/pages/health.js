// How the station is, in four sheets: its processes, the box, what has left, who changed what.
// Promises: every process and every message that left is there; nothing is judged here that is
// not an alarm of the station's own. Never: changes anything.

import { get } from "../api.js";
import { t } from "../i18n.js";
import { choice, el, put } from "../ui.js";
import { audit } from "./health-audit.js";
import { box } from "./health-box.js";
import { departures } from "./health-departures.js";
import { services } from "./health-services.js";

const SHEETS = { services, box, departures, audit };

export function page(root, context) {
  const wanted = Object.hasOwn(SHEETS, context.rest[0] ?? "") ? context.rest[0] : "services";
  const names = Object.keys(SHEETS).map((name) => [name, t(`health.${name}`)]);
  const tabs = choice(names, wanted, (name) => context.go(`#/health/${name}`), t("nav.health"));
  const body = el("section", { class: "grow column" });
  put(root, el("div", { class: "column fill" }, tabs, body));
  return SHEETS[wanted](body, get) ?? {};
}
