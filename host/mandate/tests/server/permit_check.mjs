// Asks npm `permitio` the checks of standard input, and prints what it answers.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { Permit } = createRequire(`${process.env.MANDATE_NODE_MODULES}/`)("permitio");
const asked = JSON.parse(readFileSync(0, "utf8"));
const permit = new Permit({ token: asked.token, pdp: asked.pdp, throwOnError: true });
const answers = [];
for (const one of asked.checks) {
  answers.push(await permit.check(one.user, one.action, one.resource, one.context));
}
// One context is for all of them there: it goes with the first check's.
const bulk = await permit.bulkCheck(asked.checks, asked.checks[0].context);
process.stdout.write(`\n${JSON.stringify({ check: answers, bulk })}\n`);
