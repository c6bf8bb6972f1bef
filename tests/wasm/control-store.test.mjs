// What a store does with vectors, at the raw ABI: against the reference wherever there is a number.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hex, payloadOf, readHeader } from "../reference/container.mjs";
import { DISTANCES } from "../reference/distance.mjs";
import { readRvf } from "../reference/format.mjs";
import { randomSource } from "../reference/random.mjs";
import { bruteForce } from "../reference/topk.mjs";
import { Control, METRIC } from "./control.mjs";
import { STATUS } from "./status.mjs";

const U64_MAX = 2n ** 64n - 1n;
const U = 2 ** -24;

const idsOf = ({ hits }) => hits.map(({ id }) => id);

/** A store of given rows. */
function storeOf(dimension, rows, metric = METRIC.L2) {
  const control = new Control();
  const handle = control.create(dimension, metric);
  const list = [...rows];
  const ids = list.map(([id]) => id);
  const vectors = list.flatMap(([, vector]) => Array.from(vector));
  assert.equal(control.ingest(handle, vectors, ids), list.length);
  return { control, handle };
}

/** Exports, and opens the export in a module of its own. */
function reopened({ control, handle }) {
  const { bytes } = control.export(handle);
  const other = new Control();
  const copy = other.open(bytes);
  assert.ok(copy > 0, `status ${copy}`);
  return { control: other, handle: copy, file: bytes };
}

describe("answers", () => {
  for (const [name, metric] of Object.entries(METRIC)) {
    test(`agree with brute force in double precision, ${name}`, () => {
      const random = randomSource(40 + metric);
      for (const dimension of [1, 3, 4, 15, 16, 17, 97, 384]) {
        const rows = new Map(
          Array.from({ length: 300 }, (_, i) => [BigInt(i * 7), random.floats(dimension)]),
        );
        const { control, handle } = storeOf(dimension, rows, metric);
        const query = random.floats(dimension);
        const { status, hits } = control.query(handle, query, 300);
        assert.equal(status, 300);
        const exact = bruteForce(rows, query, 300, DISTANCES[metric]);
        const size = query.reduce((sum, q) => sum + Math.abs(q), 0) + dimension;
        const tolerance = metric === METRIC.COSINE ? 40 * U : (dimension / 16 + 20) * U * size;
        hits.forEach(({ id, distance }, rank) => {
          const own = DISTANCES[metric](query, rows.get(id));
          assert.ok(Math.abs(distance - own) <= tolerance, `id ${id}: ${distance}, ${own}`);
          assert.ok(Math.abs(distance - exact[rank].distance) <= tolerance, `rank ${rank}`);
        });
      }
    });
  }

  test("a prefix of the whole ranking for every k, so that no row is skipped wrongly", () => {
    const random = randomSource(61);
    for (const metric of Object.values(METRIC)) {
      const rows = Array.from({ length: 200 }, (_, i) => [i, random.floats(24)]);
      const { control, handle } = storeOf(24, rows, metric);
      const query = random.floats(24);
      const all = control.query(handle, query, 200).hits;
      for (let k = 1; k < 200; k += 3) {
        assert.deepEqual(control.query(handle, query, k).hits, all.slice(0, k));
      }
    }
  });

  test("a vector finds itself at L2 distance 0 among near ones", () => {
    const random = randomSource(62);
    const centre = random.floats(32, 50, 60);
    const rows = Array.from({ length: 100 }, (_, i) => [
      i,
      centre.map((value) => value + i * 2 ** -14),
    ]);
    const { control, handle } = storeOf(32, rows);
    for (const [id, vector] of rows) {
      const [first] = control.query(handle, vector, 1).hits;
      assert.deepEqual(first, { id: BigInt(id), distance: 0 });
    }
  });

  test("ties come by ascending id, unsigned, also at the end of k", () => {
    const ids = [U64_MAX, 2n ** 63n, 2n ** 63n - 1n, 2n ** 32n, 2n ** 32n - 1n, 1n, 0n];
    const { control, handle } = storeOf(
      2,
      ids.map((id) => [id, [1, 1]]),
    );
    for (let k = 1; k <= ids.length; k++) {
      assert.deepEqual(idsOf(control.query(handle, [0, 0], k)), ids.toReversed().slice(0, k));
    }
  });

  test("the metric of a call overrides the store's for that call only", () => {
    const rows = [
      [1, [3, 0]],
      [2, [0, 1]],
    ];
    const { control, handle } = storeOf(2, rows, METRIC.INNER_PRODUCT);
    const distances = (metric) =>
      control.query(handle, [1, 0], 2, metric).hits.map(({ id, distance }) => [id, distance]);
    const answers = [
      [
        [2n, 2],
        [1n, 4],
      ],
      [
        [1n, -3],
        [2n, -0],
      ],
      [
        [1n, 0],
        [2n, 1],
      ],
    ];
    for (const metric of [0, 1, 2]) assert.deepEqual(distances(metric), answers[metric]);
    assert.deepEqual(distances(-1), answers[METRIC.INNER_PRODUCT]);
  });

  test("owe nothing to what memory held before, in any dimension", () => {
    for (let dimension = 1; dimension <= 19; dimension++) {
      const control = new Control();
      const size = 2 ** 20;
      const garbage = control.alloc(size);
      control.bytes.fill(0x7f, garbage, garbage + size);
      control.free(garbage, size);
      const handle = control.create(dimension);
      const ones = new Array(dimension).fill(1);
      control.ingest(handle, ones, [1]);
      for (const [metric, distance] of [
        [METRIC.L2, dimension],
        [METRIC.INNER_PRODUCT, -2 * dimension],
        [METRIC.COSINE, 0],
      ]) {
        const { hits } = control.query(handle, new Array(dimension).fill(2), 1, metric);
        assert.ok(Math.abs(hits[0].distance - distance) < 1e-6, `${hits[0].distance}`);
      }
    }
  });

  test("NaN is never in an answer, which is then shorter", () => {
    const rows = [
      [1, [3e38, 3e38]],
      [2, [1, 1]],
    ];
    const { control, handle } = storeOf(2, rows);
    const { status, hits } = control.query(handle, [3e38, -3e38], 2, METRIC.INNER_PRODUCT);
    assert.equal(status, 1);
    assert.deepEqual(
      hits.map(({ id }) => id),
      [2n],
    );
  });

  test("an infinite distance is an answer, behind all finite ones", () => {
    const rows = [
      [1, [3e38, 3e38]],
      [2, [1, 1]],
    ];
    const { control, handle } = storeOf(2, rows);
    assert.deepEqual(control.query(handle, [0, 0], 2).hits, [
      { id: 2n, distance: 2 },
      { id: 1n, distance: Number.POSITIVE_INFINITY },
    ]);
  });

  test("cosine is 1 where the norms multiply to less than 2^-23", () => {
    const rows = [
      [1, [0, 0]],
      [2, [2 ** -12, 0]],
      [3, [2 ** -11, 0]],
    ];
    const { control, handle } = storeOf(2, rows, METRIC.COSINE);
    const distances = control.query(handle, [2 ** -12, 0], 3).hits;
    assert.deepEqual(distances, [
      { id: 3n, distance: 0 },
      { id: 1n, distance: 1 },
      { id: 2n, distance: 1 },
    ]);
  });
});

describe("ids", () => {
  const bits = Array.from({ length: 64 }, (_, bit) => 1n << BigInt(bit));
  const all = [0n, ...bits, U64_MAX, U64_MAX - 1n, 2n ** 53n + 1n];
  const rows = all.map((id, i) => [id, [i]]);

  test("over all of u64 are found, read and deleted one by one", () => {
    const { control, handle } = storeOf(1, rows);
    all.forEach((id, i) => {
      assert.deepEqual(control.query(handle, [i], 1).hits, [{ id, distance: 0 }]);
      assert.deepEqual(control.vector(handle, id), { status: 1, values: [i] });
    });
    all.forEach((id, i) => {
      assert.equal(control.delete(handle, [id]), 1);
      assert.equal(control.vector(handle, id).status, 0);
      assert.equal(control.count(handle), all.length - 1 - i);
    });
  });

  test("over all of u64 survive a file", () => {
    const { control, handle, file } = reopened(storeOf(1, rows));
    all.forEach((id, i) => {
      assert.deepEqual(control.vector(handle, id), { status: 1, values: [i] });
    });
    assert.deepEqual([...readRvf(file).rows.keys()], all);
  });

  test("that differ only in high bits are kept apart under many collisions", () => {
    const ids = Array.from({ length: 5000 }, (_, i) => BigInt(i) << 51n);
    const { control, handle } = storeOf(
      1,
      ids.map((id, i) => [id, [i]]),
    );
    assert.equal(
      control.delete(
        handle,
        ids.filter((_, i) => i % 3 === 0),
      ),
      1667,
    );
    ids.forEach((id, i) => {
      assert.equal(control.vector(handle, id).status, i % 3 === 0 ? 0 : 1);
    });
  });
});

describe("replacing and deleting", () => {
  test("an id that is there is replaced, in the count too", () => {
    const { control, handle } = storeOf(2, [
      [1, [1, 1]],
      [2, [2, 2]],
    ]);
    assert.equal(control.ingest(handle, [9, 9, 3, 3], [1, 3]), 2);
    assert.deepEqual(control.vector(handle, 1n).values, [9, 9]);
    const { live, rows, deleted } = control.status(handle);
    assert.deepEqual({ live, rows, deleted }, { live: 3, rows: 3, deleted: 0 });
  });

  test("the last of equal ids in one ingest wins", () => {
    const { control, handle } = storeOf(1, [
      [5, [1]],
      [6, [2]],
      [5, [3]],
      [6, [4]],
      [5, [5]],
    ]);
    assert.equal(control.count(handle), 2);
    assert.deepEqual(control.vector(handle, 5n).values, [5]);
    assert.deepEqual(control.vector(handle, 6n).values, [4]);
  });

  test("a delete answers how many were there: unknown and repeated ids are passed over", () => {
    const { control, handle } = storeOf(1, [
      [1, [1]],
      [2, [2]],
      [3, [3]],
    ]);
    assert.equal(control.delete(handle, [2, 99, 2, U64_MAX, 3]), 2);
    assert.equal(control.delete(handle, [2, 3]), 0);
    assert.deepEqual(idsOf(control.query(handle, [0], 9)), [1n]);
    const { live, rows, deleted } = control.status(handle);
    assert.deepEqual({ live, rows, deleted }, { live: 1, rows: 3, deleted: 2 });
  });

  test("a deleted id that is ingested again is live again, in the row that became free", () => {
    const { control, handle } = storeOf(1, [
      [1, [1]],
      [2, [2]],
      [3, [3]],
    ]);
    control.delete(handle, [2, 3]);
    assert.equal(control.ingest(handle, [20, 40], [2, 4]), 2);
    assert.deepEqual(idsOf(control.query(handle, [0], 9)), [1n, 2n, 4n]);
    const { live, rows, deleted } = control.status(handle);
    assert.deepEqual({ live, rows, deleted }, { live: 3, rows: 3, deleted: 0 });
  });

  test("deleting everything leaves a store that answers nothing and takes vectors", () => {
    const { control, handle } = storeOf(1, [
      [1, [1]],
      [2, [2]],
    ]);
    control.delete(handle, [1, 2]);
    assert.deepEqual(control.query(handle, [0], 9), { status: 0, hits: [] });
    assert.equal(readRvf(control.export(handle).bytes).rows.size, 0);
    control.ingest(handle, [7], [7]);
    assert.deepEqual(idsOf(control.query(handle, [0], 9)), [7n]);
  });

  test("3,000 random changes leave what a map would hold", () => {
    const control = new Control();
    const handle = control.create(3);
    const random = randomSource(71);
    const model = new Map();
    for (let i = 0; i < 3000; i++) {
      const ids = Array.from({ length: random.int(1, 5) }, () => BigInt(random.int(0, 400)));
      if (random.int(0, 2) === 0) {
        const there = new Set(ids.filter((id) => model.has(id)));
        assert.equal(control.delete(handle, ids), there.size);
        for (const id of ids) model.delete(id);
      } else {
        const vectors = random.floats(3 * ids.length);
        control.ingest(handle, vectors, ids);
        ids.forEach((id, row) => {
          model.set(id, vectors.slice(3 * row, 3 * row + 3));
        });
      }
      assert.equal(control.count(handle), model.size);
    }
    const byId = (rows) => new Map([...rows].sort(([a], [b]) => (a < b ? -1 : 1)));
    assert.deepEqual(byId(readRvf(control.export(handle).bytes).rows), byId(model));
  });
});

describe("sizes", () => {
  test("70,000 vectors of 2 dimensions survive a file, all of them", () => {
    const count = 70_000;
    const control = new Control();
    const handle = control.create(2);
    const vectors = Float32Array.from({ length: 2 * count }, (_, i) => i);
    const ids = Array.from({ length: count }, (_, i) => i);
    assert.equal(control.ingest(handle, vectors, ids), count);
    const { control: other, handle: copy } = reopened({ control, handle });
    assert.equal(other.count(copy), count);
    const { hits } = other.query(copy, [0, 0], count);
    assert.deepEqual(
      hits.map(({ id }) => Number(id)),
      ids,
    );
    for (const id of [0, 65_534, 65_535, 65_536, 69_999]) {
      assert.deepEqual(other.vector(copy, BigInt(id)).values, [2 * id, 2 * id + 1]);
    }
  });

  test("65,535 dimensions are stored, compared and survive a file", () => {
    const dimension = 65_535;
    const random = randomSource(81);
    const rows = new Map([1n, 2n, 3n].map((id) => [id, random.floats(dimension)]));
    const query = random.floats(dimension);
    for (const store of [storeOf(dimension, rows), reopened(storeOf(dimension, rows))]) {
      const { control, handle } = store;
      for (const metric of [0, 1, 2]) {
        const exact = bruteForce(rows, query, 3, DISTANCES[metric]);
        const { hits } = control.query(handle, query, 3, metric);
        assert.deepEqual(
          hits.map(({ id }) => id),
          exact.map(({ id }) => id),
        );
        hits.forEach(({ distance }, rank) => {
          assert.ok(Math.abs(distance - exact[rank].distance) < 1e-4 * dimension);
        });
      }
      assert.deepEqual(control.vector(handle, 2n).values, [...rows.get(2n)]);
    }
  });
});

describe("export", () => {
  const rows = new Map([
    [3n, Float32Array.of(1, 2)],
    [1n, Float32Array.of(3, 4)],
    [2n, Float32Array.of(5, 6)],
  ]);

  test("is a file that the reference reads: live rows in their order, metric, no damage", () => {
    for (const metric of [0, 1, 2]) {
      const { control, handle } = storeOf(2, [...rows, [9n, [9, 9]]], metric);
      control.delete(handle, [9]);
      const content = readRvf(control.export(handle).bytes);
      assert.deepEqual([...content.rows], [...rows]);
      assert.equal(content.metricByte, metric);
      assert.equal(content.dimension, 2);
      assert.deepEqual(content.deletedIds, []);
      assert.deepEqual(content.damage, []);
    }
  });

  test("of an empty store is one manifest, and opens empty", () => {
    const control = new Control();
    const { file, control: other, handle } = reopened({ control, handle: control.create(7, 2) });
    assert.deepEqual(
      readRvf(file).segments.map(({ type }) => type),
      [5],
    );
    const want = { status: 0, live: 0, dimension: 7, metric: 2, rows: 0, deleted: 0 };
    assert.deepEqual(other.status(handle), want);
  });

  test("of an unchanged export is the same, byte for byte", () => {
    const store = storeOf(2, rows);
    store.control.setFileId(
      store.handle,
      Uint8Array.from({ length: 16 }, (_, i) => i + 1),
    );
    const once = reopened(store);
    assert.deepEqual(once.control.export(once.handle).bytes, once.file);
  });

  test("has the epoch of the file, and one more when the store has changed since", () => {
    const epoch = ({ control, handle }) => readRvf(control.export(handle).bytes).epoch;
    const first = storeOf(2, rows);
    assert.equal(epoch(first), 1);
    const second = reopened(first);
    assert.equal(epoch(second), 1);
    second.control.delete(second.handle, [999]);
    second.control.ingest(second.handle, [], []);
    assert.equal(epoch(second), 1);
    second.control.ingest(second.handle, [7, 8], [7]);
    second.control.delete(second.handle, [7]);
    assert.equal(epoch(second), 2);
  });

  test("holds the file id that was set; without one, or with zeros, it has no identity", () => {
    const { control, handle } = storeOf(2, rows);
    const id = () => readRvf(control.export(handle).bytes).fileId;
    const bare = control.exports.rvf_store_export_size(handle);
    assert.equal(id(), "0".repeat(32));
    const given = Uint8Array.from({ length: 16 }, (_, i) => 0xf0 + i);
    assert.equal(control.setFileId(handle, given), 0);
    assert.equal(id(), hex(given));
    assert.equal(control.exports.rvf_store_export_size(handle), bare + 72);
    control.setFileId(handle, new Uint8Array(16));
    assert.equal(control.exports.rvf_store_export_size(handle), bare);
  });

  test("into a buffer one byte too small writes nothing", () => {
    const { control, handle } = storeOf(2, rows);
    const size = control.exports.rvf_store_export_size(handle);
    const at = control.alloc(size);
    control.bytes.fill(0xaa, at, at + size);
    for (const length of [0, 1, size - 1]) {
      const status = control.exports.rvf_store_export(handle, at, length);
      assert.equal(status, STATUS.kBufferTooSmall);
    }
    assert.ok(control.read(at, size).every((byte) => byte === 0xaa));
    assert.equal(control.count(handle), 3);
  });

  test("into a larger buffer writes its own size and no more", () => {
    const { control, handle } = storeOf(2, rows);
    const size = control.exports.rvf_store_export_size(handle);
    const at = control.alloc(size + 64);
    control.bytes.fill(0xaa, at, at + size + 64);
    assert.equal(control.exports.rvf_store_export(handle, at, size + 64), size);
    assert.ok(control.read(at + size, 64).every((byte) => byte === 0xaa));
    assert.equal(readRvf(control.read(at, size)).rows.size, 3);
  });

  test("above 128 MiB of vectors is several segments, none above upstream's limit", () => {
    const dimension = 65_535;
    const control = new Control();
    const handle = control.create(dimension);
    const vectors = control.alloc(64 * 4 * dimension);
    const ids = control.alloc(64 * 8);
    for (let batch = 0; batch < 9; batch++) {
      const list = BigUint64Array.from({ length: 64 }, (_, i) => BigInt(64 * batch + i));
      control.bytes.set(new Uint8Array(list.buffer), ids);
      assert.equal(control.exports.rvf_store_ingest(handle, vectors, ids, 64), 64);
    }
    const { status, bytes } = control.export(handle);
    assert.ok(status > 128 * 2 ** 20);
    const first = readHeader(bytes, 0);
    const second = readHeader(bytes, first.end);
    const manifest = readHeader(bytes, second.end);
    assert.deepEqual([first.type, second.type, manifest.type], [1, 1, 5]);
    assert.ok(first.payloadLength <= 128 * 2 ** 20);
    const counts = [first, second].map((header) =>
      new DataView(payloadOf(bytes, header).slice(2, 6).buffer).getUint32(0, true),
    );
    assert.equal(counts[0] + counts[1], 9 * 64);
    control.close(handle);
    const copy = control.open(bytes);
    assert.equal(control.count(copy), 9 * 64);
  });
});

describe("what a store tells of itself", () => {
  test("memory: rows, ids, and the module's own size", () => {
    const { control, handle } = storeOf(4, []);
    const empty = control.memoryUsage(handle);
    control.ingest(
      handle,
      new Float32Array(4 * 1000),
      Array.from({ length: 1000 }, (_, i) => i),
    );
    const full = control.memoryUsage(handle);
    assert.ok(full.rows >= empty.rows + 16 * 1000);
    assert.ok(full.ids >= empty.ids + 8 * 1000);
    assert.equal(full.kept, 0);
    assert.equal(full.module, control.size);
  });
});
