// The same operations in the wasm modules and in native builds of the same C++: the same bits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Hub } from "../protocol/conversations.mjs";
import { TYPE } from "../protocol/messages.mjs";
import { randomSource } from "../reference/random.mjs";
import { bytesOf, METRIC as STORE_METRIC } from "../wasm/control.mjs";
import { DTYPE, MAP, METRIC } from "../wasm/tile.mjs";
import { Operations } from "./operations.mjs";
import { floatVector, halfVector } from "./values.mjs";

const DIMENSIONS = [1, 3, 5, 7, 15, 17, 96, 97, 384, 1024];
const DTYPES = [DTYPE.F16, DTYPE.I8, DTYPE.F32];
const METRICS = Object.values(METRIC);
const OUT = MAP.MESSAGE;

const pick = (random, list) => list[random.int(0, list.length - 1)];
const joined = (vectors) => Buffer.concat(vectors);

function rowOf(random, dtype, d) {
  if (dtype === DTYPE.I8) return random.bytes(d);
  return dtype === DTYPE.F16 ? halfVector(random, d) : floatVector(random, d);
}

function startTile(operations, { metric = METRIC.L2, pqSubspaces = 0 } = {}) {
  const config = new Uint8Array(64);
  config.set([2, metric, 16, 0, pqSubspaces & 0xff, pqSubspaces >> 8]);
  operations.write(MAP.MESSAGE, config);
  assert.equal(operations.call("rvf_init", MAP.MESSAGE), 0);
}

function loadQuery(operations, random, d) {
  operations.write(MAP.BLOCK, halfVector(random, d));
  assert.equal(operations.call("rvf_load_query", MAP.BLOCK, d), 0);
}

/** SQ parameters whose ranges are finite. */
function loadSqParams(operations, random, d) {
  const most = pick(random, [1, 1, 100, 1e38, 1e-40]);
  const pairs = random.floats(2 * d, -most, most);
  if (random.int(0, 9) === 0) pairs.fill(random.float());
  operations.write(MAP.BLOCK, bytesOf(pairs));
  assert.equal(operations.call("rvf_load_sq_params", MAP.BLOCK, d), 0);
}

test("the bits of 10,000 random distances of every dtype, metric and dimension", () => {
  const operations = new Operations();
  const random = randomSource(1);
  const combinations = DIMENSIONS.flatMap((d) =>
    DTYPES.flatMap((dtype) => METRICS.flatMap((metric) => ({ d, dtype, metric }))),
  );
  for (let i = 0; i < 10_000; i++) {
    const { d, dtype, metric } = combinations[i % combinations.length];
    const scaled = random.int(0, 2) === 0;
    const count = random.int(1, 3);
    operations.begin(`case ${i}: dtype ${dtype}, metric ${metric}, dimension ${d}, SQ ${scaled}`);
    startTile(operations);
    loadQuery(operations, random, d);
    if (scaled) loadSqParams(operations, random, d);
    const block = MAP.BLOCK + random.int(0, 15);
    operations.write(block, joined(Array.from({ length: count }, () => rowOf(random, dtype, d))));
    assert.equal(operations.call("rvf_load_block", block, count, dtype), 0);
    assert.equal(operations.call("rvf_distances", metric, OUT), count);
    operations.read(OUT, 4 * count);
  }
  assert.equal(operations.caseCount, 10_000);
  assert.equal(operations.firstDifference(), null);
});

test("the halves of 500 random blocks of SQ codes", () => {
  const operations = new Operations();
  const random = randomSource(2);
  for (let i = 0; i < 500; i++) {
    const d = pick(random, DIMENSIONS);
    const count = random.int(1, 2000);
    operations.begin(`case ${i}: ${count} codes in dimension ${d}`);
    startTile(operations);
    loadSqParams(operations, random, d);
    operations.write(MAP.BLOCK, random.bytes(count));
    assert.equal(operations.call("rvf_dequant_i8", MAP.BLOCK, MAP.HOT_CACHE, count), count);
    operations.read(MAP.HOT_CACHE, 2 * count);
  }
  assert.equal(operations.firstDifference(), null);
});

test("the bits of PQ distances in 500 random codebooks", () => {
  const operations = new Operations();
  const random = randomSource(3);
  let compared = 0;
  for (let i = 0; i < 500; i++) {
    const metric = random.int(0, 1);
    const subspaces = 2 ** random.int(0, 5);
    const width = random.int(1, 16);
    const centroids = random.int(1, 64);
    const parts = random.int(0, 1) ? 1 : subspaces;
    operations.begin(`case ${i}: metric ${metric}, ${subspaces} x ${centroids} x ${width}`);
    startTile(operations, { metric, pqSubspaces: parts > 1 ? subspaces : 0 });
    loadQuery(operations, random, subspaces * width);
    for (let part = 0; part < parts; part++) {
      const size = (subspaces / parts) * centroids * width;
      if (2 * size > MAP.TABLES - MAP.BLOCK) break;
      operations.write(MAP.BLOCK, halfVector(random, size));
      operations.call("rvf_load_pq_codebook", MAP.BLOCK, subspaces / parts, centroids);
    }
    const codes = random.bytes(20 * subspaces).map((byte) => byte % centroids);
    operations.write(MAP.BLOCK, codes);
    if (operations.call("rvf_pq_distances", MAP.BLOCK, 20, OUT) !== 20) continue;
    operations.read(OUT, 80);
    compared++;
  }
  assert.ok(compared > 400, `only ${compared} codebooks fitted`);
  assert.equal(operations.firstDifference(), null);
});

test("the replies to the messages of 300 random queries, with their checksums", () => {
  const operations = new Operations();
  const random = randomSource(5);
  const ring = (sent) => {
    operations.write(MAP.MESSAGE, sent);
    operations.call("_start");
    const [low, high] = operations.read(MAP.MESSAGE + 2, 2);
    return operations.read(MAP.MESSAGE, 8 + low + 256 * high);
  };
  for (let i = 0; i < 300; i++) {
    const d = pick(random, DIMENSIONS);
    const metric = pick(random, METRICS);
    const dtype = pick(random, DTYPES);
    operations.begin(`query ${i}: dtype ${dtype}, metric ${metric}, dimension ${d}`);
    const hub = new Hub(ring);
    hub.configure({ metric, k: random.int(1, 16) });
    hub.collect(TYPE.LOAD_QUERY, halfVector(random, d), { base: MAP.NEIGHBORS, count: d });
    if (random.int(0, 1)) hub.sqParams(Array.from(random.floats(2 * d)));
    for (let blocks = random.int(1, 3); blocks > 0; blocks--) {
      const ids = Array.from({ length: random.int(1, 6) }, () => BigInt(random.uint32()));
      hub.block(joined(ids.map(() => rowOf(random, dtype, d))), ids, dtype);
      assert.equal(hub.compute().type, TYPE.DONE);
    }
    hub.topK();
  }
  assert.equal(operations.firstDifference(), null);
});

test("the ids and bits of answers of 500 random stores, by every metric", () => {
  const operations = new Operations();
  const random = randomSource(4);
  let hits = 0;
  for (let i = 0; i < 500; i++) {
    const d = pick(random, DIMENSIONS);
    const metric = i % 3;
    operations.begin(`store ${i}: dimension ${d}, metric ${metric}`);
    operations.createStore(d, metric);
    for (let batch = random.int(1, 4); batch > 0; batch--) {
      const count = random.int(1, 40);
      const ids = BigUint64Array.from({ length: count }, () => BigInt(random.int(0, 60)) << 58n);
      const finite = random.int(0, 9) > 0;
      const rows = Array.from({ length: count }, () => floatVector(random, d, { finite }));
      operations.ingest(joined(rows), bytesOf(ids), count);
    }
    operations.delete(bytesOf(BigUint64Array.of(0n, 1n << 58n, 5n)), 3);
    for (const by of [-1, ...Object.values(STORE_METRIC)]) {
      for (const finite of [true, true, false]) {
        const query = floatVector(random, d, { finite });
        hits += Math.max(0, operations.query(query, random.int(1, 40), by));
      }
    }
  }
  assert.ok(hits > 20_000, `only ${hits} hits`);
  assert.equal(operations.firstDifference(), null);
});
