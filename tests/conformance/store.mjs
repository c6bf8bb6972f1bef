// The life of a store: create, ingest, query, delete, export, open, close.

import { equal, near, ok } from "./assert.mjs";
import { nearest, randomVector } from "./reference.mjs";

/** `count` rows as [id, vector] pairs, ids from 1. */
export function makeRows(count, dimension, seed = 1) {
  return Array.from({ length: count }, (_, i) => [i + 1, randomVector(seed + i * 7919, dimension)]);
}

export function ingestRows(store, rows) {
  return store.ingest(
    rows.map(([, vector]) => vector),
    rows.map(([id]) => id),
  );
}

/** The hits are the nearest rows, in order, by double precision. */
export function checkHits(hits, rows, query, k, metric) {
  const expected = nearest(rows, query, k, metric);
  equal(
    hits.map(({ id }) => id),
    expected.map(({ id }) => id),
    "ids",
  );
  for (const [i, hit] of hits.entries()) near(hit.distance, expected[i].distance, 1e-5, "distance");
}

export const store = {
  "the quick start works": ({ api }) => {
    const s = api.RvfStore.create(3, "cosine");
    equal(s.ingest(new Float32Array([1, 0, 0]), 1), 1);
    equal(s.ingest([0, 1, 0], 2), 1);
    const [first, second] = s.query([1, 0, 0], 2);
    equal([first.id, first.distance, first.similarity], [1, 0, 1]);
    equal([second.id, second.distance, second.similarity], [2, 1, 0]);
    s.close();
  },

  "get answers a copy of the vector as it was stored, or undefined": ({ api }) => {
    const s = api.RvfStore.create(3, "cosine");
    s.ingest([1, 2, 3], 7);
    const vector = s.get(7);
    equal([...vector], [1, 2, 3]);
    vector[0] = 9;
    equal([...s.get(BigInt(7))], [1, 2, 3]);
    s.delete(7);
    equal([s.get(7), s.get(8)], [undefined, undefined]);
    s.close();
  },

  "create takes numbers, options and every name of a metric": ({ api }) => {
    const names = {
      l2: ["l2", "L2", undefined],
      inner_product: ["inner_product", "InnerProduct", "ip", "dotproduct"],
      cosine: ["cosine", "Cosine"],
    };
    for (const [metric, aliases] of Object.entries(names)) {
      for (const alias of aliases) {
        const a = api.RvfStore.create(5, alias);
        const b = api.RvfStore.create({ dimension: 5, metric: alias });
        equal([a.metric, b.metric, a.dimension, b.dimension], [metric, metric, 5, 5]);
        equal([a.warnings, a.count], [[], 0]);
        a.close();
        b.close();
      }
    }
  },

  "answers are the nearest by every metric, at awkward dimensions": ({ api }) => {
    for (const dimension of [1, 2, 3, 4, 7, 15, 16, 17, 31, 33, 100, 384]) {
      for (const metric of ["l2", "inner_product", "cosine"]) {
        if (metric === "cosine" && dimension === 1) continue; // all distances are 0 or 2
        const rows = makeRows(60, dimension, dimension);
        const s = api.RvfStore.create({ dimension, metric });
        equal(ingestRows(s, rows), 60);
        const query = randomVector(4242, dimension);
        checkHits(s.query(query, 10), rows, query, 10, metric);
        s.close();
      }
    }
  },

  "a query may name another metric": ({ api }) => {
    const rows = makeRows(30, 8);
    const s = api.RvfStore.create(8, "l2");
    ingestRows(s, rows);
    const query = randomVector(5, 8);
    for (const metric of ["l2", "inner_product", "cosine"]) {
      const hits = s.query(query, 5, { metric });
      checkHits(hits, rows, query, 5, metric);
      for (const hit of hits) {
        if (metric === "l2") equal(Object.keys(hit), ["id", "distance"]);
        if (metric === "cosine") equal(hit.similarity, 1 - hit.distance);
        if (metric === "inner_product") equal(hit.similarity, -hit.distance);
      }
    }
    equal(s.metric, "l2");
    s.close();
  },

  "vectors come in every shape": ({ api }) => {
    const flat = [1, 2, 3, 4, 5, 6];
    const shapes = [
      new Float32Array(flat),
      new Float64Array(flat),
      flat,
      [new Float32Array([1, 2, 3]), [4, 5, 6]],
      [[1, 2, 3], new Float64Array([4, 5, 6])],
      new Float32Array([0, ...flat]).subarray(1),
    ];
    for (const vectors of shapes) {
      const s = api.RvfStore.create(3);
      equal(s.ingest(vectors, [10, 20]), 2);
      equal(s.query([4, 5, 6], 1), [{ id: 20, distance: 0 }]);
      s.close();
    }
    const s = api.RvfStore.create(1);
    equal(s.ingest([7], [1]), 1);
    equal(s.ingest([8], 2), 1);
    equal(s.ingest([[9]], [3]), 1);
    equal(
      s.query([7], 9),
      [1, 2, 3].map((id) => ({ id, distance: (id - 1) ** 2 })),
    );
    s.close();
  },

  "ids come in every shape": ({ api }) => {
    for (const ids of [[1, 2], [1n, 2], new Uint32Array([1, 2]), new BigUint64Array([1n, 2n])]) {
      const s = api.RvfStore.create(1);
      equal(s.ingest([1, 2], ids), 2);
      equal(
        s.query([0], 2).map(({ id }) => id),
        [1, 2],
      );
      equal(s.delete(ids), 2);
      s.close();
    }
  },

  "an id that is held is replaced, the last of equal ids wins": ({ api }) => {
    const s = api.RvfStore.create(2);
    equal(s.ingest([1, 1, 2, 2, 3, 3], [7, 8, 7]), 3);
    equal(s.count, 2);
    equal(s.query([3, 3], 1), [{ id: 7, distance: 0 }]);
    equal(s.ingest([5, 5], 7), 1);
    equal(s.count, 2);
    equal(s.query([5, 5], 1), [{ id: 7, distance: 0 }]);
    s.close();
  },

  "nothing in, nothing out": ({ api }) => {
    const s = api.RvfStore.create(4);
    equal(s.query([1, 2, 3, 4], 5), []);
    equal([s.ingest([], []), s.ingest(new Float32Array(0), []), s.delete([])], [0, 0, 0]);
    const again = api.RvfStore.open(s.toBytes());
    equal([again.count, again.dimension, again.warnings], [0, 4, []]);
    again.close();
    s.close();
  },

  "k above the count gives them all, ascending, ties by id": ({ api }) => {
    const s = api.RvfStore.create(1);
    s.ingest([1, -1, 0, 1], [9, 3, 5, 2]);
    const all = [5, 2, 3, 9].map((id) => ({ id, distance: id === 5 ? 0 : 1 }));
    for (const k of [4, 5, 1000, 2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER])
      equal(s.query([0], k), all);
    equal(s.query([0], 2), all.slice(0, 2));
    s.close();
  },

  "deleting holds: in answers, counts, exports, and until it is ingested again": ({ api }) => {
    const s = api.RvfStore.create(1);
    s.ingest([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]);
    equal(s.delete(2), 1);
    equal(s.delete([2, 3, 3, 99]), 1);
    equal(s.count, 3);
    equal(
      s.query([2], 9).map(({ id }) => id),
      [1, 4, 5],
    );
    const { count, rows, deletedRows } = s.status();
    equal([count, rows - deletedRows], [3, 3]);
    const again = api.RvfStore.open(s.toBytes());
    equal([again.count, again.query([2], 9)], [3, s.query([2], 9)]);
    again.close();
    s.ingest([2.5], 2);
    equal(s.query([2.5], 1), [{ id: 2, distance: 0 }]);
    equal(s.count, 4);
    s.close();
  },

  "a file gives back everything: ids, bits, metric, order": ({ api }) => {
    for (const metric of ["l2", "inner_product", "cosine"]) {
      const rows = makeRows(100, 9);
      rows[3][1].set([-0, 1e-45, 3.4e38, -3.4e38, 1.17549435e-38]); // signed zero to the largest
      const a = api.RvfStore.create(9, metric);
      ingestRows(a, rows);
      const bytes = a.toBytes();
      ok(bytes instanceof Uint8Array, "toBytes gives a Uint8Array");
      for (const source of [bytes, bytes.buffer, new Uint8Array([1, ...bytes]).subarray(1)]) {
        const b = api.RvfStore.open(source);
        equal([b.count, b.dimension, b.metric, b.warnings], [100, 9, metric, []]);
        equal(b.toBytes(), bytes, "a second export");
        equal(b.query(rows[7][1], 100), a.query(rows[7][1], 100));
        b.close();
      }
      a.close();
    }
  },

  "two stores have two file ids": ({ api }) => {
    const [a, b] = [api.RvfStore.create(1), api.RvfStore.create(1)];
    ok(String(a.toBytes()) !== String(b.toBytes()), "the files differ");
    equal(a.toBytes(), a.toBytes(), "the same store twice");
    a.close();
    b.close();
  },

  "more than 65,535 vectors": ({ api }) => {
    const count = 70_000;
    const s = api.RvfStore.create(4);
    const vectors = Float32Array.from({ length: count * 4 }, (_, i) => (i % 4 === 0 ? i / 4 : 0));
    const ids = Array.from({ length: count }, (_, i) => i * 3);
    equal(s.ingest(vectors, ids), count);
    const b = api.RvfStore.open(s.toBytes());
    for (const t of [s, b]) {
      equal(t.count, count);
      equal(t.query([69_999, 0, 0, 0], 2), [
        { id: 69_999 * 3, distance: 0 },
        { id: 69_998 * 3, distance: 1 },
      ]);
      equal(t.query([0, 0, 0, 0], count).length, count);
    }
    equal(b.delete(ids.slice(0, 66_000)), 66_000);
    equal(b.query([0, 0, 0, 0], 1), [{ id: 198_000, distance: Math.fround(66_000 ** 2) }]);
    b.close();
    s.close();
  },

  "dimension 65,535": ({ api }) => {
    const dimension = 65_535;
    const rows = makeRows(3, dimension);
    const s = api.RvfStore.create(dimension, "cosine");
    ingestRows(s, rows);
    const b = api.RvfStore.open(s.toBytes());
    equal([b.dimension, b.count], [dimension, 3]);
    checkHits(b.query(rows[1][1], 3), rows, rows[1][1], 3, "cosine");
    b.close();
    s.close();
  },

  "closing is once, disposing is whenever": async ({ api }) => {
    if (!Symbol.dispose) return;
    const a = api.RvfStore.create(1);
    a[Symbol.dispose]();
    a[Symbol.dispose]();
    const b = api.RvfStore.create(1);
    equal(b.count, 0);
    b.close();
    b[Symbol.dispose]();
  },
};
