// Runs a module of the delegation workload in V8. One JSON command a line on standard input:
// first {"mode"}, then {"ask": number} for an answer, or {"turn": calls} for nanoseconds of
// processor time a call, over the requests in their order.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function instantiate(file) {
  return new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {}).exports;
}

// The bench guest: ids copied in, a number out.
function guest() {
  const plugin = instantiate("guest.wasm");
  const body = readFileSync("body");
  const at = plugin.bench_alloc(body.length);
  new Uint8Array(plugin.memory.buffer, at >>> 0, body.length).set(body);
  if (plugin.bench_load(at, body.length) !== 1) throw new Error("the guest refuses the world");
  const request = plugin.bench_alloc(1024) >>> 0;
  const view = new Uint8Array(plugin.memory.buffer, request, 1024);
  const requests = JSON.parse(readFileSync("requests.json", "utf8")).map(([ids, edit]) => ({ ids, edit: edit ? 1 : 0 }));
  const decide = ({ ids, edit }) => {
    const [agent, user, tool, node] = ids;
    // Ids of the workload are ASCII: as many bytes as characters.
    encoder.encodeInto(agent + user + tool + node, view);
    return plugin.bench_decide(request, agent.length, user.length, tool.length, node.length, edit) === 1;
  };
  return { requests, decide };
}

// The module that is shipped: JSON in and out, as docs/abi.md describes.
function shipped(config) {
  const plugin = instantiate("module.wasm");
  const collect = (answer) => {
    const address = Number(BigInt.asUintN(32, answer >> 32n));
    const length = Number(BigInt.asUintN(32, answer));
    const text = decoder.decode(new Uint8Array(plugin.memory.buffer, address, length));
    plugin.mandate_free(address, length);
    return text;
  };
  const call = (name, bytes) => {
    const address = plugin.mandate_alloc(bytes.length) >>> 0;
    new Uint8Array(plugin.memory.buffer, address, bytes.length).set(bytes);
    return collect(plugin[name](address, bytes.length));
  };
  const answer = call("mandate_configure_state", encoder.encode(config));
  if (answer !== "{}") throw new Error(answer);
  const loaded = call("mandate_load", readFileSync("container"));
  if (!loaded.includes('"epoch"')) throw new Error(loaded);
  const requests = JSON.parse(readFileSync("requests.json", "utf8"));
  const holds = (question) => call("mandate_relation_holds", encoder.encode(question)).startsWith('{"allowed":true');
  return { requests, decide: (questions) => questions.every(holds) };
}

let world;
let next = 0;

function turn(calls) {
  const { requests, decide } = world;
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call += 1) {
    decide(requests[next]);
    next = next + 1 === requests.length ? 0 : next + 1;
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1000) / calls;
}

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer = "ready";
  if (command.mode === "guest") world = guest();
  else if (command.mode === "module") world = shipped(command.config);
  else if (command.turn !== undefined) answer = turn(command.turn);
  else answer = world.decide(world.requests[command.ask]);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
