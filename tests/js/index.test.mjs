// The index of the search module: exact answers by codes, the graph's recall, filters, batches, changes,
// and the file, to and from the real rvf-node.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, describe } from "node:test";
import upstream from "@ruvector/rvf-node";
import init, { inspectSegments, RvfStore } from "rvf-wasm";
import { faultNames } from "../../js/dist/search_index.js";
import { nearest } from "../conformance/reference.mjs";
import { randomSource } from "../reference/random.mjs";

const root = new URL("../../", import.meta.url);
const fixture = (name) => readFileSync(new URL(`tests/fixtures/upstream/${name}`, root));
const metrics = ["l2", "inner_product", "cosine"];
const folder = mkdtempSync(join(tmpdir(), "rvf-index-"));
after(() => rmSync(folder, { recursive: true }));
before(() => init(undefined, { search: true }));

const random = randomSource(11);
const float = () => random.float(-1, 1);
const flat = (count, dimension, make) => Float32Array.from({ length: count * dimension }, make);
const upTo = (count) => Array.from({ length: count }, (_, i) => i);

/** Vectors around 50 centres. */
function clustered(count, dimension) {
  const centres = upTo(50).map(() => flat(1, dimension, float));
  const rows = upTo(count).map(() => random.int(0, 49));
  return flat(count, dimension, (_, i) => {
    return centres[rows[Math.floor(i / dimension)]][i % dimension] + 0.3 * float();
  });
}

const rows = 2000;
const dimension = 32;
const data = clustered(rows + 20, dimension);
const vector = (i) => data.subarray(i * dimension, (i + 1) * dimension);
const queries = data.subarray(rows * dimension);

/** A store of the clustered vectors; every tenth has a metadata field t of 1. */
function made(metric = "l2") {
  const store = RvfStore.create(dimension, metric);
  const records = upTo(rows).map((i) => ({ t: i % 10 === 0 ? 1 : 0, n: i }));
  store.ingest(data.subarray(0, rows * dimension), upTo(rows), records);
  return store;
}

function indexed(metric, options) {
  const store = made(metric);
  store.createIndex(options);
  assert.equal(store.buildIndex(), 0);
  return store;
}

/** How much of the exact answers to all queries `answer` has, by ids. */
function recallOf(answers, store, k = 10) {
  const exact = store.queryMany(queries, k);
  const found = answers.map((hits, i) => {
    const ids = new Set(exact[i].map(({ id }) => id));
    return hits.filter(({ id }) => ids.has(id)).length / ids.size;
  });
  return found.reduce((sum, x) => sum + x, 0) / found.length;
}

test("without an index the module answers as the other one does, and says what is missing", () => {
  const store = made();
  const expected = nearest(
    upTo(rows).map((i) => [i, vector(i)]),
    vector(rows),
    5,
    "l2",
  );
  assert.deepEqual(
    store.query(vector(rows), 5, { mode: "auto" }).map(({ id }) => id),
    expected.map(({ id }) => id),
  );
  const missing = { codeName: "InvalidArgument" };
  assert.throws(() => store.query(vector(0), 1, { mode: "hnsw" }), {
    ...missing,
    message: /graph/,
  });
  assert.throws(() => store.buildIndex(), { ...missing, message: /createIndex/ });
  assert.throws(() => store.saveIndex(), missing);
  assert.deepEqual([store.loadIndex().graph, store.indexState().codes], [false, false]);
  store.createIndex({ graph: false });
  assert.throws(() => store.saveIndex(), missing, "nothing is built");
  store.close();
  assert.throws(() => store.createIndex(), { codeName: "StoreClosed" });
});

test("arguments are checked", () => {
  const store = made();
  const bad = { codeName: "InvalidArgument" };
  for (const options of [{ m: 1 }, { m: 65 }, { efConstruction: 0 }, { seed: -1 }, { seed: "1" }]) {
    assert.throws(() => store.createIndex(options), bad, JSON.stringify(options));
  }
  assert.throws(() => store.createIndex({ graph: false, codes: false }), bad);
  store.createIndex({ seed: 2n ** 64n - 1n });
  for (const count of [0, -1, 1.5, "9"]) assert.throws(() => store.buildIndex(count), bad);
  for (const options of [{ mode: "fast" }, { ef: 0 }, { ef: 1.5 }]) {
    assert.throws(() => store.query(vector(0), 1, options), bad);
  }
  store.buildIndex();
  const metric = "cosine";
  assert.throws(() => store.query(vector(0), 1, { mode: "hnsw", metric }), {
    codeName: "MetricUnsupported",
  });
  assert.deepEqual(
    store.query(vector(0), 3, { mode: "auto", metric }),
    store.query(vector(0), 3, { metric }),
  );
  assert.throws(() => store.calibrateEf(queries, 5, 1.5), bad);
  assert.throws(() => store.queryMany(new Float32Array(33), 1), { codeName: "DimensionMismatch" });
  const nan = new Float32Array(64).fill(NaN, 40, 41);
  assert.throws(() => store.queryMany(nan, 1), { codeName: "NotFinite", message: /8 of query 1/ });
  assert.deepEqual(store.queryMany([], 3), []);
  store.close();
});

test("the names of faults are those of the header, in its order", () => {
  const header = readFileSync(new URL("control/index_segment.h", root), "utf8");
  const block = header.match(/enum class IndexFault[^{]*\{([^}]*)\}/)[1];
  const names = [...block.matchAll(/^ *k(\w+),/gm)].map(([, name]) => name);
  assert.deepEqual(names, ["None", ...faultNames]);
});

test("built in slices, it answers right in between", async () => {
  const store = made();
  store.createIndex();
  const exact = store.queryMany(queries, 10);
  const left = [];
  let turns = 0;
  const ticking = setInterval(() => turns++, 0);
  await store.buildIndexInSlices({
    sliceRows: 400,
    onProgress(count, all) {
      left.push(count);
      assert.equal(all, rows);
      assert.deepEqual(store.queryMany(queries, 10), exact);
      assert.ok(recallOf(store.queryMany(queries, 10, { mode: "hnsw", ef: 100 }), store) >= 0.95);
    },
  });
  clearInterval(ticking);
  assert.deepEqual(left, [1600, 1200, 800, 400, 0]);
  assert.ok(turns > 0, "the event loop had its turns");
  const state = store.indexState();
  assert.deepEqual(
    [state.graph, state.codes, state.m, state.efConstruction],
    [true, true, 16, 200],
  );
  assert.deepEqual([state.graphRows, state.codeRows, state.rows], [rows, rows, rows]);
  assert.ok(state.graphBytes > rows * 32 && state.codesBytes >= rows * dimension && !state.fault);
  store.dropIndex();
  assert.equal(store.indexState().graph, false);
  store.close();
});

const sets = {
  random: () => flat(700, 24, float),
  duplicates: () => flat(700, 24, (_, i) => [0.5, -0.25, 0.125][Math.floor(i / 24) % 3]),
  "an outlier": () => flat(700, 24, (_, i) => (i < 24 ? 1e6 : 1e-3 * float())),
};
for (const [name, make] of Object.entries(sets)) {
  test(`exact by codes is exact to the bit: ${name}`, () => {
    const vectors = make();
    for (const metric of metrics) {
      const store = RvfStore.create(24, metric);
      store.ingest(vectors, upTo(700));
      const asked = [
        ...upTo(4).map(() => flat(1, 24, float)),
        vectors.slice(0, 24),
        flat(1, 24, () => 0),
      ];
      const plain = asked.map((query) => store.query(query, 12));
      store.createIndex({ graph: false });
      store.buildIndex(300);
      assert.deepEqual(
        asked.map((query) => store.query(query, 12)),
        plain,
        "half built",
      );
      store.buildIndex();
      assert.deepEqual(
        asked.map((query) => store.query(query, 12)),
        plain,
      );
      assert.deepEqual(store.queryMany(asked, 12), plain, "together");
      if (name === "random")
        assert.ok(store.indexState().rowsRead < 700 * 6 * 0.9, "codes were used");
      store.close();
    }
  });
}

for (const metric of metrics) {
  test(`the graph finds the nearest: ${metric}`, () => {
    const store = indexed(metric);
    for (const codes of [true, false]) {
      if (!codes) {
        store.createIndex({ codes });
        store.buildIndex();
      }
      const many = store.queryMany(queries, 10, { mode: "hnsw", ef: 100 });
      assert.ok(recallOf(many, store) >= 0.95, `${recallOf(many, store)}`);
      upTo(20).forEach((i) => {
        const single = store.query(vector(rows + i), 10, { mode: "hnsw", ef: 100 });
        assert.deepEqual(single, many[i], "a batch is its queries");
        assert.equal(single.exhausted, false);
      });
      const walks = (ef) => {
        store.query(vector(rows), 10, { mode: "auto", ef });
        return store.indexState().rowsRead === 0; // a scan by codes reads some vectors
      };
      if (codes) assert.deepEqual([walks(12), walks(100)], [true, false], "as is faster");
    }
    const filter = { op: "lt", field: "n", value: 10 };
    const options = { filter, includeMetadata: true };
    assert.deepEqual(
      store.queryMany(queries, 12, { ...options, mode: "hnsw" }),
      upTo(20).map((i) => store.query(vector(rows + i), 12, options)),
      "few are all compared",
    );
    store.close();
  });
}

test("recall is measured, and ef is found for it", () => {
  const store = indexed("l2");
  const many = store.queryMany(queries, 10, { mode: "hnsw", ef: 12 });
  assert.equal(
    store.measureRecall(queries, 10, { ef: 12 }).toFixed(9),
    recallOf(many, store).toFixed(9),
  );
  assert.ok(store.measureRecall(queries, 10) >= 0.95);
  const ef = store.calibrateEf(queries, 10, 0.98);
  assert.ok(ef >= 10 && ef <= 1024, `${ef}`);
  assert.ok(store.measureRecall(queries, 10, { ef }) >= 0.98);
  if (ef > 10) assert.ok(store.measureRecall(queries, 10, { ef: ef - 1 }) < 0.98);
  assert.equal(store.measureRecall([], 10), 1);
  store.close();
});

describe("filters, ids and metadata", () => {
  const cases = {
    "90 %": { op: "ge", field: "n", value: rows / 10 },
    "10 %": { op: "eq", field: "t", value: 1 },
    "1 %": { op: "lt", field: "n", value: 20 },
  };
  for (const [name, filter] of Object.entries(cases)) {
    test(`${name}: k are found, and they are the right ones`, () => {
      const store = indexed("l2");
      for (const mode of ["exact", "auto", "hnsw"]) {
        const many = store.queryMany(queries, 10, { filter, mode, ef: 100 });
        for (const hits of many) assert.equal(hits.length, 10);
        const reference = made();
        const exact = reference.queryMany(queries, 10, { filter });
        if (mode === "exact") assert.deepEqual(many, exact);
        const right = many.map((hits, i) => {
          const ids = new Set(exact[i].map(({ id }) => id));
          return hits.filter(({ id }) => ids.has(id)).length;
        });
        assert.ok(right.reduce((a, b) => a + b) >= 0.95 * 200, mode);
        reference.close();
      }
      store.close();
    });
  }

  test("ids and texts", () => {
    const store = indexed("cosine");
    store.ingest(vector(rows), "text", { t: 5 });
    for (const mode of ["exact", "auto", "hnsw"]) {
      const ids = ["text", 3, 4, 5, 9999];
      const hits = store.query(vector(rows), 10, { mode, ids, includeMetadata: true });
      assert.deepEqual([hits.length, hits.exhausted], [4, true]);
      assert.deepEqual([hits[0].id, hits[0].metadata], ["text", { t: 5 }]);
      assert.equal(store.query(vector(rows), 1, { mode })[0].id, "text", mode);
    }
    store.close();
  });
});

test("a list of ids is all that is looked at, also with a filter", () => {
  const store = indexed("l2");
  const plain = made();
  const ids = upTo(150).map((i) => (i * 37) % rows);
  const odd = { op: "lt", field: "n", value: 1000 };
  for (const options of [{ ids }, { ids, filter: odd }, { ids: [] }, { ids: [5, 5, 9999] }]) {
    for (const mode of ["exact", "hnsw", "auto"]) {
      const expected = plain.queryMany(queries, 10, options);
      for (let time = 0; time < 2; time++) {
        assert.deepEqual(store.queryMany(queries, 10, { ...options, mode }), expected);
        assert.deepEqual(store.query(vector(rows), 10, { ...options, mode }), expected[0]);
      }
    }
  }
  plain.close();
  store.close();
});

test("no id is taken for none", () => {
  const store = RvfStore.create(2);
  store.ingest([1, 2, 3, 4], [0, 1]);
  assert.deepEqual(
    store.query([0, 0], 5, { ids: 0 }).map(({ id }) => id),
    [0],
  );
  assert.equal(store.query([0, 0], 5, { ids: "" }).length, 0);
  for (const ids of [null, false, Number.NaN]) {
    assert.throws(() => store.query([0, 0], 5, { ids }), { codeName: "InvalidArgument" });
  }
  store.close();
});

test("a walk that reaches its limit says that nearer vectors may be missing", () => {
  const store = indexed("l2");
  const [query, mode, ef] = [vector(rows), "hnsw", 64];
  const whole = store.query(query, 10, { mode, ef });
  assert.equal(whole.partial, false);
  const cut = store.query(query, 10, { mode, ef, workLimit: 30 });
  assert.deepEqual([cut.partial, cut.exhausted], [true, false]);
  assert.ok(!Object.keys(cut).includes("partial"), "it is not among the hits");
  assert.deepEqual(store.query(query, 10, { mode, ef, workLimit: rows }), whole);
  assert.equal(store.query(query, 10, { workLimit: 1 }).partial, false, "exact ones have no limit");
  for (const workLimit of [0, -1, 1.5, "9", 2 ** 32]) {
    assert.throws(() => store.query(query, 10, { workLimit }), { codeName: "InvalidArgument" });
  }
  store.close();
});

test("what is written and deleted after building counts at once", () => {
  const store = indexed("l2");
  const far = flat(1, dimension, () => 9);
  for (const mode of ["exact", "hnsw", "auto"]) {
    const near = (query, k = 1) => store.query(query, k, { mode }).map(({ id }) => id);
    store.ingest(far, 7); // moved
    assert.deepEqual(near(far), [7]);
    assert.ok(!near(vector(7), 5).includes(7));
    store.ingest(far, 5000); // new
    assert.deepEqual(near(far, 2), [7, 5000]);
    store.delete([7, 5000]);
    assert.ok(!near(far, 10).some((id) => id === 7 || id === 5000));
    store.ingest(vector(7), 7);
    assert.deepEqual(near(vector(7)), [7]);
  }
  const plain = made();
  assert.deepEqual(store.queryMany(queries, 10), plain.queryMany(queries, 10));
  store.delete(upTo(rows - 200));
  assert.ok(recallOf(store.queryMany(queries, 10, { mode: "hnsw" }), store) >= 0.95);
  plain.close();
  store.close();
});

/** Bytes of a file with the clustered vectors and their index. */
function savedFile(metric) {
  const store = indexed(metric);
  const first = store.changes().bytes;
  store.acknowledge();
  store.saveIndex();
  const { bytes, offset } = store.changes();
  store.acknowledge();
  store.close();
  assert.equal(offset, first.length);
  assert.ok(bytes.length < first.length, "the second commit holds the index only");
  return Buffer.concat([first, bytes]);
}

test("saved and loaded, it is there without building", () => {
  for (const metric of metrics) {
    const file = savedFile(metric);
    const store = RvfStore.open(file);
    assert.deepEqual(store.warnings, []);
    const state = store.loadIndex();
    assert.deepEqual([state.graph, state.graphRows, state.fault], [true, rows, undefined]);
    assert.deepEqual([state.codes, state.codeRows], [true, 0]);
    assert.ok(store.measureRecall(queries, 10, { ef: 100 }) >= 0.95);
    assert.equal(store.buildIndex(), 0);
    assert.equal(store.indexState().codeRows, rows);
    const plain = made(metric);
    assert.deepEqual(store.queryMany(queries, 10), plain.queryMany(queries, 10));
    plain.close();
    assert.ok(store.measureRecall(queries, 10, { ef: 100 }) >= 0.95);

    store.ingest(vector(rows), 70_000);
    const { bytes } = store.changes();
    store.acknowledge();
    const types = (all) => inspectSegments(all).map(({ typeName }) => typeName);
    assert.ok(!types(bytes).includes("index"), "an old graph is not saved again");
    const again = RvfStore.open(Buffer.concat([file, bytes]));
    assert.equal(again.loadIndex().graph, false);
    again.close();

    store.delete(0);
    store.buildIndex();
    store.saveIndex();
    const compact = store.changes({ compact: true });
    store.acknowledge();
    const compacted = RvfStore.open(compact.bytes);
    assert.equal(compacted.loadIndex().graphRows, rows);
    assert.deepEqual(
      compacted.query(vector(rows), 1, { mode: "hnsw" }),
      store.query(vector(rows), 1),
    );
    assert.equal(compacted.measureRecall([vector(0)], 10), 1);
    compacted.close();
    store.close();
  }
});

/** A file whose graph lacks the vectors 500 to 899, which lie between others. */
function fileWithGap() {
  const store = indexed("l2");
  const gap = upTo(400).map((i) => 500 + i);
  store.delete(gap);
  store.saveIndex();
  store.ingest(data.subarray(500 * dimension, 900 * dimension), gap);
  const { bytes } = store.changes();
  store.acknowledge();
  store.close();
  return bytes;
}

for (const [name, make, graphRows] of [
  ["a whole graph", () => savedFile("l2"), rows],
  ["a graph with a gap", fileWithGap, 500],
]) {
  test(`${name} that was loaded follows what is written, however far it is built`, () => {
    const store = RvfStore.open(make());
    assert.equal(store.loadIndex().graphRows, graphRows);
    const reversed = (i) => vector(i).slice().reverse();
    const check = (moved) => {
      assert.ok(store.measureRecall(queries, 10, { ef: 100 }) >= 0.95);
      const hits = moved.map((i) => store.query(reversed(i), 1, { mode: "hnsw", ef: 100 })[0]);
      const right = hits.filter(({ distance }, i) => distance === 0 && moved[i]).length;
      assert.ok(right >= 0.98 * moved.length, `${right} of ${moved.length}`);
    };
    const move = (from) => {
      const moved = upTo(100).map((i) => from + i);
      for (const i of moved) store.ingest(reversed(i), i);
      return moved;
    };
    const moved = [...move(100), ...move(1700)];
    check(moved);
    store.buildIndex(30);
    moved.push(...move(1500));
    check(moved);
    assert.equal(store.buildIndex(), 0);
    moved.push(...move(550));
    check(moved);
    assert.equal(store.buildIndex(), 0);
    check(moved);
    store.close();
  });
}

test("rvf-node uses the index of our file, and leaves the file as it is", () => {
  for (const metric of metrics) {
    const path = join(folder, `${metric}.rvf`);
    const file = savedFile(metric);
    writeFileSync(path, file);
    const store = RvfStore.open(file);
    const database = upstream.RvfDatabase.open(path);
    try {
      const answers = upTo(20).map((i) => database.query(vector(rows + i), 10));
      assert.ok(recallOf(answers, store) >= 0.9, `${metric}: ${recallOf(answers, store)}`);
    } finally {
      database.close();
      store.close();
    }
    assert.ok(file.equals(readFileSync(path)), "the file is as it was");
  }
});

// So an unchanged file, above, shows that nothing was built.
test("rvf-node builds an index where there is none, and writes it", () => {
  const store = indexed("l2");
  const file = store.changes().bytes;
  const path = join(folder, "bare.rvf");
  writeFileSync(path, file);
  const database = upstream.RvfDatabase.open(path);
  database.query(vector(rows), 10);
  database.close();
  assert.ok(readFileSync(path).length > file.length);
  store.close();
});

test("rvf-node finds the vectors that a saved index lacks", () => {
  const path = join(folder, "gap.rvf");
  writeFileSync(path, fileWithGap());
  const database = upstream.RvfDatabase.open(path);
  const missed = upTo(rows).filter((i) => database.query(vector(i), 1)[0].id !== i);
  database.close();
  assert.deepEqual(missed, []);
});

for (const name of ["made_index_l2.rvf", "made_index_cosine_sparse_ids.rvf"]) {
  test(`the index of rvf-node's ${name} is searched`, () => {
    const store = RvfStore.open(fixture(name));
    const state = store.loadIndex();
    assert.deepEqual([state.graph, state.graphRows, state.fault], [true, store.count, undefined]);
    const asked = upTo(20).map(() => flat(1, store.dimension, float));
    assert.ok(store.measureRecall(asked, 10, { ef: 100 }) >= 0.95);
    store.close();
  });
}

test("a damaged graph is reported, and searches are exact", () => {
  const store = RvfStore.open(fixture("damaged_index_payload.rvf"));
  const query = flat(1, store.dimension, float);
  const before = store.query(query, 10);
  const state = store.loadIndex();
  assert.deepEqual([state.graph, state.fault], [false, "Truncated"]);
  assert.deepEqual(store.query(query, 10, { mode: "auto" }), before);
  assert.throws(() => store.saveIndex(), { codeName: "InvalidArgument" });
  store.createIndex();
  assert.equal(store.buildIndex(), 0);
  assert.equal(store.indexState().fault, undefined);
  assert.ok(store.measureRecall([query], 10) > 0.8);
  store.close();
});
