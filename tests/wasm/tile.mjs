import { readFileSync } from "node:fs";
import { floatToHalf } from "../reference/half.mjs";

/** Where the build puts the tile microkernel. */
export const KERNEL_URL = new URL("../../build/wasm/rvf_kernel.wasm", import.meta.url);

const MODULE = new WebAssembly.Module(readFileSync(KERNEL_URL));

/** The address space of kernel/memory_map.h. */
export const MAP = Object.freeze({
  CONFIG: 0x00000,
  RESULTS: 0x00100,
  ROUTING: 0x00200,
  WORKSPACE: 0x00400,
  MESSAGE: 0x00800,
  NEIGHBORS: 0x01000,
  DATA_END: 0x02000,
  BLOCK: 0x10000,
  TABLES: 0x18000,
  HOT_CACHE: 0x1c000,
  QUERY: 0x1f000,
  END: 0x20000,
});

export const DTYPE = Object.freeze({ F16: 0, I8: 1, F32: 2, PQ: 3 });
export const METRIC = Object.freeze({ L2: 0, INNER_PRODUCT: 1, COSINE: 2, HAMMING: 3 });
export const PROFILE = Object.freeze({ CORE: 1, HOT: 2 });

/** The node of a NeighborList that holds the entry points of a search. */
export const ENTRY_POINTS = -1n;

/** One tile: a fresh instance of rvf_kernel.wasm, whose memory never moves. */
export class Tile {
  constructor() {
    const { memory, ...functions } = new WebAssembly.Instance(MODULE).exports;
    /** The 14 exports and `_start` as they are. */
    this.exports = functions;
    this.bytes = new Uint8Array(memory.buffer);
    this.view = new DataView(memory.buffer);
  }

  write(address, bytes) {
    this.bytes.set(bytes, address);
  }

  writeF16(address, values) {
    this.write(address, halfBytes(values));
  }

  writeF32(address, values) {
    this.write(address, new Uint8Array(Float32Array.from(values).buffer));
  }

  writeU64(address, values) {
    this.write(address, new Uint8Array(BigUint64Array.from(values, BigInt).buffer));
  }

  read(address, length) {
    return this.bytes.slice(address, address + length);
  }

  readU16(address, count) {
    return new Uint16Array(this.read(address, 2 * count).buffer);
  }

  readU32(address, count) {
    return new Uint32Array(this.read(address, 4 * count).buffer);
  }

  readF32(address, count) {
    return new Float32Array(this.read(address, 4 * count).buffer);
  }

  readU64(address, count) {
    return new BigUint64Array(this.read(address, 8 * count).buffer);
  }

  /** All 128 KB, for a later comparison. */
  snapshot() {
    return this.bytes.slice();
  }

  restore(image) {
    this.bytes.set(image);
  }

  /** Whether memory is, byte for byte, as in a snapshot. */
  equals(image) {
    return Buffer.compare(this.bytes, image) === 0;
  }

  /** rvf_init with a TileConfig in the message buffer. */
  init({ profile = PROFILE.HOT, metric = METRIC.L2, k = 16, pqSubspaces = 0 } = {}) {
    const config = new Uint8Array(64);
    config.set([profile, metric, k, 0, pqSubspaces & 0xff, pqSubspaces >> 8]);
    this.write(MAP.MESSAGE, config);
    return this.exports.rvf_init(MAP.MESSAGE);
  }

  /** rvf_load_query with f16 elements, given as bytes, at the start of the block area. */
  loadQuery(halves) {
    this.write(MAP.BLOCK, halves);
    return this.exports.rvf_load_query(MAP.BLOCK, halves.length / 2);
  }

  /** rvf_load_sq_params with interleaved (minimum, maximum) pairs. */
  loadSqParams(pairs, address = MAP.BLOCK) {
    this.writeF32(address, pairs);
    return this.exports.rvf_load_sq_params(address, pairs.length / 2);
  }

  /** Writes rows and declares them as the block. */
  loadBlock(rows, count, dtype, address = MAP.BLOCK) {
    this.write(address, rows);
    return this.exports.rvf_load_block(address, count, dtype);
  }

  /** rvf_distances of the block, read back from the message buffer. */
  distances(metric, count) {
    const answer = this.exports.rvf_distances(metric, MAP.MESSAGE);
    return answer < 0 ? answer : this.readF32(MAP.MESSAGE, count);
  }

  /** rvf_topk_merge of [distance, id] pairs. */
  merge(pairs, k) {
    const ids = MAP.MESSAGE + 0x400;
    this.writeF32(
      MAP.MESSAGE,
      pairs.map(([distance]) => distance),
    );
    this.writeU64(
      ids,
      pairs.map(([, id]) => id),
    );
    return this.exports.rvf_topk_merge(MAP.MESSAGE, ids, pairs.length, k);
  }

  /** rvf_topk_read as [distance, id] pairs, nearest first. */
  topK() {
    const count = this.exports.rvf_topk_read(MAP.ROUTING);
    return Array.from({ length: count }, (_, i) => {
      const at = MAP.ROUTING + 12 * i;
      return [this.view.getFloat32(at + 8, true), this.view.getBigUint64(at, true)];
    });
  }

  /** Delivers a NeighborList where the tile looks for it. */
  deliver(node, layer, ids) {
    this.view.setBigInt64(MAP.NEIGHBORS, node, true);
    this.view.setUint32(MAP.NEIGHBORS + 8, layer, true);
    this.view.setUint16(MAP.NEIGHBORS + 12, ids.length, true);
    this.view.setUint16(MAP.NEIGHBORS + 14, 0, true);
    this.writeU64(MAP.NEIGHBORS + 16, ids);
  }
}

/** Numbers as the bytes of IEEE half precision, rounded to nearest even. */
export function halfBytes(values) {
  return new Uint8Array(Uint16Array.from(values, floatToHalf).buffer);
}

/** Numbers as the bytes of f32. */
export function floatBytes(values) {
  return new Uint8Array(Float32Array.from(values).buffer);
}
