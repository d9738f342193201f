// Decodes Sparkplug payloads with sparkplug-payload: hexadecimal lines in, lines of JSON out.
"use strict";

const sparkplug = require("sparkplug-payload").get("spBv1.0");
const plain = (key, value) =>
  value !== null && typeof value === "object" && "low" in value ? Number(value) : value;

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const payload = sparkplug.decodePayload(Buffer.from(line, "hex"));
    process.stdout.write(JSON.stringify(payload, plain) + "\n");
  });
