// Content hashes: files that carry the hash of any writer open, and no other hash passes. What a hash
// must be comes from hash-wasm and from Node.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, describe, test } from "node:test";
import { sha256, xxhash128 } from "hash-wasm";
import { crcRotated } from "../reference/checksum.mjs";
import { HEADER_SIZE, TYPE, viewOf } from "../reference/container.mjs";
import { concat, manifestPayload, segment } from "../reference/format.mjs";
import { randomSource } from "../reference/random.mjs";
import { Control, WARNING } from "./control.mjs";
import { STATUS } from "./status.mjs";

const ALGORITHM_AT = 0x20;
const HASH_AT = 0x28;
const HASH_SIZE = 16;
const VEC_FIXED = 6;
const RECORD_SIZE = 12; // of one dimension

const fromHex = (digits) => Uint8Array.from(Buffer.from(digits, "hex"));

/** Every hash that a writer is known to store, and how it is computed. */
const KINDS = {
  "CRC-32 rotated": async (payload) => crcRotated(payload),
  // hash-wasm prints the number; the file holds it in little-endian order.
  "XXH3-128": async (payload) => fromHex(await xxhash128(payload)).reverse(),
  "SHAKE-256": async (payload) =>
    new Uint8Array(createHash("shake256", { outputLength: HASH_SIZE }).update(payload).digest()),
  "SHA-256": async (payload) => fromHex(await sha256(payload)).slice(0, HASH_SIZE),
};

const from = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** Around every branch of XXH3, and around the blocks of SHA-256 (64) and SHAKE-256 (136). */
const LENGTHS = [
  ...from(0, 20),
  ...[31, 32, 33],
  ...from(54, 66),
  ...[95, 96, 97, 119, 120],
  ...from(127, 137),
  ...[159, 160, 161, 191, 192],
  ...from(239, 242),
  ...from(255, 260),
  ...from(271, 273),
  ...from(1023, 1026),
  ...[1087, 1088, 1089, 2000, 2048, 2049, 70_000],
];

/** As many records as fit, at most five; readers ignore what follows them. */
function vecOfLength(length) {
  const payload = randomSource(length + 1).bytes(length);
  if (length < VEC_FIXED) return { payload, count: 0 };
  const count = Math.min(5, Math.floor((length - VEC_FIXED) / RECORD_SIZE));
  const view = viewOf(payload);
  view.setUint16(0, 1, true);
  view.setUint32(2, count, true);
  for (let i = 0; i < count; i++) {
    view.setBigUint64(VEC_FIXED + RECORD_SIZE * i, BigInt(i + 1), true);
    view.setFloat32(VEC_FIXED + RECORD_SIZE * i + 8, i / 2, true);
  }
  return { payload, count };
}

async function hashed(type, id, payload, hashOf, algorithm = 0) {
  const bytes = segment(type, id, payload);
  bytes.set(await hashOf(payload), HASH_AT);
  bytes[ALGORITHM_AT] = algorithm;
  return bytes;
}

/** A file of one VEC and one MANIFEST that both carry such a hash. */
async function fileWith(payload, hashOf, algorithm) {
  const manifest = manifestPayload({
    epoch: 1,
    dimension: 1,
    totalVectors: 0,
    profile: 0,
    metric: 0,
    directory: [{ id: 1, offset: 0, payloadLength: payload.length, type: TYPE.VEC }],
    deletedIds: [],
    fileId: new Uint8Array(HASH_SIZE).fill(7),
  });
  return concat(
    await hashed(TYPE.VEC, 1, payload, hashOf, algorithm),
    await hashed(TYPE.MANIFEST, 2, manifest, hashOf, algorithm),
  );
}

function flipped(file, at, bit = 0) {
  const copy = file.slice();
  copy[at] ^= 1 << bit;
  return copy;
}

const control = new Control();

/** Opens and closes; answers the status of opening, and what the store showed. */
function opening(file) {
  const handle = control.open(file);
  if (handle < 0) return { status: handle };
  const { live } = control.status(handle);
  const warnings = control.warnings(handle);
  assert.equal(control.close(handle), STATUS.kOk);
  return { status: STATUS.kOk, live, warnings };
}

const REFUSED = { status: STATUS.kInvalidChecksum };

/** A payload too short for a VEC is refused for that, but only after its hash was found good. */
function accepted({ payload, count }) {
  if (payload.length < VEC_FIXED) return { status: STATUS.kTruncatedSegment };
  return { status: STATUS.kOk, live: count, warnings: 0 };
}

/** Places in a payload that cover its ends and what lies between. */
const placesIn = (length) =>
  [...new Set([0, length >> 2, length >> 1, length - 17, length - 1])].filter(
    (place) => place >= 0 && place < length,
  );

for (const [kind, hashOf] of Object.entries(KINDS)) {
  describe(kind, () => {
    for (const length of LENGTHS) {
      test(`of ${length} bytes: opens, and not with one bit changed`, async () => {
        const vec = vecOfLength(length);
        const file = await fileWith(vec.payload, hashOf);
        assert.deepEqual(opening(file), accepted(vec));
        for (const place of placesIn(length)) {
          assert.deepEqual(opening(flipped(file, HEADER_SIZE + place, 3)), REFUSED, `at ${place}`);
        }
        // The CRC of nothing is zero, which means that there is no hash.
        const damaged = file.slice(HASH_AT, HASH_AT + HASH_SIZE).some((byte) => byte !== 0);
        for (const place of damaged ? [0, 7, 8, HASH_SIZE - 1] : []) {
          assert.deepEqual(opening(flipped(file, HASH_AT + place, 5)), REFUSED, `hash, ${place}`);
        }
      });
    }

    test("the algorithm that the header names does not matter", async () => {
      const vec = vecOfLength(100);
      for (const algorithm of [0, 1, 2, 3, 4, 255]) {
        const file = await fileWith(vec.payload, hashOf, algorithm);
        assert.deepEqual(opening(file), accepted(vec), algorithm);
        assert.deepEqual(opening(flipped(file, HEADER_SIZE + 50)), REFUSED, algorithm);
      }
    });

    test("a manifest with a changed bit is known to be damaged", async () => {
      const vec = vecOfLength(100);
      const file = await fileWith(vec.payload, hashOf);
      const { warnings, ...rest } = opening(flipped(file, file.length - 1));
      assert.deepEqual(rest, { status: STATUS.kOk, live: vec.count });
      assert.equal(warnings, WARNING.DAMAGED_MANIFEST);
    });
  });
}

describe("what is no content hash", () => {
  const vec = vecOfLength(500);
  const stored = {};
  before(async () => {
    for (const [kind, hashOf] of Object.entries(KINDS)) stored[kind] = await hashOf(vec.payload);
  });

  /** @param {() => Uint8Array} hash 16 bytes */
  async function refuses(hash) {
    const file = await fileWith(vec.payload, KINDS["CRC-32 rotated"]);
    file.set(hash(), HASH_AT);
    assert.deepEqual(opening(file), REFUSED);
  }

  test("XXH3-128 as it is printed", () => refuses(() => stored["XXH3-128"].toReversed()));

  test("half of one hash and half of another", () =>
    refuses(() => concat(stored["SHA-256"].subarray(0, 8), stored["XXH3-128"].subarray(8))));

  test("a CRC-32 with zeros behind it", () =>
    refuses(() => concat(stored["CRC-32 rotated"].subarray(0, 4), new Uint8Array(12))));

  test("the second half of SHA-256", async () => {
    const whole = fromHex(await sha256(vec.payload));
    await refuses(() => whole.slice(HASH_SIZE));
  });

  test("the hash of other bytes", async () => {
    for (const hashOf of Object.values(KINDS)) {
      const other = await hashOf(vec.payload.subarray(1));
      await refuses(() => other);
    }
  });

  test("sixteen zero bytes are no hash at all: nothing is checked", async () => {
    const file = await fileWith(vec.payload, KINDS["CRC-32 rotated"]);
    file.fill(0, HASH_AT, HASH_AT + HASH_SIZE);
    assert.deepEqual(opening(flipped(file, HEADER_SIZE + 499)), accepted(vec));
  });
});
