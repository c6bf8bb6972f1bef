// Filters, from JSON to the rows that they admit: against a plain evaluation of the rules, and against
// the real @ruvector/rvf-node.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import upstream from "@ruvector/rvf-node";
import { init, RvfError, RvfStore } from "rvf-wasm";
import {
  admits,
  mapFilter,
  operators,
  pools,
  randomFilter,
  randomSource,
  randomValue,
  textLeaf,
  textOf,
} from "./filter-reference.mjs";

const types = Object.keys(pools);
const fields = ["0", "40000", "kind", "note", "ghost"]; // no row has the last

let folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "rvf-filter-"));
  await init();
});
after(() => rmSync(folder, { recursive: true }));

/** A typed value in a form that JavaScript has for it: plain where that means the same, or typed. */
function form(random, { type, value }) {
  const isPlain = type !== "u64" || value >= 2n ** 63n;
  return isPlain && random(2) ? value : { type, value };
}

/** Random records by id, as maps of typed values, and a store that holds them. */
function randomStore(random, count) {
  const records = new Map();
  const store = RvfStore.create(1);
  for (let id = 0; id < count; id++) {
    const record = new Map();
    for (const field of fields.slice(0, 4)) {
      if (random(3)) record.set(field, randomValue(random, types));
    }
    const given = [...record].map(([field, value]) => [field, form(random, value)]);
    store.ingest([random(100)], id, Object.fromEntries(given));
    records.set(id, record);
  }
  return { store, records };
}

const byNumber = (a, b) => a - b;
const admitted = (records, filter) =>
  [...records].filter(([, record]) => admits(filter, record)).map(([id]) => id);

test("every operator on every type admits what the rules say, in every form of writing", () => {
  const random = randomSource(13);
  const seen = new Map();
  let some = 0;
  for (let round = 0; round < 20; round++) {
    const { store, records } = randomStore(random, 60);
    const reopened = RvfStore.open(store.toBytes());
    for (let i = 0; i < 150; i++) {
      const filter = randomFilter(random, fields, types);
      mapFilter(filter, (leaf) => {
        seen.set(`${leaf.op} ${leaf.type}`, (seen.get(`${leaf.op} ${leaf.type}`) ?? 0) + 1);
        return leaf;
      });
      const expected = admitted(records, filter);
      if (expected.length > 0 && expected.length < 60) some++;
      const native = mapFilter(filter, ({ op, field, value, values, low, high }) => ({
        op,
        field,
        ...(value && { value: form(random, value) }),
        ...(values && { values: values.map((each) => form(random, each)) }),
        ...(low && { low: form(random, low), high: form(random, high) }),
      }));
      const numbered = ({ field }) =>
        /^\d+$/.test(field) ? { fieldId: Number(field) } : { field };
      const text = mapFilter(filter, (leaf) => ({ ...numbered(leaf), ...textLeaf(leaf) }));
      for (const each of [native, text, JSON.stringify(text)]) {
        for (const opened of [store, reopened]) {
          const hits = opened.query([0], 60, { filter: each });
          assert.deepEqual(hits.map(({ id }) => id).sort(byNumber), expected);
          assert.equal(hits.exhausted, expected.length < 60);
        }
      }
    }
    store.close();
    reopened.close();
  }
  for (const op of operators.slice(0, 8)) {
    for (const type of types) assert.ok(seen.get(`${op} ${type}`) > 20, `${op} ${type}`);
  }
  assert.ok(some > 500, `${some} filters tell rows apart`);
});

test("deleteWhere takes what a query with the same filter finds, and nothing else", () => {
  const random = randomSource(5);
  for (let round = 0; round < 60; round++) {
    const { store, records } = randomStore(random, 40);
    const filter = randomFilter(random, fields, types);
    const expected = admitted(records, filter);
    const text = mapFilter(filter, (leaf) => ({ field: leaf.field, ...textLeaf(leaf) }));
    assert.equal(store.deleteWhere(text), expected.length);
    const left = [...records.keys()].filter((id) => !expected.includes(id));
    assert.deepEqual(store.ids().sort(byNumber), left);
    store.close();
  }
});

test("the k nearest of those that are admitted come, however few they are", () => {
  const store = RvfStore.create(1);
  const count = 3000;
  const ids = Array.from({ length: count }, (_, i) => i);
  const metadata = ids.map((i) => ({ rare: i % 300 === 7 }));
  store.ingest(Float32Array.from(ids), ids, metadata);
  const filter = { op: "eq", field: "rare", value: true };
  for (const k of [1, 5, 10, 11, 1000]) {
    const hits = store.query([3000], k, { filter });
    const expected = ids.filter((i) => i % 300 === 7).reverse();
    assert.deepEqual(
      hits.map(({ id }) => id),
      expected.slice(0, k),
    );
    assert.equal(hits.exhausted, k > 10);
  }
  store.close();
});

/** The same rows in the real rvf-node, whose metadata are as many entries for each row. */
function upstreamStore(rows) {
  const database = upstream.RvfDatabase.create(join(folder, `${Math.random()}.rvf`), {
    dimension: 1,
    metric: "l2",
  });
  const vectors = Float32Array.from(rows, (_, i) => i);
  const entries = rows.flatMap((row) =>
    [...row].map(([field, value]) => ({
      fieldId: Number(field),
      valueType: value.type,
      value: textOf(value),
    })),
  );
  database.ingestBatch(
    vectors,
    rows.map((_, i) => i),
    entries,
  );
  return database;
}

test("random filters admit what the real rvf-node admits", () => {
  const random = randomSource(77);
  const stored = ["u64", "i64", "f64", "string"]; // what it takes as metadata
  const rows = Array.from({ length: 80 }, () => {
    const record = new Map();
    while (record.size < 2) record.set(String(random(4)), randomValue(random, stored));
    return record;
  });
  const database = upstreamStore(rows);
  const store = RvfStore.create(1);
  const given = rows.map((row) => Object.fromEntries(row));
  const vectors = Float32Array.from(rows, (_, i) => i);
  store.ingest(
    vectors,
    rows.map((_, i) => i),
    given,
  );
  let some = 0;
  for (let i = 0; i < 1000; i++) {
    const filter = randomFilter(random, ["0", "1", "2", "3"], [...stored, "bool"]);
    const text = JSON.stringify(
      mapFilter(filter, (leaf) => ({ fieldId: Number(leaf.field), ...textLeaf(leaf) })),
    );
    const expected = database.query(new Float32Array(1), 80, { filter: text });
    const hits = store.query([0], 80, { filter: text });
    assert.deepEqual(
      hits.map(({ id }) => id),
      expected.map(({ id }) => id),
      text,
    );
    if (hits.length > 0 && hits.length < 80) some++;
  }
  assert.ok(some > 300, `${some} filters tell rows apart`);
  database.close();
  store.close();
});

const leaf = (more) => JSON.stringify({ op: "eq", fieldId: 0, ...more });

/** Filters that nobody can read, and texts that are read as values or not. */
const texts = [
  "[]",
  "5",
  "null",
  "{}",
  '{"op":5}',
  '{"op":"xx"}',
  '{"op":"eq"}',
  leaf({ fieldId: "0" }),
  leaf({ fieldId: 1.5, valueType: "u64", value: "1" }),
  leaf({ fieldId: -1, valueType: "u64", value: "1" }),
  leaf({ valueType: 5, value: "5" }),
  leaf({ valueType: "int", value: "1" }),
  leaf({ valueType: "u64" }),
  leaf({ valueType: "u64", value: null }),
  '{"op":"in","fieldId":0,"valueType":"u64"}',
  '{"op":"in","fieldId":0,"valueType":"u64","values":"1"}',
  '{"op":"in","fieldId":0,"valueType":"u64","values":[null]}',
  '{"op":"range","fieldId":0,"valueType":"u64","low":"1"}',
  '{"op":"range","fieldId":0,"valueType":"u64","high":"1"}',
  '{"op":"and"}',
  '{"op":"or","children":{}}',
  '{"op":"or","children":[5]}',
  '{"op":"not"}',
  '{"op":"not","child":5}',
  ...["5", "+5", " 5", "05", "-1", "5.0", "18446744073709551615", "18446744073709551616", ""].map(
    (value) => leaf({ valueType: "u64", value }),
  ),
  ...["-9223372036854775808", "9223372036854775808", "-0", "--1", "1e3"].map((value) =>
    leaf({ valueType: "i64", value }),
  ),
  ...["5e0", "inf", "-INFINITY", "nan", ".5", "5.", ".", "0x5", " 5", "1_0", "e5", "1e400", ""].map(
    (value) => leaf({ valueType: "f64", value }),
  ),
  ...["true", "false", "True", "1", ""].map((value) => leaf({ valueType: "bool", value })),
];

function outcome(query) {
  try {
    return query().map(({ id }) => id);
  } catch (error) {
    if (error instanceof RvfError) assert.equal(error.codeName, "FilterParseError");
    return error.message.replace("RVF error 0x0203: FilterParseError. ", "");
  }
}

test("what cannot be read is refused with the texts of the real rvf-node", () => {
  const value = { type: "u64", value: 5n };
  const database = upstreamStore([new Map([["0", value]])]);
  const store = RvfStore.create(1);
  store.ingest([0], 0, { 0: value });
  let refused = 0;
  for (const filter of texts) {
    const expected = outcome(() => database.query(new Float32Array(1), 1, { filter }));
    assert.deepEqual(
      outcome(() => store.query([0], 1, { filter })),
      expected,
      filter,
    );
    if (typeof expected === "string") refused++;
  }
  assert.ok(refused > 35, `${refused} of ${texts.length} are refused`);
  for (const filter of ["", "{", "nothing"]) {
    assert.match(
      outcome(() => store.query([0], 1, { filter })),
      /^Invalid filter JSON: /,
    );
  }
  database.close();
  store.close();
});

test("filters may be wide and deep, but not without end", () => {
  const store = RvfStore.create(1);
  store.ingest([0, 1, 2], [0, 1, 2], [{ n: 0 }, { n: 1 }, { n: 2 }]);
  const is = (value) => ({ op: "eq", field: "n", value });
  const wide = { op: "or", children: Array.from({ length: 50_000 }, (_, i) => is(i + 1)) };
  assert.equal(store.query([0], 3, { filter: wide }).length, 2);
  const values = Array.from({ length: 100_000 }, (_, i) => i + 2);
  assert.equal(store.query([0], 3, { filter: { op: "in", field: "n", values } }).length, 1);
  let deep = is(1);
  let left = is(1);
  for (let i = 0; i < 400; i++) {
    deep = { op: "and", children: [is(1), { op: "or", children: [deep, is(7)] }] };
    left = { op: "or", children: [{ op: "and", children: [left, is(1)] }, is(8)] };
  }
  assert.equal(store.query([0], 3, { filter: deep }).length, 1);
  assert.equal(store.query([0], 3, { filter: left }).length, 1);
  const full = (depth) =>
    depth === 0
      ? is(2)
      : { op: depth % 2 ? "and" : "or", children: [full(depth - 1), full(depth - 1)] };
  assert.equal(store.query([0], 3, { filter: full(12) }).length, 1);
  const endless = { op: "not" };
  endless.child = endless;
  assert.throws(() => store.query([0], 3, { filter: endless }), /nested deeper than 1000/);
  store.close();
});
