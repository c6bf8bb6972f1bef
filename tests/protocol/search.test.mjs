// A complete search in pull mode, against a walker in plain JavaScript that has all distances: the
// same lists in the same order, the same top-K.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cosine, innerProduct, l2 } from "../reference/distance.mjs";
import { randomSource } from "../reference/random.mjs";
import { bruteForce } from "../reference/topk.mjs";
import { buildGraph } from "../wasm/hnsw.mjs";
import { DTYPE, halfBytes, METRIC, Tile } from "../wasm/tile.mjs";
import { Hub } from "./conversations.mjs";
import { TYPE } from "./messages.mjs";
import { CheckedTile } from "./wire.mjs";

const D = 32;
const random = randomSource(51);
const centres = Array.from({ length: 40 }, () => random.bytes(D));
const near = (centre) => Array.from(centre, (value) => (value + random.int(0, 90)) >> 2);
const vectors = Array.from({ length: 800 }, (_, i) => near(centres[i % centres.length]));
const queries = Array.from({ length: 20 }, (_, i) => near(centres[i]));
const graph = buildGraph(vectors, { m: 8, construction: 40, random });

const ROWS = {
  [DTYPE.F16]: (ids) => halfBytes(ids.flatMap((id) => vectors[Number(id)])),
  [DTYPE.I8]: (ids) => Uint8Array.from(ids.flatMap((id) => vectors[Number(id)])),
};

/**
 * The walk as PROTOCOL.md describes it: down the layers to the nearest node seen, then best-first
 * over the `beam` nearest.
 */
function walk({ entry, top, neighbors }, distance, beam) {
  const lists = [];
  let held = [];
  const see = (ids) => {
    for (const id of ids) {
      if (!held.some((other) => other.id === id)) held.push({ id, distance: distance(id) });
    }
    held.sort((a, b) => a.distance - b.distance || a.id - b.id);
    held = held.slice(0, beam);
  };
  const visit = (node, layer) => {
    lists.push([BigInt(node), layer]);
    see(neighbors[layer][node]);
  };
  see([entry]);
  let here = entry;
  visit(here, top);
  for (let layer = top; layer > 0; ) {
    if (held[0].id === here) layer--;
    here = held[0].id;
    visit(here, layer);
  }
  const expanded = new Set([here]);
  for (;;) {
    const next = held.find(({ id }) => !expanded.has(id));
    if (!next) return { lists, hits: held };
    expanded.add(next.id);
    visit(next.id, 0);
  }
}

describe("a search by messages", () => {
  for (const [name, metric, distance, kind, beam, most] of [
    ["L2 over f16, vectors one by one", METRIC.L2, l2, DTYPE.F16, 16, 1],
    ["L2 over f16, sixteen vectors at a time", METRIC.L2, l2, DTYPE.F16, 16, 16],
    ["L2 over i8, five vectors at a time", METRIC.L2, l2, DTYPE.I8, 16, 5],
    ["L2, a beam of 4", METRIC.L2, l2, DTYPE.F16, 4, 100],
    ["inner product", METRIC.INNER_PRODUCT, innerProduct, DTYPE.F16, 16, 16],
  ]) {
    test(`asks for the lists that a plain walker visits, and finds what it finds: ${name}`, () => {
      for (const query of queries) {
        const checked = new CheckedTile(new Tile());
        const hub = new Hub((bytes) => checked.ring(bytes));
        hub.configure({ metric, k: beam });
        hub.query(query);
        const found = hub.search(graph, ROWS[kind], kind, most);
        const want = walk(graph, (id) => distance(query, vectors[id]), beam);
        assert.deepEqual(found.lists, want.lists);
        assert.equal(found.end.type, TYPE.DONE);
        const hits = want.hits.map(({ id, distance: far }) => ({ id: BigInt(id), distance: far }));
        assert.deepEqual(found.hits, hits);
      }
    });
  }

  test("by cosine finds distances that are right to f32", () => {
    for (const query of queries) {
      const hub = new Hub((bytes) => new CheckedTile(tile).ring(bytes));
      const tile = new Tile();
      hub.configure({ metric: METRIC.COSINE, k: 16 });
      hub.query(query);
      for (const { id, distance } of hub.search(graph, ROWS[DTYPE.F16], DTYPE.F16, 16).hits) {
        assert.ok(Math.abs(distance - cosine(query, vectors[Number(id)])) < 1e-6);
      }
    }
  });

  test("finds what brute force finds: recall@10 is above 0.95 at a beam of 16", () => {
    const rows = new Map(vectors.map((vector, id) => [BigInt(id), vector]));
    let right = 0;
    for (const query of queries) {
      const tile = new CheckedTile(new Tile());
      const hub = new Hub((bytes) => tile.ring(bytes));
      hub.query(query);
      const { hits } = hub.search(graph, ROWS[DTYPE.F16], DTYPE.F16, 16);
      const exact = new Set(bruteForce(rows, query, 10, l2).map(({ id }) => id));
      right += hits.slice(0, 10).filter(({ id }) => exact.has(id)).length;
    }
    const recall = right / (10 * queries.length);
    assert.ok(recall > 0.95, `recall@10 is ${recall}`);
  });

  test("a search whose every distance is NaN goes down all layers and ends", () => {
    const tile = new CheckedTile(new Tile());
    const hub = new Hub((bytes) => tile.ring(bytes));
    hub.query(new Array(D).fill(Number.NaN));
    // The lists of no node on the layers below; they are empty.
    const neighbors = graph.neighbors.map(() => ({ "-1": [] }));
    const nowhere = { ...graph, neighbors };
    const { end, lists, hits } = hub.search(nowhere, ROWS[DTYPE.F16], DTYPE.F16, 16);
    const layers = Array.from({ length: graph.top }, (_, i) => [-1n, graph.top - 1 - i]);
    assert.deepEqual([end.type, lists, hits], [TYPE.DONE, layers, []]);
  });
});
