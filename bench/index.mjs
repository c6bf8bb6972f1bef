// Memory by part, opening, and what a scan and a walk cost, of the package with its index.
// usage: node bench/index.mjs [--full]
//
// 10,000 x 384, with --full 100,000 x 384. Every number comes from a process of its own, because
// WebAssembly memory never shrinks; of several, in turn, the median counts.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { init, RvfSearcher, RvfStore } from "../js/dist/node.js";
import { clustered, randomNumbers } from "./sets.mjs";

const [task, rowsText, path] = process.argv.slice(2);
const dimension = 384;
const portion = 1000;
const mebi = 2 ** 20;

const now = () => performance.now();

function filled(vectors, rows, width) {
  const store = RvfStore.create(width);
  for (let first = 0; first < rows; first += portion) {
    const ids = Array.from({ length: Math.min(portion, rows - first) }, (_, i) => first + i);
    store.ingest(vectors.subarray(first * width, (first + ids.length) * width), ids);
  }
  return store;
}

function parts(owner) {
  const { rows, ids, module } = owner.memoryUsage();
  const { graphBytes, codesBytes } = owner.indexState();
  return { rows, ids, graph: graphBytes, codes: codesBytes, module };
}

const vectorsOf = (rows) => clustered(rows, dimension);

const tasks = {
  graph(rows) {
    const store = filled(vectorsOf(rows), rows, dimension);
    store.createIndex({ codes: false });
    store.buildIndex();
    return parts(store);
  },
  codes(rows) {
    const store = filled(vectorsOf(rows), rows, dimension);
    store.createIndex();
    store.buildIndex();
    const memory = parts(store);
    store.saveIndex();
    writeFileSync(path, store.changes().bytes);
    return memory;
  },
  outside: () => parts(RvfSearcher.open(readFileSync(path))),

  /** What opening is measured by: the bytes of the file are copied into new memory. */
  copy() {
    const bytes = readFileSync(path);
    const start = now();
    const memory = new WebAssembly.Memory({ initial: 1 });
    memory.grow(Math.ceil(bytes.length / 65536));
    new Uint8Array(memory.buffer).set(bytes);
    return now() - start;
  },
  whole() {
    const bytes = readFileSync(path);
    const start = now();
    const store = RvfStore.open(bytes);
    store.loadIndex();
    store.query(new Float32Array(dimension), 10, { mode: "hnsw" });
    return now() - start;
  },
  searcher() {
    const bytes = readFileSync(path);
    const start = now();
    RvfSearcher.open(bytes).query(new Float32Array(dimension), 10);
    return now() - start;
  },
};

function run(name, rows, file) {
  const args = [fileURLToPath(import.meta.url), name, String(rows), file];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Microseconds a query takes. */
function timeOf(queries, width, ask) {
  let least = Infinity;
  for (let round = 0; round < 5; round++) {
    const start = now();
    for (let at = 0; at < queries.length; at += width) ask(queries.subarray(at, at + width));
    least = Math.min(least, ((now() - start) * 1e3 * width) / queries.length);
  }
  return least;
}

function printMemory(rows, file) {
  const columns = {
    "vectors and graph": "graph",
    "and codes": "codes",
    "vectors outside": "outside",
  };
  const memories = Object.values(columns).map((name) => run(name, rows, file));
  const each = (bytes) => (bytes / rows).toFixed(1);
  console.log(
    `\n| bytes per vector, ${rows.toLocaleString("en")} x ${dimension} | ${Object.keys(columns).join(" | ")} |`,
  );
  console.log("|---|---:|---:|---:|");
  const row = (title, part) => console.log(`| ${title} | ${memories.map(part).join(" | ")} |`);
  row("vectors and columns", ({ rows: bytes }) => each(bytes));
  row("ids and their map", ({ ids }) => each(ids));
  row("graph", ({ graph }) => each(graph));
  row("codes", ({ codes }) => each(codes));
  row("the module's memory, MiB", ({ module }) => (module / mebi).toFixed(1));
}

function printOpening(rows, file) {
  const columns = {
    copy: "copying the bytes into new memory",
    whole: "RvfStore.open, loadIndex, query",
    searcher: "RvfSearcher.open of bytes, query",
  };
  const names = Object.keys(columns);
  const rounds = Array.from({ length: 11 }, () => names.map((name) => run(name, rows, file)));
  console.log("\n| opening and a first answer, with the index | ms | times copying the bytes |");
  console.log("|---|---:|---:|");
  for (const [i, name] of names.entries()) {
    const ms = median(rounds.map((round) => round[i]));
    const ratio = median(rounds.map((round) => round[i] / round[0]));
    console.log(`| ${columns[name]} | ${ms.toFixed(1)} | ${ratio.toFixed(2)} |`);
  }
}

function printChoices() {
  const rows = 10_000;
  console.log(
    `\n| ${rows.toLocaleString("en")} vectors | scan by codes, us | ef | walk, us | recall | scanned rows for one of ef |`,
  );
  console.log("|---|---:|---:|---:|---:|---:|");
  const sets = {
    "384, clustered": [dimension, clustered(rows + 200, dimension)],
    "128, isotropic": [128, gaussian(rows + 200, 128)],
  };
  for (const [name, [width, vectors]] of Object.entries(sets)) {
    const store = filled(vectors, rows, width);
    store.createIndex();
    store.buildIndex();
    const queries = vectors.subarray(rows * width);
    const scan = timeOf(queries, width, (query) => store.query(query, 10));
    for (const ef of [16, 64, 256, 1024]) {
      const walk = timeOf(queries, width, (query) => store.query(query, 10, { mode: "hnsw", ef }));
      const recall = store.measureRecall(queries, 10, { ef });
      const scanned = (walk / ef / scan) * rows;
      console.log(
        `| ${name} | ${scan.toFixed(0)} | ${ef} | ${walk.toFixed(0)} | ${recall.toFixed(3)} | ${scanned.toFixed(0)} |`,
      );
    }
    store.close();
  }
}

function gaussian(count, width) {
  return Float32Array.from({ length: count * width }, randomNumbers(3).normal);
}

await init(undefined, { search: true });
if (task in tasks) {
  console.log(JSON.stringify(tasks[task](Number(rowsText))));
} else {
  const rows = process.argv.includes("--full") ? 100_000 : 10_000;
  const folder = mkdtempSync(join(tmpdir(), "rvf-index-"));
  try {
    const file = join(folder, "vectors.rvf");
    printMemory(rows, file);
    printOpening(rows, file);
    printChoices();
  } finally {
    rmSync(folder, { recursive: true });
  }
}
