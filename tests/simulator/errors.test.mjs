// rvf-sim refuses what it cannot do: one line that says what to do about it, and an exit status.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fixture, inProject, LARGE, sim, written } from "./sim.mjs";

const USAGE = 2;
const REFUSED = 3;
const CANNOT_WRITE = 4;

function assertRefused(args, status, message) {
  const result = sim(...args);
  assert.equal(result.stderr, `rvf-sim: ${message}\n`);
  assert.equal(result.status, status);
  assert.equal(result.stdout, "");
}

const QUERY = ["--query", "id:5"];

const COMMAND_LINES = [
  [[], "which file? Try: rvf-sim FILE.rvf --query id:1, or --help"],
  [["a.rvf"], "no query; give --query, for example --query id:1"],
  [["a.rvf", "--tils", "4"], 'there is no option "--tils"; did you mean --tiles?'],
  [["a.rvf", "--qery=1"], 'there is no option "--qery"; did you mean --query?'],
  [["a.rvf", "--frobnicate"], 'there is no option "--frobnicate"; --help lists all'],
  [["a.rvf", "-z"], 'there is no option "-z"; --help lists all'],
  [["a.rvf", "--tiles"], "--tiles needs a value"],
  [["a.rvf", "--quiet=yes"], "--quiet takes no value"],
  [["a.rvf", "--tiles", "0"], '--tiles: "0" is not allowed; give a whole number from 1 to 4,096'],
  [
    ["a.rvf", "--tiles", "4097"],
    '--tiles: "4097" is not allowed; give a whole number from 1 to 4,096',
  ],
  [["a.rvf", "-k", "17"], '-k: "17" is not allowed; give a whole number from 1 to 16'],
  [["a.rvf", "-k", "-1"], '-k: "-1" is not allowed; give a whole number from 1 to 16'],
  [
    ["a.rvf", "--seed", "18446744073709551616"],
    '--seed: "18446744073709551616" is not allowed; give a whole number of at least 0',
  ],
  [["a.rvf", "--m", "1"], '--m: "1" is not allowed; give a whole number from 2 to 64'],
  [
    ["a.rvf", "--ef-construction", "x"],
    '--ef-construction: "x" is not allowed; give a whole number from 1 to 4,096',
  ],
  [["a.rvf", "--mode", "grpah"], '--mode: "grpah" is not allowed; give blocks or graph'],
  [["a.rvf", "--dtype", "f64"], '--dtype: "f64" is not allowed; give f16, i8 or f32'],
  [
    ["a.rvf", "--metric", "hamming"],
    '--metric: "hamming" is not allowed; give l2, inner_product or cosine',
  ],
  [["a.rvf", "--profile", "warm"], '--profile: "warm" is not allowed; give core, hot or full'],
  [["a.rvf", ...QUERY, "b.rvf"], 'one file at a time; "b.rvf" is one too many'],
  [
    ["a.rvf", ...QUERY, "--json", "b.json"],
    "one file at a time; to write JSON to a file say --json=b.json",
  ],
  [
    ["a.rvf", ...QUERY, "--json", "--trace", "-"],
    "--json and --trace both want standard output; give one a file",
  ],
  [["--soak", "0"], '--soak: "0" is not allowed; give a whole number of at least 1'],
  [["--soak", "1", "--tiles", "4"], "--soak makes its own scenarios; leave --tiles out"],
  [["a.rvf", ...QUERY, "--seeds", "4"], "--seeds is of --soak; the seed of one run is --seed"],
  [["--soak", "1", "a.rvf"], '--soak makes its own data; leave "a.rvf" out'],
  [
    ["a.rvf", "--tiles", "4\x1b[31m"],
    '--tiles: "4?[31m" is not allowed; give a whole number from 1 to 4,096',
  ],
];

for (const [args, message] of COMMAND_LINES) {
  test(`rvf-sim ${args.join(" ").replace("\x1b", "ESC")}`, () => {
    assertRefused(args, USAGE, message);
  });
}

test("a file that is not there", () => {
  assertRefused(["no.rvf", ...QUERY], REFUSED, "there is no file no.rvf");
  assertRefused(["\x1b[31m.rvf", ...QUERY], REFUSED, "there is no file ?[31m.rvf");
});

test("a query that the file cannot answer", () => {
  assertRefused(
    [LARGE, "--query", "1,2,3"],
    REFUSED,
    `--query "1,2,3": the query has 3 dimensions, but the vectors of ${LARGE} have 512`,
  );
});

test("dimensions beyond those of a tile", () => {
  const { status, stderr } = sim(fixture("made_dim1536.rvf"), ...QUERY);
  assert.equal(status, REFUSED);
  assert.match(stderr, /^rvf-sim: .*1536 dimensions.*at most 1024\n$/);
});

test("dimensions beyond those of a core tile", () => {
  const scenario = written("core.json", '{ "profile": "core" }');
  const { status, stderr } = sim(LARGE, ...QUERY, "--scenario", scenario);
  assert.equal(status, REFUSED);
  assert.match(stderr, /dimensions/);
  assert.match(stderr, /512/);
  assert.match(stderr, /384/);
});

test("a file that is not for the reader's profile: the rule, the value and what to do", () => {
  const { status, stderr } = sim(LARGE, ...QUERY, "--profile", "hot");
  assert.equal(status, REFUSED);
  assert.match(stderr, /is not for a hot reader:\n {2}/);
  assert.match(stderr, /profile/);
  assert.match(stderr, /full/);
});

test("a graph on core tiles", () => {
  const { status, stderr } = sim(LARGE, ...QUERY, "--profile", "core", "--mode", "graph");
  assert.equal(status, REFUSED);
  assert.match(stderr, /^rvf-sim: mode graph needs profile hot/);
});

// --- Kernels ---

const KERNEL = readFileSync(inProject("build/wasm/rvf_kernel.wasm"));

/** The kernel with a custom section that makes it `bytes` long. */
function kernelOf(bytes) {
  const content = bytes - KERNEL.length - 3;
  const section = Buffer.alloc(3 + content);
  section.set([0, 0x80 | (content & 0x7f), content >> 7]);
  const module = Buffer.concat([KERNEL, section]);
  assert.ok(WebAssembly.validate(module));
  return written(`kernel-${bytes}.wasm`, module);
}

test("a kernel over its budget", () => {
  const path = kernelOf(6000);
  assertRefused(
    [LARGE, ...QUERY, "--kernel", path],
    REFUSED,
    `${path} has 6,000 bytes; its budget is 5,500 of the 8,192 that a tile has for code`,
  );
});

test("a kernel over a tile's code memory", () => {
  const path = kernelOf(8193);
  assertRefused(
    [LARGE, ...QUERY, "--kernel", path],
    REFUSED,
    `${path} has 8,193 bytes; the code memory of a tile has 8,192`,
  );
});

test("another kernel than the one inside", () => {
  const other = Buffer.from(KERNEL);
  other[other.length - 1] ^= 1;
  const path = written("other.wasm", other);
  const { status, stderr } = sim(LARGE, ...QUERY, "--kernel", path);
  assert.equal(status, REFUSED);
  assert.match(stderr, /other\.wasm is not the kernel inside this program \(.*-DRVF_WASM_BUILD=/);
});

test("something else than a kernel", () => {
  assertRefused(
    [LARGE, ...QUERY, "--kernel", LARGE],
    REFUSED,
    `${LARGE} is not a WebAssembly module`,
  );
});

// --- Writing ---

test("a file that cannot be created", () => {
  assertRefused(
    [LARGE, ...QUERY, "--log", "/nowhere/run.log"],
    CANNOT_WRITE,
    "cannot create /nowhere/run.log: No such file or directory",
  );
});

for (const option of ["--log=", "--trace=", "--json="]) {
  test(`a full disk under ${option}`, () => {
    const { status, stderr } = sim(LARGE, ...QUERY, "--quiet", `${option}/dev/full`);
    assert.equal(stderr, "rvf-sim: cannot write /dev/full: No space left on device\n");
    assert.equal(status, CANNOT_WRITE);
  });
}
