import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { innerProduct, l2, pqDistance, pqTable, sqDequantize } from "../reference/distance.mjs";
import { floatToHalf, halfToFloat } from "../reference/half.mjs";
import { randomSource } from "../reference/random.mjs";
import { STATUS } from "./status.mjs";
import { DTYPE, floatBytes, halfBytes, MAP, METRIC, PROFILE, Tile } from "./tile.mjs";

const U = 2 ** -24;
const ROOM = MAP.HOT_CACHE;

const halves = (values) => Array.from(values, (value) => halfToFloat(floatToHalf(value)));

/** Calls, and checks that it is refused with `status` and that memory is as before. */
function refused(tile, status, call) {
  const before = tile.snapshot();
  assert.equal(call(tile.exports), status);
  assert.ok(tile.equals(before), "a refused call has changed memory");
}

describe("scalar quantization", () => {
  const pairs = (random, d) =>
    Float32Array.from({ length: 2 * d }, (_, i) => random.float(i % 2 ? 0 : -4, i % 2 ? 4 : 0));

  test("codes are decoded to the nearest halves of min + (code + 128) / 255 * (max - min)", () => {
    const random = randomSource(4);
    const d = 256;
    const params = pairs(random, d);
    const tile = new Tile();
    assert.equal(tile.loadSqParams(params), 0);
    for (let shift = 0; shift < 256; shift++) {
      const codes = Int8Array.from({ length: d }, (_, i) => i + shift);
      tile.write(MAP.MESSAGE, new Uint8Array(codes.buffer));
      assert.equal(tile.exports.rvf_dequant_i8(MAP.MESSAGE, ROOM, d), d);
      const found = tile.readU16(ROOM, d);
      sqDequantize(codes, params).forEach((value, i) => {
        const slack = 8 * U * (Math.abs(params[2 * i]) + Math.abs(params[2 * i + 1]));
        const half = halfToFloat(found[i]);
        const [least, most] = halves([value - slack, value + slack]);
        assert.ok(least <= half && half <= most, `code ${codes[i]}: ${half}, exactly ${value}`);
      });
    }
  });

  test("rounding is to the nearest half, a tie to the even one, over all of half precision", () => {
    const tile = new Tile();
    const bits = new Uint32Array(1);
    const float = new Float32Array(bits.buffer);
    for (let first = 0; first < 0x7c00; first += 256) {
      // Equal ends make every code stand for that value.
      const values = Array.from({ length: 256 }, (_, i) => {
        float[0] = (halfToFloat(first + i) + halfToFloat(Math.min(first + i + 1, 0x7bff))) / 2;
        bits[0] += (i % 4) - (i % 4 === 3 ? 4 : 0);
        return i % 3 === 0 ? -float[0] : float[0];
      });
      assert.equal(tile.loadSqParams(values.flatMap((value) => [value, value])), 0);
      tile.write(MAP.MESSAGE, new Uint8Array(256));
      tile.exports.rvf_dequant_i8(MAP.MESSAGE, ROOM, 256);
      assert.deepEqual([...tile.readU16(ROOM, 256)], values.map(floatToHalf));
    }
  });

  test("-128 is the minimum and 127 the maximum", () => {
    const tile = new Tile();
    tile.loadSqParams([-1, 3, 0.25, 0.5]);
    tile.write(MAP.MESSAGE, [0x80, 0x80, 0x7f, 0x7f]);
    tile.exports.rvf_dequant_i8(MAP.MESSAGE, ROOM, 4);
    assert.deepEqual([...tile.readU16(ROOM, 4)].map(halfToFloat), [-1, 0.25, 3, 0.5]);
  });

  test("codes of several vectors start again at the first dimension", () => {
    const tile = new Tile();
    tile.loadSqParams([0, 0, 1, 1, 2, 2]);
    tile.write(MAP.MESSAGE, new Uint8Array(7));
    assert.equal(tile.exports.rvf_dequant_i8(MAP.MESSAGE, ROOM, 7), 7);
    assert.deepEqual([...tile.readU16(ROOM, 7)].map(halfToFloat), [0, 1, 2, 0, 1, 2, 0]);
  });

  test("what no half holds becomes infinity or a subnormal", () => {
    const tile = new Tile();
    tile.loadSqParams([1e6, 1e6, -1e6, -1e6, 2 ** -24, 2 ** -24]);
    tile.write(MAP.MESSAGE, new Uint8Array(3));
    tile.exports.rvf_dequant_i8(MAP.MESSAGE, ROOM, 3);
    assert.deepEqual([...tile.readU16(ROOM, 3)], [0x7c00, 0xfc00, 0x0001]);
  });

  test("decoding nothing answers 0 and writes nothing", () => {
    const tile = new Tile();
    tile.loadSqParams([0, 1]);
    const before = tile.snapshot();
    assert.equal(tile.exports.rvf_dequant_i8(MAP.MESSAGE, ROOM, 0), 0);
    assert.ok(tile.equals(before));
  });

  test("decoding needs parameters", () => {
    const tile = new Tile();
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_dequant_i8(MAP.MESSAGE, ROOM, 4));
  });

  test("a NaN, an infinity or an infinite range is refused, wherever it stands", () => {
    const bad = [
      [Number.NaN, 1],
      [0, Number.NaN],
      [Number.NEGATIVE_INFINITY, 0],
      [0, Number.POSITIVE_INFINITY],
      [-3e38, 3e38],
    ];
    for (const pair of bad) {
      for (const place of [0, 4]) {
        const list = new Array(10).fill(0);
        list.splice(2 * place, 2, ...pair);
        const tile = new Tile();
        tile.loadSqParams([5, 6, 7, 8]);
        tile.writeF32(MAP.MESSAGE, list);
        refused(tile, STATUS.kNotFinite, (e) => e.rvf_load_sq_params(MAP.MESSAGE, 5));
      }
    }
  });

  test("parameters are for the dimension of the query, when there is one", () => {
    const tile = new Tile();
    tile.loadQuery(halfBytes([1, 2, 3]));
    for (const d of [2, 4]) {
      refused(tile, STATUS.kDimensionMismatch, (e) => e.rvf_load_sq_params(MAP.MESSAGE, d));
    }
    assert.equal(tile.exports.rvf_load_sq_params(MAP.MESSAGE, 3), 0);
  });

  test("1 to 1,024 dimensions are taken", () => {
    for (const d of [0, 1025, 0xffffffff]) {
      refused(new Tile(), STATUS.kDimensionMismatch, (e) => e.rvf_load_sq_params(MAP.BLOCK, d));
    }
    for (const d of [1, 1024]) {
      assert.equal(new Tile().exports.rvf_load_sq_params(MAP.BLOCK, d), 0);
    }
  });

  test("parameters stay for a later query of their dimension, and for no other", () => {
    const tile = new Tile();
    tile.loadSqParams([0, 255, 0, 255]);
    tile.loadQuery(halfBytes([0, 0]));
    tile.loadBlock([0x81, 0x80], 1, DTYPE.I8);
    assert.deepEqual([...tile.distances(METRIC.L2, 1)], [1]);
    tile.loadQuery(halfBytes([0, 0, 0]));
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_dequant_i8(MAP.MESSAGE, ROOM, 1));
    tile.loadBlock([1, 2, 3], 1, DTYPE.I8);
    assert.deepEqual([...tile.distances(METRIC.L2, 1)], [14]);
  });

  test("they replace a block that reaches into their area, and no other", () => {
    const results = MAP.MESSAGE;
    for (const [address, kept] of [
      [MAP.TABLES - 4, true],
      [MAP.TABLES - 3, false],
      [MAP.HOT_CACHE - 1, false],
      [MAP.HOT_CACHE, true],
    ]) {
      const tile = new Tile();
      tile.loadQuery(halfBytes([1, 2, 3, 4]));
      tile.loadBlock(new Uint8Array(4), 1, DTYPE.I8, address);
      assert.equal(tile.loadSqParams(new Float32Array(8)), 0);
      const answer = tile.exports.rvf_distances(METRIC.L2, results);
      assert.equal(answer, kept ? 1 : STATUS.kTileInvalidMessage, `block at ${address}`);
    }
  });

  test("results that would overwrite them are refused", () => {
    const tile = new Tile();
    tile.loadQuery(halfBytes([1, 2]));
    tile.loadSqParams([0, 1, 0, 1]);
    tile.loadBlock([0, 0, 0, 0], 2, DTYPE.I8);
    for (const address of [MAP.TABLES - 7, MAP.TABLES, MAP.HOT_CACHE - 1]) {
      refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_distances(METRIC.L2, address));
      refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_dequant_i8(MAP.BLOCK, address, 4));
    }
    assert.equal(tile.exports.rvf_distances(METRIC.L2, MAP.TABLES - 8), 2);
    assert.equal(tile.exports.rvf_distances(METRIC.L2, MAP.HOT_CACHE), 2);
  });

  test("decoded halves may replace codes that were read", () => {
    const tile = new Tile();
    tile.loadSqParams([-128, 127]);
    const codes = [4, 3, 2, 1];
    tile.write(ROOM + 4, codes);
    assert.equal(tile.exports.rvf_dequant_i8(ROOM + 4, ROOM, 4), 4);
    assert.deepEqual([...tile.readU16(ROOM, 4)].map(halfToFloat), codes);
  });

  test("parameters that are overwritten while they are read do not leave half a table", () => {
    const tile = new Tile();
    const pairs = Array.from({ length: 2048 }, (_, i) => (i & 2 ? 3e38 : -3e38));
    assert.equal(tile.loadSqParams(pairs, MAP.TABLES), 0);
    assert.equal(tile.exports.rvf_dequant_i8(MAP.BLOCK, MAP.BLOCK, 16_000), 16_000);
  });
});

describe("product quantization", () => {
  const SHAPES = [
    { subspaces: 1, count: 64, subDimension: 17 },
    { subspaces: 8, count: 64, subDimension: 12 },
    { subspaces: 64, count: 64, subDimension: 1 },
    { subspaces: 7, count: 5, subDimension: 3 },
    { subspaces: 64, count: 1, subDimension: 16 },
  ];
  const VECTORS = 20;

  /** A tile with its tables loaded, and the distances that the reference computes. */
  function prepared(metric, shape, parts = 1) {
    const { subspaces, count, subDimension } = shape;
    const random = randomSource(subspaces * 1000 + count);
    const query = halves(random.floats(subspaces * subDimension));
    const centroids = halves(random.floats(subspaces * count * subDimension));
    const codes = Uint8Array.from({ length: VECTORS * subspaces }, () => random.int(0, count - 1));
    const tile = new Tile();
    assert.equal(tile.init({ metric, pqSubspaces: parts > 1 ? subspaces : 0 }), 0);
    tile.loadQuery(halfBytes(query));
    const book = halfBytes(centroids);
    for (let part = 0; part < parts; part++) {
      const size = book.length / parts;
      tile.write(MAP.BLOCK, book.subarray(part * size, (part + 1) * size));
      const loaded = tile.exports.rvf_load_pq_codebook(MAP.BLOCK, subspaces / parts, count);
      assert.equal(loaded, ((part + 1) * subspaces) / parts);
    }
    tile.bytes.fill(0, MAP.BLOCK, MAP.TABLES); // the codebook is not needed any more
    tile.write(MAP.BLOCK, codes);
    const distance = metric === METRIC.L2 ? l2 : innerProduct;
    const table = pqTable(query, centroids, shape, distance);
    const size = pqTable(query, centroids, shape, (a, b) =>
      metric === METRIC.L2 ? l2(a, b) : a.reduce((sum, x, i) => sum + Math.abs(x * b[i]), 0),
    );
    const expected = (values) =>
      Array.from({ length: VECTORS }, (_, vector) =>
        pqDistance(values, codes.subarray(vector * subspaces, (vector + 1) * subspaces), count),
      );
    return { tile, want: expected(table), sizes: expected(size) };
  }

  const distances = (tile) => {
    assert.equal(tile.exports.rvf_pq_distances(MAP.BLOCK, VECTORS, ROOM), VECTORS);
    return tile.readF32(ROOM, VECTORS);
  };

  for (const [name, metric] of [
    ["L2", METRIC.L2],
    ["inner product", METRIC.INNER_PRODUCT],
  ]) {
    test(`${name} distances agree with double precision in every shape up to 64 centroids`, () => {
      for (const shape of SHAPES) {
        const { tile, want, sizes } = prepared(metric, shape);
        // A table entry is a sum of subDimension products; the distance a sum of table entries.
        const roundings = shape.subspaces + Math.max(shape.subDimension / 16 + 6, 16) + 2;
        distances(tile).forEach((found, i) => {
          const off = Math.abs(found - want[i]);
          assert.ok(off <= roundings * U * sizes[i], `${JSON.stringify(shape)}: off by ${off}`);
        });
      }
    });
  }

  test("a codebook in parts gives the bits of the codebook in one", () => {
    for (const [shape, parts] of [
      [SHAPES[1], 4],
      [SHAPES[2], 64],
      [SHAPES[3], 7],
    ]) {
      const whole = distances(prepared(METRIC.L2, shape).tile);
      assert.deepEqual(distances(prepared(METRIC.L2, shape, parts).tile), whole);
    }
  });

  test("a codebook too large for the block area passes through it in parts", () => {
    const shape = { subspaces: 16, count: 64, subDimension: 64 };
    const { tile, want } = prepared(METRIC.L2, shape, 4);
    assert.ok(16 * 64 * 64 * 2 > MAP.TABLES - MAP.BLOCK);
    distances(tile).forEach((found, i) => {
      assert.ok(Math.abs(found - want[i]) < 1e-3, `vector ${i}`);
    });
  });

  const book = { subspaces: 4, count: 3, subDimension: 2 };

  test("no distances before every part is there", () => {
    const tile = new Tile();
    tile.init({ pqSubspaces: 4 });
    tile.loadQuery(halfBytes(new Array(8).fill(1)));
    for (let part = 1; part < 4; part++) {
      assert.equal(tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 1, 3), part);
      refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_pq_distances(MAP.ROUTING, 1, ROOM));
    }
    assert.equal(tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 1, 3), 4);
    assert.equal(tile.exports.rvf_pq_distances(MAP.ROUTING, 1, ROOM), 1);
  });

  test("a part with another number of centroids, or with too many subspaces, is refused", () => {
    const tile = new Tile();
    tile.init({ pqSubspaces: 4 });
    tile.loadQuery(halfBytes(new Array(8).fill(1)));
    tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 2, 3);
    refused(tile, STATUS.kInvalidArgument, (e) => e.rvf_load_pq_codebook(MAP.BLOCK, 2, 4));
    refused(tile, STATUS.kDimensionMismatch, (e) => e.rvf_load_pq_codebook(MAP.BLOCK, 3, 3));
    assert.equal(tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 2, 3), 4);
  });

  test("after the last part the next one begins a new codebook", () => {
    const { tile } = prepared(METRIC.L2, book, 2);
    assert.equal(tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 2, 64), 2);
  });

  test("a code that names no centroid is refused, wherever it stands", () => {
    const { tile } = prepared(METRIC.L2, book);
    for (const code of [3, 255]) {
      for (const place of [0, 5, VECTORS * 4 - 1]) {
        const codes = new Uint8Array(VECTORS * 4);
        codes[place] = code;
        tile.write(MAP.BLOCK, codes);
        refused(tile, STATUS.kInvalidArgument, (e) => e.rvf_pq_distances(MAP.BLOCK, VECTORS, ROOM));
      }
    }
  });

  test("65 centroids, none, or no subspaces are refused", () => {
    const tile = new Tile();
    tile.loadQuery(halfBytes(new Array(8).fill(1)));
    for (const [m, k] of [
      [4, 65],
      [4, 0],
      [0, 4],
      [1, 0xffffffff],
    ]) {
      refused(tile, STATUS.kInvalidArgument, (e) => e.rvf_load_pq_codebook(MAP.BLOCK, m, k));
    }
  });

  test("subspaces that do not divide the dimension are refused", () => {
    const tile = new Tile();
    tile.loadQuery(halfBytes(new Array(8).fill(1)));
    for (const m of [3, 5, 9, 16, 0xffffffff]) {
      refused(tile, STATUS.kDimensionMismatch, (e) => e.rvf_load_pq_codebook(MAP.BLOCK, m, 4));
    }
  });

  test("a codebook where the tile keeps its own is refused", () => {
    const tile = new Tile();
    tile.loadQuery(halfBytes([1, 2, 3, 4]));
    for (const address of [0, 0x1f9, 0x3f9, 0x400, 0x7ff, 0x1ff9, 0x2000, 0x1eff9, 0x1f000]) {
      refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_load_pq_codebook(address, 4, 1));
    }
    for (const address of [0x200, 0x800, 0x1ff8, 0x10000, 0x17ff8, 0x1c000, 0x1eff8]) {
      assert.equal(tile.exports.rvf_load_pq_codebook(address, 4, 1), 4);
    }
    for (const address of [0x17ff9, 0x18000, 0x1bfff]) {
      refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_load_pq_codebook(address, 4, 1));
    }
  });

  test("tables above 16 KB are refused", () => {
    const tile = new Tile();
    tile.loadQuery(halfBytes(new Array(128).fill(1)));
    refused(tile, STATUS.kTileOutOfMemory, (e) => e.rvf_load_pq_codebook(MAP.BLOCK, 128, 33));
    assert.equal(tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 128, 32), 128);
  });

  test("it takes a query, a Hot tile and L2 or inner product", () => {
    refused(new Tile(), STATUS.kTileInvalidMessage, (e) => e.rvf_load_pq_codebook(MAP.BLOCK, 1, 1));
    for (const [config, status] of [
      [{ profile: PROFILE.CORE }, STATUS.kTileUnsupported],
      [{ metric: METRIC.COSINE }, STATUS.kMetricUnsupported],
      [{ metric: METRIC.HAMMING }, STATUS.kMetricUnsupported],
    ]) {
      const tile = new Tile();
      tile.init(config);
      tile.loadQuery(halfBytes([1, 2]));
      refused(tile, status, (e) => e.rvf_load_pq_codebook(MAP.BLOCK, 2, 4));
    }
  });

  test("a new query, even of the same dimension, forgets the tables", () => {
    const { tile } = prepared(METRIC.L2, book);
    tile.loadQuery(halfBytes(new Array(8).fill(1)));
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_pq_distances(MAP.BLOCK, 1, ROOM));
  });

  test("PQ tables and SQ parameters replace each other", () => {
    const { tile } = prepared(METRIC.L2, book);
    assert.equal(tile.loadSqParams(new Float32Array(16)), 0);
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_pq_distances(MAP.BLOCK, 1, ROOM));
    assert.equal(tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 4, 3), 4);
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_dequant_i8(MAP.BLOCK, ROOM, 1));
  });

  test("results and codes in the tables are refused", () => {
    const { tile } = prepared(METRIC.L2, book);
    for (const address of [MAP.TABLES - 7, MAP.TABLES, MAP.HOT_CACHE - 1]) {
      refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_pq_distances(MAP.BLOCK, 2, address));
      refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_pq_distances(address, 2, MAP.BLOCK));
    }
    assert.equal(tile.exports.rvf_pq_distances(MAP.BLOCK, 2, MAP.TABLES - 8), 2);
  });

  test("results may replace the codes they were made from", () => {
    const { tile } = prepared(METRIC.L2, book);
    const apart = distances(tile);
    assert.equal(tile.exports.rvf_pq_distances(MAP.BLOCK, VECTORS, MAP.BLOCK), VECTORS);
    assert.deepEqual(tile.readF32(MAP.BLOCK, VECTORS), apart);
  });

  test("a block of codes answers the distances of the codes, whatever the metric", () => {
    const { tile } = prepared(METRIC.L2, book);
    const apart = distances(tile);
    assert.equal(tile.exports.rvf_load_block(MAP.BLOCK, VECTORS, DTYPE.PQ), 0);
    for (const metric of Object.values(METRIC)) {
      assert.deepEqual(tile.distances(metric, VECTORS), apart);
    }
    tile.write(MAP.BLOCK, [3]);
    refused(tile, STATUS.kInvalidArgument, (e) => e.rvf_distances(METRIC.L2, MAP.MESSAGE));
    tile.loadSqParams(new Float32Array(16), MAP.MESSAGE);
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_distances(METRIC.L2, MAP.MESSAGE));
  });

  test("a configuration of fewer subspaces than are loaded is refused", () => {
    const tile = new Tile();
    tile.init({ pqSubspaces: 64 });
    tile.loadQuery(halfBytes(new Array(64).fill(1)));
    assert.equal(tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 63, 64), 63);
    tile.write(MAP.CONFIG + 4, [1, 0]);
    for (const m of [1, 3, 2 ** 32 - 1, 2 ** 32 - 62]) {
      refused(tile, STATUS.kDimensionMismatch, (e) => e.rvf_load_pq_codebook(MAP.BLOCK, m, 64));
    }
  });

  test("a NaN centroid gives the one NaN to the vectors that use it", () => {
    const tile = new Tile();
    tile.loadQuery(halfBytes([1, 1]));
    tile.write(MAP.BLOCK, [0x01, 0xfe, 0x00, 0x3c, 0x00, 0x3c, 0x00, 0x3c]);
    tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 2, 2);
    tile.write(MAP.BLOCK, [0, 0, 1, 0]);
    tile.exports.rvf_pq_distances(MAP.BLOCK, 2, ROOM);
    assert.deepEqual([...tile.readU32(ROOM, 2)], [0x7fc00000, 0]);
  });

  test("infinite table entries that cancel give the one NaN", () => {
    const tile = new Tile();
    tile.init({ metric: METRIC.INNER_PRODUCT });
    tile.loadQuery(halfBytes([1, 1]));
    tile.write(MAP.BLOCK, halfBytes([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]));
    tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 2, 1);
    tile.exports.rvf_pq_distances(MAP.ROUTING, 1, ROOM);
    assert.deepEqual([...tile.readU32(ROOM, 1)], [0x7fc00000]);
  });

  test("the codebook is read as halves, whatever it was", () => {
    const tile = new Tile();
    tile.loadQuery(halfBytes([1]));
    tile.write(MAP.BLOCK, floatBytes([1]));
    tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 1, 2);
    tile.write(MAP.BLOCK, [0, 1]);
    tile.exports.rvf_pq_distances(MAP.BLOCK, 2, ROOM);
    const second = halfToFloat(0x3f80);
    assert.deepEqual([...tile.readF32(ROOM, 2)], [1, Math.fround((1 - second) ** 2)]);
  });
});
