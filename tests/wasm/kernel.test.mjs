import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { crc32c } from "../reference/checksum.mjs";
import { randomSource } from "../reference/random.mjs";
import { topK } from "../reference/topk.mjs";
import { STATUS } from "./status.mjs";
import { DTYPE, floatBytes, halfBytes, MAP, METRIC, PROFILE, Tile } from "./tile.mjs";

const QUERY_OF = (d) => halfBytes(new Array(d).fill(1));

/** Calls, and checks that it is refused with `status` and that memory is as before. */
function refused(tile, status, call) {
  const before = tile.snapshot();
  assert.equal(call(tile.exports), status);
  assert.ok(tile.equals(before), "a refused call has changed memory");
}

/** A tile with a query of `d` ones. */
function withQuery(d, config) {
  const tile = new Tile();
  if (config) assert.equal(tile.init(config), 0);
  assert.equal(tile.loadQuery(QUERY_OF(d)), 0);
  return tile;
}

describe("rvf_init", () => {
  const config = (changes) => {
    const bytes = new Uint8Array(64);
    bytes.set([PROFILE.HOT, METRIC.L2, 16]);
    for (const [offset, value] of changes) bytes[offset] = value;
    return bytes;
  };
  const init = (tile, changes, address = MAP.MESSAGE) => {
    tile.write(address, config(changes));
    return (exports) => exports.rvf_init(address);
  };

  test("takes every profile, metric and k", () => {
    for (const profile of [PROFILE.CORE, PROFILE.HOT]) {
      for (let metric = 0; metric <= 3; metric++) {
        for (let k = 1; k <= 16; k++) {
          assert.equal(new Tile().init({ profile, metric, k, pqSubspaces: 65_535 }), 0);
        }
      }
    }
  });

  test("copies the configuration to its home, from wherever results may lie", () => {
    for (const address of [0x200, 0x3c0, 0x800, 0x1fc0, 0x10000, 0x1efc0, 0x801]) {
      const tile = new Tile();
      const given = config([
        [4, 0x34],
        [5, 0x12],
      ]);
      tile.write(address, given);
      assert.equal(tile.exports.rvf_init(address), 0);
      assert.deepEqual(tile.read(MAP.CONFIG, 64), given);
    }
  });

  test("takes the configuration where it stands", () => {
    const tile = new Tile();
    const given = config([[2, 3]]);
    tile.write(MAP.CONFIG, given);
    assert.equal(tile.exports.rvf_init(MAP.CONFIG), 0);
    assert.deepEqual(tile.read(MAP.CONFIG, 64), given);
  });

  test("refuses any other address", () => {
    const tile = new Tile();
    for (const address of [1, 0x40, 0x1ff, 0x3c1, 0x400, 0x7ff, 0x1fc1, 0x2000, 0xffff, 0x1efc1]) {
      const copy = config([]);
      tile.write(address, copy);
      refused(tile, STATUS.kInvalidPointer, (exports) => exports.rvf_init(address));
    }
    for (const address of [0x1f000, 0x1ffff, 0x20000, 0xffffffff]) {
      refused(tile, STATUS.kInvalidPointer, (exports) => exports.rvf_init(address));
    }
  });

  test("refuses an unknown profile", () => {
    for (const profile of [0, 3, 255]) {
      const tile = new Tile();
      refused(tile, STATUS.kTileUnsupported, init(tile, [[0, profile]]));
    }
  });

  test("refuses a metric above 3", () => {
    for (const metric of [4, 255]) {
      const tile = new Tile();
      refused(tile, STATUS.kMetricUnsupported, init(tile, [[1, metric]]));
    }
  });

  test("refuses a k outside 1 to 16", () => {
    for (const k of [0, 17, 255]) {
      const tile = new Tile();
      refused(tile, STATUS.kKTooLarge, init(tile, [[2, k]]));
    }
  });

  test("refuses a reserved byte that is not zero", () => {
    for (const value of [1, 0x80, 0xff]) {
      const tile = new Tile();
      refused(tile, STATUS.kInvalidArgument, init(tile, [[3, value]]));
    }
  });

  test("keeps the host's 58 bytes", () => {
    const tile = new Tile();
    const given = config(Array.from({ length: 58 }, (_, i) => [6 + i, 0xa0 + i]));
    tile.write(MAP.MESSAGE, given);
    assert.equal(tile.exports.rvf_init(MAP.MESSAGE), 0);
    assert.deepEqual(tile.read(MAP.CONFIG, 64), given);
  });

  test("forgets query, block, parameters and results, and leaves the host's memory alone", () => {
    const tile = withQuery(2);
    tile.loadSqParams([0, 1, 0, 1]);
    tile.loadBlock([1, 2], 1, DTYPE.I8);
    tile.merge([[1, 1n]], 4);
    const host = tile.read(MAP.BLOCK, 0xf000);
    assert.equal(tile.init(), 0);
    assert.deepEqual(tile.read(MAP.BLOCK, 0xf000), host);
    assert.deepEqual(tile.topK(), []);
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_load_block(MAP.BLOCK, 1, DTYPE.I8));
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_distances(METRIC.L2, MAP.MESSAGE));
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_dequant_i8(MAP.BLOCK, MAP.MESSAGE, 1));
  });

  test("a tile that was never started works as a Hot one", () => {
    const tile = withQuery(1024);
    assert.equal(tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 4, 4), 4);
    assert.equal(tile.exports.rvf_load_block(MAP.BLOCK, 1, DTYPE.F16), 0);
  });
});

describe("rvf_load_query", () => {
  test("takes 1 to 1,024 dimensions on a Hot tile", () => {
    const tile = new Tile();
    tile.init({ profile: PROFILE.HOT });
    for (let d = 1; d <= 1024; d++) assert.equal(tile.exports.rvf_load_query(MAP.BLOCK, d), 0);
    for (const d of [0, 1025, 0x80000000, 0xffffffff]) {
      refused(tile, STATUS.kDimensionMismatch, (e) => e.rvf_load_query(MAP.BLOCK, d));
    }
  });

  test("takes 768 dimensions, of which i8 blocks may have all, on a Core tile", () => {
    const tile = withQuery(768, { profile: PROFILE.CORE });
    refused(tile, STATUS.kDimensionMismatch, (e) => e.rvf_load_query(MAP.BLOCK, 769));
    assert.equal(tile.exports.rvf_load_block(MAP.BLOCK, 1, DTYPE.I8), 0);
    for (const dtype of [DTYPE.F16, DTYPE.F32]) {
      refused(tile, STATUS.kDimensionMismatch, (e) => e.rvf_load_block(MAP.BLOCK, 1, dtype));
    }
  });

  test("a Core tile compares 384 dimensions of f16 and f32, and not 385", () => {
    for (const dtype of [DTYPE.F16, DTYPE.F32]) {
      const tile = withQuery(385, { profile: PROFILE.CORE });
      refused(tile, STATUS.kDimensionMismatch, (e) => e.rvf_load_block(MAP.BLOCK, 1, dtype));
      tile.loadQuery(QUERY_OF(384));
      assert.equal(tile.exports.rvf_load_block(MAP.BLOCK, 1, dtype), 0);
    }
  });

  test("may end with the last byte before the query's own place, and no later", () => {
    const tile = new Tile();
    assert.equal(tile.exports.rvf_load_query(MAP.QUERY - 2048, 1024), 0);
    refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_load_query(MAP.QUERY - 2047, 1024));
    assert.equal(tile.exports.rvf_load_query(MAP.DATA_END - 10, 5), 0);
    refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_load_query(MAP.DATA_END - 9, 5));
  });

  test("empties the top-K and forgets the block", () => {
    const tile = withQuery(2);
    tile.merge([[1, 1n]], 4);
    tile.loadBlock(floatBytes([1, 2]), 1, DTYPE.F32);
    tile.loadQuery(QUERY_OF(2));
    assert.deepEqual(tile.topK(), []);
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_distances(METRIC.L2, MAP.MESSAGE));
  });

  test("a refused query leaves the one before", () => {
    const tile = withQuery(2);
    refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_load_query(MAP.DATA_END, 3));
    tile.loadBlock(floatBytes([1, 3]), 1, DTYPE.F32);
    assert.deepEqual([...tile.distances(METRIC.L2, 1)], [4]);
  });
});

describe("rvf_load_block", () => {
  const load = (tile, count, dtype, address = MAP.BLOCK) =>
    tile.exports.rvf_load_block(address, count, dtype);
  const tooMany = (tile, count, dtype, address = MAP.BLOCK) =>
    refused(tile, STATUS.kTileOutOfMemory, () => load(tile, count, dtype, address));

  test("85 i8 vectors of 384 dimensions fit beside SQ parameters, 86 do not", () => {
    const tile = withQuery(384, { profile: PROFILE.CORE });
    tile.loadSqParams(new Float32Array(768));
    assert.equal(load(tile, 85, DTYPE.I8), 0);
    tooMany(tile, 86, DTYPE.I8);
  });

  test("42 fp16 vectors of 384 dimensions fit beside tables, 43 do not", () => {
    const tile = withQuery(384, { profile: PROFILE.CORE });
    tile.loadSqParams(new Float32Array(768));
    assert.equal(load(tile, 42, DTYPE.F16), 0);
    tooMany(tile, 43, DTYPE.F16);
  });

  test("80 fp16 vectors of 384 dimensions fit without tables, 81 do not", () => {
    const tile = withQuery(384, { profile: PROFILE.CORE });
    assert.equal(load(tile, 80, DTYPE.F16), 0);
    tooMany(tile, 81, DTYPE.F16);
  });

  test("16 fp16 vectors of 384 dimensions fit into the hot cache, beside tables or not", () => {
    const tile = withQuery(384);
    for (let tables = 0; tables < 2; tables++) {
      assert.equal(load(tile, 16, DTYPE.F16, MAP.HOT_CACHE), 0);
      tooMany(tile, 17, DTYPE.F16, MAP.HOT_CACHE);
      tile.loadSqParams(new Float32Array(768));
    }
  });

  test("15 f32 vectors of 1,024 dimensions fill the block area to its last byte", () => {
    const tile = withQuery(1024);
    assert.equal(load(tile, 15, DTYPE.F32), 0);
    tooMany(tile, 16, DTYPE.F32);
    tooMany(tile, 15, DTYPE.F32, MAP.BLOCK + 1);
  });

  test("beside tables no block reaches into them or lies in them", () => {
    const tile = withQuery(4);
    tile.loadSqParams(new Float32Array(8));
    assert.equal(load(tile, 1, DTYPE.I8, MAP.TABLES - 4), 0);
    for (const address of [MAP.TABLES - 3, MAP.TABLES, MAP.HOT_CACHE - 1]) {
      tooMany(tile, 1, DTYPE.I8, address);
    }
  });

  test("a count whose bytes exceed 32 bits does not fit", () => {
    const tile = withQuery(1024);
    for (const count of [2 ** 20, 2 ** 22 + 1, 2 ** 30, 2 ** 31, 2 ** 32 - 1]) {
      tooMany(tile, count, DTYPE.F32);
    }
  });

  test("any one range that the tile does not keep holds a block", () => {
    const tile = withQuery(2);
    for (const address of [0, 0x1ff, 0x3ff, 0x400, 0x7ff, 0x1fff, 0x2000, 0xffff, 0x1efff]) {
      tooMany(tile, 1, DTYPE.I8, address);
    }
    for (const address of [0x1f000, 0x20000, 2 ** 32 - 1]) tooMany(tile, 1, DTYPE.I8, address);
    for (const address of [0x200, 0x3fe, 0x800, 0x1000, 0x1ffe, 0x10000, 0x1effe]) {
      assert.equal(load(tile, 1, DTYPE.I8, address), 0);
    }
  });

  test("a block of PQ codes has one byte per subspace and needs PQ tables", () => {
    const tile = withQuery(1024);
    refused(tile, STATUS.kTileInvalidMessage, () => load(tile, 1, DTYPE.PQ));
    assert.equal(tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 64, 4), 64);
    assert.equal(load(tile, 512, DTYPE.PQ), 0);
    tooMany(tile, 513, DTYPE.PQ);
    tile.loadSqParams(new Float32Array(2048));
    refused(tile, STATUS.kTileInvalidMessage, () => load(tile, 1, DTYPE.PQ));
  });

  test("an empty block is refused", () => {
    const tile = withQuery(1);
    refused(tile, STATUS.kInvalidArgument, () => load(tile, 0, DTYPE.I8));
  });

  test("an unknown dtype is refused", () => {
    const tile = withQuery(1);
    for (const dtype of [4, 2 ** 31, 2 ** 32 - 1]) {
      refused(tile, STATUS.kTileUnsupported, () => load(tile, 1, dtype));
    }
  });

  test("it takes a query", () => {
    const tile = new Tile();
    refused(tile, STATUS.kTileInvalidMessage, () => load(tile, 1, DTYPE.I8));
  });

  test("a refused block leaves the one before", () => {
    const tile = withQuery(2);
    tile.loadBlock(floatBytes([1, 3]), 1, DTYPE.F32);
    tooMany(tile, 2 ** 20, DTYPE.F32);
    assert.deepEqual([...tile.distances(METRIC.L2, 1)], [4]);
  });
});

describe("rvf_distances", () => {
  test("answers the number of vectors, which stay", () => {
    const tile = withQuery(1);
    tile.loadBlock(floatBytes([1, 2, 4]), 3, DTYPE.F32);
    assert.deepEqual([...tile.distances(METRIC.L2, 3)], [0, 1, 9]);
    assert.deepEqual([...tile.distances(METRIC.INNER_PRODUCT, 3)], [-1, -2, -4]);
  });

  test("a metric above 3 is refused", () => {
    const tile = withQuery(1);
    tile.loadBlock([0], 1, DTYPE.I8);
    for (const metric of [4, 2 ** 31, 2 ** 32 - 1]) {
      refused(tile, STATUS.kMetricUnsupported, (e) => e.rvf_distances(metric, MAP.MESSAGE));
    }
  });

  test("it takes a block", () => {
    const tile = withQuery(1);
    refused(tile, STATUS.kTileInvalidMessage, (e) => e.rvf_distances(METRIC.L2, MAP.MESSAGE));
  });

  test("results may overlap the block, where they replace rows that were read", () => {
    const tile = withQuery(1);
    tile.loadBlock(floatBytes([1, 2, 4]), 3, DTYPE.F32);
    assert.equal(tile.exports.rvf_distances(METRIC.L2, MAP.BLOCK), 3);
    assert.deepEqual([...tile.readF32(MAP.BLOCK, 3)], [0, 1, 9]);
  });

  test("results that replace rows before they are read are made from what is there by then", () => {
    const tile = withQuery(1);
    tile.loadBlock(floatBytes([1, 3, 4]), 3, DTYPE.F32);
    assert.equal(tile.exports.rvf_distances(METRIC.L2, MAP.BLOCK + 4), 3);
    assert.deepEqual([...tile.readF32(MAP.BLOCK, 4)], [1, 0, 1, 0]);
  });

  test("results may not lie where the tile keeps its own", () => {
    const tile = withQuery(1);
    tile.loadBlock([0, 0], 2, DTYPE.I8);
    for (const address of [0, 0x40, 0x100, 0x1f9, 0x3f9, 0x400, 0x7f9, 0x1ff9, 0x1eff9, 0x1f000]) {
      refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_distances(METRIC.L2, address));
    }
    for (const address of [0x200, 0x3f8, 0x800, 0x1ff8, 0x10002, 0x1eff8]) {
      assert.equal(tile.exports.rvf_distances(METRIC.L2, address), 2);
    }
  });
});

describe("the top-K", () => {
  test("is what sorting by distance, then by id, gives, whatever the order of arrival", () => {
    const random = randomSource(11);
    for (let k = 1; k <= 16; k++) {
      const tile = new Tile();
      const all = Array.from({ length: 100 }, (_, i) => [random.int(0, 12) / 4, BigInt(i)]);
      for (let at = 0; at < 100; at += 10) {
        assert.equal(tile.merge(all.slice(at, at + 10).reverse(), k), 0);
      }
      const want = topK(
        all.map(([distance, id]) => ({ id, distance })),
        k,
      );
      assert.deepEqual(
        tile.topK(),
        want.map(({ id, distance }) => [distance, id]),
      );
    }
  });

  test("equal distances come by ascending id over all of u64", () => {
    const ids = [2n ** 64n - 1n, 2n ** 63n, 2n ** 32n, 1n, 2n ** 32n - 1n, 0n, 2n ** 63n - 1n];
    const tile = new Tile();
    tile.merge(
      ids.map((id) => [7, id]),
      16,
    );
    const order = tile.topK().map(([, id]) => id);
    assert.deepEqual(
      order,
      ids.toSorted((a, b) => (a < b ? -1 : 1)),
    );
  });

  test("a tie at the end of a full list goes to the smaller id", () => {
    const tile = new Tile();
    tile.merge(
      [
        [1, 10n],
        [2, 20n],
      ],
      2,
    );
    tile.merge(
      [
        [2, 30n],
        [2, 15n],
      ],
      2,
    );
    assert.deepEqual(tile.topK(), [
      [1, 10n],
      [2, 15n],
    ]);
  });

  test("NaN never enters, not even an empty list", () => {
    const tile = new Tile();
    tile.merge([[Number.NaN, 1n]], 16);
    tile.merge([[Number.POSITIVE_INFINITY, 2n]], 16);
    tile.merge([[Number.NaN, 3n]], 16);
    assert.deepEqual(tile.topK(), [[Number.POSITIVE_INFINITY, 2n]]);
  });

  test("both infinities have their place", () => {
    const tile = new Tile();
    tile.merge(
      [
        [Number.POSITIVE_INFINITY, 1n],
        [0, 2n],
        [Number.NEGATIVE_INFINITY, 3n],
      ],
      16,
    );
    assert.deepEqual(
      tile.topK().map(([, id]) => id),
      [3n, 2n, 1n],
    );
  });

  test("-0 and 0 are a tie", () => {
    const tile = new Tile();
    tile.merge(
      [
        [0, 1n],
        [-0, 2n],
      ],
      16,
    );
    assert.deepEqual(
      tile.topK().map(([, id]) => id),
      [1n, 2n],
    );
  });

  test("an id that is held keeps its nearer distance", () => {
    const tile = new Tile();
    tile.merge(
      [
        [3, 1n],
        [5, 2n],
        [4, 3n],
      ],
      3,
    );
    tile.merge(
      [
        [9, 1n],
        [2, 2n],
        [Number.NaN, 3n],
      ],
      3,
    );
    assert.deepEqual(tile.topK(), [
      [2, 2n],
      [3, 1n],
      [4, 3n],
    ]);
  });

  test("merging the same pairs twice changes nothing", () => {
    const random = randomSource(8);
    const pairs = Array.from({ length: 30 }, (_, i) => [random.float(), BigInt(i % 20)]);
    const tile = new Tile();
    tile.merge(pairs, 10);
    const once = tile.topK();
    tile.merge(pairs, 10);
    assert.deepEqual(tile.topK(), once);
  });

  test("a smaller k drops the surplus at once, a larger one makes room again", () => {
    const tile = new Tile();
    tile.merge(
      Array.from({ length: 16 }, (_, i) => [i, BigInt(i)]),
      16,
    );
    tile.merge([], 3);
    assert.deepEqual(
      tile.topK().map(([, id]) => id),
      [0n, 1n, 2n],
    );
    tile.merge([[9, 9n]], 5);
    assert.deepEqual(
      tile.topK().map(([, id]) => id),
      [0n, 1n, 2n, 9n],
    );
  });

  test("reading keeps it, and an empty one answers 0", () => {
    const tile = new Tile();
    assert.equal(tile.exports.rvf_topk_read(MAP.MESSAGE), 0);
    tile.merge([[1, 1n]], 16);
    assert.deepEqual(tile.topK(), tile.topK());
    assert.equal(tile.topK().length, 1);
  });

  test("is written as 12-byte records: id, then distance", () => {
    const tile = new Tile();
    tile.merge([[1.5, 0x0102030405060708n]], 16);
    assert.equal(tile.exports.rvf_topk_read(MAP.BLOCK + 1), 1);
    const record = [8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0xc0, 0x3f];
    assert.deepEqual([...tile.read(MAP.BLOCK + 1, 13)], [...record, 0]);
  });

  test("a k outside 1 to 16 is refused", () => {
    for (const k of [0, 17, 2 ** 31, 2 ** 32 - 1]) {
      const tile = new Tile();
      tile.merge([[1, 1n]], 16);
      refused(tile, STATUS.kKTooLarge, (e) => e.rvf_topk_merge(MAP.MESSAGE, MAP.BLOCK, 1, k));
    }
  });

  test("lists that end outside tile memory are refused", () => {
    const tile = new Tile();
    tile.merge([[1, 1n]], 16);
    for (const [distances, ids, count] of [
      [MAP.QUERY - 3, MAP.BLOCK, 1],
      [MAP.BLOCK, MAP.QUERY - 7, 1],
      [MAP.BLOCK, MAP.MESSAGE, 2 ** 30],
      [MAP.BLOCK, MAP.MESSAGE, 2 ** 29],
      [MAP.DATA_END, MAP.BLOCK, 1],
    ]) {
      const merge = (e) => e.rvf_topk_merge(distances, ids, count, 4);
      refused(tile, STATUS.kInvalidPointer, merge);
    }
  });

  test("is not read to where it does not fit", () => {
    const tile = new Tile();
    tile.merge(
      [
        [1, 1n],
        [2, 2n],
      ],
      16,
    );
    for (const address of [0, 0x100, 0x3e9, 0x400, 0x1fe9, 0x2000, 0x1efe9, 0x1f000, 2 ** 32 - 1]) {
      refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_topk_read(address));
    }
    assert.equal(tile.exports.rvf_topk_read(0x1efe8), 2);
  });
});

describe("rvf_verify_header", () => {
  const header = (changes = []) => {
    const bytes = new Uint8Array(64);
    bytes.set([0x53, 0x46, 0x56, 0x52, 1, 1]);
    for (const [offset, ...values] of changes) bytes.set(values, offset);
    return bytes;
  };
  const verify = (changes, address = MAP.MESSAGE) => {
    const tile = new Tile();
    tile.write(address, header(changes));
    const before = tile.snapshot();
    const answer = tile.exports.rvf_verify_header(address);
    assert.ok(tile.equals(before), "verifying has changed memory");
    return answer;
  };

  test("a sound header is 0, at any alignment", () => {
    for (const address of [0x200, 0x801, 0x1fc0, 0x10003, 0x1efc0]) {
      assert.equal(verify([], address), 0);
    }
  });

  test("any byte of the magic counts", () => {
    for (let offset = 0; offset < 4; offset++) {
      assert.equal(verify([[offset, 0]]), STATUS.kInvalidMagic);
    }
    assert.equal(verify([[0, 0x52, 0x56, 0x46, 0x53]]), STATUS.kInvalidMagic);
  });

  test("only version 1 is known", () => {
    for (const version of [0, 2, 255]) assert.equal(verify([[4, version]]), STATUS.kInvalidVersion);
  });

  test("hash and compression codes 0 to 3 are known", () => {
    for (const offset of [0x20, 0x21]) {
      for (const code of [0, 1, 2, 3]) assert.equal(verify([[offset, code]]), 0);
      for (const code of [4, 255]) assert.equal(verify([[offset, code]]), STATUS.kInvalidArgument);
    }
  });

  test("every reserved byte must be zero", () => {
    for (let offset = 0x22; offset < 0x28; offset++) {
      assert.equal(verify([[offset, 1]]), STATUS.kInvalidArgument);
    }
  });

  test("a payload of 256 MiB is taken, one byte more is not", () => {
    assert.equal(verify([[0x10, 0, 0, 0, 0x10]]), 0);
    assert.equal(verify([[0x10, 1, 0, 0, 0x10]]), STATUS.kSegmentTooLarge);
    assert.equal(verify([[0x14, 1]]), STATUS.kSegmentTooLarge);
    assert.equal(verify([[0x17, 0x80]]), STATUS.kSegmentTooLarge);
  });

  test("type, flags, id, time and hash are free", () => {
    for (const offset of [5, 6, 7, 8, 15, 0x18, 0x1f, 0x28, 0x37]) {
      assert.equal(verify([[offset, 0xff]]), 0);
    }
  });

  test("a header that ends outside tile memory is refused", () => {
    const tile = new Tile();
    for (const address of [0, 0x100, 0x3c1, 0x400, 0x1fc1, 0x2000, 0x1efc1, 0x1f000, 2 ** 32 - 1]) {
      refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_verify_header(address));
    }
  });
});

describe("rvf_crc32c", () => {
  const checksum = (bytes, address = MAP.BLOCK) => {
    const tile = new Tile();
    tile.write(address, bytes);
    return tile.exports.rvf_crc32c(address, bytes.length) >>> 0;
  };
  const encode = (text) => new TextEncoder().encode(text);

  test("gives the published values", () => {
    assert.equal(checksum(encode("123456789")), 0xe3069283);
    assert.equal(checksum(new Uint8Array(0)), 0);
    // RFC 3720, appendix B.4
    assert.equal(checksum(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(checksum(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(checksum(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e);
    assert.equal(checksum(Uint8Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c);
  });

  test("agrees with the reference on random bytes of every length to 300, and on 60 KB", () => {
    const random = randomSource(3);
    for (let length = 0; length <= 300; length++) {
      const bytes = random.bytes(length);
      assert.equal(checksum(bytes, MAP.BLOCK + (length % 7)), crc32c(bytes));
    }
    const all = random.bytes(MAP.QUERY - MAP.BLOCK);
    assert.equal(checksum(all), crc32c(all));
  });

  test("leaves query, block, tables and results as they are", () => {
    const tile = withQuery(3);
    tile.loadSqParams(new Float32Array(6).fill(1));
    tile.loadBlock([1, 2, 3], 1, DTYPE.I8);
    tile.merge([[1, 1n]], 16);
    const before = tile.snapshot();
    tile.exports.rvf_crc32c(MAP.BLOCK, 100);
    before.set(tile.read(MAP.WORKSPACE, 0x400), MAP.WORKSPACE);
    assert.ok(tile.equals(before), "more than the workspace has changed");
  });

  test("bytes outside tile memory are refused", () => {
    const tile = new Tile();
    for (const [address, length] of [
      [0, 1],
      [0x400, 1],
      [0x1fff, 2],
      [0x2000, 1],
      [0x10000, 0xf001],
      [0x10000, 2 ** 32 - 1],
      [2 ** 32 - 1, 2],
    ]) {
      refused(tile, STATUS.kInvalidPointer, (e) => e.rvf_crc32c(address, length));
    }
  });
});
