import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { answerDisagreements } from "./agreement.mjs";
import { mergeBranch } from "./branch.mjs";
import { sha256, simpleHash } from "./checksum.mjs";
import { HEADER_SIZE, hex, TYPE } from "./container.mjs";
import { concat, manifestPayload, readRvf, segment, vecPayload, writeRvf } from "./format.mjs";
import { queryVector, randomSource } from "./random.mjs";

const HASH_AT = 0x28;
const FILE_ID = Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i);

function randomRows(count, dimension) {
  const random = randomSource(42);
  return new Map(
    Array.from({ length: count }, (_, i) => [BigInt(i * 3), random.floats(dimension)]),
  );
}

describe("writing and reading back", () => {
  test("everything that was given comes back", () => {
    const rows = randomRows(7, 5);
    const bytes = writeRvf({
      dimension: 5,
      metric: 2,
      profile: 3,
      epoch: 9,
      rows,
      deletedIds: [18n, 3n],
      fileId: FILE_ID,
    });
    const content = readRvf(bytes);
    rows.delete(3n);
    rows.delete(18n);
    assert.equal(content.layout, "runtime");
    assert.equal(content.dimension, 5);
    assert.equal(content.metric, 2);
    assert.equal(content.metricByte, 2);
    assert.equal(content.profile, 3);
    assert.equal(content.epoch, 9);
    assert.equal(content.fileId, "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
    assert.deepEqual(content.rows, rows);
    assert.deepEqual(content.deletedIds, [3n, 18n]);
    assert.equal(content.branch, null);
    assert.deepEqual(content.damage, []);
    assert.deepEqual(
      content.segments.map(({ type, hash }) => [type, hash]),
      [
        [TYPE.VEC, "good"],
        [TYPE.MANIFEST, "good"],
      ],
    );
  });

  test("an id written twice holds the later row; a negative id is its two's complement", () => {
    const twice = [
      [1, [1]],
      [-1, [5]],
      [1, [2]],
    ];
    const { rows } = readRvf(writeRvf({ dimension: 1, rows: twice }));
    assert.deepEqual(
      rows,
      new Map([
        [1n, Float32Array.of(2)],
        [2n ** 64n - 1n, Float32Array.of(5)],
      ]),
    );
  });

  test("a listed VEC in the rvf-wasm layout is read when its size equation holds", () => {
    const rows = [
      [1, [1, 2]],
      [2, [3, 4]],
      [3, [5, 6]],
    ];
    const payload = vecPayload(2, rows);
    payload.set([3, 0, 2, 0, 0, 0]);
    const [, manifest] = splitSegments(writeRvf({ dimension: 2, rows }));
    const content = readRvf(concat(segment(TYPE.VEC, 1, payload), manifest));
    assert.equal(content.layout, "runtime");
    assert.deepEqual([...content.rows.get(3n)], [5, 6]);
    assert.deepEqual(content.damage, []);
    const longer = segment(TYPE.VEC, 1, concat(payload, Uint8Array.of(0)));
    const shifted = concat(longer, manifest);
    assert.equal(readRvf(shifted).rows.size, 0);
    assert.deepEqual(readRvf(shifted).damage, [
      "VEC at 0 gives no rows: dimension 3, the manifest says 2",
    ]);
  });

  test("bytes in the middle of a buffer read the same", () => {
    const bytes = writeRvf({ dimension: 5, rows: randomRows(7, 5) });
    const inside = concat(Uint8Array.of(1, 2, 3), bytes, Uint8Array.of(4)).subarray(3, -1);
    assert.deepEqual(readRvf(inside), readRvf(bytes));
  });

  const native = process.platform === "linux" && process.arch === "x64";
  test("rvf-node 0.2.3 opens it and answers the same", { skip: !native }, async () => {
    const { RvfDatabase } = (await import("@ruvector/rvf-node")).default;
    const folder = mkdtempSync(join(tmpdir(), "rvf-reference-"));
    try {
      for (const metric of [0, 1, 2]) {
        const path = join(folder, `${metric}.rvf`);
        const rows = randomRows(60, 8);
        const bytes = writeRvf({ dimension: 8, metric, rows, deletedIds: [6, 9], fileId: FILE_ID });
        writeFileSync(path, bytes);
        const database = RvfDatabase.openReadonly(path);
        const results = database.query(queryVector(1001, 8), 10);
        assert.equal(database.status().totalVectors, 58);
        assert.equal(database.fileId(), "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
        database.close();
        const query = { seed: 1001, k: 10, results };
        assert.deepEqual(answerDisagreements(readRvf(bytes).rows, 8, metric, query), []);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("content hashes", () => {
  const payload = vecPayload(1, [[7, [1.5]]]);
  const [vec, manifest] = splitSegments(writeRvf({ dimension: 1, rows: [[7, [1.5]]] }));

  test("zero and SHA-256 are taken", () => {
    for (const [hash, state] of [
      [new Uint8Array(16), "absent"],
      [sha256(payload).subarray(0, 16), "good"],
    ]) {
      const content = readRvf(concat(withHash(vec, hash), manifest));
      assert.equal(content.segments[0].hash, state);
      assert.deepEqual([...content.rows.keys()], [7n]);
      assert.deepEqual(content.damage, []);
    }
  });

  test("any other is damage when checksum_algo is 0", () => {
    const wrong = withHash(vec, new Uint8Array(16).fill(1));
    assert.throws(() => readRvf(concat(wrong, manifest)), { code: 0x0102 });
  });

  test("any other is an unknown rule when checksum_algo names one", () => {
    const other = withHash(vec, new Uint8Array(16).fill(1));
    other[0x20] = 1;
    const content = readRvf(concat(other, manifest));
    assert.equal(content.segments[0].hash, "unknown");
    assert.deepEqual([...content.rows.keys()], [7n]);
    assert.deepEqual(content.damage, ["segment at 0 (type 1): content hash unknown"]);
  });
});

describe("branches", () => {
  const parentBytes = writeRvf({ dimension: 1, rows: [1, 2, 3, 4].map((id) => [id, [id]]) });
  const branch = { parentHash: hex(simpleHash(parentBytes)), admits: (id) => id !== 4n };

  test("the child's rows and deletions come before the parent's rows", () => {
    const child = { rows: new Map([[2n, [20]]]), deletedIds: [3n], branch };
    const rows = mergeBranch(child, readRvf(parentBytes), parentBytes);
    assert.deepEqual(
      rows,
      new Map([
        [1n, Float32Array.of(1)],
        [2n, [20]],
      ]),
    );
  });

  test("garbage in a branch's segments is 0x0700", () => {
    const garbage = segment(TYPE.COW_MAP, 1, new Uint8Array(200));
    const directory = [{ id: 1, offset: 0, payloadLength: 200, type: TYPE.COW_MAP }];
    const manifest = manifestPayload({
      epoch: 0,
      dimension: 1,
      totalVectors: 0,
      profile: 0,
      metric: 0,
      directory,
      deletedIds: [],
      fileId: FILE_ID,
    });
    const bytes = concat(garbage, segment(TYPE.MANIFEST, 2, manifest));
    assert.throws(() => readRvf(bytes), { code: 0x0700 });
  });
});

describe("the live manifest", () => {
  const old = writeRvf({ dimension: 1, epoch: 1, rows: [[1, [1]]] });
  const empty = manifestPayload({
    epoch: 2,
    dimension: 1,
    totalVectors: 0,
    profile: 0,
    metric: 0,
    directory: [],
    deletedIds: [],
    fileId: FILE_ID,
  });
  const newer = segment(TYPE.MANIFEST, 3, empty);
  const epochs = (bytes) => ["strict", "lax"].map((rule) => readRvf(bytes, { rule }).epoch);

  test("the last one wins, over padding", () => {
    assert.deepEqual(epochs(concat(old, newer)), [2, 2]);
    assert.deepEqual(epochs(concat(old, new Uint8Array(40), newer, new Uint8Array(999))), [2, 2]);
  });

  test("one inside a payload does not, while the chain holds", () => {
    const hidden = concat(old, segment(0x77, 3, newer));
    assert.deepEqual(epochs(hidden), [1, 2]);
    assert.deepEqual(readRvf(hidden).damage, []);
  });

  test("one of another version or with a wrong hash does not", () => {
    const version = newer.slice();
    version[0x04] = 2;
    assert.deepEqual(epochs(concat(old, version)), [1, 2]);
    assert.deepEqual(epochs(concat(old, withHash(newer, new Uint8Array(16).fill(1)))), [1, 2]);
  });

  test("without any that passes, upstream's is taken and reported", () => {
    const alone = newer.slice();
    alone[0x04] = 2;
    const content = readRvf(alone);
    assert.equal(content.epoch, 2);
    assert.deepEqual(content.damage, [
      "manifest at 0 refused: version 2",
      "no manifest passes the strict rule; took the one at 0 by the lax rule",
    ]);
  });

  test("no manifest at all is 0x0106", () => {
    for (const bytes of [new Uint8Array(0), old.subarray(0, 80), new Uint8Array(500)]) {
      assert.throws(() => readRvf(bytes), { name: "RvfRefError", code: 0x0106 });
    }
  });

  test("a torn tail leaves the state before it", () => {
    for (let length = old.length; length < old.length + newer.length; length++) {
      assert.equal(readRvf(concat(old, newer).subarray(0, length)).epoch, 1);
    }
  });
});

function splitSegments(bytes) {
  const second = readRvf(bytes).segments[1].offset;
  return [bytes.slice(0, second), bytes.slice(second)];
}

function withHash(bytes, hash) {
  assert.ok(bytes.length >= HEADER_SIZE);
  const changed = bytes.slice();
  changed.set(hash, HASH_AT);
  return changed;
}
