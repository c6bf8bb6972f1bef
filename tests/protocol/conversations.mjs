// The conversations of the golden files. A hub speaks to anything that answers messages; its numbers
// are small integers, so that every sum is exact in any order.
import { randomSource } from "../reference/random.mjs";
import { buildGraph } from "../wasm/hnsw.mjs";
import { DTYPE, floatBytes, halfBytes, MAP, METRIC, PROFILE } from "../wasm/tile.mjs";
import {
  configuration,
  idBytes,
  joined,
  listHeader,
  MAX_PART,
  MAX_PAYLOAD,
  message,
  neighborList,
  PARAMS,
  parse,
  part,
  pieces,
  sealed,
  TYPE,
} from "./messages.mjs";

const NO_NODE = -1n;

/** A hub at the other end of `ring`: (message) -> reply. */
export class Hub {
  #next = 1;
  #ring;

  constructor(ring) {
    this.#ring = ring;
  }

  /** Sends bytes as they are, with the next id if they are made with it. */
  send(bytes) {
    return parse(this.#ring(bytes));
  }

  say(type, content) {
    return this.send(message(type, this.#next++, content));
  }

  part(type, fields) {
    return this.send(part(type, this.#next++, fields));
  }

  /** LOAD messages of one kind until all bytes are there; answers the last reply. */
  collect(type, bytes, { size = MAX_PART, ...fields }) {
    let reply;
    for (const { at, bytes: some, last } of pieces(bytes, size)) {
      const to = fields.base + at;
      reply = this.part(type, { ...fields, to, bytes: some, last: last ? (fields.last ?? 1) : 0 });
    }
    return reply;
  }

  configure(config) {
    const bytes = configuration(config);
    const fields = { to: MAP.BLOCK, kind: PARAMS.CONFIGURATION, last: 1, bytes };
    return this.part(TYPE.LOAD_PARAMS, fields);
  }

  query(values, options) {
    const fields = { base: MAP.NEIGHBORS, count: values.length, ...options };
    return this.collect(TYPE.LOAD_QUERY, halfBytes(values), fields);
  }

  sqParams(pairs) {
    const fields = { base: MAP.BLOCK, count: pairs.length / 2, kind: PARAMS.SQ };
    return this.collect(TYPE.LOAD_PARAMS, floatBytes(pairs), fields);
  }

  codebook(values, { subspaces, centroids }) {
    const fields = { base: MAP.BLOCK, count: centroids, kind: PARAMS.PQ, last: subspaces };
    return this.collect(TYPE.LOAD_PARAMS, halfBytes(values), fields);
  }

  /** A block with its ids; every part brings the ids of the vectors that it completes. */
  block(rows, ids, kind, { size = 1500, base = MAP.BLOCK } = {}) {
    const rowBytes = rows.length / ids.length;
    let done = 0;
    let reply;
    for (const { at, bytes, last } of pieces(rows, size)) {
      const complete = Math.floor((at + bytes.length) / rowBytes);
      const some = idBytes(ids.slice(done, complete));
      const list = at ? some : joined(listHeader(NO_NODE, 0, ids.length), some);
      reply = this.part(TYPE.LOAD_BLOCK, {
        ...{ to: base + at, base, count: ids.length, kind, last: last ? 1 : 0, bytes, list },
        listTo: at ? MAP.NEIGHBORS + 16 + 8 * done : MAP.NEIGHBORS,
      });
      done = complete;
    }
    return reply;
  }

  compute() {
    return this.say(TYPE.COMPUTE);
  }

  topK() {
    return this.say(TYPE.READ_TOPK);
  }

  /** Delivers a neighbour list, in parts when it is long. */
  neighbors(node, layer, ids) {
    let reply;
    for (const { at, bytes, last } of pieces(neighborList(node, layer, ids))) {
      const fields = { listTo: MAP.NEIGHBORS + at, list: bytes, last: last ? 1 : 0 };
      reply = this.part(TYPE.LOAD_NEIGHBORS, fields);
    }
    return reply;
  }

  /**
   * A whole search. `rowsOf(ids)` gives the bytes of vectors, of which `most` go at a time.
   * @returns which lists the tile asked for, as [node, layer], and the top-K
   */
  search({ entry, top, neighbors }, rowsOf, kind, most) {
    const lists = [];
    let ids = [BigInt(entry)];
    let reply = this.neighbors(NO_NODE, top, ids);
    while (reply.type === TYPE.NEED_BLOCK || reply.type === TYPE.NEED_NEIGHBORS) {
      if (reply.type === TYPE.NEED_BLOCK) {
        const some = ids.slice(reply.done, reply.done + most);
        const fields = { base: MAP.HOT_CACHE, count: some.length, kind };
        reply = this.collect(TYPE.LOAD_BLOCK, rowsOf(some), fields);
      } else {
        const { node, layer } = reply;
        lists.push([node, layer]);
        ids = neighbors[layer][Number(node)].map(BigInt);
        reply = this.neighbors(node, layer, ids);
      }
    }
    return { lists, end: reply, hits: this.topK().hits };
  }
}

const integers = (random, count, most = 7) =>
  Array.from({ length: count }, () => random.int(-most, most));

/** Unsigned integers of one byte as i8. */
const codesOf = (values) => Uint8Array.from(values, (value) => value & 0xff);

const FIRST_IDS = [30n, 2n ** 63n + 5n, 2n ** 64n - 1n, 7n, 8n];

/** Every conversation: what it shows, and the hub's part. */
export const CONVERSATIONS = {
  block: {
    about: [
      "A block of f16 in two parts, L2, k = 3; a second block that improves the top-K; a repeated",
      "part; COMPUTE without a block; RESET, after which the configuration is still there.",
    ],
    talk(hub) {
      const random = randomSource(101);
      hub.topK();
      hub.configure({ metric: METRIC.L2, k: 3, host: [1, 2, 3, 250] });
      hub.query(integers(random, 10));
      hub.block(halfBytes(integers(random, 50)), FIRST_IDS, DTYPE.F16, { size: 64 });
      hub.compute();
      hub.topK();
      hub.compute(); // refused: the block is used up
      const fields = {
        to: MAP.BLOCK,
        count: 1,
        kind: DTYPE.F16,
        bytes: halfBytes(integers(random, 10)),
      };
      const list = neighborList(-1n, 0, [9n]);
      for (let i = 0; i < 2; i++) {
        hub.part(TYPE.LOAD_BLOCK, { ...fields, list, listTo: MAP.NEIGHBORS, last: 0 });
      }
      hub.part(TYPE.LOAD_BLOCK, { ...fields, last: 1 });
      hub.compute();
      hub.topK();
      hub.say(TYPE.RESET);
      hub.topK();
      hub.query(integers(random, 3));
      hub.block(halfBytes(integers(random, 24)), [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n], DTYPE.F16);
      hub.compute();
      hub.topK();
    },
  },

  long: {
    about: [
      "1,024 dimensions: a query in two parts, then blocks of f32, f16 and i8, of which one vector",
      "takes up to three messages. Inner product.",
    ],
    talk(hub) {
      const random = randomSource(102);
      hub.configure({ metric: METRIC.INNER_PRODUCT, k: 4 });
      hub.query(integers(random, 1024));
      hub.block(floatBytes(integers(random, 2048)), [1n, 2n], DTYPE.F32, { size: 2004 });
      hub.compute();
      hub.block(halfBytes(integers(random, 3072)), [3n, 4n, 5n], DTYPE.F16);
      hub.compute();
      hub.block(codesOf(integers(random, 2048, 100)), [6n, 7n], DTYPE.I8);
      hub.compute();
      hub.topK();
    },
  },

  cosine: {
    about: ["Cosine, with a zero vector; a tile of the Core profile."],
    talk(hub) {
      const random = randomSource(103);
      hub.configure({ profile: PROFILE.CORE, metric: METRIC.COSINE, k: 16 });
      hub.query(integers(random, 7));
      const rows = [...integers(random, 28), ...new Array(7).fill(0)];
      hub.block(halfBytes(rows), FIRST_IDS, DTYPE.F16);
      hub.compute();
      hub.block(floatBytes(rows.toReversed()), [5n, 4n, 3n, 2n, 1n], DTYPE.F32);
      hub.compute();
      hub.topK();
    },
  },

  hamming: {
    about: ["Hamming over the bytes of i8, f16 and f32 rows of 11 dimensions."],
    talk(hub) {
      const random = randomSource(108);
      hub.configure({ metric: METRIC.HAMMING, k: 6 });
      hub.query(integers(random, 11));
      for (const kind of [DTYPE.I8, DTYPE.F16, DTYPE.F32]) {
        const size = { [DTYPE.F16]: 22, [DTYPE.I8]: 11, [DTYPE.F32]: 44 }[kind];
        const first = BigInt(10 * kind);
        const ids = [first, first + 1n, first + 2n];
        hub.block(random.bytes(3 * size), ids, kind, { size: 40 });
        hub.compute();
      }
      hub.topK();
    },
  },

  nan: {
    about: [
      "A query with NaN and infinity: no distance enters the top-K, and the state has no NaN but one.",
    ],
    talk(hub) {
      for (const metric of [METRIC.L2, METRIC.INNER_PRODUCT, METRIC.COSINE]) {
        hub.configure({ metric });
        hub.query([1, Number.NaN, Number.POSITIVE_INFINITY, 2, 3]);
        hub.block(halfBytes(new Array(10).fill(1)), [1n, 2n], DTYPE.F16);
        hub.compute();
        hub.topK();
      }
      hub.query([1, Number.NEGATIVE_INFINITY, 2]);
      hub.block(floatBytes([1, 2, 3, 4, 5, 6]), [1n, 2n], DTYPE.F32);
      hub.compute();
      hub.topK();
    },
  },

  sq: {
    about: [
      "Scalar quantization: i8 rows decoded with parameters, which stay for a second query of their",
      "dimension and are forgotten by one of another.",
    ],
    talk(hub) {
      const random = randomSource(104);
      hub.configure({ metric: METRIC.L2, k: 5 });
      hub.query(integers(random, 20));
      const scales = Array.from({ length: 20 }, (_, i) => [0.5, 1, 2, 0.25][i % 4]);
      hub.sqParams(scales.flatMap((scale, i) => [-128 * scale + i, 127 * scale + i]));
      const codes = codesOf(integers(random, 120, 127));
      for (const dimension of [20, 20, 12]) {
        if (dimension === 12) hub.query(integers(random, dimension));
        hub.block(codes.slice(0, 6 * dimension), [6n, 5n, 4n, 3n, 2n, 1n], DTYPE.I8, { size: 50 });
        hub.compute();
        hub.topK();
        if (dimension === 20) hub.query(integers(random, dimension));
      }
    },
  },

  pq: {
    about: [
      "Product quantization: 6 subspaces of 4 centroids, the codebook in three parts of which one",
      "takes two messages; a block of codes; SQ parameters replace the tables.",
    ],
    talk(hub) {
      const random = randomSource(105);
      hub.configure({ metric: METRIC.L2, k: 4, pqSubspaces: 6 });
      hub.query(integers(random, 750));
      const book = (subspaces) =>
        hub.codebook(integers(random, subspaces * 4 * 125), { subspaces, centroids: 4 });
      book(3);
      const rows = Uint8Array.from({ length: 54 }, () => random.int(0, 3));
      const ids = Array.from({ length: 9 }, (_, i) => 100n - BigInt(i));
      hub.block(rows, ids, DTYPE.PQ);
      hub.compute(); // refused: half a codebook
      book(1);
      book(2);
      hub.block(rows, ids, DTYPE.PQ, { size: 20 });
      hub.compute();
      hub.topK();
      hub.sqParams(Array.from({ length: 1500 }, (_, i) => (i & 1 ? 127 : -128)));
      hub.block(rows, ids, DTYPE.PQ); // refused: no PQ tables
    },
  },

  largest: {
    about: [
      "The largest block: 510 vectors with their ids, in the hot cache and in the block area.",
    ],
    talk(hub) {
      const random = randomSource(106);
      const ids = Array.from({ length: 510 }, (_, i) => BigInt(9000 - 3 * i));
      hub.query(integers(random, 4));
      hub.block(codesOf(integers(random, 2040, 100)), ids, DTYPE.I8, { size: 212 });
      hub.compute();
      hub.topK();
      hub.block(codesOf(integers(random, 2044, 100)), [...ids, 1n], DTYPE.I8, { size: 212 });
      hub.compute(); // refused: more ids than there is room for
    },
  },

  search: {
    about: [
      "A search in pull mode: a graph of 80 vectors, lists of at most 8 whose vectors come three at",
      "a time, a beam of 5; then a repeated LOAD_BLOCK, which is refused.",
    ],
    talk(hub) {
      const random = randomSource(107);
      const vectors = Array.from({ length: 80 }, () => integers(random, 6, 30));
      const graph = buildGraph(vectors, { m: 4, construction: 12, random });
      hub.configure({ metric: METRIC.L2, k: 5 });
      hub.query(integers(random, 6, 30));
      const rowsOf = (ids) => halfBytes(ids.flatMap((id) => vectors[Number(id)]));
      hub.search(graph, rowsOf, DTYPE.F16, 3);
      const again = { to: MAP.HOT_CACHE, count: 1, last: 1, bytes: rowsOf([0n]) };
      hub.part(TYPE.LOAD_BLOCK, again);
    },
  },

  errors: {
    about: [
      "Every error that a message can be answered with: wrong lengths, checksum and types; parts that",
      "do not fit; what the exports refuse. Each ERROR names the refused type and the reason.",
    ],
    talk(hub) {
      const good = message(TYPE.RESET, 77);
      for (const length of [0, 3, MAX_PAYLOAD + 1, 0xffff]) {
        const bytes = good.slice();
        new DataView(bytes.buffer).setUint16(2, length, true);
        hub.send(bytes);
      }
      hub.send(good.map((byte, i) => byte ^ (i === 9 ? 0x10 : 0)));
      for (const type of [0, 8, 0x81, 0x85, 0x107, 0xffff]) hub.send(message(type, 78));
      hub.send(message(TYPE.LOAD_QUERY, 79, new Uint8Array(15)));
      hub.send(sealed(Uint8Array.of(...good, 1, 2, 3, 4))); // longer than its length says

      const q = TYPE.LOAD_QUERY;
      const two = halfBytes([1, 2]);
      // Where operands may not lie, by `to`, by the list, and by more list than there is.
      for (const to of [0x1fc, 0x3fe, 0x400, 0x1ffe, 0x2000, 0x1effe, 0x1f000, 0x80000000]) {
        hub.part(q, { to, count: 2, bytes: two, last: 1 });
      }
      hub.part(q, { to: MAP.BLOCK, listTo: 0x1ff9, list: idBytes([1n]), bytes: two });
      hub.part(q, { to: MAP.BLOCK, listTo: 0x500, bytes: two });
      hub.part(q, { to: MAP.BLOCK, listTo: MAP.NEIGHBORS, listBytes: 5, bytes: two });
      hub.part(q, { to: MAP.BLOCK, base: 0x400, count: 2, bytes: two, last: 1 });
      for (const count of [0, 1025]) hub.part(q, { to: MAP.BLOCK, count, bytes: two, last: 1 });

      const p = TYPE.LOAD_PARAMS;
      for (const config of [{ profile: 3 }, { k: 0 }, { k: 17 }, { metric: 4 }])
        hub.configure(config);
      const reserved = configuration({});
      reserved[3] = 1;
      hub.part(p, { to: MAP.BLOCK, bytes: reserved, last: 1 });
      hub.part(p, { to: MAP.BLOCK, base: 0x40, bytes: reserved, last: 1 });

      const b = TYPE.LOAD_BLOCK;
      hub.part(b, { to: MAP.BLOCK, count: 1, bytes: two, last: 1 }); // no query
      hub.compute();
      hub.configure({ profile: PROFILE.CORE, metric: METRIC.COSINE });
      hub.query([1, 2]);
      for (const [base, count, kind] of [
        [MAP.BLOCK, 1, 4],
        [MAP.BLOCK, 1, DTYPE.PQ],
        [MAP.BLOCK, 0, DTYPE.F16],
        [MAP.BLOCK, 0xffff, DTYPE.F16],
        [0x1ffd, 1, DTYPE.F16],
      ]) {
        hub.part(b, { to: MAP.BLOCK, base, count, kind, bytes: two, last: 1 });
      }
      hub.codebook([1, 2], { subspaces: 1, centroids: 1 }); // Core
      hub.neighbors(NO_NODE, 0, []); // Core
      hub.sqParams([0, 1]); // another dimension than the query's
      hub.sqParams([0, 1, 0, Number.POSITIVE_INFINITY]);
      hub.sqParams([0, 1, Number.NaN, 1]);
      const list = neighborList(NO_NODE, 0, [1n]);
      hub.part(b, {
        to: MAP.BLOCK,
        count: 2,
        bytes: halfBytes([1, 2, 3, 4]),
        list,
        listTo: MAP.NEIGHBORS,
        last: 1,
      });
      hub.compute(); // two vectors, one id
      hub.query(new Array(385).fill(1), { base: MAP.BLOCK });
      hub.part(b, { to: MAP.BLOCK, count: 1, kind: DTYPE.F16, last: 1 });

      hub.configure({ metric: METRIC.COSINE });
      hub.codebook([1, 2], { subspaces: 1, centroids: 1 }); // no cosine
      hub.configure({ metric: METRIC.L2 });
      hub.codebook([1, 2], { subspaces: 1, centroids: 1 }); // no query
      hub.query(new Array(200).fill(1));
      hub.codebook([1, 2], { subspaces: 3, centroids: 1 }); // 200 / 3
      hub.codebook([1, 2], { subspaces: 1, centroids: 65 });
      hub.codebook([1, 2], { subspaces: 200, centroids: 21 }); // 16,800 bytes of tables
      hub.codebook(new Array(200).fill(1), { subspaces: 100, centroids: 1 });
      hub.block(
        Uint8Array.from({ length: 100 }, (_, i) => (i === 99 ? 1 : 0)),
        [1n],
        DTYPE.PQ,
      );
      hub.compute(); // a code that names no centroid
      hub.part(b, { to: MAP.TABLES, count: 1, bytes: two }); // the tables are there
      hub.part(b, { to: MAP.BLOCK, listTo: 0xf00, list: new Uint8Array(0x101), bytes: two });
      hub.neighbors(4n, 1, [1n, 2n]);
      hub.part(b, { to: MAP.HOT_CACHE, count: 3, bytes: two, last: 1 }); // three vectors, two ids
      hub.topK();
    },
  },
};

/** The messages and replies of a conversation with whatever answers `ring`. */
export function record(name, ring) {
  const turns = [];
  const hub = new Hub((sent) => {
    const reply = ring(sent);
    turns.push([sent, reply]);
    return reply;
  });
  CONVERSATIONS[name].talk(hub);
  return turns;
}
