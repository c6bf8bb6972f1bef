import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crc32, crc32c, crcRotated, sha256, simpleHash } from "./checksum.mjs";
import { hex } from "./container.mjs";
import {
  cosine,
  floatToHalf,
  halfToFloat,
  hamming,
  innerProduct,
  l2,
  pqDistance,
  pqTable,
  sqDequantize,
} from "./distance.mjs";
import { queryVector, randomSource } from "./random.mjs";
import { bruteForce, topK } from "./topk.mjs";
import { EXPECTED, NAMES } from "./upstream.mjs";

const EMPTY = new Uint8Array(0);
const ABC = new TextEncoder().encode("abc");
const DIGITS = new TextEncoder().encode("123456789");
const RAMP = Uint8Array.from({ length: 64 }, (_, i) => i);

describe("checksums", () => {
  test("published check values", () => {
    assert.equal(crc32(DIGITS), 0xcbf43926);
    assert.equal(crc32c(DIGITS), 0xe3069283);
    assert.equal(crc32(EMPTY), 0);
    assert.equal(crc32c(EMPTY), 0);
  });

  test("content hash vectors of docs/format.md, Content hash", () => {
    assert.equal(hex(crcRotated(EMPTY)), "0".repeat(32));
    assert.equal(hex(crcRotated(ABC)), "c241243535c241242435c241412435c2");
    assert.equal(hex(crcRotated(DIGITS)), "2639f4cbcb2639f4f4cb263939f4cb26");
    assert.equal(hex(crcRotated(RAMP)), "8cce0e10108cce0e0e108ccece0e108c");
  });

  test("simple hash vectors of docs/format.md, Branches", () => {
    const zeros = (count) => "00".repeat(count);
    assert.equal(hex(simpleHash(EMPTY)), zeros(32));
    assert.equal(hex(simpleHash(ABC)), `616263${zeros(10)}0b131b${zeros(16)}`);
    assert.equal(
      hex(simpleHash(DIGITS)),
      `31323334353637383900000000899199a1a9b1b9c1c9${zeros(10)}`,
    );
    assert.equal(
      hex(simpleHash(RAMP)),
      "e318c569e1c774e2d88500f9ae0b68c4187dd93592fe2acf43af1449765bd0fd",
    );
  });

  test("SHA-256 vectors of FIPS 180-4, one and two blocks", () => {
    const twoBlocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    assert.equal(
      hex(sha256(ABC)),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
    assert.equal(
      hex(sha256(new TextEncoder().encode(twoBlocks))),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    );
  });
});

describe("half precision", () => {
  const HALVES = Array.from({ length: 0x7c01 }, (_, bits) => halfToFloat(bits));

  test("every bit pattern that is no NaN survives a round trip", () => {
    const lost = [];
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfToFloat(bits);
      if (!Number.isNaN(value) && floatToHalf(value) !== bits) {
        lost.push(bits);
      }
    }
    assert.deepEqual(lost, []);
  });

  test("known values", () => {
    const known = [
      [0x0000, 0],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3555, 0.333251953125],
      [0x3c00, 1],
      [0xc000, -2],
      [0x7bff, 65_504],
      [0x7c00, Number.POSITIVE_INFINITY],
      [0xfc00, Number.NEGATIVE_INFINITY],
    ];
    for (const [bits, value] of known) {
      assert.equal(halfToFloat(bits), value);
      assert.equal(floatToHalf(value), bits);
    }
    assert.ok(Object.is(halfToFloat(0x8000), -0));
    assert.equal(floatToHalf(-0), 0x8000);
    assert.ok(Number.isNaN(halfToFloat(0x7c01)));
    assert.ok(Number.isNaN(halfToFloat(0xffff)));
    assert.equal(floatToHalf(Number.NaN), 0x7e00);
  });

  test("midpoints go to the even neighbour, their neighbours to the nearest", () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const middle = (HALVES[bits] + HALVES[bits + 1]) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const step = middle * 2 ** -40;
      assert.equal(floatToHalf(middle), even);
      assert.equal(floatToHalf(middle - step), bits);
      assert.equal(floatToHalf(middle + step), bits + 1);
      assert.equal(floatToHalf(-middle), even | 0x8000);
    }
  });

  test("65,520 and above is infinity, below is the largest half", () => {
    assert.equal(floatToHalf(65_520), 0x7c00);
    assert.equal(floatToHalf(65_519.99), 0x7bff);
    assert.equal(floatToHalf(Number.MAX_VALUE), 0x7c00);
    assert.equal(floatToHalf(Number.MIN_VALUE), 0);
    assert.equal(floatToHalf(-Number.MIN_VALUE), 0x8000);
  });
});

describe("distances", () => {
  const a = [1, 2, 3];
  const b = [4, -5, 6];

  test("values by hand", () => {
    assert.equal(l2(a, b), 9 + 49 + 9);
    assert.equal(innerProduct(a, b), -12);
    assert.equal(cosine(a, b), 1 - 12 / Math.sqrt(14 * 77));
    assert.equal(cosine([1, 0], [0, 2]), 1);
    assert.equal(cosine([2, 0], [5, 0]), 0);
    assert.equal(cosine([2, 0], [-5, 0]), 2);
    assert.equal(hamming(Uint8Array.of(0xff, 0x0f, 0), Uint8Array.of(0, 0x0e, 0)), 9);
  });

  test("a zero norm is at cosine distance 1", () => {
    assert.equal(cosine([0, 0], [1, 1]), 1);
    assert.equal(cosine([0, 0], [0, 0]), 1);
  });

  test("NaN and infinities come through", () => {
    assert.ok(Number.isNaN(l2([Number.NaN], [1])));
    assert.equal(l2([Number.POSITIVE_INFINITY], [1]), Number.POSITIVE_INFINITY);
    assert.ok(Number.isNaN(cosine([Number.POSITIVE_INFINITY], [1])));
  });

  test("different lengths are refused", () => {
    for (const distance of [l2, innerProduct, cosine, hamming]) {
      assert.throws(() => distance([1, 2], [1]), RangeError);
    }
  });

  test("scalar quantization spans its range", () => {
    const values = sqDequantize(Int8Array.of(-128, 127, 0), [-1, 3, -1, 3, 0, 255]);
    assert.deepEqual([...values], [-1, 3, 128]);
    assert.throws(() => sqDequantize(Int8Array.of(0), [0]), RangeError);
  });

  test("product quantization equals the distance to the decoded vector", () => {
    const random = randomSource(7);
    const shape = { subspaces: 4, count: 5, subDimension: 3 };
    const centroids = random.floats(4 * 5 * 3);
    const query = random.floats(12);
    const codes = Uint8Array.of(0, 4, 2, 3);
    const decoded = [...codes].flatMap((code, subspace) => {
      const at = (subspace * 5 + code) * 3;
      return [...centroids.subarray(at, at + 3)];
    });
    for (const distance of [l2, innerProduct]) {
      const table = pqTable(query, centroids, shape, distance);
      const difference = pqDistance(table, codes, 5) - distance(query, decoded);
      assert.ok(Math.abs(difference) < 1e-12, `off by ${difference}`);
    }
  });

  test("a product code that names no centroid is refused", () => {
    const table = new Float64Array(8);
    assert.throws(() => pqDistance(table, Uint8Array.of(0, 4), 4), RangeError);
    assert.throws(() => pqDistance(table, Uint8Array.of(0), 4), RangeError);
    assert.throws(
      () => pqTable([1, 2], [1, 2], { subspaces: 2, count: 2, subDimension: 1 }, l2),
      RangeError,
    );
  });
});

describe("top k", () => {
  const candidates = [
    { id: 2n ** 64n - 1n, distance: 1 },
    { id: 10n, distance: 1 },
    { id: 9n, distance: 1 },
    { id: 1n, distance: Number.NaN },
    { id: 3n, distance: Number.POSITIVE_INFINITY },
    { id: 4n, distance: -1 },
  ];

  test("ascending distance, then ascending id, NaN never", () => {
    const ids = topK(candidates, 10).map(({ id }) => id);
    assert.deepEqual(ids, [4n, 9n, 10n, 2n ** 64n - 1n, 3n]);
  });

  test("k cuts", () => {
    assert.deepEqual(topK(candidates, 0), []);
    assert.deepEqual(
      topK(candidates, 2).map(({ id }) => id),
      [4n, 9n],
    );
  });

  test("brute force looks at every row", () => {
    const rows = new Map([
      [5n, [3]],
      [6n, [1]],
      [7n, [-1]],
    ]);
    assert.deepEqual(bruteForce(rows, [0], 2, l2), [
      { id: 6n, distance: 1 },
      { id: 7n, distance: 1 },
    ]);
  });
});

describe("random numbers", () => {
  test("query vectors are upstream's", () => {
    for (const name of NAMES) {
      for (const query of EXPECTED.files[name].upstream.queries ?? []) {
        const length = query.first_elements.length;
        assert.deepEqual([...queryVector(query.seed, length)], query.first_elements);
      }
    }
  });

  test("the same seed gives the same numbers, inside their limits", () => {
    const numbers = (seed) => {
      const random = randomSource(seed);
      return [random.uint32(), ...random.floats(50, 2, 3), ...random.bytes(50), random.int(-1, 1)];
    };
    assert.deepEqual(numbers(5), numbers(5));
    assert.notDeepEqual(numbers(5), numbers(6));
    const random = randomSource(9);
    const ints = Array.from({ length: 300 }, () => random.int(-1, 1));
    assert.deepEqual(
      [...new Set(ints)].sort((a, b) => a - b),
      [-1, 0, 1],
    );
    assert.ok(random.floats(300, 2, 3).every((value) => value >= 2 && value <= 3));
    assert.throws(() => randomSource(0), RangeError);
  });
});
