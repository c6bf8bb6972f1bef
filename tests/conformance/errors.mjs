// Every way to get an RvfError, with its code, and the state afterwards: as before.

import { equal, ok, throws } from "./assert.mjs";

/** A store with two vectors, and a check that it still is what it was. */
function small(api) {
  const store = api.RvfStore.create(2);
  store.ingest([1, 2, 3, 4], [1, 2]);
  const before = store.toBytes();
  return { store, unchanged: () => equal(store.toBytes(), before, "the store") };
}

export const errors = {
  "an RvfError has code, names and a text": async ({ api }) => {
    const error = new api.RvfError(0x0200);
    ok(error instanceof Error, "is an Error");
    equal([error.name, error.code, error.codeName], ["RvfError", 0x200, "DimensionMismatch"]);
    ok(/^RVF error 0x0200: DimensionMismatch\. .+\.$/.test(error.message), error.message);
    equal(new api.RvfError(0x0777).codeName, "Unknown");
  },

  "create: dimensions": async ({ api }) => {
    for (const dimension of [0, -1, 1.5, NaN, 65_536, 2 ** 32 + 1, "3", null, undefined, 3n]) {
      await throws(api, "InvalidArgument", () => api.RvfStore.create(dimension), /dimension/);
      await throws(api, "InvalidArgument", () => api.RvfStore.create({ dimension }), /dimension/);
    }
  },

  "metrics: create, open and query": async ({ api }) => {
    const { store, unchanged } = small(api);
    for (const metric of ["dot", "", "hamming", 0, null, "toString"]) {
      if (metric !== null) {
        await throws(api, "MetricUnsupported", () => api.RvfStore.create(2, metric), /l2/);
      }
      await throws(api, "MetricUnsupported", () => api.RvfStore.open(store.toBytes(), { metric }));
      await throws(api, "MetricUnsupported", () => store.query([1, 2], 1, { metric }));
    }
    unchanged();
    store.close();
  },

  "ingest: lengths": async ({ api }) => {
    const { store, unchanged } = small(api);
    const cases = [
      [[1, 2, 3], 9],
      [[1], 9],
      [[], 9],
      [
        [1, 2, 3],
        [8, 9],
      ],
      [new Float32Array(0), [9]],
      [[1, 2], []],
      [
        [[1, 2], [3]],
        [8, 9],
      ],
      [
        [
          [1, 2],
          [3, 4, 5],
        ],
        [8, 9],
      ],
    ];
    for (const [vectors, ids] of cases) {
      await throws(api, "DimensionMismatch", () => store.ingest(vectors, ids));
    }
    await throws(
      api,
      "InvalidArgument",
      () => store.ingest([[1, 2]], [8, 9]),
      /1 vectors and 2 ids/,
    );
    await throws(api, "InvalidArgument", () =>
      store.ingest(
        [
          [1, 2],
          [3, 4],
        ],
        [9],
      ),
    );
    unchanged();
    store.close();
  },

  "ingest and query: types": async ({ api }) => {
    const { store, unchanged } = small(api);
    for (const vector of [
      "ab",
      null,
      undefined,
      5,
      {},
      ["1", 2],
      [1n, 2n],
      [1, null],
      [[1, 2]],
      [1, undefined],
    ]) {
      await throws(api, "InvalidArgument", () => store.ingest(vector, 9));
      await throws(api, "InvalidArgument", () => store.query(vector, 1));
    }
    for (const vectors of [
      "ab",
      null,
      undefined,
      5,
      {},
      [[1, 2], null],
      [[1, 2], "ab"],
      [
        [1, "2"],
        [3, 4],
      ],
    ]) {
      await throws(api, "InvalidArgument", () => store.ingest(vectors, [8, 9]));
    }
    unchanged();
    store.close();
  },

  "ingest and query: NaN and infinities, by row": async ({ api }) => {
    const { store, unchanged } = small(api);
    for (const bad of [NaN, Infinity, -Infinity, 1e39]) {
      await throws(api, "NotFinite", () => store.ingest([1, bad], 9), /Element 1 of vector 0/);
      const flat = new Float32Array([1, 2, 3, 4, bad, 6, 7, 8]);
      await throws(
        api,
        "NotFinite",
        () => store.ingest(flat, [6, 7, 8, 9]),
        /Element 0 of vector 2/,
      );
      await throws(api, "NotFinite", () => store.query([bad, 0], 1), /Element 0/);
    }
    unchanged();
    store.close();
  },

  "query: lengths and k": async ({ api }) => {
    const { store, unchanged } = small(api);
    for (const query of [[], [1], [1, 2, 3], new Float32Array(3)]) {
      await throws(api, "DimensionMismatch", () => store.query(query, 1), /dimension is 2/);
    }
    for (const k of [0, -1, 1.5, NaN, Infinity, "1", null, undefined, 1n]) {
      await throws(api, "InvalidArgument", () => store.query([1, 2], k), /k is/);
    }
    unchanged();
    store.close();
  },

  "open: what is no file": async ({ api }) => {
    for (const bytes of ["RVFS", null, undefined, 5, {}, [1, 2]]) {
      await throws(api, "InvalidArgument", () => api.RvfStore.open(bytes), /Uint8Array/);
    }
    for (const bytes of [
      new Uint8Array(0),
      new Uint8Array(1000),
      new TextEncoder().encode("<html>"),
    ]) {
      await throws(api, "ManifestNotFound", () => api.RvfStore.open(bytes));
    }
  },

  "a closed store says so in every method": async ({ api }) => {
    const { store } = small(api);
    const bytes = store.toBytes();
    store.close();
    const uses = [
      () => store.count,
      () => store.dimension,
      () => store.metric,
      () => store.warnings,
      () => store.status(),
      () => store.memoryUsage(),
      () => store.ingest([1, 2], 1),
      () => store.ingest([], []),
      () => store.query([1, 2], 1),
      () => store.delete(1),
      () => store.delete([]),
      () => store.toBytes(),
      () => store.get(1),
      () => store.get("text"),
      () => store.has("text"),
      () => store.ids(),
      () => store.metadata("text"),
      () => store.setMetadata(1, {}),
      () => store.deleteWhere({ op: "and", children: [] }),
      () => store.idMap(),
      () => store.changes(),
      () => store.signedChanges({ algorithm: "ed25519", sign: () => new Uint8Array(64) }),
      () => store.acknowledge(),
      () => store.discard(),
      () => store.freeze(),
      () => store.frozen,
      () => store.state(),
      () => store.losses(),
      () => store.lineage(),
      () => store.derive({ parent: bytes }),
      () => store.branch({ parent: bytes, parentName: "a.rvf" }),
      () => store.embedWasm({ image: bytes, role: 0 }),
      () => store.extractWasm(),
      () => store.bootstrapChain(),
      () => store.embedSegment(0xf0, bytes),
      () => store.extractSegments(0xf0),
      () => store.close(),
    ];
    for (const use of uses) await throws(api, "StoreClosed", use);
    const other = api.RvfStore.open(bytes); // likely in the same slot
    for (const use of uses) await throws(api, "StoreClosed", use);
    equal(other.count, 2);
    other.close();
  },

  "1,024 stores and no more": async ({ api }) => {
    const stores = [];
    try {
      while (stores.length < 1024) stores.push(api.RvfStore.create(1));
      const bytes = stores[5].toBytes();
      await throws(api, "TooManyStores", () => api.RvfStore.create(1));
      await throws(api, "TooManyStores", () => api.RvfStore.open(bytes));
      stores.pop().close();
      stores.push(api.RvfStore.open(bytes));
      for (const [i, store] of stores.entries()) store.ingest([i], i);
      for (const [i, store] of stores.entries()) equal(store.query([0], 1)[0].id, i);
    } finally {
      for (const store of stores) store.close();
    }
  },
};
