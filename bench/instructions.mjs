// Prints how many instructions the native tile executes per distance and per message, counted by
// valgrind's callgrind: the same numbers every time. Builds are compared with them, not machines.
//
//   node bench/instructions.mjs [native build]
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";

const [F16, I8, F32] = [0, 1, 2];
const [L2, INNER_PRODUCT, COSINE] = [0, 1, 2];
const ROWS = { [F16]: 40, [I8]: 40, [F32]: 20 }; // of the block in instructions.cpp
const REPEATS = 200;

const root = new URL("../", import.meta.url).pathname;
const [build = join(root, "build/native")] = process.argv.slice(2);
const program = join(build, "bench_instructions");

/** Instructions of a whole run. */
function count(args) {
  const options = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
  const { status, stderr } = spawnSync("valgrind", [...options, program, ...args.map(String)], {
    encoding: "utf8",
    env: {}, // which the start of a process looks through
  });
  const collected = /Collected : (\d+)/.exec(stderr);
  if (status !== 0 || !collected) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
  return Number(collected[1]);
}

/** Instructions of one repetition: what more of them cost. */
const perRepetition = (...args) => (count([...args, REPEATS]) - count([...args, 0])) / REPEATS;

function table(title, head, rows) {
  console.log(`\n### ${title}\n`);
  console.log(`| ${head.join(" | ")} |`);
  console.log(`|${head.map((_, i) => (i ? "---:" : "---")).join("|")}|`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
}

const whole = (value) => Math.round(value).toLocaleString("en");

function distances() {
  const cases = [
    ["f16 L2", F16, L2, 0],
    ["f16 inner product", F16, INNER_PRODUCT, 0],
    ["f16 cosine", F16, COSINE, 0],
    ["i8 L2, plain", I8, L2, 0],
    ["i8 L2, SQ parameters", I8, L2, 1],
    ["f32 L2", F32, L2, 0],
    ["f32 cosine", F32, COSINE, 0],
  ];
  const rows = cases.map(([name, dtype, metric, scaled]) => {
    const each = perRepetition("distances", dtype, metric, scaled) / ROWS[dtype];
    return [name, whole(each)];
  });
  table("Instructions per distance, 384 dimensions", ["", "instructions"], rows);
}

function messages() {
  const block = perRepetition("LOAD_BLOCK last");
  const rows = [
    ["LOAD_QUERY, 384 dimensions", perRepetition("LOAD_QUERY")],
    ["LOAD_BLOCK, a full part of 2,020 bytes", perRepetition("LOAD_BLOCK part")],
    ["LOAD_BLOCK, the last of 40 vectors: their ids", block],
    ["LOAD_BLOCK, a step of a search: one vector", perRepetition("search step")],
    ["LOAD_NEIGHBORS, 16 ids", perRepetition("LOAD_NEIGHBORS")],
    ["LOAD_NEIGHBORS, empty", perRepetition("LOAD_NEIGHBORS empty")],
    ["LOAD_PARAMS, configuration", perRepetition("LOAD_PARAMS configuration")],
    ["LOAD_PARAMS, SQ of 250 dimensions", perRepetition("LOAD_PARAMS SQ")],
    ["COMPUTE, 40 x 384 f16", perRepetition("COMPUTE") - block],
    ["READ_TOPK, 16 entries", perRepetition("READ_TOPK")],
    ["RESET", perRepetition("RESET")],
    ["ERROR for a wrong length", perRepetition("refused")],
  ].map(([name, instructions]) => [name, whole(instructions)]);
  table("Instructions per message, from doorbell to reply", ["", "instructions"], rows);
}

if (spawnSync("valgrind", ["--version"]).status !== 0) {
  throw new Error("There is no valgrind: apt-get install --no-install-recommends valgrind");
}
const version = execFileSync("valgrind", ["--version"], { encoding: "utf8" }).trim();
console.log(`${version}, clang -O2, SSE2`);
distances();
messages();
