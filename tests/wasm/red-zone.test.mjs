// Hostile arguments for every export. A tile is a sandbox of 128 KB in which only 8 + 64 KB exist:
// whatever it is asked, it never traps, never writes what is not its own or its result, and a call
// that it refuses leaves every byte as it was.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { randomSource } from "../reference/random.mjs";
import { STATUS } from "./status.mjs";
import { DTYPE, floatBytes, halfBytes, MAP, METRIC, Tile } from "./tile.mjs";

const RED_ZONE = [0x02000, 0x10000];

/** Where an export writes beside its result: tile state, workspace, tables, query. */
const CONFIG_STATE_AND_RESULTS = [0x00000, 0x00200];
const WORKSPACE = [0x00400, 0x00800];
const MESSAGE_CONTENT = [0x00808, 0x01000];
const NEIGHBORS = [0x01000, 0x02000];
const TABLES = [0x18000, 0x1c000];
const QUERY = [0x1f000, 0x20000];

const EDGES = [
  ...[0x00000, 0x00040, 0x00100, 0x00200, 0x00400, 0x00800, 0x01000, 0x02000, 0x10000, 0x18000],
  ...[0x1c000, 0x1f000, 0x20000, 0x30000, 0x8000_0000, 0xffff_0000, 0x1_0000_0000],
].flatMap((edge) => [edge - 1, edge, edge + 1].map((address) => address >>> 0));
const COUNTS = [
  ...[0, 1, 2, 3, 4, 15, 16, 17, 64, 65, 255, 256, 384, 510, 511, 768, 1024, 1025, 4096, 0x7fff],
  ...[0x8000, 0xffff, 0x1_0000, 0x1fff_ffff, 0x2000_0000, 0x3fff_ffff, 0x4000_0001, 0x7fff_ffff],
  ...[0x8000_0000, 0xffff_fff0, 0xffff_ffff],
];
const NODES = [0n, 1n, 7n, -1n, -2n, 2n ** 32n, 2n ** 63n - 1n, -(2n ** 63n)];
const CODES = [0, 1, 2, 3, 4, 0xff, 0x8000_0000, 0xffff_ffff];

const { ADDRESS, COUNT, CODE, K, NODE } = {
  ADDRESS: EDGES,
  COUNT: COUNTS,
  CODE: CODES,
  K: [...CODES, 15, 16, 17],
  NODE: NODES,
};

/** Every export: its arguments, the fixed places it may write, and its result's place and size. */
const EXPORTS = {
  rvf_init: { takes: [ADDRESS], writes: [CONFIG_STATE_AND_RESULTS] },
  rvf_load_query: {
    takes: [ADDRESS, COUNT],
    writes: [CONFIG_STATE_AND_RESULTS, WORKSPACE, QUERY],
  },
  rvf_load_block: { takes: [ADDRESS, COUNT, CODE], writes: [CONFIG_STATE_AND_RESULTS] },
  rvf_distances: {
    takes: [CODE, ADDRESS],
    writes: [WORKSPACE],
    result: ([, out], answer) => [out, 4 * answer],
  },
  rvf_topk_merge: { takes: [ADDRESS, ADDRESS, COUNT, K], writes: [CONFIG_STATE_AND_RESULTS] },
  rvf_topk_read: { takes: [ADDRESS], writes: [], result: ([out], answer) => [out, 12 * answer] },
  rvf_load_sq_params: {
    takes: [ADDRESS, COUNT],
    writes: [CONFIG_STATE_AND_RESULTS, TABLES],
  },
  rvf_dequant_i8: {
    takes: [ADDRESS, ADDRESS, COUNT],
    writes: [],
    result: ([, out], answer) => [out, 2 * answer],
  },
  rvf_load_pq_codebook: {
    takes: [ADDRESS, COUNT, COUNT],
    writes: [CONFIG_STATE_AND_RESULTS, WORKSPACE, TABLES],
  },
  rvf_pq_distances: {
    takes: [ADDRESS, COUNT, ADDRESS],
    writes: [],
    result: ([, , out], answer) => [out, 4 * answer],
  },
  rvf_load_neighbors: {
    takes: [NODE, CODE, ADDRESS],
    writes: [],
    result: ([, , out], answer) => [out, 8 * answer],
  },
  rvf_greedy_step: {
    takes: [NODE, CODE],
    writes: [CONFIG_STATE_AND_RESULTS, WORKSPACE, MESSAGE_CONTENT, NEIGHBORS],
    refused: (answer) => answer < -2n,
  },
  rvf_verify_header: { takes: [ADDRESS], writes: [] },
  rvf_crc32c: {
    takes: [ADDRESS, COUNT],
    writes: [WORKSPACE],
    refused: (answer) => answer === STATUS.kInvalidPointer,
  },
};

/** A sound segment header. */
const HEADER = Uint8Array.from({ length: 64 }, (_, i) => [0x53, 0x46, 0x56, 0x52, 1, 1][i] ?? 0);

/** Tiles in every state that an export can meet, as images of their memory. */
const STATES = {
  fresh: () => {},
  "with a query of one dimension and a full top-K": (tile) => {
    tile.loadQuery(halfBytes([1]));
    tile.merge(
      Array.from({ length: 16 }, (_, i) => [i, BigInt(i)]),
      16,
    );
  },
  "with a block of f16 in the block area": (tile) => {
    tile.loadQuery(halfBytes(new Array(384).fill(0.5)));
    tile.loadBlock(new Uint8Array(384 * 2 * 20), 20, DTYPE.F16);
  },
  "with i8 codes, SQ parameters and a block up to the last byte": (tile) => {
    tile.loadQuery(halfBytes(new Array(97).fill(0.5)));
    tile.loadSqParams(new Float32Array(194).fill(1));
    tile.loadBlock(new Uint8Array(97 * 10), 10, DTYPE.I8, MAP.QUERY - 970);
  },
  "with PQ tables": (tile) => {
    tile.loadQuery(halfBytes(new Array(16).fill(0.5)));
    tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 4, 64);
    tile.bytes.fill(0, MAP.BLOCK, MAP.TABLES);
  },
  "in the middle of a codebook in parts": (tile) => {
    tile.init({ metric: METRIC.INNER_PRODUCT, pqSubspaces: 4 });
    tile.loadQuery(halfBytes(new Array(64).fill(0.5)));
    tile.exports.rvf_load_pq_codebook(MAP.BLOCK, 1, 64);
  },
  "with a neighbour list of the entry points and its vectors": (tile) => {
    tile.init({ metric: METRIC.COSINE, k: 3 });
    tile.loadQuery(halfBytes([1, 2, 3]));
    tile.deliver(-1n, 0, [1n, 2n, 3n, 4n]);
    tile.loadBlock(floatBytes(new Array(12).fill(1)), 4, DTYPE.F32, MAP.HOT_CACHE);
  },
  "with a neighbour list that lies": (tile) => {
    tile.loadQuery(halfBytes([1]));
    tile.deliver(7n, 1, [1n]);
    tile.bytes.fill(0xff, MAP.NEIGHBORS + 12, MAP.NEIGHBORS + 16);
    tile.loadBlock([1], 1, DTYPE.I8);
  },
  "with a sound segment header everywhere": (tile) => {
    for (const [from, to] of [
      [MAP.MESSAGE, MAP.DATA_END],
      [MAP.BLOCK, MAP.QUERY],
    ]) {
      for (let at = from; at < to; at += 64) tile.write(at, HEADER);
    }
  },
};

const IMAGES = Object.entries(STATES).map(([name, prepare]) => {
  const tile = new Tile();
  prepare(tile);
  return { name, image: tile.snapshot() };
});

/** Lists of arguments: every combination of edges when there are few, else that many at random. */
function* argumentLists(takes, random, most) {
  const combinations = takes.reduce((product, values) => product * values.length, 1);
  if (combinations <= most) {
    for (let index = 0; index < combinations; index++) {
      let rest = index;
      yield takes.map((values) => {
        const value = values[rest % values.length];
        rest = Math.floor(rest / values.length);
        return value;
      });
    }
  }
  for (let i = combinations <= most ? combinations : 0; i < most; i++) {
    yield takes.map((values) => randomArgument(values, random));
  }
}

function randomArgument(values, random) {
  const kind = random.int(0, 3);
  if (kind > 1) return values[random.int(0, values.length - 1)];
  const number = kind === 0 ? random.uint32() : random.int(0, MAP.END);
  return values === NODES ? BigInt.asIntN(64, BigInt(number) << BigInt(random.int(0, 32))) : number;
}

const negative = (answer) => answer < 0;
const show = (args) => args.map((arg) => `0x${arg.toString(16)}`).join(", ");

/** What a call has changed beyond what it may; "" when nothing. */
function misdeed(tile, image, name, args, answer) {
  const { writes, result, refused = negative } = EXPORTS[name];
  if (!refused(answer)) {
    const places = writes.slice();
    if (result) {
      const [start, size] = result(args, answer);
      places.push([start, start + size]);
    }
    const inRed = ([start, end]) => start < RED_ZONE[1] && RED_ZONE[0] < end;
    if (places.some(([start, end]) => end > start && inRed([start, end]))) {
      return "accepts a result in the red zone";
    }
    for (const [start, end] of places) tile.write(start, image.subarray(start, end));
  }
  return tile.equals(image) ? "" : "has written what is not its own or its result";
}

describe("hostile arguments", () => {
  for (const [name, { takes }] of Object.entries(EXPORTS)) {
    test(`${name} neither traps nor writes anywhere else, and refuses without a trace`, () => {
      const tile = new Tile();
      const random = randomSource(1 + Object.keys(EXPORTS).indexOf(name));
      const answers = new Set();
      for (const { name: state, image } of IMAGES) {
        for (const args of argumentLists(takes, random, 1500)) {
          tile.restore(image);
          const call = () => `${name}(${show(args)}) on a tile ${state}`;
          let answer;
          try {
            answer = tile.exports[name](...args);
          } catch (trap) {
            assert.fail(`${call()} traps: ${trap.message}`);
          }
          answers.add(answer < 0);
          const found = misdeed(tile, image, name, args, answer);
          if (found) assert.fail(`${call()} answers ${answer} and ${found}`);
        }
      }
      assert.deepEqual([...answers].sort(), [false, true], "both kinds of answer have come up");
    });
  }
});

describe("hostile sequences", () => {
  const names = Object.keys(EXPORTS);
  const untouched = (tile) => tile.bytes.subarray(...RED_ZONE).every((byte) => byte === 0);

  /** Arguments that are often accepted, so that the tile gets into every state. */
  const plausible = (random) => {
    const address = [0x200, 0x800, 0x1000, 0x10000, 0x14000, 0x18000, 0x1c000, 0x1e000];
    return (values) => {
      if (random.int(0, 9) === 0) return randomArgument(values, random);
      if (values === ADDRESS) return address[random.int(0, 7)] + random.int(0, 3);
      if (values === COUNT) return 2 ** random.int(0, 6);
      return values === NODES ? BigInt(random.int(-1, 3)) : random.int(0, 3);
    };
  };

  /** The host's part: operands of random bytes, or of small numbers, wherever they may lie. */
  function deliver(tile, random) {
    const places = [
      [0x200, 0x400],
      [0x800, 0x2000],
      [0x10000, 0x1f000],
    ];
    const [from, to] = places[random.int(0, 2)];
    const start = random.int(from, to - 1);
    const bytes = random.bytes(random.int(1, Math.min(to - start, 600)));
    tile.write(start, random.int(0, 1) ? bytes : bytes.map((byte) => byte & 3));
    if (random.int(0, 1) === 0) {
      const ids = Array.from({ length: random.int(1, 5) }, () => BigInt(random.int(0, 3)));
      tile.deliver(BigInt(random.int(-1, 3)), random.int(0, 3), ids);
      tile.exports.rvf_load_block(MAP.HOT_CACHE, random.int(1, 5), random.int(0, 3));
    }
    if (random.int(0, 9) === 0) tile.write(MAP.BLOCK, HEADER);
    if (random.int(0, 30) === 0) tile.init({ metric: random.int(0, 3), k: random.int(1, 16) });
  }

  test("20,000 calls between random deliveries leave the red zone zero", () => {
    const tile = new Tile();
    const random = randomSource(2024);
    const choose = plausible(random);
    const accepted = new Set();
    for (let i = 0; i < 20_000; i++) {
      deliver(tile, random);
      const name = names[random.int(0, names.length - 1)];
      const args = EXPORTS[name].takes.map(choose);
      const answer = tile.exports[name](...args);
      if (!(EXPORTS[name].refused ?? negative)(answer)) accepted.add(name);
      if (i % 20 === 0) assert.ok(untouched(tile), `${name}(${show(args)}), call ${i}`);
    }
    assert.ok(untouched(tile));
    const never = names.filter((name) => !accepted.has(name));
    assert.deepEqual(never, [], "these were never accepted");
  });

  test("a configuration that rvf_init never saw makes no call trap or reach the red zone", () => {
    const tile = new Tile();
    const random = randomSource(4048);
    const choose = plausible(random);
    for (let i = 0; i < 3000; i++) {
      const subspaces = 2 ** random.int(0, 7);
      tile.write(MAP.CONFIG, [
        random.int(1, 2),
        random.int(0, 3),
        random.int(0, 255),
        0,
        subspaces,
      ]);
      const name = names[random.int(0, names.length - 1)];
      tile.exports[name](...EXPORTS[name].takes.map(choose));
      deliver(tile, random);
      if (i % 20 === 0) assert.ok(untouched(tile), `${name}, call ${i}`);
    }
  });
});
