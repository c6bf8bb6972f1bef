import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cosine, innerProduct, l2 } from "../reference/distance.mjs";
import { randomSource } from "../reference/random.mjs";
import { bruteForce } from "../reference/topk.mjs";
import { buildGraph } from "./hnsw.mjs";
import { STATUS } from "./status.mjs";
import { DTYPE, ENTRY_POINTS, floatBytes, halfBytes, MAP, METRIC, PROFILE, Tile } from "./tile.mjs";

const NOWHERE = -1n;
const UNFINISHED = -2n;
const LONGEST_LIST = 510;

/** Calls, and checks that it is refused with `status` and that memory is as before. */
function refused(tile, status, call) {
  const before = tile.snapshot();
  assert.equal(Number(call(tile.exports)), status);
  assert.ok(tile.equals(before), "a refused call has changed memory");
}

/** A tile with the query 0 in one dimension, where the vector of a node is one f32. */
function onALine(config) {
  const tile = new Tile();
  assert.equal(tile.init(config), 0);
  assert.equal(tile.loadQuery(halfBytes([0])), 0);
  const load = (...values) =>
    tile.loadBlock(floatBytes(values), values.length, DTYPE.F32, MAP.HOT_CACHE);
  const step = (node, layer) => tile.exports.rvf_greedy_step(node, layer);
  return { tile, load, step };
}

describe("rvf_load_neighbors", () => {
  test("copies the ids of the delivered list, whatever their bits", () => {
    const tile = new Tile();
    const ids = [1n, 2n ** 64n - 1n, 2n ** 63n, 0n];
    tile.deliver(7n, 3, ids);
    assert.equal(tile.exports.rvf_load_neighbors(7n, 3, MAP.MESSAGE), 4);
    assert.deepEqual([...tile.readU64(MAP.MESSAGE, 4)], ids);
  });

  test("an empty list answers 0", () => {
    const tile = new Tile();
    tile.deliver(7n, 0, []);
    assert.equal(tile.exports.rvf_load_neighbors(7n, 0, MAP.MESSAGE), 0);
  });

  test("takes 510 ids, and refuses a list that claims 511", () => {
    const tile = new Tile();
    const ids = Array.from({ length: LONGEST_LIST }, (_, i) => BigInt(i));
    tile.deliver(7n, 0, ids);
    assert.equal(tile.exports.rvf_load_neighbors(7n, 0, MAP.BLOCK), LONGEST_LIST);
    assert.deepEqual([...tile.readU64(MAP.BLOCK, LONGEST_LIST)], ids);
    tile.view.setUint16(MAP.NEIGHBORS + 12, LONGEST_LIST + 1, true);
    const load = (e) => e.rvf_load_neighbors(7n, 0, MAP.BLOCK);
    refused(tile, STATUS.kTileInvalidMessage, load);
  });

  test("a list of another node or layer is not the one", () => {
    const tile = new Tile();
    tile.deliver(7n, 3, [1n]);
    for (const [node, layer] of [
      [8n, 3],
      [7n + 2n ** 32n, 3],
      [7n, 2],
      [-1n, 3],
    ]) {
      const load = (e) => e.rvf_load_neighbors(node, layer, MAP.MESSAGE);
      refused(tile, STATUS.kTileInvalidMessage, load);
    }
  });

  test("the copy may not lie where the tile keeps its own", () => {
    const tile = new Tile();
    tile.deliver(7n, 0, [1n, 2n]);
    for (const address of [0, 0x1f9, 0x3f9, 0x400, 0x1ff1, 0x2000, 0x1eff1, 0x1f000]) {
      const load = (e) => e.rvf_load_neighbors(7n, 0, address);
      refused(tile, STATUS.kInvalidPointer, load);
    }
    for (const address of [0x200, 0x3f0, 0x800, 0x1ff0, 0x18000, 0x1eff0]) {
      assert.equal(tile.exports.rvf_load_neighbors(7n, 0, address), 2);
    }
    tile.loadSqParams([0, 1]);
    for (const address of [0x17ff1, 0x18000, 0x1bfff]) {
      const load = (e) => e.rvf_load_neighbors(7n, 0, address);
      refused(tile, STATUS.kInvalidPointer, load);
    }
  });

  test("the copy may overlap the list", () => {
    for (const address of [0xff1, 0x1010, 0x1018]) {
      const tile = new Tile();
      tile.deliver(7n, 0, [1n, 2n]);
      assert.equal(tile.exports.rvf_load_neighbors(7n, 0, address), 2);
      assert.deepEqual([...tile.readU64(address, 2)], [1n, 2n]);
    }
  });
});

describe("rvf_greedy_step", () => {
  test("on an upper layer goes to the nearest node seen, and nowhere when that is the current", () => {
    const { tile, load, step } = onALine();
    tile.deliver(ENTRY_POINTS, 2, [5n]);
    load(9);
    assert.equal(step(ENTRY_POINTS, 2), 5n);
    tile.deliver(5n, 2, [6n, 7n]);
    load(8, 7);
    assert.equal(step(5n, 2), 7n);
    tile.deliver(7n, 2, [5n, 8n]);
    load(9, 10);
    assert.equal(step(7n, 2), NOWHERE);
  });

  test("on layer 0 goes through the top-K, nearest first, until all are expanded", () => {
    const { tile, load, step } = onALine({ k: 3 });
    tile.deliver(ENTRY_POINTS, 0, [1n]);
    load(4);
    assert.equal(step(ENTRY_POINTS, 0), 1n);
    tile.deliver(1n, 0, [2n, 3n, 4n]);
    load(5, 6, 7);
    assert.equal(step(1n, 0), 2n); // 4 is beyond the beam of 3
    for (const [node, next] of [
      [2n, 3n],
      [3n, NOWHERE],
    ]) {
      tile.deliver(node, 0, []);
      assert.equal(step(node, 0), next);
    }
    assert.deepEqual(
      tile.topK().map(([, id]) => id),
      [1n, 2n, 3n],
    );
  });

  test("on layer 0 a nearer node that comes up is expanded before the others", () => {
    const { tile, load, step } = onALine();
    tile.deliver(ENTRY_POINTS, 0, [1n, 2n]);
    load(8, 9);
    assert.equal(step(ENTRY_POINTS, 0), 1n);
    tile.deliver(1n, 0, [3n]);
    load(1);
    assert.equal(step(1n, 0), 3n);
    tile.deliver(3n, 0, [1n]);
    load(8);
    assert.equal(step(3n, 0), 2n);
  });

  test("a list in parts asks for more until its end", () => {
    const { tile, load, step } = onALine();
    tile.deliver(ENTRY_POINTS, 1, [1n, 2n, 3n, 4n, 5n]);
    load(9, 8);
    assert.equal(step(ENTRY_POINTS, 1), UNFINISHED);
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_greedy_step(ENTRY_POINTS, 1));
    load(7, 1);
    assert.equal(step(ENTRY_POINTS, 1), UNFINISHED);
    load(6);
    assert.equal(step(ENTRY_POINTS, 1), 4n);
    assert.deepEqual(
      tile.topK().map(([distance, id]) => [Math.sqrt(distance), id]),
      [
        [1, 4n],
        [6, 5n],
        [7, 3n],
        [8, 2n],
        [9, 1n],
      ],
    );
  });

  test("the longest list, 510 ids, is compared in parts", () => {
    const { tile, load, step } = onALine();
    const ids = Array.from({ length: LONGEST_LIST }, (_, i) => BigInt(1000 + i));
    tile.deliver(ENTRY_POINTS, 0, ids);
    for (let at = 0; at < LONGEST_LIST; at += 102) {
      load(...Array.from({ length: 102 }, (_, i) => Math.abs(at + i - 300)));
      const last = at + 102 === LONGEST_LIST;
      assert.equal(step(ENTRY_POINTS, 0), last ? 1300n : UNFINISHED);
    }
  });

  test("uses the block up", () => {
    const { tile, load, step } = onALine();
    tile.deliver(ENTRY_POINTS, 0, [1n]);
    load(9);
    step(ENTRY_POINTS, 0);
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_distances(METRIC.L2, MAP.MESSAGE));
  });

  test("a block of more vectors than the list has left is refused", () => {
    const { tile, load, step } = onALine();
    tile.deliver(ENTRY_POINTS, 0, [1n, 2n, 3n]);
    load(1, 2, 3, 4);
    refused(tile, STATUS.kInvalidArgument, (e) => e.rvf_greedy_step(ENTRY_POINTS, 0));
    load(1, 2);
    assert.equal(step(ENTRY_POINTS, 0), UNFINISHED);
    load(1, 2);
    refused(tile, STATUS.kInvalidArgument, (e) => e.rvf_greedy_step(ENTRY_POINTS, 0));
  });

  test("a list of another node or layer, or a block that is missing, is refused", () => {
    const { tile, load } = onALine();
    tile.deliver(4n, 1, [1n]);
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_greedy_step(4n, 1));
    load(1);
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_greedy_step(5n, 1));
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_greedy_step(4n, 0));
    assert.equal(tile.exports.rvf_greedy_step(4n, 1), 1n);
  });

  test("a node without neighbours needs no block", () => {
    const { tile, step } = onALine();
    tile.deliver(9n, 0, []);
    assert.equal(step(9n, 0), NOWHERE);
  });

  test("a Core tile refuses", () => {
    const { tile, load } = onALine({ profile: PROFILE.CORE });
    tile.deliver(ENTRY_POINTS, 0, [1n]);
    load(1);
    refused(tile, STATUS.kTileUnsupported, (e) => e.rvf_greedy_step(ENTRY_POINTS, 0));
  });

  test("goes by differing bits when the metric is Hamming", () => {
    const { tile, step } = onALine({ metric: METRIC.HAMMING });
    tile.deliver(ENTRY_POINTS, 0, [1n, 2n, 3n]);
    tile.loadBlock(Uint8Array.of(7, 0, 1, 0, 0, 3), 3, DTYPE.F16, MAP.HOT_CACHE);
    assert.equal(step(ENTRY_POINTS, 0), 2n);
    assert.deepEqual(tile.topK(), [
      [1, 2n],
      [2, 3n],
      [3, 1n],
    ]);
  });

  test("goes by PQ codes", () => {
    const { tile, step } = onALine();
    tile.write(MAP.BLOCK, halfBytes([5, 1, 3]));
    assert.equal(tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 1, 3), 1);
    tile.deliver(ENTRY_POINTS, 0, [1n, 2n, 3n]);
    tile.loadBlock(Uint8Array.of(0, 1, 2), 3, DTYPE.PQ, MAP.HOT_CACHE);
    assert.equal(step(ENTRY_POINTS, 0), 2n);
    assert.deepEqual(tile.topK(), [
      [1, 2n],
      [9, 3n],
      [25, 1n],
    ]);
  });

  test("PQ codes that name no centroid are refused", () => {
    const { tile } = onALine();
    assert.equal(tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 1, 3), 1);
    tile.deliver(ENTRY_POINTS, 0, [1n, 2n]);
    tile.loadBlock(Uint8Array.of(0, 3), 2, DTYPE.PQ, MAP.HOT_CACHE);
    refused(tile, STATUS.kInvalidArgument, (e) => e.rvf_greedy_step(ENTRY_POINTS, 0));
  });

  test("a tile that was never started keeps 16 candidates over all its steps", () => {
    const tile = new Tile();
    tile.loadQuery(halfBytes([0]));
    const visit = (node, ids) => {
      tile.deliver(node, 0, ids);
      tile.loadBlock(floatBytes(ids.map(Number)), ids.length, DTYPE.F32, MAP.HOT_CACHE);
      return tile.exports.rvf_greedy_step(node, 0);
    };
    const ids = Array.from({ length: 20 }, (_, i) => BigInt(i));
    assert.equal(visit(ENTRY_POINTS, ids.slice(10)), 10n);
    assert.equal(visit(10n, ids.slice(0, 10)), 0n);
    assert.deepEqual(
      tile.topK().map(([, id]) => id),
      ids.slice(0, 16),
    );
  });

  test("of a k that rvf_init refused only the low four bits of k - 1 count", () => {
    for (const [k, kept] of [
      [0, 16],
      [17, 1],
      [36, 4],
      [255, 15],
    ]) {
      const tile = new Tile();
      tile.write(MAP.CONFIG, [PROFILE.HOT, METRIC.L2, k]);
      assert.equal(tile.exports.rvf_init(MAP.CONFIG), STATUS.kKTooLarge);
      tile.loadQuery(halfBytes([0]));
      const ids = Array.from({ length: 40 }, (_, i) => BigInt(i));
      tile.deliver(ENTRY_POINTS, 0, ids);
      tile.loadBlock(floatBytes(ids.map(Number)), 40, DTYPE.F32, MAP.HOT_CACHE);
      const host = tile.read(MAP.ROUTING, 0x200);
      tile.exports.rvf_greedy_step(ENTRY_POINTS, 0);
      assert.deepEqual(tile.read(MAP.ROUTING, 0x200), host);
      assert.equal(tile.topK().length, kept);
    }
  });
});

describe("a search of an HNSW graph, with the test as the hub", () => {
  const D = 64;
  const PART = 16; // vectors that the hub sends at a time, so that most lists come in parts
  const random = randomSource(20);

  // Like SIFT: integers of a byte around a few hundred centres, which f16 holds exactly.
  const centres = Array.from({ length: 150 }, () => random.bytes(D));
  const near = (centre) =>
    Array.from(centre, (value) => Math.min(255, Math.max(0, value + random.int(-120, 120))));
  const vectors = Array.from({ length: 1500 }, (_, i) => near(centres[i % centres.length]));
  const queries = Array.from({ length: 50 }, (_, i) => near(centres[i]));
  const graph = buildGraph(vectors, { m: 16, construction: 60, random });
  const rows = new Map(vectors.map((vector, node) => [BigInt(node), vector]));

  /** Delivers one list, sends its vectors as the tile asks for them, and answers where it goes. */
  function visit(tile, node, layer, ids, vectorsOf, dtype) {
    tile.deliver(node, layer, ids);
    for (let at = 0; ; at += PART) {
      const part = ids.slice(at, at + PART);
      const values = part.flatMap((id) => vectorsOf[Number(id)]);
      if (part.length > 0) {
        const bytes = dtype === DTYPE.F16 ? halfBytes(values) : Uint8Array.from(values);
        assert.equal(tile.loadBlock(bytes, part.length, dtype, MAP.HOT_CACHE), 0);
      }
      const answer = tile.exports.rvf_greedy_step(node, layer);
      assert.ok(answer >= UNFINISHED, `status ${answer}`);
      if (answer !== UNFINISHED) return answer;
    }
  }

  /** The tile's top-K for a query, and how many lists it asked for. */
  function search(query, { metric = METRIC.L2, dtype = DTYPE.F16, vectorsOf = vectors } = {}) {
    const tile = new Tile();
    tile.init({ metric });
    tile.loadQuery(halfBytes(query));
    let lists = 1;
    const entries = [BigInt(graph.entry)];
    let current = visit(tile, ENTRY_POINTS, graph.top, entries, vectorsOf, dtype);
    for (let layer = graph.top; layer >= 0; layer--) {
      for (let next = current; next !== NOWHERE; lists++) {
        current = next;
        const ids = graph.neighbors[layer][Number(current)].map(BigInt);
        next = visit(tile, current, layer, ids, vectorsOf, dtype);
      }
      if (layer > 0) current = tile.topK()[0][1];
    }
    return { hits: tile.topK(), lists };
  }

  test("finds what brute force finds: recall@10 is above 0.98 at a beam of 16", () => {
    let found = 0;
    for (const query of queries) {
      const exact = new Set(bruteForce(rows, query, 10, l2).map(({ id }) => id));
      found += search(query)
        .hits.slice(0, 10)
        .filter(([, id]) => exact.has(id)).length;
    }
    const recall = found / (10 * queries.length);
    assert.ok(recall > 0.98, `recall@10 is ${recall}`);
  });

  test("its distances are exact and ascend", () => {
    for (const query of queries) {
      const { hits } = search(query);
      assert.equal(hits.length, 16);
      const distances = hits.map(([distance]) => distance);
      assert.deepEqual(
        distances,
        hits.map(([, id]) => l2(query, vectors[Number(id)])),
      );
      assert.deepEqual(
        distances,
        distances.toSorted((a, b) => a - b),
      );
    }
  });

  test("looks at a small part of the graph", () => {
    const lists = queries.map((query) => search(query).lists);
    assert.ok(Math.max(...lists) < 40, `${Math.max(...lists)} lists for one query`);
  });

  for (const [name, metric, distance] of [
    ["inner product", METRIC.INNER_PRODUCT, innerProduct],
    ["cosine", METRIC.COSINE, cosine],
  ]) {
    test(`navigates by ${name} when the configuration says so`, () => {
      for (const query of queries.slice(0, 10)) {
        for (const [found, id] of search(query, { metric }).hits) {
          const want = distance(query, vectors[Number(id)]);
          assert.ok(Math.abs(found - want) <= 1e-5 * Math.max(1, Math.abs(want)));
        }
      }
    });
  }

  test("navigates over i8 vectors", () => {
    const small = vectors.map((vector) => vector.map((value) => value >> 1));
    for (const query of queries.slice(0, 10)) {
      const halved = query.map((value) => value >> 1);
      const { hits } = search(halved, { dtype: DTYPE.I8, vectorsOf: small });
      for (const [found, id] of hits) assert.equal(found, l2(halved, small[Number(id)]));
    }
  });
});
