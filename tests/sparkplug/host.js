// A Sparkplug B host: keeps the specification's rules on what it hears, and says what breaks them.
// Decodes with sparkplug-payload; one line of JSON per message on stdout, orders on stdin:
// {"do": "online" | "offline" | "rebirth" | "publish" | "crash", ...}.
// Usage: node host.js PORT GROUP NODE [HOST_ID]
"use strict";

const mqtt = require("mqtt");
const sparkplug = require("sparkplug-payload").get("spBv1.0");

const [port, group, node, hostId] = process.argv.slice(2);
const state = `spBv1.0/STATE/${hostId}`;
const known = new Map(); // alias -> name, of the node and its device
let seq = null; // of the last message, null before a birth
let bdSeq = null;
let since = Date.now();

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const number = (value) => (value !== null && typeof value === "object" ? Number(value) : value);
const testament = (online) => JSON.stringify({ online, timestamp: since });

const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
  protocolVersion: 5,
  clean: true,
  keepalive: 5,
  reconnectPeriod: 200,
  clientId: `host-${hostId || "nobody"}`,
  will: hostId ? { topic: state, payload: testament(false), qos: 1, retain: true } : undefined,
});

client.on("connect", () => {
  client.subscribe(`spBv1.0/${group}/#`, { qos: 1 }, () => {
    if (hostId) client.publish(state, testament(true), { qos: 1, retain: true });
    say({ verb: "READY" });
  });
});
client.on("error", (error) => say({ verb: "ERROR", text: String(error) }));

function metricsOf(payload, verb, wrong) {
  return payload.metrics.map((metric) => {
    const alias = metric.alias === undefined ? undefined : number(metric.alias);
    const named = metric.name !== undefined && metric.name !== "";
    if (verb.endsWith("BIRTH")) {
      if (!named) wrong.push(`a metric without a name in ${verb}`);
      if (alias !== undefined && known.has(alias)) wrong.push(`alias ${alias} is used twice`);
      if (alias === undefined && metric.name !== "Node Control/Rebirth")
        wrong.push(`${metric.name} without an alias`);
      if (alias !== undefined) known.set(alias, metric.name);
    } else if (verb.endsWith("DATA")) {
      if (named) wrong.push(`a name in ${verb}`);
      if (!known.has(alias)) wrong.push(`alias ${alias} is in no birth`);
    }
    if (verb !== "NDEATH" && metric.timestamp === undefined) wrong.push("a metric without a time");
    return {
      name: named ? metric.name : known.get(alias),
      type: metric.type,
      value: number(metric.value),
      at: number(metric.timestamp),
      historical: metric.isHistorical === true,
    };
  });
}

function follow(verb, payload, packet, wrong) {
  const told = payload.seq === undefined || payload.seq === null ? null : number(payload.seq);
  if (packet.retain) wrong.push(`${verb} is retained`);
  if (verb === "NBIRTH") {
    if (told !== 0) wrong.push(`NBIRTH with seq ${told}`);
    known.clear();
  } else if (verb !== "NDEATH") {
    if (seq === null) wrong.push(`${verb} before NBIRTH`);
    else if (told !== (seq + 1) % 256) wrong.push(`seq ${told} after ${seq}`);
  }
  if (verb === "NDEATH" && told !== null) wrong.push("NDEATH with seq");
  if (verb !== "NDEATH" && payload.timestamp === undefined) wrong.push(`${verb} without a time`);
  return told;
}

client.on("message", (topic, message, packet) => {
  const [, , verb] = topic.split("/");
  if (!["NBIRTH", "NDATA", "NDEATH", "DBIRTH", "DDATA", "DDEATH"].includes(verb)) return;
  const wrong = [];
  const payload = sparkplug.decodePayload(message);
  const told = follow(verb, payload, packet, wrong);
  const metrics = metricsOf(payload, verb, wrong);
  const number = (metrics.find((metric) => metric.name === "bdSeq") || {}).value;
  let stale = false;
  if (verb === "NBIRTH") bdSeq = number;
  if (verb === "NDEATH") {
    stale = number !== bdSeq; // of an earlier connection: the node lives
    if (!stale) seq = null;
  } else seq = told;
  say({ verb, topic, seq: told, bdSeq, stale, bytes: message.length, metrics, wrong });
});

function rebirth() {
  const metrics = [{ name: "Node Control/Rebirth", type: "Boolean", value: true }];
  return sparkplug.encodePayload({ timestamp: Date.now(), metrics });
}

const orders = {
  online: () => {
    since = Date.now();
    client.publish(state, testament(true), { qos: 1, retain: true });
  },
  offline: () => {
    since = Date.now();
    client.publish(state, testament(false), { qos: 1, retain: true });
  },
  rebirth: () => client.publish(`spBv1.0/${group}/NCMD/${node}`, rebirth()),
  publish: ({ topic, hex, retain }) =>
    client.publish(topic, Buffer.from(hex, "hex"), { qos: 1, retain: Boolean(retain) }),
  crash: () => client.stream.destroy(),
};

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const order = JSON.parse(line);
    orders[order.do](order);
  })
  .on("close", () => process.exit(0));
