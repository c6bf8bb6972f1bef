// Metadata: what goes in comes back, with hits and alone, through files, upserts and deletions.

import { equal, ok, throws } from "./assert.mjs";
import { contents } from "./file.mjs";

const big = 2n ** 63n;

/** As given, and as it comes back where that differs. */
const values = [
  ["", ""],
  ["text", "text"],
  ["\ufefféß😀\0", "\ufefféß😀\0"],
  [0, 0],
  [-0, -0],
  [42, 42],
  [1.5, 1.5],
  [2 ** 60, 2 ** 60],
  [5e-324, 5e-324],
  [Infinity, Infinity],
  [NaN, NaN],
  [5n, 5n],
  [-big, -big],
  [big - 1n, big - 1n],
  [big, big],
  [2n * big - 1n, 2n * big - 1n],
  [true, true],
  [false, false],
  [new Uint8Array([0, 255, 7]), new Uint8Array([0, 255, 7])],
  [new Uint8Array(0), new Uint8Array(0)],
  [
    { type: "u64", value: 5 },
    { type: "u64", value: 5 },
  ],
  [
    { type: "u64", value: "9007199254740993" },
    { type: "u64", value: 2n ** 53n + 1n },
  ],
  [{ type: "u64", value: 2n * big - 1n }, 2n * big - 1n],
  [{ type: "i64", value: -5 }, -5n],
  [{ type: "f64", value: "1e3" }, 1000],
  [{ type: "string", value: "s" }, "s"],
  [{ type: "bool", value: "true" }, true],
  [{ type: "bytes", value: "00ff" }, new Uint8Array([0, 255])],
];

function sameValue(found, expected, what) {
  equal(typeof found, typeof expected, `type of ${what}`);
  if (found?.type) equal(typeof found.value, typeof expected.value, `type in ${what}`);
  equal(found, expected, what);
}

export const metadata = {
  "every kind of value comes back, and may be given again": ({ api }) => {
    const store = api.RvfStore.create(1);
    const fields = values.map(([given], i) => [`field ${i}`, given]);
    store.ingest([1], 1, Object.fromEntries(fields));
    store.setMetadata(1, store.metadata(1));
    const again = api.RvfStore.open(store.toBytes());
    for (const opened of [store, again]) {
      const record = opened.metadata(1);
      equal(Object.keys(record), Object.keys(Object.fromEntries(fields)), "names, in their order");
      for (const [i, [, back]] of values.entries()) {
        sameValue(record[`field ${i}`], back, `value ${i}`);
      }
      opened.close();
    }
  },

  "what cannot be stored is refused by name, and nothing changes": async ({ api }) => {
    const store = api.RvfStore.create(1);
    store.ingest([1], 1, { a: 1 });
    const before = store.toBytes();
    const bad = [
      null,
      Symbol("s"),
      () => 1,
      {},
      [1],
      new Date(0),
      "\ud800",
      2n * big,
      -big - 1n,
      new Float32Array(1),
      { type: "u64", value: -1 },
      { type: "u64", value: 1.5 },
      { type: "i64", value: big },
      { type: "bool", value: 1 },
      { type: "bytes", value: "0" },
      { type: "int", value: 1 },
    ];
    for (const value of bad) {
      const record = { fresh: 1, odd: value };
      await throws(api, "InvalidArgument", () => store.ingest([2], 2, record), /"odd"/);
      await throws(api, "InvalidArgument", () => store.setMetadata(1, record), /"odd"/);
    }
    for (const record of [null, "a", 5, [1], new Map(), new Uint8Array(1)]) {
      await throws(api, "InvalidArgument", () => store.ingest([2], 2, record), /metadata/);
      await throws(api, "InvalidArgument", () => store.setMetadata(1, record), /metadata/);
    }
    for (const name of ["", "65534", "007", "\ud800"]) {
      await throws(api, "InvalidArgument", () => store.setMetadata(1, { [name]: 1 }), /field|name/);
    }
    for (const records of [{ a: 1 }, [{ a: 1 }], [{}, {}, {}], [{}, 5]]) {
      await throws(api, "InvalidArgument", () => store.ingest([2, 3], [2, 3], records), /metadata/);
    }
    await throws(api, "NotFinite", () => store.ingest([NaN], 2, { fresh: 1 }));
    await throws(api, "DimensionMismatch", () => store.ingest([1, 2], 2, { fresh: 1 }));
    equal(store.setMetadata(2, { fresh: 1 }), false);
    equal(store.toBytes(), before);
    store.close();
  },

  "hits carry it when asked": ({ api }) => {
    const store = api.RvfStore.create(1);
    store.ingest([1, 2, 3], [1, 2, 3], [{ a: "x" }, undefined, { b: 2 }]);
    equal(store.query([0], 3), [
      { id: 1, distance: 1 },
      { id: 2, distance: 4 },
      { id: 3, distance: 9 },
    ]);
    equal(store.query([0], 3, { includeMetadata: true }), [
      { id: 1, distance: 1, metadata: { a: "x" } },
      { id: 2, distance: 4, metadata: {} },
      { id: 3, distance: 9, metadata: { b: 2 } },
    ]);
    store.close();
  },

  "an upsert replaces it, a deletion removes it, setMetadata leaves the vector": ({ api }) => {
    const store = api.RvfStore.create(1);
    store.ingest([1, 2, 3, 4], [1, 2, 3, 4], [{ a: 1 }, { a: 2 }, { a: 3 }, { a: 4 }]);
    store.ingest([1.5], 1);
    store.ingest([2.5], 2, { b: 2 });
    store.delete(3);
    store.ingest([3.5], 3);
    equal(store.setMetadata(4, { a: "four" }), true);
    equal([store.metadata(9), store.setMetadata(9, { a: 1 })], [undefined, false]);
    const again = api.RvfStore.open(store.toBytes());
    for (const opened of [store, again]) {
      equal(contents(opened), [
        [1, [1.5], {}],
        [2, [2.5], { b: 2 }],
        [3, [3.5], {}],
        [4, [4], { a: "four" }],
      ]);
    }
    equal(again.setMetadata(4, undefined), true);
    equal(again.metadata(4), {});
    store.close();
    again.close();
  },

  "fields may be numbered, and names stay out of their way": async ({ api }) => {
    const store = api.RvfStore.create(1);
    store.ingest([1], 1, { 65533: "by number", kind: "by name", 0: "zero", other: undefined });
    const again = api.RvfStore.open(store.toBytes());
    for (const opened of [store, again]) {
      equal(opened.metadata(1), { 0: "zero", 65533: "by number", kind: "by name" });
      for (const filter of [
        { op: "eq", fieldId: 65533, value: "by number" },
        { op: "eq", field: "65533", value: "by number" },
        { op: "eq", fieldId: 65532, value: "by name" },
        { op: "eq", field: "kind", value: "by name" },
        { op: "ne", field: "other", value: "nobody has it" },
      ]) {
        equal(opened.query([1], 1, { filter }).length, 1, JSON.stringify(filter));
      }
      await throws(api, "InvalidArgument", () => opened.setMetadata(1, { 65532: 1 }), /"kind"/);
      opened.close();
    }
  },

  "names that JavaScript is fond of are names": ({ api }) => {
    const store = api.RvfStore.create(1);
    const record = JSON.parse(
      '{"__proto__":"p","constructor":"c","toString":"t","hasOwnProperty":1}',
    );
    store.ingest([1], "__proto__", record);
    const again = api.RvfStore.open(store.toBytes());
    const back = again.metadata("__proto__");
    again.close();
    equal(JSON.stringify(back), JSON.stringify(record));
    equal(Object.getPrototypeOf(back), Object.prototype);
    store.close();
  },

  "filters and ids together admit what passes both": async ({ api }) => {
    const store = api.RvfStore.create(1);
    const ids = [1, 2, "three", "four", 2n ** 60n];
    store.ingest([1, 2, 3, 4, 5], ids, [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }, { n: 5 }]);
    const find = (options) => store.query([0], 9, options).map(({ id }) => id);
    equal(find({ ids: ["four", 1, "nobody", 77, 1, 2n ** 60n] }), [1, "four", 2n ** 60n]);
    equal(find({ ids: [] }), []);
    equal(store.query([0], 1, { ids: [] }).exhausted, true);
    const filter = { op: "ge", field: "n", value: 2 };
    equal(find({ ids: [1, 2, "three"], filter }), [2, "three"]);
    equal(find({ filter: JSON.stringify(filter) }), [2, "three", "four", 2n ** 60n]);
    equal(find({ filter: { op: "eq", fieldId: 65535, value: "four" } }), ["four"]);
    equal(find({ filter: { op: "eq", fieldId: 65534, value: 2n ** 63n } }), []);
    equal(find({ filter: { op: "eq", fieldId: 65534, valueType: "u64", value: 2 } }), [2]);
    await throws(api, "InvalidArgument", () => find({ ids: [-1] }));
    await throws(api, "FilterParseError", () => find({ filter: {} }), /'op'/);
    await throws(api, "FilterParseError", () => find({ filter: null }), /'op'/);
    await throws(api, "FilterParseError", () => store.deleteWhere({ op: "xx" }), /'xx'/);
    await throws(api, "FilterParseError", () => store.deleteWhere(undefined));
    equal(store.count, 5);
    store.close();
  },

  "among ids the answers are those of the whole store, to the last bit": async ({
    api,
    fixture,
  }) => {
    for (const name of ["made_metric_cosine.rvf", "made_deletes.rvf", "made_odd_values.rvf"]) {
      const store = api.RvfStore.open(await fixture(name));
      const ids = store.ids().filter((_, i) => i % 3 !== 1);
      const among = new Set(ids);
      const query = Float32Array.from({ length: store.dimension }, (_, i) => Math.sin(i + 1));
      for (const metric of ["l2", "inner_product", "cosine"]) {
        const all = store.query(query, store.count, { metric }).filter(({ id }) => among.has(id));
        equal(store.query(query, store.count, { metric, ids }), all, `${name} by ${metric}`);
        equal(store.query(query, 2, { metric, ids }), all.slice(0, 2), `${name} by ${metric}`);
        const filter = { op: "ge", fieldId: 65534, value: { type: "u64", value: 5 } };
        equal(
          store.query(query, store.count, { metric, ids, filter }),
          all.filter(({ id }) => id >= 5),
          `${name} by ${metric}, filtered`,
        );
      }
      store.close();
    }
  },

  "hits say when there are no more": ({ api }) => {
    const store = api.RvfStore.create(1);
    equal(store.query([0], 1).exhausted, true);
    store.ingest([1, 2], [1, 2]);
    equal(
      [2, 3].map((k) => store.query([0], k).exhausted),
      [false, true],
    );
    ok(!Object.keys(store.query([0], 9)).includes("exhausted"), "it is not among the hits");
    store.close();
  },
};
