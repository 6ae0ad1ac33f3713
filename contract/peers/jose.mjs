// npm jose as an implementation of the conformance protocol (docs/conformance.md).
//
// It does what a careful user of jose does with its documented interface, and nothing that jose does
// not offer: where the library has no such check, the answer shows it.
// Run: MANDATE_NODE_MODULES=…/node_modules node jose.mjs

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.env.MANDATE_NODE_MODULES ?? join(process.cwd(), "node_modules");
const entry = createRequire(join(folder, "entry.js")).resolve("jose");
const { compactVerify, createLocalJWKSet, decodeJwt, errors, jwtVerify } = await import(
  pathToFileURL(entry).href
);

const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

// What a preset of the contract stands for.
const PRESETS = {
  keycloak: [{ claim: "/typ", equals: "Bearer" }],
  authentik: [{ claim: "/scope", present: true }],
};

// Imported keys live in the set: one set for each text of one.
const sets = new Map();
function keySet(keys) {
  const text = JSON.stringify(keys);
  let set = sets.get(text);
  if (set === undefined) {
    set = createLocalJWKSet(keys);
    if (sets.size >= 64) sets.clear();
    sets.set(text, set);
  }
  return set;
}

async function verify(request) {
  const keys = "keys" in request.keys ? request.keys : { keys: [request.keys] };
  await compactVerify(request.token, keySet(keys), { algorithms: ALGORITHMS });
}

async function validate(request) {
  const { token, trust } = request;
  const { contract } = trust;
  const stated = decodeJwt(token).iss;
  const issuer = contract.issuers.find((one) => one.issuer === stated);
  if (issuer === undefined) throw new errors.JWTInvalid("iss");
  const { app, audience } = findApp(contract, request.audience);
  if (!(app.issuers ?? [stated]).includes(stated)) throw new errors.JWTInvalid("iss");
  const set = trust.key_sets.find((one) => one.issuer === stated);
  if (set === undefined) throw new errors.JWKSNoMatchingKey();
  if ("fetched_at" in set) return "jose's local key set has no age";
  // Of the claim tests, jose offers presence of a top-level claim.
  const present = [...(PRESETS[issuer.preset] ?? []), ...(issuer.claim_tests ?? [])]
    .filter((test) => test.present !== false)
    .map((test) => test.claim.slice(1))
    .filter((name) => !name.includes("/"));
  const options = {
    algorithms: issuer.algorithms,
    audience,
    issuer: stated,
    clockTolerance: contract.skew_seconds ?? 60,
    currentDate: new Date(request.now * 1000),
    requiredClaims: ["exp", "sub", ...present],
  };
  await jwtVerifyTyped(token, keySet(set.keys), options, acceptedTypes(issuer));
  return null;
}

function acceptedTypes(issuer) {
  const preset = issuer.preset === undefined ? ["at+jwt"] : ["JWT"];
  const types = new Set((issuer.types ?? preset).map((type) => type.replace(/^application\//, "")));
  return issuer.type_absent === true ? [undefined] : [...types];
}

// jose takes one `typ`: where the issuer has several, each is tried.
async function jwtVerifyTyped(token, keys, options, types) {
  let last = new errors.JWTInvalid("no accepted type");
  for (const typ of types) {
    try {
      return await jwtVerify(token, keys, { ...options, typ });
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

function findApp(contract, audience) {
  const audiences = contract.apps.flatMap((app) =>
    [app, ...(app.routes ?? [])].map((place) => ({ app, audience: place.audience })),
  );
  const found = audiences.find(
    (one) => one.audience === audience || (audience === undefined && audiences.length === 1),
  );
  if (found === undefined) throw new errors.JWTInvalid("the contract lists no such audience");
  return found;
}

async function answer(line) {
  const request = JSON.parse(line);
  const { id, op } = request;
  try {
    if (op === "jws") {
      await verify(request);
      return { id, valid: true, reason: "ok" };
    }
    const skip = await validate(request);
    if (skip !== null) return { id, skip };
    return { id, verdict: "allow", reason: "ok", detail: "" };
  } catch (error) {
    // Whatever it throws, the caller has no claims.
    const reason = error.code ?? error.name;
    if (op === "jws") return { id, valid: false, reason };
    return { id, verdict: "deny", reason, detail: String(error.message).slice(0, 200) };
  }
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
