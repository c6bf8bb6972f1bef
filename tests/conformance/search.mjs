// The search module, in a realm of its own, because one module is loaded once: the index, what it finds
// beside brute force in double precision, its file, and a searcher that leaves the vectors outside.

import { equal, near, ok, throws } from "./assert.mjs";
import { nearest, randomVector } from "./reference.mjs";

const dimension = 24;
const rows = 1500;

const vectors = Array.from({ length: rows }, (_, i) => randomVector(i + 1, dimension));
const queries = Array.from({ length: 20 }, (_, i) => randomVector(100_000 + i, dimension));
const pairs = vectors.map((vector, id) => [id, Array.from(vector)]);

async function made(api, metric = "l2") {
  await api.init(undefined, { search: true });
  const store = api.RvfStore.create(dimension, metric);
  const ids = vectors.map((_, i) => i);
  store.ingest(
    vectors,
    ids,
    ids.map((n) => ({ n })),
  );
  store.createIndex({ efConstruction: 80 });
  store.buildIndex();
  return store;
}

/** How many of the k nearest are among the answers, all queries together. */
function recall(answer, metric, among = pairs) {
  let right = 0;
  for (const query of queries) {
    const truth = new Set(nearest(among, query, 10, metric).map(({ id }) => id));
    for (const { id } of answer(query)) right += truth.has(id);
  }
  return right / (10 * queries.length);
}

function recalls(what, found, least) {
  ok(found >= least, `${what}: recall ${found}, at least ${least}`);
}

export const search = {
  "exact by codes, and the graph": async ({ api }) => {
    for (const metric of ["l2", "inner_product", "cosine"]) {
      const store = await made(api, metric);
      for (const query of queries) {
        const truth = nearest(pairs, query, 10, metric);
        for (const [i, hit] of store.query(query, 10).entries()) {
          near(hit.distance, truth[i].distance, 1e-5, metric);
        }
      }
      const walk = (query) => store.query(query, 10, { mode: "hnsw", ef: 100 });
      recalls(metric, recall(walk, metric), 0.95);
      store.close();
    }
  },

  "filters and lists of ids, inside the walk": async ({ api }) => {
    const store = await made(api);
    for (const below of [1200, 300, 15]) {
      const filter = { op: "lt", field: "n", value: below };
      const walk = (query) => store.query(query, 10, { mode: "hnsw", ef: 100, filter });
      recalls(`${below}`, recall(walk, "l2", pairs.slice(0, below)), 0.95);
    }
    const ids = [3, 700, 1400];
    equal(store.query(queries[0], 10, { ids }).length, 3);
    store.close();
  },

  "built in slices, changed, saved and loaded": async ({ api }) => {
    const store = await made(api);
    store.createIndex();
    const left = [];
    await store.buildIndexInSlices({ sliceRows: 600, onProgress: (rest) => left.push(rest) });
    equal(left, [900, 300, 0]);
    store.delete([0, 1]);
    store.saveIndex();
    const { bytes } = store.changes();
    store.close();
    const again = api.RvfStore.open(bytes);
    equal(again.loadIndex().graphRows, rows - 2);
    const walk = (query) => again.query(query, 10, { mode: "hnsw", ef: 100 });
    recalls("loaded", recall(walk, "l2", pairs.slice(2)), 0.95);
    again.close();
  },

  "a searcher, whose vectors stay outside": async ({ api }) => {
    const store = await made(api);
    store.saveIndex();
    const { bytes } = store.changes();
    store.close();
    const searcher = api.RvfSearcher.open(bytes);
    const walk = (query) => searcher.query(query, 10, { ef: 100 });
    recalls("searcher", recall(walk, "l2"), 0.95);
    const [hit] = searcher.query(vectors[7], 1, { includeMetadata: true });
    equal([hit.id, hit.distance, hit.metadata], [7, 0, { n: 7 }]);
    searcher.close();
    const damaged = bytes.slice();
    damaged[100] ^= 1;
    await throws(api, "InvalidChecksum", () => api.RvfSearcher.open(damaged));
  },
};
