// Prints the numbers that README.md quotes. bench/README.md says what each one is.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

const DIMENSION = 384;
const [F16, I8, F32] = [0, 1, 2];
const [L2, INNER_PRODUCT, COSINE] = [0, 1, 2];

const root = new URL("../", import.meta.url);
const file = (path) => readFileSync(new URL(path, root));
const instantiate = (bytes, imports) =>
  new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;

const kernelBytes = file("build/wasm/rvf_kernel.wasm");
const controlBytes = file("build/wasm/rvf_control.wasm");

/** Best time of one call of each function, in milliseconds; rounds alternate between them. */
function bestOf(rounds, ...functions) {
  const best = functions.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    functions.forEach((run, i) => {
      const start = performance.now();
      run();
      best[i] = Math.min(best[i], performance.now() - start);
    });
  }
  return best;
}

function table(title, head, rows) {
  console.log(`\n### ${title}\n`);
  console.log(`| ${head.join(" | ")} |`);
  console.log(`|${head.map((_, i) => (i ? "---:" : "---")).join("|")}|`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
}

const fixed = (value, digits = 1) => value.toFixed(digits);

/** The bits that bench/distance.cpp writes too. */
function fillBlock(view, base, bytes, dtype) {
  for (let i = 0; i < bytes; i += 4) {
    view.setUint32(base + i, dtype === F32 ? 0x3f000000 + i : 0x38003900 + (i % 200), true);
  }
}

/** A loaded tile; `run` computes all distances of its block once. */
function tileRun(dtype, metric, dimension, count) {
  const tile = instantiate(kernelBytes);
  const view = new DataView(tile.memory.buffer);
  for (let i = 0; i < dimension; i++) view.setUint16(0x800 + 2 * i, 0x3800 + i, true);
  fillBlock(view, 0x10000, 0xf000, dtype);
  if (tile.rvf_load_query(0x800, dimension) || tile.rvf_load_block(0x10000, count, dtype)) {
    throw new Error("the tile refuses the block");
  }
  return () => tile.rvf_distances(metric, 0x1000);
}

function nativeNanoseconds(dtype, metric, count) {
  const program = new URL("build/native/bench_distance", root).pathname;
  const args = [dtype, metric, DIMENSION, count, 20].map(String);
  return Number(execFileSync(program, args, { encoding: "utf8" }));
}

/** Upstream's module over the same f16 block: four slices of 96 dimensions per row. */
function upstreamRun(count) {
  const upstream = instantiate(file("node_modules/@ruvector/rvf-wasm/pkg/rvf_wasm_bg.wasm"));
  const slice = 96;
  const rows = (count * DIMENSION) / slice;
  const query = upstream.rvf_alloc(2 * slice);
  const block = upstream.rvf_alloc(2 * slice * rows);
  const result = upstream.rvf_alloc(4 * rows);
  const view = new DataView(upstream.memory.buffer);
  for (let i = 0; i < slice; i++) view.setUint16(query + 2 * i, 0x3800 + i, true);
  fillBlock(view, block, 2 * slice * rows, F16);
  if (upstream.rvf_load_query(query, slice) || upstream.rvf_load_block(block, rows, F16)) {
    throw new Error("upstream refuses the block");
  }
  return () => {
    if (upstream.rvf_distances(L2, result) !== rows) throw new Error("upstream gives no distances");
  };
}

function distances() {
  const cases = [
    ["f32 L2", F32, L2, 40],
    ["f32 inner product", F32, INNER_PRODUCT, 40],
    ["f32 cosine", F32, COSINE, 40],
    ["f16 L2", F16, L2, 40],
    ["i8 L2", I8, L2, 40],
  ];
  const rows = cases.map(([name, dtype, metric, count]) => {
    const run = tileRun(dtype, metric, DIMENSION, count);
    const many = () => {
      for (let i = 0; i < 1000; i++) run();
    };
    let wasm = Number.POSITIVE_INFINITY;
    let native = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round++) {
      wasm = Math.min(wasm, (bestOf(5, many)[0] / 1000 / count) * 1e6);
      native = Math.min(native, nativeNanoseconds(dtype, metric, count));
    }
    const share = `${fixed((native / wasm) * 100, 0)} %`;
    return [name, fixed(1000 / wasm), fixed(1000 / native), share];
  });
  table(
    `Distances, ${DIMENSION} dimensions, in cache (million per second)`,
    ["", "wasm in Node", "native SSE", "wasm / native"],
    rows,
  );

  const count = 40;
  const repeat = (run) => () => {
    for (let i = 0; i < 100; i++) run();
  };
  const [ours, theirs] = bestOf(
    30,
    repeat(tileRun(F16, L2, DIMENSION, count)),
    repeat(upstreamRun(count)),
  );
  const rate = (ms) => fixed((100 * count) / ms / 1000, 2);
  table(
    "The same f16 blocks in the upstream module (million per second)",
    ["", "rvf_kernel.wasm", "@ruvector/rvf-wasm 0.1.9", "ratio"],
    [["f16 L2", rate(ours), rate(theirs), `${fixed(theirs / ours)}x`]],
  );
}

function exactSearch() {
  const count = 100_000;
  const batch = 2000;
  const store = instantiate(controlBytes);
  const { memory } = store;
  const handle = store.rvf_store_create(DIMENSION, L2);
  const rows = store.rvf_alloc(batch * DIMENSION * 4);
  const ids = store.rvf_alloc(batch * 8);
  const out = store.rvf_alloc(120);
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 31 - 1;
  };
  for (let first = 0; first < count; first += batch) {
    const values = new Float32Array(memory.buffer, rows, batch * DIMENSION);
    for (let i = 0; i < values.length; i++) values[i] = random();
    const view = new DataView(memory.buffer);
    for (let i = 0; i < batch; i++) view.setUint32(ids + 8 * i, first + i, true);
    if (store.rvf_store_ingest(handle, rows, ids, batch) !== batch)
      throw new Error("ingest failed");
  }
  const bytes = count * DIMENSION * 4;
  const { sum_f32: sum } = instantiate(file("build/wasm/bench_sum.wasm"), { env: { memory } });
  // The rows fill nearly all of memory; the sum reads as many bytes from its end.
  const base = (memory.buffer.byteLength - bytes - 2 ** 18) & ~127;
  const rate = (ms) => bytes / ms / 1e6;
  const lines = [
    ["L2", L2],
    ["inner product", INNER_PRODUCT],
    ["cosine", COSINE],
  ].map(([name, metric]) => {
    const query = new Float32Array(memory.buffer, rows, DIMENSION);
    for (let i = 0; i < DIMENSION; i++) query[i] = random();
    const [scan, plain] = bestOf(
      30,
      () => store.rvf_store_query(handle, rows, 10, metric, out),
      () => sum(base, bytes),
    );
    const share = `${fixed((plain / scan) * 100, 0)} %`;
    return [name, fixed(1000 / scan, 0), fixed(rate(scan)), fixed(rate(plain)), share];
  });
  table(
    `Exact search, ${count.toLocaleString("en")} x ${DIMENSION} f32, k = 10`,
    ["metric", "queries/s", "GB/s", "GB/s of a plain SIMD sum", "share"],
    lines,
  );
}

function start() {
  const firstDistance = () => tileRun(F16, L2, DIMENSION, 1)();
  const firstQuery = () => {
    const store = instantiate(controlBytes);
    const handle = store.rvf_store_create(DIMENSION, L2);
    const rows = store.rvf_alloc(100 * DIMENSION * 4);
    const ids = store.rvf_alloc(800);
    const view = new DataView(store.memory.buffer);
    for (let i = 0; i < 100; i++) view.setUint32(ids + 8 * i, i, true);
    store.rvf_store_ingest(handle, rows, ids, 100);
    store.rvf_store_query(handle, rows, 10, -1, rows);
  };
  const rows = [
    ["rvf_kernel.wasm: instantiate, load, first distance", firstDistance],
    ["rvf_control.wasm: instantiate, ingest 100 x 384, first query", firstQuery],
  ].map(([name, run]) => {
    const begin = performance.now();
    run();
    const first = performance.now() - begin;
    return [name, fixed(first, 2), fixed(bestOf(20, run)[0], 2)];
  });
  table("Start (ms)", ["", "first in the process", "best of 20"], rows);
}

console.log(`Node ${process.version}, ${cpus()[0].model.trim()}, ${cpus().length} cores`);
start();
distances();
exactSearch();
