// The raw ABI of rvf_control.wasm: handles, arguments and statuses. A refused call leaves every
// store as it was.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { writeRvf } from "../reference/format.mjs";
import { randomSource } from "../reference/random.mjs";
import { bytesOf, Control, METRIC } from "./control.mjs";
import { STATUS } from "./status.mjs";

const MOST_STORES = 1024;
const INT_MAX = 0x7fffffff;
const INT_MIN = -0x80000000;

/** A module with one store of 20 vectors of 3 dimensions, and what that store shows. */
function small() {
  const control = new Control();
  const handle = control.create(3, METRIC.L2);
  const ids = Array.from({ length: 20 }, (_, i) => i + 1);
  assert.equal(control.ingest(handle, randomSource(5).floats(60), ids), 20);
  control.delete(handle, [4, 9]);
  return { control, handle, before: stateOf(control, handle) };
}

/** Everything that a store shows: its numbers, an answer and its whole file. */
function stateOf(control, handle) {
  return {
    ...control.status(handle),
    warnings: control.warnings(handle),
    answer: control.query(handle, [0.1, 0.2, 0.3], 20),
    file: control.export(handle),
  };
}

function unchanged({ control, handle, before }) {
  assert.deepEqual(stateOf(control, handle), before);
}

/** Every export that takes a handle, called with it and with operands that are all right. */
function callsWith(control, handle) {
  const at = control.alloc(256);
  const { exports } = control;
  const calls = [
    () => exports.rvf_store_close(handle),
    () => exports.rvf_store_ingest(handle, at, at, 1),
    () => exports.rvf_store_query(handle, at, 1, -1, at),
    () => exports.rvf_store_delete(handle, at, 1),
    () => exports.rvf_store_vector(handle, at, at),
    () => exports.rvf_store_count(handle),
    () => exports.rvf_store_dimension(handle),
    () => exports.rvf_store_status(handle, at),
    () => exports.rvf_store_warnings(handle),
    () => exports.rvf_store_set_file_id(handle, at),
    () => exports.rvf_store_export_size(handle),
    () => exports.rvf_store_export(handle, at, 256),
    () => exports.rvf_store_memory_usage(handle, at),
  ];
  return calls.map((call) => call());
}

const allClosed = (answers) => answers.every((answer) => answer === STATUS.kStoreClosed);

describe("handles", () => {
  test("are positive and all different", () => {
    const control = new Control();
    const handles = Array.from({ length: MOST_STORES }, () => control.create(1));
    assert.ok(handles.every((handle) => handle > 0));
    assert.equal(new Set(handles).size, MOST_STORES);
  });

  test("of a closed store say so in every export, also when its slot is taken again", () => {
    const { control, handle } = small();
    assert.equal(control.close(handle), 0);
    assert.ok(allClosed(callsWith(control, handle)));
    const other = control.create(1);
    assert.notEqual(other, handle);
    assert.ok(allClosed(callsWith(control, handle)));
    assert.equal(control.count(other), 0);
  });

  test("that were never given out say so in every export, and leave the others alone", () => {
    const state = small();
    const { control, handle } = state;
    const forged = [0, 1, 2, 1023, 1024, -1, -handle, INT_MAX, INT_MIN, handle ^ (1 << 30)];
    for (const near of [-1024, -1, 1, 1024]) forged.push(handle + near);
    for (const other of forged.filter((value) => value !== handle)) {
      assert.ok(allClosed(callsWith(control, other)), `handle ${other}`);
    }
    unchanged(state);
  });

  test("are not given out twice in 2^20 - 1 stores of one slot", () => {
    const control = new Control();
    const { rvf_store_create: create, rvf_store_close: close } = control.exports;
    const seen = new Uint8Array(2 ** 21);
    let repeated = 0;
    for (let i = 0; i < 2 ** 20 - 1; i++) {
      const handle = create(1, METRIC.L2);
      repeated += seen[handle >>> 10]++;
      close(handle);
    }
    assert.equal(repeated, 0);
    assert.ok(create(1, METRIC.L2) > 0);
  });

  test("1,024 stores are open at most; one closed makes room for one", () => {
    const control = new Control();
    const file = writeRvf({ dimension: 1, rows: [[7, [7]]] });
    const handles = Array.from({ length: MOST_STORES }, (_, i) => {
      const handle = control.create(1);
      control.ingest(handle, [i], [i]);
      return handle;
    });
    assert.equal(control.create(1), STATUS.kTooManyStores);
    assert.equal(control.open(file), STATUS.kTooManyStores);
    control.close(handles[500]);
    handles[500] = control.open(file);
    assert.equal(control.open(file), STATUS.kTooManyStores);
    const found = handles.map((handle) => control.query(handle, [0], 1).hits[0].id);
    assert.deepEqual(
      found,
      handles.map((_, i) => BigInt(i === 500 ? 7 : i)),
    );
  });

  test("refusing a store too many takes no memory", () => {
    const control = new Control();
    const file = writeRvf({ dimension: 1000, rows: [[7, new Array(1000).fill(1)]] });
    for (let i = 0; i < MOST_STORES; i++) control.create(1);
    control.open(file);
    const size = control.size;
    for (let i = 0; i < 500; i++) {
      assert.equal(control.create(1000), STATUS.kTooManyStores);
      assert.equal(control.open(file), STATUS.kTooManyStores);
    }
    assert.equal(control.size, size);
  });
});

describe("rvf_store_create", () => {
  test("takes dimensions 1 to 65,535 and no other", () => {
    const control = new Control();
    for (const dimension of [1, 2, 65_535]) {
      const handle = control.create(dimension);
      assert.ok(handle > 0);
      assert.equal(control.exports.rvf_store_dimension(handle), dimension);
    }
    for (const dimension of [0, -1, 65_536, 65_537, INT_MAX, INT_MIN]) {
      assert.equal(control.create(dimension), STATUS.kInvalidArgument, `dimension ${dimension}`);
    }
  });

  test("takes metrics 0 to 2 and no other", () => {
    const control = new Control();
    for (const metric of [0, 1, 2]) {
      assert.equal(control.status(control.create(1, metric)).metric, metric);
    }
    for (const metric of [-1, 3, INT_MAX, INT_MIN]) {
      assert.equal(control.create(1, metric), STATUS.kMetricUnsupported);
    }
  });

  test("gives an empty store without warnings", () => {
    const control = new Control();
    const handle = control.create(4, METRIC.COSINE);
    const want = { status: 0, live: 0, dimension: 4, metric: 2, rows: 0, deleted: 0 };
    assert.deepEqual(control.status(handle), want);
    assert.equal(control.warnings(handle), 0);
    assert.deepEqual(control.query(handle, [1, 2, 3, 4], 5), { status: 0, hits: [] });
  });
});

describe("numbers that are refused", () => {
  for (const [name, bad] of [
    ["NaN", Number.NaN],
    ["Infinity", Number.POSITIVE_INFINITY],
    ["-Infinity", Number.NEGATIVE_INFINITY],
  ]) {
    test(`${name} anywhere in an ingest: all or nothing`, () => {
      const state = small();
      const { control, handle } = state;
      for (const place of [0, 1, 5, 29]) {
        const vectors = new Float32Array(30).fill(1);
        vectors[place] = bad;
        const ids = [1, 2, 100, 101, 102, 103, 104, 105, 106, 107];
        assert.equal(control.ingest(handle, vectors, ids), STATUS.kNotFinite);
        unchanged(state);
      }
    });

    test(`${name} in a query`, () => {
      const state = small();
      const { control, handle } = state;
      for (let place = 0; place < 3; place++) {
        const query = [1, 1, 1];
        query[place] = bad;
        assert.equal(control.query(handle, query, 1).status, STATUS.kNotFinite);
      }
      unchanged(state);
    });
  }

  test("the largest and the smallest finite f32 are taken", () => {
    const control = new Control();
    const handle = control.create(4);
    const most = 3.4028234663852886e38;
    assert.equal(control.ingest(handle, [most, -most, 2 ** -149, -0], [1]), 1);
    assert.deepEqual(control.vector(handle, 1n).values, [most, -most, 2 ** -149, -0]);
  });

  test("k of 0 and below", () => {
    const state = small();
    for (const k of [0, -1, INT_MIN]) {
      const { status } = state.control.query(state.handle, [1, 2, 3], k);
      assert.equal(status, STATUS.kInvalidArgument);
    }
    unchanged(state);
  });

  test("a metric of a query below -1 or above 2", () => {
    const state = small();
    for (const metric of [-2, 3, INT_MAX, INT_MIN]) {
      const { status } = state.control.query(state.handle, [1, 2, 3], 1, metric);
      assert.equal(status, STATUS.kMetricUnsupported);
    }
    unchanged(state);
  });

  test("a negative count of an ingest or a delete", () => {
    const state = small();
    const { control, handle } = state;
    const at = control.alloc(64);
    for (const count of [-1, INT_MIN]) {
      const { rvf_store_ingest: ingest, rvf_store_delete: remove } = control.exports;
      assert.equal(ingest(handle, at, at, count), STATUS.kInvalidArgument);
      assert.equal(remove(handle, at, count), STATUS.kInvalidArgument);
    }
    unchanged(state);
  });

  test("the metric of an open below -1 or above 2", () => {
    const control = new Control();
    const file = writeRvf({ dimension: 1, rows: [[7, [7]]] });
    for (const metric of [-2, 3, INT_MAX, INT_MIN]) {
      assert.equal(control.open(file, metric), STATUS.kMetricUnsupported);
      assert.equal(control.openBranch(file, file, metric), STATUS.kMetricUnsupported);
    }
  });

  test("the index of a segment that is not there", () => {
    const control = new Control();
    const file = writeRvf({ dimension: 1, rows: [[7, [7]]] });
    control.with(file, (at) => {
      for (const index of [-1, 2, 3, INT_MAX, INT_MIN]) {
        const { status, bytes } = control.result(28, (out) =>
          control.exports.rvf_segment_info(at, file.length, index, out),
        );
        assert.equal(status, STATUS.kInvalidArgument);
        assert.ok(bytes.every((byte) => byte === 0));
      }
    });
  });
});

describe("numbers that are taken", () => {
  test("a k above the number of vectors answers all of them", () => {
    const { control, handle } = small();
    const out = control.alloc(12 * 18);
    const query = control.alloc(12);
    const ask = (k) => control.exports.rvf_store_query(handle, query, k, -1, out);
    for (const k of [18, 19, 1000, INT_MAX]) assert.equal(ask(k), 18);
    assert.equal(ask(17), 17);
  });

  test("a count of 0 in an ingest or a delete changes nothing, whatever the pointers", () => {
    const state = small();
    const { control, handle } = state;
    assert.equal(control.exports.rvf_store_ingest(handle, 0, 0xffffffff, 0), 0);
    assert.equal(control.exports.rvf_store_delete(handle, 0xffffffff, 0), 0);
    unchanged(state);
  });

  test("operands and results at any alignment", () => {
    const control = new Control();
    const at = control.alloc(4096);
    for (let offset = 0; offset < 16; offset++) {
      const handle = control.create(3);
      const [vecs, ids, out] = [at + offset, at + 1000 + offset, at + 2000 + offset];
      control.bytes.set(bytesOf(Float32Array.of(1, 2, 3)), vecs);
      control.bytes.set(bytesOf(BigUint64Array.of(42n)), ids);
      const { exports } = control;
      assert.equal(exports.rvf_store_ingest(handle, vecs, ids, 1), 1);
      assert.equal(exports.rvf_store_query(handle, vecs, 1, -1, out), 1);
      assert.deepEqual([...control.read(out, 12)], [42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      const size = exports.rvf_store_export_size(handle);
      assert.equal(exports.rvf_store_export(handle, out, size), size);
      assert.ok(exports.rvf_store_open(out, size) > 0);
      control.close(handle);
    }
  });

  test("a query whose result overwrites it", () => {
    const { control, handle } = small();
    const want = control.query(handle, [0.1, 0.2, 0.3], 18).hits.map(({ id }) => id);
    const at = control.alloc(12 * 18);
    control.bytes.set(bytesOf(Float32Array.of(0.1, 0.2, 0.3)), at);
    assert.equal(control.exports.rvf_store_query(handle, at, 18, -1, at), 18);
    const view = new DataView(control.memory.buffer, at);
    const found = want.map((_, i) => view.getBigUint64(12 * i, true));
    assert.deepEqual(found, want);
  });

  test("a result buffer of exactly min(k, count) hits: nothing behind it is written", () => {
    const { control, handle } = small();
    const query = control.alloc(12);
    const out = control.alloc(12 * 18 + 16);
    for (const k of [1, 2, 7, 18, 100]) {
      control.bytes.fill(0xaa, out, out + 12 * 18 + 16);
      const found = control.exports.rvf_store_query(handle, query, k, -1, out);
      const behind = control.read(out + 12 * found, 16);
      assert.ok(
        behind.every((byte) => byte === 0xaa),
        `k ${k}`,
      );
    }
  });
});

describe("pointers outside memory", () => {
  /** Every pointer that an export takes: how many bytes it needs there, and the call. */
  const POINTERS = {
    "rvf_store_open, buf": [200, ({ e, p }) => e.rvf_store_open(p, 200)],
    "rvf_store_open_as, buf": [200, ({ e, p }) => e.rvf_store_open_as(p, 200, 1)],
    "rvf_store_open_branch, buf": [
      200,
      ({ e, ok, p }) => e.rvf_store_open_branch(p, 200, ok, 100, -1),
    ],
    "rvf_store_open_branch, parent": [
      200,
      ({ e, ok, p }) => e.rvf_store_open_branch(ok, 100, p, 200, -1),
    ],
    "rvf_store_ingest, vecs": [60, ({ e, h, ok, p }) => e.rvf_store_ingest(h, p, ok, 5)],
    "rvf_store_ingest, ids": [40, ({ e, h, ok, p }) => e.rvf_store_ingest(h, ok, p, 5)],
    "rvf_store_query, query": [12, ({ e, h, ok, p }) => e.rvf_store_query(h, p, 5, -1, ok)],
    "rvf_store_query, out": [60, ({ e, h, ok, p }) => e.rvf_store_query(h, ok, 5, -1, p)],
    "rvf_store_delete, ids": [40, ({ e, h, p }) => e.rvf_store_delete(h, p, 5)],
    "rvf_store_vector, id": [8, ({ e, h, ok, p }) => e.rvf_store_vector(h, p, ok)],
    "rvf_store_vector, out": [12, ({ e, h, ok, p }) => e.rvf_store_vector(h, ok, p)],
    "rvf_store_status, out": [20, ({ e, h, p }) => e.rvf_store_status(h, p)],
    "rvf_store_set_file_id, id": [16, ({ e, h, p }) => e.rvf_store_set_file_id(h, p)],
    "rvf_store_export, out": [4096, ({ e, h, p }) => e.rvf_store_export(h, p, 4096)],
    "rvf_store_memory_usage, out": [32, ({ e, h, p }) => e.rvf_store_memory_usage(h, p)],
    "rvf_parse_header, buf": [64, ({ e, ok, p }) => e.rvf_parse_header(p, 64, ok)],
    "rvf_parse_header, out": [24, ({ e, ok, p }) => e.rvf_parse_header(ok, 64, p)],
    "rvf_segment_count, buf": [100, ({ e, p }) => e.rvf_segment_count(p, 100)],
    "rvf_segment_info, buf": [100, ({ e, ok, p }) => e.rvf_segment_info(p, 100, 0, ok)],
    "rvf_segment_info, out": [28, ({ e, ok, p }) => e.rvf_segment_info(ok, 100, 0, p)],
  };
  for (const [name, [needs, call]] of Object.entries(POINTERS)) {
    test(`${name}: refused at 0, in static data, past the end and around it`, () => {
      const state = small();
      const { control, handle } = state;
      const ok = control.alloc(4096);
      const { size } = control;
      const outside = [0, 1, 16, 1024, 4096, size, size + 1, size - needs + 1, size - 1];
      for (const pointer of [...outside, 0x7fffffff, 0x80000000, 2 ** 32 - needs, 2 ** 32 - 1]) {
        const status = call({ e: control.exports, h: handle, ok, p: pointer });
        assert.equal(status, STATUS.kInvalidPointer, `pointer ${pointer} of ${size}`);
      }
      unchanged(state);
    });
  }

  test("a length or count that wraps around 32 bits", () => {
    const state = small();
    const { control, handle } = state;
    const { exports } = control;
    const at = control.alloc(64);
    const wrapping = [
      exports.rvf_store_open(at, 2 ** 32 - 1),
      exports.rvf_store_open(at, 2 ** 32 - at + 64),
      exports.rvf_store_open_branch(at, 64, at, 2 ** 32 - 1, -1),
      exports.rvf_store_ingest(handle, at, at, 2 ** 30),
      exports.rvf_store_ingest(handle, at, at, Math.ceil(2 ** 32 / 12)),
      exports.rvf_store_ingest(handle, at, at, INT_MAX),
      exports.rvf_store_delete(handle, at, 2 ** 29),
      exports.rvf_store_delete(handle, at, INT_MAX),
      exports.rvf_store_export(handle, at, 2 ** 32 - 1),
      exports.rvf_parse_header(at, 2 ** 32 - 1, at),
      exports.rvf_segment_count(at, 2 ** 32 - 1),
      exports.rvf_segment_info(at, 2 ** 32 - at + 64, 0, at),
    ];
    assert.deepEqual(
      wrapping,
      wrapping.map(() => STATUS.kInvalidPointer),
    );
    unchanged(state);
  });

  test("the last bytes of memory are inside", () => {
    const { control, handle } = small();
    for (const [needs, call] of Object.values(POINTERS)) {
      const ok = control.alloc(4096);
      control.alloc(2 ** 20); // what lies at the end now is nobody's
      const status = call({ e: control.exports, h: handle, ok, p: control.size - needs });
      assert.notEqual(status, STATUS.kInvalidPointer);
    }
  });
});

describe("rvf_parse_header", () => {
  const header = Uint8Array.from({ length: 70 }, (_, i) => i);
  header.set([0x53, 0x46, 0x56, 0x52]);
  const parse = (bytes, length = bytes.length) => {
    const control = new Control();
    return control.with(bytes, (at) =>
      control.result(24, (out) => control.exports.rvf_parse_header(at, length, out)),
    );
  };

  test("writes the first 24 bytes: magic, version, type, flags, id, payload length", () => {
    assert.deepEqual(parse(header), { status: 0, bytes: header.slice(0, 24) });
    assert.equal(parse(header, 64).status, 0);
  });

  test("needs 64 bytes", () => {
    for (const length of [0, 1, 24, 63]) {
      const { status, bytes } = parse(header, length);
      assert.equal(status, STATUS.kTruncatedSegment);
      assert.ok(bytes.every((byte) => byte === 0));
    }
  });

  test("needs every byte of the magic", () => {
    for (let place = 0; place < 4; place++) {
      const other = header.slice();
      other[place] ^= 1;
      assert.equal(parse(other).status, STATUS.kInvalidMagic);
    }
  });

  test("may write over its own operand", () => {
    const control = new Control();
    const at = control.alloc(100);
    control.bytes.set(header, at);
    assert.equal(control.exports.rvf_parse_header(at, 70, at + 5), 0);
    assert.deepEqual(control.read(at + 5, 24), header.slice(0, 24));
  });
});
