// Graph search that compares codes beside the one that compares f32 rows, and filtered searches:
// recall against the exact scan and queries a CPU second in wasm; the best of some rounds.
// usage: node bench/graph_codes.mjs WASM_BUILD [SIFT.bvecs] [ROUNDS]
//
// Needs the target bench_codes. Environment: ROWS of the clustered set (10000).
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { clustered, readBvecs } from "./sets.mjs";

const K = 10;
const QUERIES = 500;
const PORTION = 500; // rows handed over at a time
const BEAMS = [10, 12, 16, 20, 24, 32, 48, 64, 96];
const SHARES = [0.9, 0.5, 0.25, 0.1, 0.01, 0.001];
const LEAST_SECONDS = 0.15;

const [wasmBuild, sift, rounds = "3"] = process.argv.slice(2);
if (!wasmBuild) {
  console.error("usage: node bench/graph_codes.mjs WASM_BUILD [SIFT.bvecs] [ROUNDS]");
  process.exit(2);
}

const seconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

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
  engine.bench_train();
  if (engine.bench_code()) throw new Error("no memory for the codes");
  const start = seconds();
  if (engine.bench_build()) throw new Error("no memory for the graph");
  return { engine, room, build: rows / (seconds() - start) };
}

function measure(name, rows, dimension, data) {
  const { engine, room, build } = load(data, dimension, rows);
  const hits = engine.bench_alloc(12 * K);
  const each = (run) => {
    for (let q = 0; q < QUERIES; q++) run(room + q * dimension * 4, q);
  };
  const answer = (found) => {
    const view = new DataView(engine.memory.buffer, hits, 12 * K);
    return Array.from({ length: found }, (_, i) => view.getUint32(12 * i, true));
  };
  const exact = () => {
    const sets = [];
    each((query, q) => {
      sets[q] = new Set(answer(engine.bench_exact(query, 0, K, hits)));
    });
    return sets;
  };
  const recall = (expected, run) => {
    let [found, all] = [0, 0];
    each((query, q) => {
      found += answer(run(query)).filter((id) => expected[q].has(id)).length;
      all += expected[q].size;
    });
    return found / all;
  };
  const timed = (run) => {
    let times = 0;
    const start = seconds();
    do {
      each(run);
      times++;
    } while (seconds() - start < LEAST_SECONDS);
    return (seconds() - start) / times / QUERIES;
  };
  /** Recall and the best seconds of each of some searches. */
  const compare = (expected, runs) => {
    const best = runs.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < Number(rounds); round++) {
      runs.forEach((run, i) => {
        best[i] = Math.min(best[i], timed(run));
      });
    }
    return runs.map((run, i) => ({ recall: recall(expected, run), qps: Math.round(1 / best[i]) }));
  };
  const cell = ({ recall: r, qps }) => `${qps.toLocaleString("en")} R${r.toFixed(3)}`;
  const graph = (ef, codes) => (query) => engine.bench_graph(query, K, ef, hits, codes);

  console.log(`\n### ${name} (built ${Math.round(build).toLocaleString("en")} vectors/s)\n`);
  console.log("| ef | by f32 rows | by codes |\n|---:|---:|---:|");
  engine.bench_admit(0xffffffff);
  const expected = exact();
  for (const ef of BEAMS) {
    const [rowed, coded] = compare(expected, [graph(ef, 0), graph(ef, 1)]);
    console.log(`| ${ef} | ${cell(rowed)} | ${cell(coded)} |`);
  }
  console.log(
    "\n| admitted | by f32 rows, ef 32 | by codes, ef 32 | scan |\n|---:|---:|---:|---:|",
  );
  for (const share of SHARES) {
    engine.bench_admit(Math.round(share * 2 ** 32));
    const runs = [graph(32, 0), graph(32, 1), (query) => engine.bench_exact(query, 0, K, hits)];
    const [rowed, coded, scanned] = compare(exact(), runs);
    console.log(`| ${share * 100} % | ${cell(rowed)} | ${cell(coded)} | ${cell(scanned)} |`);
  }
}

const size = Number(process.env.ROWS ?? 10000);
measure(`${size} x 384, clustered`, size, 384, clustered(size + QUERIES, 384));
if (sift) measure("SIFT, 9,000 x 128", 9000, 128, readBvecs(sift).subarray(0, 9500 * 128));
