// rvf-sim: what it answers and what it prints.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { randomSource } from "../reference/random.mjs";
import { Control } from "../wasm/control.mjs";
import {
  fixture,
  inProject,
  LARGE,
  sim,
  simJson,
  simOnTerminal,
  temporary,
  written,
  writtenVectors,
} from "./sim.mjs";

const TWENTY = ["--query", LARGE, "--queries", "20"];
const FEW = ["--query", LARGE, "--queries", "4"];
const scenario = (name) => ["--scenario", inProject(`host/sim/scenarios/${name}.json`)];

/** Small whole numbers: f16 holds them, and f32 sums of their products are exact. */
function wholeVectors(seed, count, dimension) {
  const random = randomSource(seed);
  return Array.from({ length: count }, () =>
    Array.from({ length: dimension }, () => random.int(-20, 20)),
  );
}

const DISTANCE = {
  l2: (a, b) => a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0),
  inner_product: (a, b) => -a.reduce((sum, x, i) => sum + x * b[i], 0),
};

function nearest(metric, query, rows, k) {
  return rows
    .map((row, id) => ({ id: String(id), distance: DISTANCE[metric](query, row) }))
    .sort((a, b) => a.distance - b.distance || Number(a.id) - Number(b.id))
    .slice(0, k);
}

for (const metric of Object.keys(DISTANCE)) {
  for (const dtype of ["f16", "f32"]) {
    test(`answers over ${dtype} by ${metric} are those of a search in JavaScript`, () => {
      const rows = wholeVectors(7, 1000, 100);
      const queries = wholeVectors(8, 3, 100);
      const file = writtenVectors(`rows-${metric}-${dtype}.fvecs`, rows);
      const asked = writtenVectors(`queries-${metric}-${dtype}.fvecs`, queries);
      const options = ["--query", asked, "--metric", metric, "--dtype", dtype, "-k", "16"];
      const { answers } = simJson(file, ...options, "--tiles", "5");
      assert.equal(answers.length, 3);
      for (const [i, answer] of answers.entries()) {
        assert.deepEqual(answer.nearest, nearest(metric, queries[i], rows, 16));
      }
    });
  }
}

test("faults change no answer", () => {
  const healthy = simJson(LARGE, ...TWENTY);
  for (const name of ["lossy-links", "failing-tiles", "dead-array"]) {
    const faulty = simJson(LARGE, ...TWENTY, ...scenario(name), "--check");
    assert.deepEqual(faulty.answers, healthy.answers, name);
    assert.equal(faulty.check.right, true);
    assert.equal(faulty.check.stored.recall, 1);
  }
});

test("numbers of tiles change no answer", () => {
  const { answers } = simJson(LARGE, ...FEW, "--tiles", "1");
  for (const tiles of ["3", "1024"]) {
    assert.deepEqual(simJson(LARGE, ...FEW, "--tiles", tiles).answers, answers);
  }
});

test("a graph is searched, and its distances are checked", () => {
  const { check, graph, messages, answers } = simJson(
    LARGE,
    ...TWENTY,
    "--mode",
    "graph",
    "--check",
  );
  assert.match(graph, /^built, M = 16, efConstruction = 200, /);
  assert.equal(check.right, true);
  assert.ok(check.stored.recall >= 0.85, `recall ${check.stored.recall}`);
  assert.ok(messages.to_tiles > answers.length);
});

test("what f16 and i8 lose is within the stated tolerance", () => {
  for (const dtype of ["f16", "i8", "f32"]) {
    for (const metric of ["l2", "inner_product", "cosine"]) {
      const { check } = simJson(LARGE, ...FEW, "--dtype", dtype, "--metric", metric, "--check");
      assert.equal(check.error, null);
      assert.equal(check.stored.recall, 1);
      assert.ok(check.stored.largest_difference <= check.stored.allowed_there);
      assert.ok(check.file.largest_difference <= check.file.allowed_there);
      assert.ok(check.file.allowed_there > check.stored.allowed_there);
    }
  }
});

test("the query of a stored id finds it first", () => {
  const { answers } = simJson(LARGE, "--query", "id:5", "--query", "id:11", "-k", "1");
  assert.deepEqual(
    answers.map((answer) => answer.nearest[0].id),
    ["5", "11"],
  );
});

// --- What is printed ---

/** Everything but the real time depends on file, queries and scenario alone. */
const withoutRealTime = (text) => text.replace(/^( {2}real time).*$/m, "$1 -");

/** RVF_UPDATE_GOLDEN=1 writes the golden files anew; look at the difference before committing it. */
function assertGolden(name, text) {
  const path = inProject(`tests/simulator/golden/${name}`);
  if (process.env.RVF_UPDATE_GOLDEN) writeFileSync(path, text);
  assert.equal(text, readFileSync(path, "utf8"));
}

for (const name of ["lossy-links", "failing-tiles", "dead-array"]) {
  test(`the summary of ${name} is the golden one`, () => {
    const { status, stdout, stderr } = sim(LARGE, ...TWENTY, ...scenario(name), "--check");
    assert.equal(status, 0);
    assert.equal(stderr, "");
    assertGolden(`${name}.txt`, withoutRealTime(stdout));
  });
}

test("the summary of one query shows its answers", () => {
  const { stdout } = sim(LARGE, "--query", "id:5", "--tiles", "600", "-k", "5");
  assertGolden("one-query.txt", withoutRealTime(stdout));
});

test("no line is wider than 80 columns or ends in a space, and pipes get no colors", () => {
  const texts = [sim("--help").stdout, sim("--soak", "3").stdout];
  for (const name of ["lossy-links", "failing-tiles", "dead-array"]) {
    texts.push(sim(LARGE, ...TWENTY, ...scenario(name), "--tiles", "1000", "--check").stdout);
  }
  for (const line of texts.flatMap((text) => text.split("\n"))) {
    assert.ok([...line].length <= 80, line);
    assert.ok(!line.endsWith(" "), JSON.stringify(line));
    assert.ok(!line.includes("\x1b"), line);
  }
});

const ESC = "\x1b";
const BAR = `\r${ESC}[K[`;

test("a terminal gets colors and, while a run lasts, a bar that goes away again", () => {
  const shown = simOnTerminal(["--soak", "400"]);
  assert.ok(shown.includes(BAR), "a bar");
  assert.match(shown, / \d+ of 400 scenarios/);
  const pieces = shown.split(`\r${ESC}[K`);
  assert.match(pieces.pop(), /^ {2}400 random scenarios/);
  for (const bar of pieces.slice(1)) {
    const visible = bar.replaceAll(`${ESC}[32m`, "").replaceAll(`${ESC}[0m`, "");
    assert.ok(visible.length < 80, visible);
  }
  assert.ok(simOnTerminal([LARGE, "--query", "id:5"]).includes(`${ESC}[1msecurity_hardened.rvf`));
});

test("NO_COLOR, TERM=dumb and --no-color keep colors away", () => {
  const args = [LARGE, "--query", "id:5"];
  assert.ok(!simOnTerminal(args, { NO_COLOR: "1" }).includes(ESC));
  assert.ok(!simOnTerminal(args, { TERM: "dumb" }).includes(ESC));
  assert.ok(!simOnTerminal([...args, "--no-color"]).includes(ESC));
  assert.ok(simOnTerminal(args, { NO_COLOR: "" }).includes(ESC), "an empty NO_COLOR is none");
});

test("without UTF-8 the bars are ASCII", () => {
  const shown = simOnTerminal([LARGE, "--query", "id:5", "--no-color"], { LC_ALL: "C" });
  assert.ok([...shown].every((character) => character < "\x80"));
  assert.match(shown, /^ +0 {2}@/m);
});

test("ids of 20 digits are written whole, in two columns", () => {
  const control = new Control();
  const handle = control.create(2);
  const ids = Array.from({ length: 10 }, (_, i) => 2n ** 64n - 20n + BigInt(i));
  control.ingest(
    handle,
    Float32Array.from({ length: 20 }, (_, i) => i),
    ids,
  );
  const file = written("ids.rvf", control.export(handle).bytes);
  const { stdout } = sim(file, "--query", "0,1");
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  assert.match(stdout, /^ {2}18446744073709551596 +0 +18446744073709551601 +200$/m);
  const { answers } = simJson(file, "--query", "id:18446744073709551603");
  assert.equal(answers[0].nearest[0].id, "18446744073709551603");
});

test("a file without vectors has no answers", () => {
  const { status, stdout } = sim(fixture("made_empty.rvf"), "--query", "1,2,3,4", "--check");
  assert.equal(status, 0);
  assert.match(stdout, /^ {14}no answers$/m);
});

test("--quiet prints nothing, and the exit status tells", () => {
  assert.deepEqual(sim(LARGE, "--query", "id:5", "--quiet"), { status: 0, stdout: "", stderr: "" });
});

test("--json=FILE writes JSON beside the summary, --json instead of it", () => {
  const path = temporary("out.json");
  const { stdout } = sim(LARGE, "--query", "id:5", `--json=${path}`);
  assert.match(stdout, /security_hardened\.rvf/);
  const { real_ns, ...rest } = JSON.parse(readFileSync(path, "utf8"));
  const { real_ns: other, ...same } = simJson(LARGE, "--query", "id:5");
  assert.deepEqual(rest, same);
  assert.ok(real_ns > 0 && other > 0);
});

const FAULTS = [
  "out_of_bounds unreachable exhaust_stack loop_forever flip_bits write_red_zone lose duplicate",
  "delay corrupt wrong_id tile_dies all_tiles_die",
]
  .join(" ")
  .split(" ");

test("JSON has these keys", () => {
  const json = simJson(LARGE, ...TWENTY, ...scenario("lossy-links"), "--check");
  assert.equal(json.schema, "rvf-sim");
  assert.equal(json.version, 1);
  const keys = (object) => Object.keys(object).join(" ");
  assert.equal(
    keys(json),
    "schema version error file graph scenario answers jobs messages bytes layer_a_hits faults " +
      "check virtual_ns real_ns tiles_left tiles",
  );
  assert.equal(keys(json.file), "path vectors dimension warnings");
  assert.equal(
    keys(json.scenario),
    "seed tiles profile mode metric dtype k tiles_per_chip timeout_us resends quarantine_after " +
      "attempts faults",
  );
  assert.equal(keys(json.answers[0]), "query nearest");
  assert.equal(keys(json.answers[0].nearest[0]), "id distance");
  assert.equal(keys(json.jobs), "all by_tiles by_hub");
  assert.equal(keys(json.messages), "to_tiles to_hub");
  assert.equal(keys(json.bytes), "to_tiles to_hub to_chips");
  assert.equal(
    keys(json.faults),
    "injected ended found messages_resent jobs_reassigned tiles_restarted tiles_quarantined " +
      "late_replies",
  );
  assert.deepEqual(Object.keys(json.faults.injected), FAULTS);
  assert.deepEqual(Object.keys(json.faults.ended), FAULTS);
  assert.equal(keys(json.faults.ended.lose), "no_harm resent restarted quarantined");
  assert.equal(
    keys(json.faults.found),
    "trap deadline no_reply bad_reply wrong_id refused state_changed bad_operands red_zone",
  );
  assert.equal(keys(json.check), "right error stored file");
  assert.equal(keys(json.check.stored), "recall largest_difference allowed_there");
  assert.equal(keys(json.tiles[0]), "jobs messages busy_ns faults restarts quarantined");
  assert.equal(json.tiles.length, 32);
});

test("the numbers of a report agree with each other", () => {
  for (const name of ["lossy-links", "failing-tiles", "dead-array"]) {
    const json = simJson(LARGE, ...FEW, ...scenario(name));
    const sum = (list) => list.reduce((total, value) => total + value, 0);
    assert.equal(json.jobs.by_tiles + json.jobs.by_hub, json.jobs.all);
    assert.equal(sum(json.tiles.map((tile) => tile.jobs)), json.jobs.by_tiles);
    assert.equal(sum(json.tiles.map((tile) => tile.messages)), json.messages.to_tiles);
    assert.equal(json.tiles.filter((tile) => !tile.quarantined).length, json.tiles_left);
    for (const fault of FAULTS) {
      assert.equal(
        sum(Object.values(json.faults.ended[fault])),
        json.faults.injected[fault],
        fault,
      );
    }
  }
});

test("the scenario in JSON is one that runs again with the same result", () => {
  const { real_ns, ...first } = simJson(LARGE, ...TWENTY, ...scenario("failing-tiles"));
  const path = temporary("again.json");
  writeFileSync(path, JSON.stringify(first.scenario));
  const { real_ns: other, ...second } = simJson(LARGE, ...TWENTY, "--scenario", path);
  assert.deepEqual(second, first);
  assert.ok(real_ns && other);
});

test("a document that is not checked says so, and one that is says that it is right", () => {
  assert.match(sim(LARGE, "--query", "id:5").stdout, /\n {2}answered, not checked \(--check\)\n$/);
  assert.match(sim(LARGE, "--query", "id:5", "--check").stdout, /\n {2}right: [^\n]*\n$/);
});

test("--version names the kernel inside, which is the one of the build", () => {
  const kernel = inProject("build/wasm/rvf_kernel.wasm");
  assert.ok(existsSync(kernel));
  assert.match(
    sim("--version").stdout,
    /^rvf-sim \d+\.\d+\.\d+\nkernel: [\d,]+ bytes, sha256 \w+\n$/,
  );
  assert.equal(sim(LARGE, "--query", "id:5", "--kernel", kernel).status, 0);
});
