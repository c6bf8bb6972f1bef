// Our engine beside others, in CPU time: bench/README.md says how.
// usage: node bench/peers/run.mjs [--full] [--engines TEXT,...] [--sets TEXT,...]
//
// --engines takes those of processes.mjs whose names hold one of the texts, --sets those of sets.mjs
// (10k, sift, 100k). Environment: RVF_WASM_BUILD and RVF_NATIVE_BUILD, other build folders.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { ENGINES } from "./processes.mjs";
import { limitsOf, measure } from "./rounds.mjs";
import { FULL_SETS, QUICK_SETS, writeSet } from "./sets.mjs";
import { EF_CONSTRUCTION, K, M } from "./settings.mjs";
import { printFailures, printRatios, printSet, printSummary, whole } from "./tables.mjs";
import { bruteForce } from "./truth.mjs";

const { values } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    engines: { type: "string", default: "" },
    sets: { type: "string", default: "" },
  },
});
const chosen = (texts, name) => texts.split(",").some((text) => name.includes(text));
const engines = ENGINES.filter(({ adapter }) => chosen(values.engines, adapter));
const sets = (values.full ? FULL_SETS : QUICK_SETS).filter(({ key }) => chosen(values.sets, key));

const progress = (text) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
};
const load = () => `load ${loadavg()[0].toFixed(1)}`;

console.log(
  `Node ${process.version}, ${cpus()[0].model.trim()}, ${cpus().length} cores, ${load()} at first. ` +
    `M = ${M}, efConstruction = ${EF_CONSTRUCTION}, k = ${K}, L2, one thread, one query at a time. ` +
    "Per CPU second, the best of some rounds, each at the smallest ef that reaches the recall.",
);
const started = performance.now();
const folder = mkdtempSync(join(tmpdir(), "rvf-peers-"));
const measured = [];
try {
  for (const [i, source] of sets.entries()) {
    progress(`${source.name}: vectors and true answers`);
    const set = writeSet(join(folder, String(i)), source);
    const recall = bruteForce(set, [set.rows, ...limitsOf(set)]);
    const results = await measure(engines, set, recall, progress);
    rmSync(set.folder, { recursive: true });
    progress("");
    printSet(set, results);
    measured.push({ set, results });
  }
} finally {
  rmSync(folder, { recursive: true });
}
printSummary(measured);
printRatios(measured);
printFailures(measured);
console.log(`\n${whole((performance.now() - started) / 1e3)} s, ${load()} at last.`);
