// Prints how fast the simulator's tiles are: rvf_kernel.wasm in host/sandbox beside the same module in
// Node. usage: node bench/tile.mjs [folder of the modules] [folder of bench_tile]
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";

const DIMENSION = 384;
const [F16, I8] = [0, 1];
const [L2, INNER_PRODUCT, COSINE] = [0, 1, 2];
const ROUNDS = 7;

const root = new URL("../", import.meta.url).pathname;
const [modules = join(root, "build/wasm"), programs = join(root, "build/native")] =
  process.argv.slice(2);
const kernel = new WebAssembly.Module(readFileSync(join(modules, "rvf_kernel.wasm")));

const sandbox = (...args) =>
  JSON.parse(execFileSync(join(programs, "bench_tile"), args.map(String), { encoding: "utf8" }));

/** Best nanoseconds per distance in Node, over as many calls as bench/tile.cpp makes. */
function node(dtype, metric, dimension, count, scaled) {
  const tile = new WebAssembly.Instance(kernel).exports;
  const view = new DataView(tile.memory.buffer);
  for (let i = 0; i < dimension; i++) view.setUint16(0x800 + 2 * i, 0x3800 + i, true);
  let refused = tile.rvf_load_query(0x800, dimension);
  if (scaled) {
    for (let i = 0; i < 2 * dimension; i++) view.setFloat32(0x10000 + 4 * i, i % 2 ? 1 : -1, true);
    refused ||= tile.rvf_load_sq_params(0x10000, dimension);
  }
  for (let i = 0; i < 0x8000; i += 4) view.setUint32(0x10000 + i, 0x38003900 + (i % 200), true);
  refused ||= tile.rvf_load_block(0x10000, count, dtype);
  if (refused) throw new Error("The tile refuses the block.");
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 20; round++) {
    const start = performance.now();
    for (let i = 0; i < 1000; i++) tile.rvf_distances(metric, 0x1000);
    best = Math.min(best, (performance.now() - start) * 1000);
  }
  return best / count;
}

function table(title, head, rows) {
  console.log(`\n### ${title}\n`);
  console.log(`| ${head.join(" | ")} |`);
  console.log(`|${head.map((_, i) => (i ? "---:" : "---")).join("|")}|`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
}

function throughput() {
  const cases = [
    ["f16 L2", F16, L2, 42, 0],
    ["f16 inner product", F16, INNER_PRODUCT, 42, 0],
    ["f16 cosine", F16, COSINE, 42, 0],
    ["i8 L2, plain", I8, L2, 85, 0],
    ["i8 L2, SQ parameters", I8, L2, 85, 1],
  ];
  const rows = cases.map(([name, dtype, metric, count, scaled]) => {
    const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let round = 0; round < ROUNDS; round++) {
      best[0] = Math.min(best[0], node(dtype, metric, DIMENSION, count, scaled));
      best[1] = Math.min(best[1], sandbox(dtype, metric, DIMENSION, count, scaled));
    }
    const [inNode, inSandbox] = best.map((nanoseconds) => 1000 / nanoseconds);
    const share = `${((inSandbox / inNode) * 100).toFixed(0)} %`;
    return [name, inNode.toFixed(1), inSandbox.toFixed(1), share];
  });
  table(
    `A tile's distances, ${DIMENSION} dimensions, in cache (million per second)`,
    ["", "Node", "sandbox", "sandbox / Node"],
    rows,
  );
}

function calls() {
  const all = Array.from({ length: ROUNDS }, () => sandbox("calls"));
  const best = (name) => Math.min(...all.map((run) => run[name]));
  const rows = [
    ["start a tile that was stopped", "first"],
    ["start one anew whose memory was not touched", "start"],
    ["start one anew after it was used: all of its 72 KB", "restart"],
    ["call an export that refuses its arguments", "call"],
    ["ring, and be answered with an error", "ring"],
    ["catch an access out of bounds", "trap"],
    ["catch an unreachable", "raised"],
    ["catch an endless recursion", "deep"],
    ["catch an access out of bounds and start anew", "recover"],
    ["stop an endless loop (deadline 20 ms)", "loop"],
    ["look at the red zone", "redZone"],
  ].map(([name, key]) => [name, best(key).toFixed(best(key) < 1 ? 3 : 1)]);
  table("A tile's life (microseconds)", ["", "best"], rows);
}

console.log(`Node ${process.version}, ${cpus()[0].model.trim()}, ${cpus().length} cores`);
throughput();
calls();
