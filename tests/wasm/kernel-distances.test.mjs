import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DISTANCES, hamming, sqDequantize } from "../reference/distance.mjs";
import { floatToHalf, halfToFloat } from "../reference/half.mjs";
import { randomSource } from "../reference/random.mjs";
import { DTYPE, floatBytes, halfBytes, MAP, METRIC, Tile } from "./tile.mjs";

const DIMENSIONS = [1, 3, 5, 7, 15, 17, 96, 97, 384, 1024];
const METRICS = [
  ["L2", METRIC.L2],
  ["inner product", METRIC.INNER_PRODUCT],
  ["cosine", METRIC.COSINE],
];
const DTYPES = [
  ["f16", DTYPE.F16],
  ["i8", DTYPE.I8],
  ["f32", DTYPE.F32],
];
const ROWS = 4;
const NAN_BITS = 0x7fc00000;

/** Half a step of f32 at 1: the most that one operation rounds by. */
const U = 2 ** -24;

const halves = (values) => Array.from(values, (value) => halfToFloat(floatToHalf(value)));
const sum = (values) => values.reduce((total, value) => total + value, 0);

/**
 * The most that a sum of d products is off by, relative to the sum of their absolute values: one
 * rounding per operation that an element can go through. Whole steps of sixteen give d/16 additions
 * in a lane; what is left over, up to 15, is added one by one. Two more for the differences of L2.
 */
const sumError = (d) => (Math.max(d / 16 + 6, 16) + 2) * U;

/**
 * The distance in double precision, and how far an f32 computation may be from it.
 * @param {ArrayLike<number>} x a row; element i is itself known up to errors[i]
 */
function expected(metric, q, x, errors = new Float64Array(x.length)) {
  const relative = sumError(x.length);
  const over = (term) => sum(Array.from(x, (value, i) => term(value, q[i], errors[i])));
  const value = DISTANCES[metric](q, x);
  const products = relative * over((a, b) => Math.abs(a * b)) + over((_, b, e) => Math.abs(b) * e);
  if (metric === METRIC.L2) {
    return {
      value,
      tolerance: relative * value + over((a, b, e) => (2 * Math.abs(a - b) + e) * e),
    };
  }
  if (metric === METRIC.INNER_PRODUCT) {
    return { value, tolerance: products };
  }
  const rowNorm = over((a) => a * a);
  const norms = Math.sqrt(rowNorm * over((_, b) => b * b));
  const ofNorms = relative + over((a, _, e) => Math.abs(a) * e) / rowNorm + 4 * U;
  return { value, tolerance: products / norms + Math.abs(1 - value) * ofNorms + 4 * U };
}

/** Rows of `d` elements as they are stored, and the values that they stand for. */
function randomRows(random, dtype, d) {
  if (dtype === DTYPE.I8) {
    const codes = Int8Array.from(random.bytes(ROWS * d));
    return { bytes: new Uint8Array(codes.buffer), values: split(codes, d) };
  }
  const values = random.floats(ROWS * d, -2, 2);
  return dtype === DTYPE.F16
    ? { bytes: halfBytes(values), values: split(halves(values), d) }
    : { bytes: floatBytes(values), values: split(values, d) };
}

function split(values, d) {
  return Array.from({ length: values.length / d }, (_, row) =>
    Array.from(values.slice(row * d, (row + 1) * d)),
  );
}

/** A query of `d` halves in the range of the rows. */
function randomQuery(random, dtype, d) {
  const most = dtype === DTYPE.I8 ? 150 : 2;
  return halves(random.floats(d, -most, most));
}

function assertNear(found, { value, tolerance }, where) {
  const off = Math.abs(found - value);
  assert.ok(off <= tolerance, `${where}: ${found}, in double precision ${value} +- ${tolerance}`);
}

function bitsOf(value) {
  return new Uint32Array(Float32Array.of(value).buffer)[0];
}

/** Bits of the distances of some rows, which are given as bytes; the query as halves. */
function distanceBits(metric, dtype, query, rows, count) {
  const tile = new Tile();
  assert.equal(tile.loadQuery(query), 0);
  assert.equal(tile.loadBlock(rows, count, dtype), 0);
  assert.equal(tile.exports.rvf_distances(metric, MAP.MESSAGE), count);
  return [...tile.readU32(MAP.MESSAGE, count)];
}

describe("distances agree with double precision in dimensions 1 to 1,024", () => {
  for (const [typeName, dtype] of DTYPES) {
    for (const [metricName, metric] of METRICS) {
      test(`${typeName}, ${metricName}`, () => {
        const random = randomSource(1 + dtype * 3 + metric);
        for (const d of DIMENSIONS) {
          const query = randomQuery(random, dtype, d);
          const { bytes, values } = randomRows(random, dtype, d);
          const tile = new Tile();
          tile.loadQuery(halfBytes(query));
          tile.loadBlock(bytes, ROWS, dtype);
          tile.distances(metric, ROWS).forEach((found, row) => {
            const want = expected(metric, query, values[row]);
            assertNear(found, want, `dimension ${d}, row ${row}`);
          });
        }
      });
    }
  }

  for (const [metricName, metric] of METRICS) {
    test(`i8 with SQ parameters, ${metricName}`, () => {
      const random = randomSource(77 + metric);
      for (const d of DIMENSIONS) {
        const query = randomQuery(random, DTYPE.F16, d);
        const { bytes, values } = randomRows(random, DTYPE.I8, d);
        const pairs = Float32Array.from({ length: 2 * d }, (_, i) =>
          i % 2 === 0 ? random.float(-3, 0) : random.float(0, 3),
        );
        // Scale, offset, their product and sum: a few roundings of numbers no larger than the ends.
        const errors = Float64Array.from(
          { length: d },
          (_, i) => 8 * U * (Math.abs(pairs[2 * i]) + Math.abs(pairs[2 * i + 1])),
        );
        const tile = new Tile();
        tile.loadQuery(halfBytes(query));
        tile.loadSqParams(pairs);
        tile.loadBlock(bytes, ROWS, DTYPE.I8);
        tile.distances(metric, ROWS).forEach((found, row) => {
          const decoded = sqDequantize(values[row], pairs);
          const want = expected(metric, query, decoded, errors);
          assertNear(found, want, `dimension ${d}, row ${row}`);
        });
      }
    });
  }

  test("the sum of a short row loses no more than one rounding an element", () => {
    const query = [1, ...new Array(14).fill(2 ** -12)];
    const tile = new Tile();
    tile.loadQuery(halfBytes(query));
    tile.loadBlock(floatBytes(query), 1, DTYPE.F32);
    const [found] = tile.distances(METRIC.INNER_PRODUCT, 1);
    assertNear(found, expected(METRIC.INNER_PRODUCT, query, query), "fifteen elements");
  });
});

describe("Hamming distances count the differing bits of the raw bytes", () => {
  for (const [typeName, dtype] of DTYPES) {
    const queryBytes = dtype === DTYPE.F32 ? "the widened query's bytes" : "the query's f16 bytes";
    test(`${typeName} rows against ${queryBytes}, in dimensions 1 to 1,024`, () => {
      const random = randomSource(5 + dtype);
      for (const d of DIMENSIONS) {
        const query = halves(random.floats(d));
        const own = dtype === DTYPE.F32 ? floatBytes(query) : halfBytes(query);
        const size = d * { [DTYPE.F16]: 2, [DTYPE.I8]: 1, [DTYPE.F32]: 4 }[dtype];
        const rows = random.bytes(ROWS * size);
        const tile = new Tile();
        tile.loadQuery(halfBytes(query));
        tile.loadBlock(rows, ROWS, dtype);
        const want = Array.from({ length: ROWS }, (_, row) =>
          hamming(own.subarray(0, size), rows.subarray(row * size, (row + 1) * size)),
        );
        assert.deepEqual([...tile.distances(METRIC.HAMMING, ROWS)], want, `dimension ${d}`);
      }
    });
  }

  test("every half keeps its bits in the query, NaN payloads and -0 included", () => {
    const tile = new Tile();
    for (let first = 0; first < 0x10000; first += 1024) {
      const bytes = new Uint8Array(Uint16Array.from({ length: 1024 }, (_, i) => first + i).buffer);
      tile.loadQuery(bytes);
      tile.loadBlock(bytes, 1, DTYPE.F16);
      assert.equal(tile.distances(METRIC.HAMMING, 1)[0], 0, `halves from ${first} on`);
    }
  });

  test("SQ parameters make no difference", () => {
    const random = randomSource(31);
    const query = halfBytes(random.floats(19));
    const rows = random.bytes(ROWS * 19);
    const tile = new Tile();
    tile.loadQuery(query);
    tile.loadBlock(rows, ROWS, DTYPE.I8);
    const before = [...tile.distances(METRIC.HAMMING, ROWS)];
    tile.loadSqParams(random.floats(38));
    tile.loadBlock(rows, ROWS, DTYPE.I8);
    assert.deepEqual([...tile.distances(METRIC.HAMMING, ROWS)], before);
  });
});

describe("special values", () => {
  const element = { [DTYPE.F16]: halfBytes, [DTYPE.F32]: floatBytes };

  test("every half is widened exactly, subnormals and infinities included", () => {
    const count = 4096;
    const results = MAP.BLOCK + 2 * count;
    const tile = new Tile();
    for (let first = 0; first < 0x10000; first += count) {
      tile.loadQuery(halfBytes([1]));
      const rows = Uint16Array.from({ length: count }, (_, i) => first + i);
      tile.loadBlock(new Uint8Array(rows.buffer), count, DTYPE.F16);
      assert.equal(tile.exports.rvf_distances(METRIC.INNER_PRODUCT, results), count);
      const found = tile.readF32(results, count);
      const wrong = found.findIndex((value, i) => {
        const want = -halfToFloat(first + i);
        return Number.isNaN(want) ? !Number.isNaN(value) : value !== want;
      });
      assert.equal(wrong, -1, `half ${first + wrong} gives ${found[wrong]}`);
    }
  });

  test("cosine is exactly 1 when either norm is zero", () => {
    const zeros = new Array(19).fill(0);
    const ones = new Array(19).fill(1);
    for (const dtype of [DTYPE.F16, DTYPE.F32]) {
      for (const [query, row] of [
        [zeros, ones],
        [ones, zeros],
        [zeros, zeros],
        [ones.map(() => -0), ones],
      ]) {
        const bits = distanceBits(METRIC.COSINE, dtype, halfBytes(query), element[dtype](row), 1);
        assert.deepEqual(bits, [bitsOf(1)]);
      }
    }
    const i8 = distanceBits(METRIC.COSINE, DTYPE.I8, halfBytes(ones), new Uint8Array(19), 1);
    assert.deepEqual(i8, [bitsOf(1)]);
  });

  for (const [metricName, metric] of METRICS) {
    test(`a NaN anywhere gives the one NaN 7FC00000, ${metricName}`, () => {
      const d = 37;
      const ones = new Array(d).fill(1);
      const odd = { [DTYPE.F16]: [0x01, 0xfe], [DTYPE.F32]: [0x01, 0x00, 0xa0, 0xff] };
      for (const dtype of [DTYPE.F16, DTYPE.F32]) {
        const size = odd[dtype].length;
        for (const place of [0, 15, 16, 31, 32, 36]) {
          const row = element[dtype](ones);
          row.set(odd[dtype], place * size);
          const inRow = distanceBits(metric, dtype, halfBytes(ones), row, 1);
          const query = halfBytes(ones);
          query.set(odd[DTYPE.F16], 2 * place);
          const inQuery = distanceBits(metric, dtype, query, element[dtype](ones), 1);
          assert.deepEqual([...inRow, ...inQuery], [NAN_BITS, NAN_BITS], `element ${place}`);
        }
      }
    });
  }

  test("a NaN in one row stays in that row", () => {
    const rows = floatBytes([1, 2, Number.NaN, 4, 5, 6]);
    const bits = distanceBits(METRIC.L2, DTYPE.F32, halfBytes([1, 2]), rows, 3);
    assert.deepEqual(bits, [bitsOf(0), NAN_BITS, bitsOf(32)]);
  });

  test("an infinity is infinitely far by L2 and keeps its sign by inner product", () => {
    const inf = Number.POSITIVE_INFINITY;
    for (const dtype of [DTYPE.F16, DTYPE.F32]) {
      const rows = element[dtype]([inf, 1, -inf, 1]);
      const query = halfBytes([2, 1]);
      const l2 = distanceBits(METRIC.L2, dtype, query, rows, 2);
      assert.deepEqual(l2, [bitsOf(inf), bitsOf(inf)]);
      const inner = distanceBits(METRIC.INNER_PRODUCT, dtype, query, rows, 2);
      assert.deepEqual(inner, [bitsOf(-inf), bitsOf(inf)]);
      const cosine = distanceBits(METRIC.COSINE, dtype, query, rows, 2);
      assert.deepEqual(cosine, [NAN_BITS, NAN_BITS]);
    }
  });

  test("infinities that cancel give the one NaN", () => {
    const inf = Number.POSITIVE_INFINITY;
    const query = halfBytes([inf, 1]);
    const rows = floatBytes([inf, 1]);
    assert.deepEqual(distanceBits(METRIC.L2, DTYPE.F32, query, rows, 1), [NAN_BITS]);
    const both = floatBytes([1, -inf]);
    const inner = distanceBits(METRIC.INNER_PRODUCT, DTYPE.F32, query, both, 1);
    assert.deepEqual(inner, [NAN_BITS]);
  });

  test("f32 subnormals are not flushed to zero", () => {
    const least = 2 ** -149;
    const rows = floatBytes([least, -3 * least]);
    const bits = distanceBits(METRIC.INNER_PRODUCT, DTYPE.F32, halfBytes([1]), rows, 2);
    assert.deepEqual(bits, [bitsOf(-least), bitsOf(3 * least)]);
  });

  test("sums above the largest f32 are infinite", () => {
    const rows = floatBytes([3e38, 3e38]);
    const bits = distanceBits(METRIC.L2, DTYPE.F32, halfBytes([0, 0]), rows, 1);
    assert.deepEqual(bits, [bitsOf(Number.POSITIVE_INFINITY)]);
  });
});

describe("a row's distance has the same bits", () => {
  const random = randomSource(99);
  const d = 53;
  const query = halfBytes(random.floats(d));
  const stored = {
    [DTYPE.F16]: halfBytes(random.floats(d)),
    [DTYPE.I8]: random.bytes(d),
    [DTYPE.F32]: floatBytes(random.floats(d)),
  };

  for (const [typeName, dtype] of DTYPES) {
    test(`${typeName}: at every place of a block`, () => {
      const row = stored[dtype];
      const rows = new Uint8Array(9 * row.length);
      for (let i = 0; i < 9; i++) rows.set(row, i * row.length);
      for (const [, metric] of METRICS) {
        const bits = distanceBits(metric, dtype, query, rows, 9);
        assert.equal(new Set(bits).size, 1);
        assert.deepEqual(distanceBits(metric, dtype, query, row, 1), bits.slice(0, 1));
      }
    });

    test(`${typeName}: at every alignment of query, block and result`, () => {
      const found = new Set();
      for (let offset = 0; offset < 17; offset++) {
        const tile = new Tile();
        tile.write(MAP.NEIGHBORS + offset, query);
        tile.exports.rvf_load_query(MAP.NEIGHBORS + offset, d);
        tile.loadBlock(stored[dtype], 1, dtype, MAP.BLOCK + offset);
        assert.equal(tile.exports.rvf_distances(METRIC.COSINE, MAP.MESSAGE + offset), 1);
        found.add(tile.view.getUint32(MAP.MESSAGE + offset, true));
      }
      assert.equal(found.size, 1);
    });
  }
});
