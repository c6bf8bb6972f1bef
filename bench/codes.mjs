// Search by codes beside the scan of f32 rows, in wasm in CPU time; the best of some rounds, which
// alternate. Every answer of the exact ones is compared.
// usage: node bench/codes.mjs WASM_BUILD [SIFT.bvecs] [ROUNDS]
//
// Needs the target bench_codes. Environment: ROWS of the generated sets (100000).
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { clustered, readBvecs, uniformRows } from "./sets.mjs";

const K = 10;
const QUERIES = 100;
const PORTION = 500; // rows handed over at a time
const METRICS = ["L2", "inner product", "cosine"];

const [wasmBuild, sift, rounds = "3"] = process.argv.slice(2);
if (!wasmBuild) {
  console.error("usage: node bench/codes.mjs WASM_BUILD [SIFT.bvecs] [ROUNDS]");
  process.exit(2);
}

const seconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

function timed(run) {
  const start = seconds();
  run();
  return seconds() - start;
}

function load(data, dimension, rows) {
  const module = new WebAssembly.Module(readFileSync(join(wasmBuild, "bench_codes.wasm")));
  const engine = new WebAssembly.Instance(module).exports;
  engine.bench_make(dimension, 0);
  const room = engine.bench_alloc(PORTION * dimension * 4);
  const put = (first) => {
    const portion = data.subarray(first * dimension, (first + PORTION) * dimension);
    new Float32Array(engine.memory.buffer, room, portion.length).set(portion);
  };
  for (let first = 0; first < rows; first += PORTION) {
    put(first);
    if (!engine.bench_add_at(room, PORTION, first)) throw new Error("no memory for the rows");
  }
  put(rows);
  return { engine, room };
}

function measure(name, rows, dimension, data) {
  const { engine, room } = load(data, dimension, rows);
  const before = engine.bench_memory();
  const train = timed(() => engine.bench_train());
  let failed = 0;
  const code = timed(() => {
    failed = engine.bench_code();
  });
  if (failed) throw new Error("no memory for the codes");
  const bytes = (engine.bench_memory() - before) / rows;
  console.log(`\n### ${name}\n`);
  console.log(
    `Ranges ${(train * 1e3).toFixed(0)} ms, codes ${(code * 1e3).toFixed(0)} ms, ` +
      `${bytes.toFixed(0)} bytes a row more.\n`,
  );
  console.log(
    "| | f32 rows, QPS | by codes, QPS | rows read | batch of f32 rows | batch by codes |",
  );
  console.log("|---|---:|---:|---:|---:|---:|");
  const hits = engine.bench_alloc(12 * K * QUERIES);
  const found = engine.bench_alloc(8 * QUERIES);
  METRICS.forEach((metricName, metric) => {
    const best = Array(4).fill(Number.POSITIVE_INFINITY);
    let read = 0;
    const each = (run) => {
      for (let q = 0; q < QUERIES; q++) run(room + q * dimension * 4, q);
    };
    const answer = () => Buffer.from(engine.memory.buffer, hits, 12 * K).toString("hex");
    const expected = [];
    each((query, q) => {
      engine.bench_exact(query, metric, K, hits);
      expected[q] = answer();
    });
    each((query, q) => {
      read += engine.bench_codes(query, metric, K, hits) / QUERIES;
      if (answer() !== expected[q]) throw new Error(`query ${q}: not the exact answer`);
    });
    const batch = (byCodes) => engine.bench_batch(room, QUERIES, metric, K, hits, found, byCodes);
    for (const byCodes of [0, 1]) {
      batch(byCodes);
      const all = Buffer.from(engine.memory.buffer, hits, 12 * K * QUERIES).toString("hex");
      if (all !== expected.join("")) throw new Error("a batch is not the exact answer");
    }
    const runs = [
      () => each((query) => engine.bench_exact(query, metric, K, hits)),
      () => each((query) => engine.bench_codes(query, metric, K, hits)),
      () => batch(0),
      () => batch(1),
    ];
    for (let round = 0; round < Number(rounds); round++) {
      runs.forEach((run, i) => {
        best[i] = Math.min(best[i], timed(run));
      });
    }
    const qps = (time) => Math.round(QUERIES / time).toLocaleString("en");
    const [plain, coded, ...batches] = best.map(qps);
    console.log(`| ${[metricName, plain, coded, read.toFixed(0), ...batches].join(" | ")} |`);
  });
}

const size = Number(process.env.ROWS ?? 100000);
measure(`${size} x 384, clustered`, size, 384, clustered(size + QUERIES, 384));
measure(`${size} x 384, uniform`, size, 384, uniformRows(size + QUERIES, 384));
if (sift) measure("SIFT, 9,000 x 128", 9000, 128, readBvecs(sift).subarray(0, 9100 * 128));
