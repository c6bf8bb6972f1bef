// Graph search: vectors a second built and queries a second at two recalls, of our engine in wasm
// and natively and of hnswlib, in CPU time; the best of some rounds, which alternate.
// usage: node bench/hnsw.mjs WASM_BUILD NATIVE_BUILD [SIFT.bvecs] [ROUNDS]
//
// Needs the targets bench_hnsw of both builds and bench_hnswlib_both (libhnswlib-dev) of the native
// one. Environment: ROWS of the clustered set (10000), ENGINES whose names hold this text, CURVE=1
// for every point measured.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { clustered, readBvecs } from "./sets.mjs";

const K = 10;
const QUERIES = 500;
const PORTION = 500; // rows handed over at a time
const BEAMS = [10, 16, 20, 24, 32, 40, 48, 64, 96, 128];
const LEAST_SECONDS = 0.2;

const [wasmBuild, nativeBuild, sift, rounds = "2"] = process.argv.slice(2);
if (!nativeBuild) {
  console.error("usage: node bench/hnsw.mjs WASM_BUILD NATIVE_BUILD [SIFT.bvecs] [ROUNDS]");
  process.exit(2);
}

/** The squared distance in double precision. */
function distance(set, row, query) {
  const { data, dimension, rows } = set;
  const a = row * dimension;
  const b = (rows + query) * dimension;
  let sum = 0;
  for (let d = 0; d < dimension; d++) sum += (data[a + d] - data[b + d]) ** 2;
  return sum;
}

/** The distance of the K-th nearest row of each query. */
function worstOf(set) {
  return Float64Array.from({ length: QUERIES }, (_, query) => {
    const all = Float64Array.from({ length: set.rows }, (_, row) => distance(set, row, query));
    return all.sort()[K - 1];
  });
}

function recall(set, ids) {
  let found = 0;
  for (let query = 0; query < QUERIES; query++) {
    for (const id of ids.subarray(query * K, (query + 1) * K)) {
      found += distance(set, id, query) <= set.worst[query] ? 1 : 0;
    }
  }
  return found / QUERIES / K;
}

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

function runWasm(set) {
  const module = new WebAssembly.Module(readFileSync(join(wasmBuild, "bench_hnsw.wasm")));
  const engine = new WebAssembly.Instance(module).exports;
  const { data, dimension, rows } = set;
  engine.bench_make(dimension);
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
  const firstQuery = room;
  const hits = engine.bench_alloc(12 * K);
  let start = cpuSeconds();
  if (!engine.bench_build()) throw new Error("no memory for the graph");
  const build = cpuSeconds() - start;
  const ids = new Uint32Array(BEAMS.length * QUERIES * K);
  const view = new DataView(engine.memory.buffer);
  const query = BEAMS.map((ef, beam) => {
    for (let q = 0; q < QUERIES; q++) {
      const found = engine.bench_search(firstQuery + q * dimension * 4, K, ef, hits);
      for (let i = 0; i < found; i++) {
        ids[(beam * QUERIES + q) * K + i] = view.getUint32(hits + 12 * i, true);
      }
    }
    let times = 0;
    let seconds = 0;
    start = cpuSeconds();
    do {
      for (let q = 0; q < QUERIES; q++) {
        engine.bench_search(firstQuery + q * dimension * 4, K, ef, hits);
      }
      times++;
      seconds = cpuSeconds() - start;
    } while (seconds < LEAST_SECONDS);
    return seconds / times / QUERIES;
  });
  return { build, query, ids, memory: engine.bench_memory() / 2 ** 20 };
}

function runNative(program, set) {
  const answers = join(nativeBuild, "bench_hnsw.ids");
  const args = [set.file, set.dimension, set.rows, QUERIES, answers, ...BEAMS].map(String);
  const printed = execFileSync(join(nativeBuild, program), args, { encoding: "utf8" });
  const bytes = readFileSync(answers);
  const ids = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return { ...JSON.parse(printed), ids };
}

const engines = [
  ["rvf, wasm in Node", runWasm],
  ["rvf, native SSE", (set) => runNative("bench_hnsw", set)],
  ["hnswlib, SSE", (set) => runNative("bench_hnswlib", set)],
  ["hnswlib, -march=native", (set) => runNative("bench_hnswlib_native", set)],
].filter(([name]) => name.includes(process.env.ENGINES ?? ""));

function measure(name, rows, dimension, data) {
  const file = join(nativeBuild, "bench_hnsw.f32");
  writeFileSync(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  const set = { data, dimension, rows, file };
  set.worst = worstOf(set);
  const best = engines.map(() => null);
  for (let round = 0; round < Number(rounds); round++) {
    engines.forEach(([, run], i) => {
      const result = run(set);
      best[i] ??= { ...result };
      best[i].build = Math.min(best[i].build, result.build);
      best[i].query = best[i].query.map((seconds, j) => Math.min(seconds, result.query[j]));
    });
  }
  console.log(`\n### ${name}\n`);
  console.log("| | build, vectors/s | QPS, recall >= 0.95 | QPS, recall >= 0.99 |");
  console.log("|---|---:|---:|---:|");
  engines.forEach(([engine], i) => {
    const { build, query, ids } = best[i];
    const curve = query.map((seconds, j) => {
      const part = ids.subarray(j * QUERIES * K, (j + 1) * QUERIES * K);
      return { ef: BEAMS[j], seconds, recall: recall(set, part) };
    });
    const at = (least) => {
      const good = curve.filter((point) => point.recall >= least);
      if (good.length === 0) return "never";
      const {
        ef,
        seconds,
        recall: reached,
      } = good.reduce((a, b) => (a.seconds < b.seconds ? a : b));
      return `${Math.round(1 / seconds).toLocaleString("en")} @${ef} R${reached.toFixed(3)}`;
    };
    const built = Math.round(rows / build).toLocaleString("en");
    console.log(`| ${engine} | ${built} | ${at(0.95)} | ${at(0.99)} |`);
    if (process.env.CURVE) {
      if (best[i].memory) console.log(`memory ${best[i].memory.toFixed(1)} MiB`);
      console.log(
        curve
          .map((p) => `${p.ef}: ${p.recall.toFixed(3)}, ${Math.round(1 / p.seconds)}`)
          .join(" · "),
      );
    }
  });
}

const size = Number(process.env.ROWS ?? 10000);
measure(`${size} x 384, clustered`, size, 384, clustered(size + QUERIES, 384));
if (sift) measure("SIFT, 9,000 x 128", 9000, 128, readBvecs(sift).subarray(0, 9500 * 128));
