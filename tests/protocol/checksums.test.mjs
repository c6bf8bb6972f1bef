// The three numbers by which a hub that trusts nothing checks a tile: computed here from an image of
// the tile's memory, for numbers of every kind.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { halfVector } from "../differential/values.mjs";
import { randomSource } from "../reference/random.mjs";
import { DTYPE, MAP, METRIC, Tile } from "../wasm/tile.mjs";
import { Hub } from "./conversations.mjs";
import { FRESH_STATE, message, parse, pieces, TYPE } from "./messages.mjs";
import { CheckedTile, operandsOf, ring } from "./wire.mjs";

const BLOCK_FIELDS = 0x48; // of TileState: block, count, dtype
const ROW_BYTES = { [DTYPE.F16]: 2, [DTYPE.I8]: 1, [DTYPE.F32]: 4 };
const LONG_WAYS = [1, 6, 17, 100, 384, 1024];

const subspacesOf = (d) => (d > 100 ? 64 : d);

/** A tile with a query of any halves and, if wanted, tables. */
function prepared(random, d, tables) {
  const checked = new CheckedTile(new Tile());
  const hub = new Hub((bytes) => checked.ring(bytes));
  hub.configure({ metric: METRIC.L2, k: 7 });
  const query = { base: MAP.NEIGHBORS, count: d };
  hub.collect(TYPE.LOAD_QUERY, halfVector(random, d), query);
  if (tables === "SQ") hub.sqParams(Array.from(random.floats(2 * d)));
  if (tables === "PQ") {
    const shape = { subspaces: subspacesOf(d), centroids: 4 };
    hub.codebook(Array.from(random.floats(4 * d)), shape);
  }
  return { checked, hub };
}

/** What the operands of a COMPUTE must be, from the image before it. */
function expectedOperands({ before }) {
  const view = new DataView(before.buffer);
  const [base, count, kind] = [0, 4, 8].map((at) => view.getUint32(BLOCK_FIELDS + at, true));
  return operandsOf(before, { base, count, kind });
}

describe("the operands of a block", () => {
  for (const [name, kind, tables] of [
    ["f16", DTYPE.F16],
    ["i8", DTYPE.I8],
    ["f32", DTYPE.F32],
    ["i8 with SQ parameters", DTYPE.I8, "SQ"],
    ["f16 beside SQ parameters", DTYPE.F16, "SQ"],
    ["PQ codes", DTYPE.PQ, "PQ"],
  ]) {
    test(`${name}: query, tables, list and rows`, () => {
      const random = randomSource(61 + kind);
      for (const d of LONG_WAYS) {
        const { checked, hub } = prepared(random, d, tables);
        for (let round = 0; round < 3; round++) {
          const count = random.int(1, 5);
          const ids = Array.from({ length: count }, () => BigInt(random.uint32()));
          const size = kind === DTYPE.PQ ? subspacesOf(d) : ROW_BYTES[kind] * d;
          const rows = random
            .bytes(count * size)
            .map((byte) => (kind === DTYPE.PQ ? byte & 3 : byte));
          assert.equal(hub.block(rows, ids, kind).type, TYPE.DONE);
          const reply = hub.compute();
          assert.equal(reply.type, TYPE.DONE);
          assert.equal(reply.operands, expectedOperands(checked), `dimension ${d}`);
          assert.equal(reply.done, count);
        }
      }
    });
  }

  test("are kept until the next block, and forgotten with the state", () => {
    const { hub } = prepared(randomSource(62), 4);
    assert.equal(hub.topK().operands, 0);
    hub.block(new Uint8Array(8), [1n], DTYPE.F16);
    const { operands } = hub.compute();
    assert.notEqual(operands, 0);
    assert.equal(hub.query([1, 2]).operands, operands);
    assert.equal(hub.topK().operands, operands);
    assert.equal(hub.say(TYPE.RESET).operands, 0);
  });
});

test("the operands of every step of a search: the list as it was before the step", () => {
  const random = randomSource(63);
  const { checked, hub } = prepared(random, 10);
  const ids = Array.from({ length: 30 }, (_, i) => BigInt(i + 1));
  hub.neighbors(-1n, 0, ids);
  const rows = random.bytes(30 * 20);
  let done = 0;
  for (const { bytes } of pieces(rows, 80)) {
    const fields = { base: MAP.HOT_CACHE, count: bytes.length / 20, kind: DTYPE.F16 };
    const reply = hub.collect(TYPE.LOAD_BLOCK, bytes, fields);
    const image = checked.before;
    image.set(bytes, MAP.HOT_CACHE);
    assert.equal(reply.operands, operandsOf(image, fields));
    done += fields.count;
    const last = done === ids.length;
    assert.equal(reply.type, last ? TYPE.NEED_NEIGHBORS : TYPE.NEED_BLOCK);
    if (!last) assert.equal(reply.done, done);
  }
});

describe("a flipped bit", () => {
  const setUp = () => {
    const random = randomSource(64);
    const { checked, hub } = prepared(random, 12, "SQ");
    hub.block(random.bytes(36), [1n, 2n, 3n], DTYPE.I8);
    return checked.tile;
  };
  const image = setUp().snapshot();
  const tile = new Tile();
  const answers = (flips) => {
    tile.restore(image);
    for (const bit of flips) tile.bytes[bit >> 3] ^= 1 << (bit & 7);
    return parse(ring(tile, message(TYPE.COMPUTE, 1)));
  };
  const sound = answers([]);

  for (const [name, from, to] of [
    ["the query", MAP.QUERY, MAP.QUERY + 48],
    ["the scales", MAP.TABLES, MAP.TABLES + 48],
    ["the offsets", MAP.TABLES + 0x1000, MAP.TABLES + 0x1030],
    ["the ids", MAP.NEIGHBORS + 16, MAP.NEIGHBORS + 40],
    ["the rows", MAP.BLOCK, MAP.BLOCK + 36],
  ]) {
    test(`in ${name} shows in the operands`, () => {
      for (let bit = 8 * from; bit < 8 * to; bit++) {
        const reply = answers([bit]);
        assert.equal(reply.type, TYPE.DONE);
        assert.notEqual(reply.operands, sound.operands, `bit ${bit}`);
        assert.equal(reply.stateBefore, sound.stateBefore);
      }
    });
  }

  // Not in every byte: a count out of its range makes a tile trap, which a hub sees as well.
  test("in the host's part of the configuration or in the top-K shows in the state", () => {
    for (const [from, to] of [
      [MAP.CONFIG + 6, MAP.CONFIG + 64],
      [MAP.RESULTS, MAP.ROUTING],
    ]) {
      for (let bit = 8 * from; bit < 8 * to; bit++) {
        assert.notEqual(answers([bit]).stateBefore, sound.stateBefore, `bit ${bit}`);
      }
    }
  });
});

test("a fresh tile begins with the state that PROTOCOL.md names", () => {
  assert.equal(parse(ring(new Tile(), message(TYPE.READ_TOPK, 1))).stateBefore, FRESH_STATE);
});
