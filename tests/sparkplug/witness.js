// A second listener, on the client that the specification's own project offers: sparkplug-client.
// One line of JSON per message that it could decode. Usage: node witness.js PORT GROUP
"use strict";

const [port, group] = process.argv.slice(2);
// Its log goes to stdout, where the messages are.
console.info = console.debug = console.log = () => {};

const client = require("sparkplug-client").newClient({
  serverUrl: `mqtt://127.0.0.1:${port}`,
  username: "",
  password: "",
  groupId: "witnesses",
  edgeNode: "witness",
  clientId: "witness",
  version: "spBv1.0",
});

client.on("connect", () => {
  client.subscribeTopic(`spBv1.0/${group}/#`, { qos: 0 }, () => {
    process.stdout.write(JSON.stringify({ verb: "READY" }) + "\n");
  });
});
client.on("message", (topic, payload) => {
  const verb = topic.split("/")[2];
  const number = (value) => (value !== null && typeof value === "object" ? Number(value) : value);
  const metrics = payload.metrics.map((one) => ({ name: one.name, value: number(one.value) }));
  process.stdout.write(JSON.stringify({ verb, topic, seq: number(payload.seq), metrics }) + "\n");
});
process.stdin.on("close", () => process.exit(0)).resume();
