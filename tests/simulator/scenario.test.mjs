// Scenario files: what is read, what is refused and with which words, and that runs repeat.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { inProject, LARGE, sim, simJson, temporary, written } from "./sim.mjs";

const QUERIES = ["--query", LARGE, "--queries", "4"];
const FAULT_NAMES =
  "out_of_bounds, unreachable, exhaust_stack, loop_forever, flip_bits, write_red_zone, lose, " +
  "duplicate, delay, corrupt, wrong_id, tile_dies or all_tiles_die";

test("every key is read", () => {
  const scenario = {
    tiles: 7,
    profile: "full",
    mode: "blocks",
    metric: "inner_product",
    dtype: "i8",
    k: 3,
    tiles_per_chip: 4,
    timeout_us: 20.5,
    resends: 0,
    quarantine_after: 9,
    attempts: 5,
    faults: [
      {
        name: "corrupt",
        rate: 0.25,
        direction: "to_hub",
        tile: 2,
        bits: 64,
        from_us: 1.5,
        to_us: 250,
        count: 3,
      },
      { name: "duplicate", rate: 0.5 },
    ],
  };
  const path = written("all.json", JSON.stringify({ description: "all keys", ...scenario }));
  const read = simJson(LARGE, ...QUERIES, "--scenario", path, "--seed", "12").scenario;
  assert.deepEqual(read, { seed: 12, ...scenario });
});

test("a seed has 64 bits", () => {
  const path = written("seed.json", '{ "seed": 18446744073709551615 }');
  const { stdout } = sim(LARGE, ...QUERIES, "--scenario", path, "--json");
  assert.match(stdout, /"seed": 18446744073709551615,/);
});

test("what the command line says wins over the file", () => {
  const path = written("tiles.json", '{ "tiles": 3, "k": 2, "seed": 9, "faults": [] }');
  const { scenario } = simJson(LARGE, ...QUERIES, "--scenario", path, "--tiles", "5");
  assert.equal(scenario.tiles, 5);
  assert.equal(scenario.k, 2);
  assert.equal(scenario.seed, 9);
});

const REFUSED = [
  ["{", "line 1: "],
  ['{\n  "tiles": 4,\n  "seed": 1,\n}', "line 4: "],
  ['{\n  "tiles": 4\n  "seed": 1\n}', "line 3: "],
  ["", "line 1: "],
  ["[]", "a scenario is an object: { ... }"],
  ['{ "tiles": 0 }', '"tiles" is 0; allowed: a whole number from 1 to 4,096'],
  ['{ "tiles": 1.5 }', '"tiles" is 1.5; allowed: a whole number from 1 to 4,096'],
  ['{ "tiles": "4" }', '"tiles" is "4"; allowed: a whole number from 1 to 4,096'],
  ['{ "tiles": -1 }', '"tiles" is -1; allowed: a whole number from 1 to 4,096'],
  ['{ "tile": 4 }', 'there is no key "tile"; did you mean "tiles"?'],
  [
    '{ "zzz": 4 }',
    'there is no key "zzz"; allowed: description, seed, tiles, profile, mode, metric, dtype, k, ' +
      "tiles_per_chip, timeout_us, resends, quarantine_after, attempts or faults",
  ],
  ['{ "tiles": 4, "tiles": 5 }', '"tiles" is there twice in one object'],
  ['{ "profile": "warm" }', '"profile" is "warm"; allowed: "core", "hot" or "full"'],
  ['{ "mode": 1 }', '"mode" is 1; allowed: "blocks" or "graph"'],
  ['{ "metric": "l1" }', '"metric" is "l1"; allowed: "l2", "inner_product" or "cosine"'],
  ['{ "dtype": null }', '"dtype" is null; allowed: "f16", "i8" or "f32"'],
  ['{ "k": 17 }', '"k" is 17; allowed: a whole number from 1 to 16'],
  [
    '{ "timeout_us": 19 }',
    '"timeout_us" is 19; allowed: microseconds, a number from 20 to 1,000,000',
  ],
  ['{ "description": 1 }', '"description" is 1; allowed: a text'],
  ['{ "faults": {} }', '"faults" is {}; allowed: a list of faults, each an object with a "name"'],
  ['{ "faults": [1] }', '"faults[0]" is not an object with a "name"'],
  ['{ "faults": [{}] }', `"faults[0]" has no "name"; allowed: ${FAULT_NAMES}`],
  [
    '{ "faults": [{ "name": "lose" }] }',
    '"faults[0]" has no "rate", the probability per message, from 0 to 1',
  ],
  [
    '{ "faults": [{ "name": "lose", "rate": 0 }, { "name": "loose", "rate": 1 }] }',
    `"faults[1].name" is "loose" (did you mean lose?); allowed: ${FAULT_NAMES}`,
  ],
  [
    '{ "faults": [{ "name": "lose", "rate": 1.5 }] }',
    '"faults[0].rate" is 1.5; allowed: a number from 0 to 1',
  ],
  [
    '{ "faults": [{ "name": "lose", "rate": 1, "bits": 65 }] }',
    '"faults[0].bits" is 65; allowed: a whole number from 1 to 64',
  ],
  [
    '{ "faults": [{ "name": "lose", "rate": 1, "direction": "up" }] }',
    '"faults[0].direction" is "up"; allowed: "to_tile", "to_hub" or "both"',
  ],
  [
    '{ "faults": [{ "name": "lose", "rate": 1, "from": 3 }] }',
    'there is no key "faults[0].from"; did you mean "from_us"?',
  ],
  [
    '{ "faults": [{ "name": "lose", "rate": 1, "from_us": 5, "to_us": 5 }] }',
    '"faults[0].to_us" must be larger than from_us, or nothing ever strikes',
  ],
];

for (const [index, [text, message]] of REFUSED.entries()) {
  test(`refused: ${text || "an empty file"}`, () => {
    const path = written(`refused-${index}.json`, text);
    const { status, stdout, stderr } = sim(LARGE, ...QUERIES, "--scenario", path);
    assert.equal(status, 3);
    assert.equal(stdout, "");
    const start = `rvf-sim: ${path}: ${message}`;
    if (message.startsWith("line")) assert.ok(stderr.startsWith(start), stderr);
    else assert.equal(stderr, `${start}\n`);
    assert.equal(stderr.split("\n").length, 2, "one line");
  });
}

test("a scenario for a tile that the array does not have", () => {
  const path = written(
    "tile.json",
    '{ "tiles": 4, "faults": [{ "name": "lose", "rate": 1, "tile": 4 }] }',
  );
  const { status, stderr } = sim(LARGE, ...QUERIES, "--scenario", path);
  assert.equal(status, 3);
  assert.match(stderr, /"faults\[0\]\.tile" is 4; the array has tiles 0 to 3/);
});

// --- The same run again ---

test("the same seed writes the same log, another seed another one", () => {
  const scenario = ["--scenario", inProject("host/sim/scenarios/failing-tiles.json")];
  const logOf = (name, ...args) => {
    const path = temporary(name);
    assert.equal(sim(LARGE, ...QUERIES, ...scenario, "--log", path, ...args).status, 0);
    return readFileSync(path);
  };
  const first = logOf("first.log");
  assert.ok(first.equals(logOf("second.log")));
  assert.ok(!first.equals(logOf("third.log", "--seed", "2")));
  assert.match(first.toString().split("\n")[0], /^0 ns, tile 0: started$/);
});

test("a log on standard output is the same as in a file", () => {
  const path = temporary("file.log");
  sim(LARGE, ...QUERIES, "--log", path);
  const { stdout } = sim(LARGE, ...QUERIES, "--log", "-");
  assert.equal(stdout, readFileSync(path, "utf8"));
});

// --- docs/simulator.md ---

const DOCS = readFileSync(inProject("docs/simulator.md"), "utf8");

test("the examples of docs/simulator.md are the files, and each of them runs", () => {
  const names = readdirSync(inProject("host/sim/scenarios"));
  assert.equal(names.length, 3);
  for (const name of names) {
    const path = inProject(`host/sim/scenarios/${name}`);
    assert.ok(DOCS.includes(`\`\`\`json\n${readFileSync(path, "utf8")}\`\`\``), name);
    const { check } = simJson(LARGE, ...QUERIES, "--scenario", path, "--check");
    assert.equal(check.right, true);
  }
});

test("docs/simulator.md describes every key and every fault", () => {
  const keys = REFUSED.find(([text]) => text.includes("zzz"))[1].match(/allowed: (.*)$/)[1];
  for (const name of `${keys}, ${FAULT_NAMES}`.split(/, | or /)) {
    assert.match(DOCS, new RegExp(`^\\| \`${name}\` \\|`, "m"));
  }
});

test("docs/simulator.md shows the help as it is", () => {
  assert.ok(DOCS.includes(`\`\`\`text\n${sim("--help").stdout}\`\`\``));
});
