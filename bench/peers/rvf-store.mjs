// The store exports that @ruvector/rvf-wasm and rvf_control.wasm have in common.
import { K } from "./settings.mjs";

const PORTION = 500; // rows handed over at a time
const L2 = 0;

/** Ids of `count` hits of 12 bytes. */
export function idsAt(memory, hits, count) {
  const view = new DataView(memory.buffer, hits, 12 * count);
  const ids = new Array(count);
  for (let i = 0; i < count; i++) ids[i] = view.getUint32(12 * i, true);
  return ids;
}

export function putBytes(memory, at, bytes) {
  new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
}

export function putFloats(memory, at, floats) {
  new Float32Array(memory.buffer, at, floats.length).set(floats);
}

/** Calls `give(address, first, count)` for rows of a set, a portion after the other. */
export function eachPortion(engine, allocate, set, give) {
  const room = allocate(PORTION * set.dimension * 4);
  for (let first = 0; first < set.rows; first += PORTION) {
    const count = Math.min(PORTION, set.rows - first);
    const portion = set.vectors.subarray(first * set.dimension, (first + count) * set.dimension);
    putFloats(engine.memory, room, portion);
    give(room, first, count);
  }
}

export class RvfStore {
  constructor(module, dimension) {
    this.exports = new WebAssembly.Instance(module).exports;
    this.queryAt = this.exports.rvf_alloc(4 * dimension);
    this.hitsAt = this.exports.rvf_alloc(12 * K);
    this.dimension = dimension;
  }

  /** Makes a store of the rows; `ingest(store, rows, ids, count, first)` when it is not the plain call. */
  fill(set, ingest = (...args) => this.ingest(...args)) {
    const { exports, dimension } = this;
    this.handle = exports.rvf_store_create(dimension, L2);
    const ids = exports.rvf_alloc(8 * PORTION);
    eachPortion(exports, exports.rvf_alloc, set, (rows, first, count) => {
      const numbers = BigUint64Array.from({ length: count }, (_, i) => BigInt(first + i));
      putBytes(exports.memory, ids, new Uint8Array(numbers.buffer));
      if (ingest(rows, ids, count, first) !== count) throw new Error("rows are refused");
    });
  }

  ingest(rows, ids, count) {
    return this.exports.rvf_store_ingest(this.handle, rows, ids, count);
  }

  query(query) {
    const { exports, queryAt, hitsAt, handle } = this;
    putFloats(exports.memory, queryAt, query);
    const found = exports.rvf_store_query(handle, queryAt, K, L2, hitsAt);
    return idsAt(exports.memory, hitsAt, found);
  }

  /** A copy of the store as a file, of at most `most` bytes. */
  toBytes(most) {
    const { exports, handle } = this;
    const size = exports.rvf_store_export_size?.(handle) ?? most;
    const at = exports.rvf_alloc(size);
    const written = exports.rvf_store_export(handle, at, size);
    if (written <= 0) throw new Error(`there is no file: status ${written}`);
    return new Uint8Array(exports.memory.buffer, at, written).slice();
  }

  /** Copies a file into memory; answers where it is. */
  copy(bytes) {
    const at = this.exports.rvf_alloc(bytes.length);
    putBytes(this.exports.memory, at, bytes);
    return at;
  }

  open(bytes) {
    const at = this.copy(bytes);
    this.handle = this.exports.rvf_store_open(at, bytes.length);
    if (this.handle <= 0) throw new Error(`the file is not opened: status ${this.handle}`);
    this.exports.rvf_free(at, bytes.length);
  }
}
