// Ids over all of u64, as numbers where those are exact and as bigints beyond.

import { equal, throws } from "./assert.mjs";

const max = 2n ** 64n - 1n;
/** Given, and how it comes back. */
const pairs = [
  [0, 0],
  [-0, 0],
  [1n, 1],
  [2 ** 32 - 1, 2 ** 32 - 1],
  [2 ** 32, 2 ** 32],
  [2n ** 32n + 5n, 2 ** 32 + 5],
  [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  [2n ** 53n - 2n, 2 ** 53 - 2],
  [2n ** 53n, 2n ** 53n],
  [2n ** 53n + 1n, 2n ** 53n + 1n],
  [2n ** 63n, 2n ** 63n],
  [max, max],
];

export const ids = {
  "come back as they are, through queries and files": ({ api }) => {
    for (const [given, back] of pairs) {
      const s = api.RvfStore.create(1);
      equal(s.ingest([1], given), 1);
      const b = api.RvfStore.open(s.toBytes());
      for (const t of [s, b]) {
        const [{ id }] = t.query([1], 1);
        equal([typeof id, id], [typeof back, back]);
        equal(t.delete(given), 1);
        equal(t.count, 0);
        t.close();
      }
    }
  },

  "differ in every bit": ({ api }) => {
    const all = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit));
    const s = api.RvfStore.create(1);
    equal(s.ingest(new Float32Array(64), all), 64);
    equal(
      s.query([0], 64).map(({ id }) => BigInt(id)),
      all,
    );
    equal(s.delete(all.slice(32)), 32);
    equal(
      s.query([0], 64).map(({ id }) => BigInt(id)),
      all.slice(0, 32),
    );
    s.close();
  },

  "that are neither u64 nor text are refused, and nothing changes": async ({ api }) => {
    const s = api.RvfStore.create(1);
    s.ingest([5], 5);
    const before = s.toBytes();
    const bad = [
      -1,
      -1n,
      0.5,
      NaN,
      Infinity,
      2 ** 53,
      2n ** 64n,
      "\ud800",
      null,
      undefined,
      {},
      true,
      [1],
    ];
    for (const id of bad) {
      if (!Array.isArray(id)) {
        await throws(api, "InvalidArgument", () => s.ingest([1], id), /position 0/);
        await throws(api, "InvalidArgument", () => s.delete(id), /position 0/);
      }
      await throws(api, "InvalidArgument", () => s.ingest([1, 2], [5, id]), /position 1/);
      await throws(api, "InvalidArgument", () => s.delete([5, id]), /position 1/);
    }
    equal(s.toBytes(), before);
    s.close();
  },
};
