// What the hub in a JavaScript engine says to input that it does not take.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { builtHub, nodeTiles } from "./web.mjs";

const GOOD = Object.freeze({
  dimension: 2,
  ids: BigUint64Array.of(7n, 2n ** 64n - 1n),
  rows: Float32Array.of(1, 0, 0, 1),
  queries: [Float32Array.of(1, 0)],
});

describe("the hub in this engine refuses", () => {
  let hub;
  before(async () => {
    hub = await builtHub();
  });
  const run = (scenario, data = GOOD) => hub.run(JSON.stringify(scenario), data, nodeTiles());

  test("nothing that is as described", () => {
    const { report, answers } = run({ k: 2, metric: "l2" });
    assert.equal(report.error, "");
    assert.deepEqual(answers, [
      [
        { id: 7n, distance: 0 },
        { id: 2n ** 64n - 1n, distance: 2 },
      ],
    ]);
  });

  for (const [what, scenario, words] of [
    ["a key that it does not know", { tilse: 4 }, /"tilse".*did you mean "tiles"/],
    ["a value outside its range", { k: 17 }, /"k" is 17/],
    ["mode graph without a graph", { mode: "graph" }, /needs a graph/],
  ]) {
    test(what, () => {
      const { report, answers, log } = run(scenario);
      assert.equal(report.refused, true);
      assert.match(report.error, words);
      assert.deepEqual([answers.flat(), log], [[], ""]);
    });
  }

  test("a scenario that is no JSON, and says where", () => {
    const { report } = hub.run('{\n "k": }', GOOD, nodeTiles());
    assert.match(report.error, /^line 2: /);
  });

  test("a graph of other vectors", () => {
    const graph = { entry: 0, lists: [[[1]]] };
    assert.match(run({ mode: "graph" }, { ...GOOD, graph }).report.error, /does not belong/);
  });

  for (const [what, data, words] of [
    ["ids that are no 64-bit numbers", { ids: [1, 2] }, /ids must be a BigUint64Array/],
    ["rows of doubles", { rows: [1, 0, 0, 1] }, /rows must be a Float32Array/],
    ["a number too few", { rows: Float32Array.of(1, 0, 0) }, /numbers per id/],
    ["a query that is no array", { queries: [1] }, /queries must be/],
    ["half a dimension", { dimension: 1.5 }, /dimension must be/],
    ["a row number that is none", { graph: { entry: 0, lists: [[[-1]], [[0]]] } }, /row numbers/],
  ]) {
    test(what, () => {
      assert.throws(() => run({}, { ...GOOD, ...data }), { name: "TypeError", message: words });
    });
  }

  test("nothing for good: it runs again after a mistake in its tiles", () => {
    const broken = nodeTiles();
    broken.ring = () => {
      throw new Error("out of order");
    };
    assert.throws(() => hub.run("{}", GOOD, broken), /out of order/);
    assert.equal(run({}).report.error, "");
  });
});
