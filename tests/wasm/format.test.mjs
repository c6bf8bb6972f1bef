// Files made by hand, each of which shows one rule of opening alone.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HEADER_SIZE, TYPE } from "../reference/container.mjs";
import { concat, manifestPayload, segment, vecPayload, writeRvf } from "../reference/format.mjs";
import { randomSource } from "../reference/random.mjs";
import { fixture } from "../reference/upstream.mjs";
import { Control, METRIC, WARNING } from "./control.mjs";
import { exported, opened } from "./opened.mjs";
import { STATUS } from "./status.mjs";

const FILE_ID = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);
const HASH_AT = 0x28;

/** A manifest segment; `entries` are [id, offset, payload length, type]. */
function manifest({ id = 2, epoch = 2, metric = 0, dimension = 1, deletedIds = [], entries = [] }) {
  const directory = entries.map(([entryId, offset, payloadLength, type]) => ({
    id: entryId,
    offset,
    payloadLength,
    type,
  }));
  const fields = { epoch, dimension, totalVectors: 0, profile: 0, metric, directory, deletedIds };
  return segment(TYPE.MANIFEST, id, manifestPayload({ ...fields, fileId: FILE_ID }));
}

function withByte(bytes, offset, value) {
  const changed = bytes.slice();
  changed[offset] = value;
  return changed;
}

function withHash(bytes, hash) {
  const changed = bytes.slice();
  changed.set(hash, HASH_AT);
  return changed;
}

const NO_HASH = new Uint8Array(16);
const WRONG_HASH = new Uint8Array(16).fill(1);

const epochOf = (store) => exported(store).epoch;
const warningsOf = ({ control, handle }) => control.warnings(handle);

describe("the manifest that decides", () => {
  const old = writeRvf({ dimension: 1, epoch: 1, rows: [[1, [1]]] });
  const newer = manifest({ id: 3 });
  const lying = manifest({ id: 3, entries: [[9, 5, 100, 0x0e]] });

  /** Epoch and warnings of a file that must open. */
  const found = (bytes) => {
    const store = opened(bytes);
    assert.ok(store.handle > 0, `status ${store.handle}`);
    return [epochOf(store), warningsOf(store)];
  };

  test("is the last one", () => {
    assert.deepEqual(found(concat(old, newer)), [2, 0]);
  });

  test("may stand behind zeros and before zeros", () => {
    const padded = concat(old, new Uint8Array(40), newer, new Uint8Array(999));
    assert.deepEqual(found(padded), [2, 0]);
  });

  test("with a good hash counts whatever its directory says of other segments", () => {
    assert.deepEqual(found(concat(old, lying)), [2, WARNING.DAMAGED_HEADER]);
  });

  test("without a hash counts only if its directory holds", () => {
    assert.deepEqual(found(concat(old, withHash(newer, NO_HASH))), [2, 0]);
    assert.deepEqual(found(concat(old, withHash(lying, NO_HASH))), [1, WARNING.SKIPPED_MANIFEST]);
  });

  test("does not count with a wrong hash", () => {
    const bytes = concat(old, withHash(newer, WRONG_HASH));
    assert.deepEqual(found(bytes), [1, WARNING.SKIPPED_MANIFEST]);
  });

  test("is never one inside a payload, while the chain holds", () => {
    assert.deepEqual(found(concat(old, segment(0x77, 3, newer))), [1, WARNING.TORN_TAIL]);
  });

  /** A torn write, and behind it what a later session committed. */
  const behind = (torn, change = (bytes) => bytes) => {
    const vec = segment(TYPE.VEC, 5, vecPayload(1, [[2, [2]]]));
    const entries = [
      [1, 0, 18, TYPE.VEC],
      [5, old.length + torn.length, 18, TYPE.VEC],
    ];
    return concat(old, torn, vec, change(manifest({ id: 6, entries })));
  };
  const tears = [Uint8Array.of(1, 2, 3), segment(TYPE.VEC, 3, new Uint8Array(50)).subarray(0, 70)];

  test("behind a torn write is found, with a warning", () => {
    for (const torn of tears) {
      const bytes = behind(torn);
      assert.deepEqual(found(bytes), [2, WARNING.TORN_TAIL]);
      assert.deepEqual([...exported(opened(bytes)).rows.keys()], [1n, 2n]);
    }
  });

  test("behind a torn write was written there, or it does not count", () => {
    const elsewhere = manifest({ id: 3, entries: [[1, 7, 18, TYPE.VEC]] });
    for (const torn of tears) {
      for (const other of [elsewhere, newer]) {
        assert.deepEqual(found(concat(old, torn, other)), [1, WARNING.TORN_TAIL]);
      }
    }
  });

  test("of a newer version refuses the file, also behind a torn write", () => {
    const version2 = (bytes) => withByte(bytes, 4, 2);
    for (const bytes of [concat(old, version2(newer)), behind(tears[0], version2)]) {
      assert.equal(opened(bytes).handle, STATUS.kInvalidVersion);
    }
  });

  test("is the last readable one when none counts, with a warning", () => {
    const damaged = withHash(manifest({ epoch: 7 }), WRONG_HASH);
    assert.deepEqual(found(damaged), [7, WARNING.DAMAGED_MANIFEST]);
  });

  test("is not found in what is no RVF file", () => {
    const random = randomSource(5);
    const page = new TextEncoder().encode("<!doctype html><title>404</title>");
    for (const bytes of [new Uint8Array(0), new Uint8Array(5000), random.bytes(5000), page]) {
      assert.equal(opened(bytes).handle, STATUS.kManifestNotFound);
    }
  });

  test("of dimension 0 refuses the file", () => {
    assert.equal(opened(manifest({ dimension: 0 })).handle, STATUS.kInvalidManifest);
  });

  test("its deleted ids are not live, whether the file holds them or not", () => {
    const rows = [1, 2, 3].map((id) => [id, [id]]);
    const store = opened(writeRvf({ dimension: 1, rows, deletedIds: [2, 99] }));
    assert.deepEqual([...exported(store).rows.keys()], [1n, 3n]);
  });

  test("its list of deleted ids ends with its payload, whatever count it claims", () => {
    const vec = segment(
      TYPE.VEC,
      1,
      vecPayload(
        1,
        [0, 1, 2].map((id) => [id, [id]]),
      ),
    );
    const payload = manifestPayload({
      epoch: 1,
      dimension: 1,
      totalVectors: 3,
      profile: 0,
      metric: 0,
      directory: [{ id: 1, offset: 0, payloadLength: vec.length - HEADER_SIZE, type: TYPE.VEC }],
      deletedIds: [2n],
      fileId: new Uint8Array(16),
    });
    for (const count of [2, 100, 2 ** 32 - 1]) {
      new DataView(payload.buffer).setUint32(payload.length - 12, count, true);
      const padded = concat(vec, segment(TYPE.MANIFEST, 2, payload), new Uint8Array(8000));
      assert.deepEqual([...exported(opened(padded)).rows.keys()], [0n, 1n]);
    }
  });

  test("its unknown metric is read as L2, with a warning; another may overrule it", () => {
    const bytes = manifest({ metric: 9 });
    const { control, handle } = opened(bytes);
    assert.equal(control.status(handle).metric, METRIC.L2);
    assert.equal(control.warnings(handle), WARNING.METRIC_ASSUMED);
    for (const metric of [0, 1, 2]) {
      const other = opened(manifest({ metric: 1 }), metric);
      assert.equal(other.control.status(other.handle).metric, metric);
    }
    const stored = opened(manifest({ metric: 1 }), -1);
    assert.equal(stored.control.status(stored.handle).metric, 1);
  });
});

describe("a commit that is cut off", () => {
  const old = writeRvf({ dimension: 2, epoch: 1, rows: [[1, [1, 1]]] });
  const vec = segment(TYPE.VEC, 3, vecPayload(2, [[2, [2, 2]]]));
  const last = manifest({
    id: 4,
    dimension: 2,
    entries: [
      [1, 0, 22, TYPE.VEC],
      [3, old.length, vec.length - HEADER_SIZE, TYPE.VEC],
    ],
  });
  const whole = concat(old, vec, last);

  test("at any byte leaves the commit before it", () => {
    for (let length = old.length; length < whole.length; length++) {
      const store = opened(whole.subarray(0, length));
      assert.ok(store.handle > 0, `${length} bytes: status ${store.handle}`);
      assert.deepEqual([...exported(store).rows.keys()], [1n], `${length} bytes`);
    }
    assert.equal(exported(opened(whole)).rows.size, 2);
  });

  test("at any byte is reported as a torn tail", () => {
    for (let length = old.length + 1; length < whole.length; length++) {
      const warnings = warningsOf(opened(whole.subarray(0, length)));
      assert.equal(warnings, WARNING.TORN_TAIL, `${length - old.length} bytes of it`);
    }
  });

  test("before the first manifest is no file", () => {
    for (let length = 0; length < old.length; length++) {
      const { handle } = opened(old.subarray(0, length));
      assert.equal(handle, STATUS.kManifestNotFound, `${length} bytes`);
    }
  });
});

describe("vector segments", () => {
  const payload = vecPayload(2, [
    [1, [1, 2]],
    [2, [3, 4]],
    [3, [5, 6]],
  ]);
  const vec = segment(TYPE.VEC, 1, payload);
  const fileOf = (first, dimension = 2) =>
    concat(first, manifest({ dimension, entries: [[1, 0, payload.length, TYPE.VEC]] }));
  const rowsOf = (bytes) => {
    const store = opened(bytes);
    return store.handle > 0 ? [...exported(store).rows.keys()].map(Number) : store.handle;
  };

  test("any damaged byte of the payload is found", () => {
    for (let offset = HEADER_SIZE; offset < vec.length; offset++) {
      const damaged = withByte(vec, offset, vec[offset] ^ 0x10);
      assert.equal(rowsOf(fileOf(damaged)), STATUS.kInvalidChecksum, `byte ${offset}`);
    }
  });

  test("a content hash may be absent", () => {
    assert.deepEqual(rowsOf(fileOf(withHash(vec, NO_HASH))), [1, 2, 3]);
  });

  test("a listed offset where no segment starts refuses the file", () => {
    for (const offset of [1, 64, 10_000, 2 ** 40]) {
      const bytes = concat(vec, manifest({ dimension: 2, entries: [[1, offset, 30, TYPE.VEC]] }));
      assert.equal(rowsOf(bytes), STATUS.kInvalidChecksum, `offset ${offset}`);
    }
  });

  test("a newer version refuses the file", () => {
    assert.equal(rowsOf(fileOf(withByte(vec, 4, 2))), STATUS.kInvalidVersion);
  });

  test("counts that lie refuse the file, even if their product wraps around", () => {
    for (const count of [4, 1000, 2 ** 28, 2 ** 32 - 1]) {
      const lying = payload.slice();
      new DataView(lying.buffer).setUint32(2, count, true);
      const bytes = fileOf(segment(TYPE.VEC, 1, lying));
      assert.equal(rowsOf(bytes), STATUS.kTruncatedSegment, `count ${count}`);
    }
    for (const length of [0, 1, 5]) {
      const bytes = fileOf(segment(TYPE.VEC, 1, payload.subarray(0, length)));
      assert.equal(rowsOf(bytes), STATUS.kTruncatedSegment, `${length} bytes`);
    }
  });

  test("bytes after the last record are ignored", () => {
    const longer = segment(TYPE.VEC, 1, concat(payload, new Uint8Array(5)));
    assert.deepEqual(rowsOf(fileOf(longer)), [1, 2, 3]);
  });

  test("another dimension than the manifest's is left out, with a warning", () => {
    const store = opened(fileOf(vec, 3));
    assert.equal(warningsOf(store), WARNING.FOREIGN_DIMENSION);
    assert.equal(exported(store).rows.size, 0);
  });

  test("one that no directory lists is not read", () => {
    assert.deepEqual(rowsOf(concat(vec, manifest({ dimension: 2 }))), []);
  });

  test("of more than 256 MiB refuses the file", () => {
    for (const [over, status] of [
      [0, WARNING.FOREIGN_DIMENSION],
      [1, STATUS.kSegmentTooLarge],
    ]) {
      const length = 2 ** 28 + over;
      const header = segment(TYPE.VEC, 1, new Uint8Array(0));
      new DataView(header.buffer).setBigUint64(0x10, BigInt(length), true);
      const last = manifest({ entries: [[1, 0, length, TYPE.VEC]] });
      const control = new Control();
      const size = HEADER_SIZE + length + last.length;
      const at = control.alloc(size);
      control.bytes.set(header, at);
      control.bytes.set(last, at + HEADER_SIZE + length);
      const handle = control.exports.rvf_store_open(at, size);
      assert.equal(handle > 0 ? control.warnings(handle) : handle, status);
    }
  });

  test("a wasm file of more vectors than its count holds is read to the end", () => {
    for (const count of [65_535, 65_536, 65_537, 140_000]) {
      const wide = vecPayload(
        1,
        Array.from({ length: count }, (_, i) => [i, [i]]),
      );
      const view = new DataView(wide.buffer);
      view.setUint16(0, count & 0xffff, true);
      view.setUint32(2, 1, true);
      const body = new Uint8Array(44);
      const fields = new DataView(body.buffer);
      fields.setUint32(0, 1, true);
      fields.setUint16(4, 1, true);
      fields.setBigUint64(6, BigInt(count), true);
      fields.setUint32(15, 1, true);
      fields.setBigUint64(19, 1n, true);
      fields.setBigUint64(35, BigInt(wide.length), true);
      body[43] = TYPE.VEC;
      const parts = [segment(TYPE.VEC, 1, wide), segment(TYPE.MANIFEST, 2, body)];
      const { control, handle } = opened(concat(...parts.map((part) => withHash(part, NO_HASH))));
      assert.equal(control.count(handle), count);
      assert.deepEqual(control.vector(handle, BigInt(count - 1)).values, [count - 1]);
    }
  });
});

describe("a hostile file does not keep opening busy", () => {
  /** Opening a file of a few hundred KB takes milliseconds when the work grows with its size. */
  const assertQuick = (bytes) => {
    const control = new Control();
    const start = performance.now();
    control.open(bytes);
    const seconds = (performance.now() - start) / 1000;
    assert.ok(seconds < 1, `${bytes.length} bytes took ${seconds.toFixed(1)} s`);
  };

  /** Nothing but manifest headers, each with a payload that reaches over all that follow. */
  const nestedManifests = (size, spoil) => {
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < size; at += HEADER_SIZE) {
      bytes.set([0x53, 0x46, 0x56, 0x52, 1, TYPE.MANIFEST], at);
      view.setBigUint64(at + 16, BigInt((size - at - HEADER_SIZE) & ~0xffff), true);
      bytes[at + HASH_AT + 12] = 1;
      spoil(view, at);
    }
    return bytes;
  };

  test("with thousands of manifests inside each other", () => {
    assertQuick(nestedManifests(160 * 1024, () => {}));
  });

  test("with thousands of manifests inside each other whose directories end where they lie", () => {
    // The payload of a header is the headers behind it: their fields are the one entry it lists.
    const spoil = (view, at) => {
      view.setUint16(at + 14, 1, true);
      view.setBigUint64(at + 30, 0n, true);
      view.setBigUint64(at + 38, BigInt(Math.max(at - 2 * HEADER_SIZE, 0)), true);
      view.setUint8(at + 46, TYPE.VEC);
    };
    assertQuick(nestedManifests(192 * 1024, spoil));
  });

  test("with one segment listed thousands of times", () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => [i, [i]]);
    const payload = vecPayload(1, rows);
    const entry = [1, 0, payload.length, TYPE.VEC];
    const last = manifest({ entries: new Array(10_000).fill(entry) });
    assertQuick(concat(segment(TYPE.VEC, 1, payload), last));
  });
});

test("4,000 random damages of real files: no trap, and what opens can be exported and opened", () => {
  const random = randomSource(123);
  const control = new Control();
  const files = [
    "made_multi_ingest.rvf",
    "made_kernel_ebpf_compacted.rvf",
    "made_wasm_l2_20x16.rvf",
    "made_branch_child_edited.rvf",
    "crafted_unknown_segments.rvf",
  ].map(fixture);
  let open = 0;
  for (let i = 0; i < 4000; i++) {
    const bytes = files[i % files.length].slice(
      0,
      random.int(0, 7) ? undefined : random.int(0, 900),
    );
    for (let flips = random.int(1, 4); flips > 0 && bytes.length > 0; flips--) {
      const at = random.int(0, 1) ? random.int(0, 400) : random.int(0, bytes.length - 1);
      bytes[Math.min(at, bytes.length - 1)] = random.int(0, 255);
    }
    const handle = control.open(bytes);
    if (handle < 0) continue;
    open++;
    const copy = control.open(control.export(handle).bytes);
    assert.equal(control.count(copy), control.count(handle), `damage ${i}`);
    control.close(copy);
    control.close(handle);
  }
  assert.ok(open > 500 && open < 3500, `${open} opened`);
});
