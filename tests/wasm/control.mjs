import { readFileSync } from "node:fs";

/** Where the build puts the control module. */
export const CONTROL_URL = new URL("../../build/wasm/rvf_control.wasm", import.meta.url);

const MODULE = new WebAssembly.Module(readFileSync(CONTROL_URL));

export const METRIC = Object.freeze({ L2: 0, INNER_PRODUCT: 1, COSINE: 2 });

/** The bits of rvf_store_warnings. */
export const WARNING = Object.freeze({
  TORN_TAIL: 1,
  DAMAGED_MANIFEST: 2,
  FOREIGN_DIMENSION: 4,
  METRIC_ASSUMED: 8,
  WASM_LAYOUT: 16,
  NOT_FINITE_ROWS: 32,
  SKIPPED_MANIFEST: 64,
});

/**
 * A fresh instance of rvf_control.wasm. Methods copy operands in and results out and answer raw
 * statuses; their buffers are freed before they return.
 */
export class Control {
  constructor() {
    const { memory, ...functions } = new WebAssembly.Instance(MODULE).exports;
    /** The exports as they are. */
    this.exports = functions;
    this.memory = memory;
  }

  /** All memory now. Dead after anything that may grow memory. */
  get bytes() {
    return new Uint8Array(this.memory.buffer);
  }

  get size() {
    return this.memory.buffer.byteLength;
  }

  alloc(size) {
    return this.exports.rvf_alloc(size) >>> 0;
  }

  free(address, size) {
    this.exports.rvf_free(address, size);
  }

  read(address, length) {
    return this.bytes.slice(address, address + length);
  }

  /** Calls `use` with the address of a copy of `bytes`; an empty copy has an address, too. */
  with(bytes, use) {
    const size = Math.max(bytes.length, 1);
    const address = this.alloc(size);
    if (address === 0) throw new Error(`no memory for an operand of ${size} bytes`);
    this.bytes.set(bytes, address);
    try {
      return use(address);
    } finally {
      this.free(address, size);
    }
  }

  /** Calls `use` with the address of a buffer and answers its status and what it then holds. */
  result(size, use) {
    return this.with(new Uint8Array(size), (address) => {
      const status = use(address);
      return { status, bytes: this.read(address, size) };
    });
  }

  create(dimension, metric = METRIC.L2) {
    return this.exports.rvf_store_create(dimension, metric);
  }

  open(file, metric) {
    return this.with(file, (at) =>
      metric === undefined
        ? this.exports.rvf_store_open(at, file.length)
        : this.exports.rvf_store_open_as(at, file.length, metric),
    );
  }

  openBranch(file, parent, metric = -1) {
    const { rvf_store_open_branch: open } = this.exports;
    return this.with(file, (at) =>
      this.with(parent, (other) => open(at, file.length, other, parent.length, metric)),
    );
  }

  close(handle) {
    return this.exports.rvf_store_close(handle);
  }

  /** @param {ArrayLike<number>} vectors row after row @param {Iterable<bigint | number>} ids */
  ingest(handle, vectors, ids) {
    const list = BigUint64Array.from(ids, BigInt);
    return this.with(bytesOf(Float32Array.from(vectors)), (vecs) =>
      this.with(bytesOf(list), (at) =>
        this.exports.rvf_store_ingest(handle, vecs, at, list.length),
      ),
    );
  }

  delete(handle, ids) {
    const list = BigUint64Array.from(ids, BigInt);
    return this.with(bytesOf(list), (at) => this.exports.rvf_store_delete(handle, at, list.length));
  }

  /** @returns {{status: number, hits: {id: bigint, distance: number}[]}} */
  query(handle, vector, k, metric = -1) {
    const most = Math.min(Math.max(k, 0), Math.max(this.count(handle), 0));
    const { status, bytes } = this.with(bytesOf(Float32Array.from(vector)), (query) =>
      this.result(12 * most, (out) => this.exports.rvf_store_query(handle, query, k, metric, out)),
    );
    const view = new DataView(bytes.buffer);
    const hits = Array.from({ length: Math.max(status, 0) }, (_, i) => ({
      id: view.getBigUint64(12 * i, true),
      distance: view.getFloat32(12 * i + 8, true),
    }));
    return { status, hits };
  }

  /** @returns {{status: number, values: number[]}} the live vector of an id, if there is one */
  vector(handle, id) {
    const dimension = Math.max(this.exports.rvf_store_dimension(handle), 0);
    const { status, bytes } = this.with(bytesOf(BigUint64Array.of(id)), (at) =>
      this.result(4 * dimension, (out) => this.exports.rvf_store_vector(handle, at, out)),
    );
    return { status, values: status === 1 ? [...new Float32Array(bytes.buffer)] : [] };
  }

  count(handle) {
    return this.exports.rvf_store_count(handle);
  }

  warnings(handle) {
    return this.exports.rvf_store_warnings(handle);
  }

  /** The five words of rvf_store_status. */
  status(handle) {
    const { status, bytes } = this.result(20, (out) => this.exports.rvf_store_status(handle, out));
    const [live, dimension, metric, rows, deleted] = new Uint32Array(bytes.buffer);
    return { status, live, dimension, metric, rows, deleted };
  }

  setFileId(handle, id) {
    return this.with(id, (at) => this.exports.rvf_store_set_file_id(handle, at));
  }

  /** rvf_store_export into a buffer of the size that rvf_store_export_size answers. */
  export(handle) {
    const size = this.exports.rvf_store_export_size(handle);
    if (size < 0) return { status: size, bytes: new Uint8Array(0) };
    return this.result(size, (out) => this.exports.rvf_store_export(handle, out, size));
  }

  /** The four numbers of rvf_store_memory_usage. */
  memoryUsage(handle) {
    const { status, bytes } = this.result(32, (out) =>
      this.exports.rvf_store_memory_usage(handle, out),
    );
    const [rows, ids, kept, module] = Array.from(new BigUint64Array(bytes.buffer), Number);
    return { status, rows, ids, kept, module };
  }

  /** Every segment by rvf_segment_count and rvf_segment_info. */
  segments(file) {
    return this.with(file, (at) => {
      const count = this.exports.rvf_segment_count(at, file.length);
      return Array.from({ length: count }, (_, index) => {
        const { status, bytes } = this.result(28, (out) =>
          this.exports.rvf_segment_info(at, file.length, index, out),
        );
        if (status !== 0) throw new Error(`segment ${index} of ${count}: status ${status}`);
        const view = new DataView(bytes.buffer);
        return {
          id: view.getBigUint64(0, true),
          type: view.getUint32(8, true),
          payloadLength: Number(view.getBigUint64(12, true)),
          offset: Number(view.getBigUint64(20, true)),
        };
      });
    });
  }
}

/** A typed array as the bytes it holds. */
export function bytesOf(array) {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
