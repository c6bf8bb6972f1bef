// What a tile refuses, and that a refused message changes nothing but the buffer that it came in and
// the workspace. No message at all makes a tile trap or write where nothing is.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { randomSource } from "../reference/random.mjs";
import { STATUS } from "../wasm/status.mjs";
import { DTYPE, halfBytes, MAP, METRIC, Tile } from "../wasm/tile.mjs";
import { Hub } from "./conversations.mjs";
import {
  BAD_MESSAGE,
  configuration,
  DOES_NOT_FIT,
  MAX_PAYLOAD,
  message,
  neighborList,
  parse,
  part,
  TYPE,
} from "./messages.mjs";
import { ring, stateChecksum } from "./wire.mjs";

const RED_ZONE = [MAP.DATA_END, MAP.BLOCK];
const BUFFERS = [MAP.WORKSPACE, MAP.NEIGHBORS];
const BLOCK = 0x48; // address, count and type in TileState
const BLOCK_COUNT = BLOCK + 4;
const LOADS = [TYPE.LOAD_QUERY, TYPE.LOAD_BLOCK, TYPE.LOAD_NEIGHBORS, TYPE.LOAD_PARAMS];

const hubOf = (tile) => new Hub((bytes) => ring(tile, bytes));
const twelve = halfBytes(Array.from({ length: 12 }, (_, i) => i));

/** Tiles that have something to lose. */
const STATES = {
  "that was never started": () => {},
  "with a block to be computed": (tile) => {
    const hub = hubOf(tile);
    hub.configure({ metric: METRIC.COSINE, k: 3 });
    hub.query([1, 2, 3, 4]);
    hub.block(twelve, [7n, 8n, 9n], DTYPE.F16);
    hub.compute();
    hub.block(twelve, [1n, 2n, 3n], DTYPE.F16);
  },
  "with half a codebook": (tile) => {
    const hub = hubOf(tile);
    hub.configure({ metric: METRIC.L2, pqSubspaces: 4 });
    hub.query([1, 2, 3, 4]);
    hub.codebook([1, 2, 3, 4], { subspaces: 2, centroids: 2 });
  },
  "in the middle of a search over SQ codes": (tile) => {
    const hub = hubOf(tile);
    hub.query([1, 2]);
    hub.sqParams([0, 1, 0, 1]);
    hub.neighbors(4n, 1, [5n, 6n, 7n]);
    hub.collect(TYPE.LOAD_BLOCK, Uint8Array.of(1, 2), { base: MAP.HOT_CACHE, count: 1, kind: 1 });
  },
};

const IMAGES = Object.entries(STATES).map(([name, prepare]) => {
  const tile = new Tile();
  prepare(tile);
  return { name, image: tile.snapshot() };
});

/** The ranges, ascending, in which memory differs from an image. */
function changes(tile, image) {
  const ranges = [];
  for (let at = 0; at < MAP.END; at++) {
    if (tile.bytes[at] === image[at]) continue;
    if (ranges.at(-1)?.[1] === at) ranges.at(-1)[1]++;
    else ranges.push([at, at + 1]);
  }
  return ranges;
}

function assertChangedOnly(tile, image, allowed, what) {
  for (const [from, to] of [BUFFERS, ...allowed]) tile.write(from, image.subarray(from, to));
  if (!tile.equals(image)) assert.fail(`${what} changes ${JSON.stringify(changes(tile, image))}`);
}

/** Sends to a tile in every state; it must be refused and change nothing. */
function refused(bytes, code, what) {
  const tile = new Tile();
  for (const { name, image } of IMAGES) {
    tile.restore(image);
    const reply = parse(ring(tile, bytes));
    const said = [reply.type, reply.refused, reply.code, reply.sound];
    const type = bytes[0] | (bytes[1] << 8);
    assert.deepEqual(said, [TYPE.ERROR, type, code, true], `${what}, tile ${name}`);
    assert.equal(reply.stateAfter, reply.stateBefore);
    assert.equal(reply.stateBefore, stateChecksum(image));
    assertChangedOnly(tile, image, [], `${what}, tile ${name},`);
  }
}

describe("a malformed message changes nothing", () => {
  test("of a length that no payload has", () => {
    const lengths = [0, 1, 2, 3, MAX_PAYLOAD + 1, MAX_PAYLOAD + 8, 4096, 0x7fff, 0xffff];
    for (const length of lengths) {
      const bytes = message(TYPE.RESET, 1);
      new DataView(bytes.buffer).setUint16(2, length, true);
      refused(bytes, BAD_MESSAGE, `length ${length}`);
    }
  });

  test("with any one bit flipped", () => {
    const config = configuration({ metric: METRIC.L2, k: 9 });
    for (const good of [
      message(TYPE.RESET, 0x1234),
      part(TYPE.LOAD_PARAMS, 5, { to: MAP.BLOCK, bytes: config, last: 1 }),
    ]) {
      for (let bit = 0; bit < 8 * good.length; bit++) {
        const bytes = good.slice();
        bytes[bit >> 3] ^= 1 << (bit & 7);
        refused(bytes, BAD_MESSAGE, `bit ${bit}`);
      }
    }
  });

  test("of a type that no hub sends", () => {
    for (let type = 0; type < 0x10000; type += type < 0x110 ? 1 : 997) {
      if (type >= TYPE.LOAD_QUERY && type <= TYPE.RESET) continue;
      refused(message(type, 9), BAD_MESSAGE, `type ${type}`);
    }
  });

  test("whose part lies where nothing may lie", () => {
    const edges = [0, 0x1f9, 0x3f9, 0x400, 0x7ff, 0x1ff9, 0x2000, 0xffff, 0x1eff9, 0x1f000];
    for (const type of LOADS) {
      for (const last of [0, 1]) {
        for (const to of [...edges, 0x20000, 0x7fffffff, 0xffffffff]) {
          const fields = { to, base: MAP.BLOCK, last, bytes: new Uint8Array(8) };
          refused(part(type, 2, fields), DOES_NOT_FIT, `type ${type} to ${to}`);
        }
        for (const listTo of [1, 0x1f9, 0x3f9, 0x400, 0x7ff, 0x1ff9, 0x2000, 0xffff]) {
          const fields = { to: MAP.BLOCK, listTo, list: new Uint8Array(8), last };
          refused(part(type, 3, fields), DOES_NOT_FIT, `type ${type}, list to ${listTo}`);
        }
      }
    }
  });

  test("whose list is longer than the message", () => {
    for (const type of LOADS) {
      for (const listBytes of [5, 17, 0xffff]) {
        const fields = { to: MAP.BLOCK, listTo: MAP.NEIGHBORS, listBytes, list: new Uint8Array(4) };
        refused(part(type, 4, fields), DOES_NOT_FIT, `type ${type}, ${listBytes} bytes of list`);
      }
    }
  });

  test("that is too short for a load header", () => {
    for (const type of LOADS) {
      for (let length = 0; length < 16; length++) {
        refused(message(type, 5, new Uint8Array(length)), DOES_NOT_FIT, `${length} bytes`);
      }
    }
  });
});

describe("a part that an export refuses", () => {
  const list = neighborList(3n, 0, [1n]);

  test("has been copied, has made the tile forget its block, and has changed nothing else", () => {
    const tile = new Tile();
    const bytes = new Uint8Array(16).fill(0x55);
    for (const { name, image } of IMAGES) {
      for (const type of [TYPE.LOAD_QUERY, TYPE.LOAD_BLOCK, TYPE.LOAD_PARAMS]) {
        tile.restore(image);
        const place = { to: MAP.HOT_CACHE, listTo: MAP.ROUTING, base: 0x400 };
        const sent = part(type, 6, { ...place, count: 1, list, bytes, last: 1 });
        const reply = parse(ring(tile, sent));
        assert.equal(reply.type, TYPE.ERROR, name);
        assert.deepEqual(tile.read(MAP.HOT_CACHE, 16), bytes);
        assert.deepEqual(tile.read(MAP.ROUTING, list.length), list);
        assert.equal(tile.view.getUint32(BLOCK_COUNT, true), 0);
        const copied = [
          [MAP.HOT_CACHE, MAP.HOT_CACHE + 16],
          [MAP.ROUTING, MAP.ROUTING + list.length],
          [BLOCK_COUNT, BLOCK_COUNT + 4],
        ];
        assertChangedOnly(tile, image, copied, `type ${type}, tile ${name},`);
      }
    }
  });

  test("as a step of a search has been declared as a block, and nothing else", () => {
    const tile = new Tile();
    const { image } = IMAGES[3];
    tile.restore(image);
    const fields = { to: MAP.HOT_CACHE, count: 3, kind: DTYPE.I8, bytes: new Uint8Array(6) };
    const sent = part(TYPE.LOAD_BLOCK, 6, { ...fields, last: 1 }); // of three ids one is done
    assert.equal(parse(ring(tile, sent)).code, -STATUS.kInvalidArgument);
    const changed = [
      [MAP.HOT_CACHE, MAP.HOT_CACHE + 6],
      [BLOCK, BLOCK + 12],
    ];
    assert.equal(tile.view.getUint32(BLOCK + 4, true), 3);
    assertChangedOnly(tile, image, changed, "the step");
  });

  test("leaves a COMPUTE nothing to do", () => {
    const tile = new Tile();
    tile.restore(IMAGES[1].image);
    ring(tile, part(TYPE.LOAD_BLOCK, 7, { to: MAP.BLOCK, count: 0, last: 1 }));
    const reply = parse(ring(tile, message(TYPE.COMPUTE, 8)));
    assert.deepEqual([reply.type, reply.code], [TYPE.ERROR, BAD_MESSAGE]);
  });
});

test("a part into the message buffer overwrites its own message; the reply is sound", () => {
  const tile = new Tile();
  const bytes = Uint8Array.of(1, 0, 2, 0, 0x78, 0x56, 0x34, 0x12);
  const reply = parse(ring(tile, part(TYPE.LOAD_QUERY, 9, { to: MAP.MESSAGE, bytes })));
  assert.deepEqual([reply.sound, reply.type, reply.id], [true, TYPE.DONE, 0x12345678]);
});

describe("no message makes a tile trap or reach what is not there", () => {
  const TYPES = Object.values(TYPE);
  const PLACES = [
    ...[0, 0x200, 0x300, 0x400, 0x808, 0x900, 0x1000, 0x1010, 0x1800, 0x1ff0, 0x2000, 0xfff0],
    ...[0x10000, 0x14000, 0x17ff0, 0x18000, 0x19000, 0x1bff0, 0x1c000, 0x1eff0, 0x1f000, 0x20000],
  ];

  /** A message that often means something, with its own checksum most of the time. */
  function randomMessage(random) {
    const pick = (list) => list[random.int(0, list.length - 1)];
    const kind = random.int(0, 19);
    if (kind === 0) return random.bytes(random.int(12, 2048));
    const type = kind === 1 ? random.int(0, 0xffff) : pick(TYPES.slice(0, 7));
    if (kind < 5) return message(type, random.uint32(), random.bytes(random.int(0, 2036)));
    const small = () => pick([0, 1, 2, 3, 4, 8, 16, 60, 64, 510, 511, 1024, 1025, 0xffff]);
    const node = BigInt(random.int(-1, 5));
    const ids = Array.from({ length: random.int(0, 12) }, () => BigInt(random.int(0, 6)));
    const config = configuration({
      profile: random.int(1, 2),
      metric: random.int(0, 3),
      k: random.int(1, 16),
      pqSubspaces: pick([0, 1, 4, 16]),
    });
    const list = random.int(0, 1) ? neighborList(node, random.int(0, 2), ids) : undefined;
    const to = pick(PLACES);
    return part(pick(LOADS), random.uint32(), {
      to,
      base: random.int(0, 3) ? to : pick(PLACES),
      count: small(),
      listTo: random.int(0, 3) ? MAP.NEIGHBORS : pick(PLACES) & 0xffff,
      list,
      kind: random.int(0, 4),
      last: random.int(0, 3) ? random.int(1, 3) : 0,
      bytes: pick([config, random.bytes(random.int(0, 600)), new Uint8Array(random.int(0, 600))]),
    });
  }

  for (const seed of [1, 2, 3, 4]) {
    test(`5,000 random messages, seed ${seed}`, () => {
      const tile = new Tile();
      const random = randomSource(seed * 7919);
      const answered = new Set();
      const red = tile.bytes.subarray(...RED_ZONE);
      const zeros = new Uint8Array(red.length);
      for (let i = 0; i < 5000; i++) {
        const before = stateChecksum(tile.bytes);
        const sent = randomMessage(random);
        const reply = parse(ring(tile, sent));
        answered.add(reply.type);
        assert.ok(reply.sound, `message ${i}: ${Buffer.from(sent).toString("hex")}`);
        assert.ok(reply.type >= TYPE.TOPK_RESULT && reply.type <= TYPE.ERROR);
        assert.equal(reply.id, new DataView(sent.buffer).getUint32(4, true));
        assert.equal(reply.stateBefore, before);
        assert.equal(reply.stateAfter, stateChecksum(tile.bytes));
        if (i % 16 === 0) assert.equal(Buffer.compare(red, zeros), 0, "the red zone");
      }
      assert.equal(Buffer.compare(red, zeros), 0, "the red zone");
      assert.equal(answered.size, 5, "every kind of reply has come up");
    });
  }
});
