import { ControlFiles } from "./control-files.mjs";
import { bytesOf } from "./control-module.mjs";

export { bytesOf, CONTROL_URL } from "./control-module.mjs";

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
  DAMAGED_HEADER: 128,
  DAMAGED_RECORD: 256,
  LOSSES: 512,
});

/** Segment types that hosts name. */
export const SEGMENT = Object.freeze({
  VEC: 0x01,
  INDEX: 0x02,
  JOURNAL: 0x04,
  MANIFEST: 0x05,
  META: 0x07,
  WITNESS: 0x0a,
  KERNEL: 0x0e,
  EBPF: 0x0f,
  WASM: 0x10,
  DASHBOARD: 0x11,
  COW_MAP: 0x20,
  REFCOUNT: 0x21,
  MEMBERSHIP: 0x22,
  DELTA: 0x23,
});

const NOTHING = new Uint8Array(0);
const NOT_IN_FILE = 0xffff_ffff_ffff_ffffn;

/**
 * A fresh instance of rvf_control.wasm. Methods copy operands in and results out and answer raw
 * statuses; their buffers are freed before they return.
 */
export class Control extends ControlFiles {
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

  /** @param {{parents?: Uint8Array[], metric?: number, salvages?: boolean}} options nearest first */
  openWith(file, { parents = [], metric = -1, salvages = false } = {}) {
    const { rvf_store_open_with: open } = this.exports;
    const call = (at, list) =>
      open(at, file.length, list, parents.length, metric, salvages ? 1 : 0);
    const withParents = (at, places) => {
      const next = parents[places.length / 2];
      return next
        ? this.with(next, (parent) => withParents(at, [...places, parent, next.length]))
        : this.with(bytesOf(Uint32Array.from(places)), (list) => call(at, list));
    };
    return this.with(file, (at) => withParents(at, []));
  }

  /** The records of rvf_store_losses. */
  losses(handle) {
    const count = Math.max(this.exports.rvf_store_losses(handle, 0, 0), 0);
    const { bytes } = this.result(32 * count, (out) =>
      this.exports.rvf_store_losses(handle, out, 32 * count),
    );
    const view = new DataView(bytes.buffer);
    return Array.from({ length: count }, (_, i) => ({
      offset: Number(view.getBigUint64(32 * i, true)),
      payloadLength: Number(view.getBigUint64(32 * i + 8, true)),
      id: view.getBigUint64(32 * i + 16, true),
      type: view.getUint32(32 * i + 24, true),
      status: view.getInt32(32 * i + 28, true),
    }));
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

  /** @param {Uint8Array[]} metadata entries of each vector, as entries.mjs makes them */
  upsert(handle, vectors, ids, metadata) {
    const list = BigUint64Array.from(ids, BigInt);
    const records = joined(metadata.flatMap((one) => [bytesOf(Uint32Array.of(one.length)), one]));
    return this.with(bytesOf(Float32Array.from(vectors)), (vecs) =>
      this.with(bytesOf(list), (at) =>
        this.with(records, (meta) =>
          this.exports.rvf_store_upsert(handle, vecs, at, list.length, meta, records.length),
        ),
      ),
    );
  }

  /** @param {bigint | number | null} id null: the store's own */
  setMetadata(handle, id, entries) {
    return this.#withId(id, (at) =>
      this.with(entries, (meta) =>
        this.exports.rvf_store_set_metadata(handle, at, meta, entries.length),
      ),
    );
  }

  /** The entries of an id, or of the store for null; empty when it has none. */
  metadata(handle, id) {
    return this.#withId(id, (at) => {
      const size = this.exports.rvf_store_metadata(handle, at, 0, 0);
      if (size < 0) throw new Error(`metadata of ${id}: status ${size}`);
      const read = (out) => this.exports.rvf_store_metadata(handle, at, out, size);
      return this.result(size, read).bytes;
    });
  }

  #withId(id, use) {
    return id === null ? use(0) : this.with(bytesOf(BigUint64Array.of(BigInt(id))), use);
  }

  delete(handle, ids) {
    const list = BigUint64Array.from(ids, BigInt);
    return this.with(bytesOf(list), (at) => this.exports.rvf_store_delete(handle, at, list.length));
  }

  deleteWhere(handle, filter) {
    return this.with(filter, (at) =>
      this.exports.rvf_store_delete_where(handle, at, filter.length),
    );
  }

  /** @returns {{status: number, hits: {id: bigint, distance: number}[]}} */
  query(handle, vector, k, metric = -1) {
    return this.#hits(handle, vector, k, (query, out) =>
      this.exports.rvf_store_query(handle, query, k, metric, out),
    );
  }

  /** The same among the vectors that a filter admits. */
  search(handle, vector, k, filter, metric = -1) {
    return this.with(filter, (at) =>
      this.#hits(handle, vector, k, (query, out) =>
        this.exports.rvf_store_search(handle, query, k, metric, at, filter.length, out),
      ),
    );
  }

  #hits(handle, vector, k, call) {
    const most = Math.min(Math.max(k, 0), Math.max(this.count(handle), 0));
    const { status, bytes } = this.with(bytesOf(Float32Array.from(vector)), (query) =>
      this.result(12 * most, (out) => call(query, out)),
    );
    const view = new DataView(bytes.buffer);
    const hits = Array.from({ length: Math.max(status, 0) }, (_, i) => ({
      id: view.getBigUint64(12 * i, true),
      distance: view.getFloat32(12 * i + 8, true),
    }));
    return { status, hits };
  }

  /** The live ids, in the order of their rows. */
  ids(handle) {
    const size = 8 * Math.max(this.count(handle), 0);
    const { bytes } = this.result(size, (out) => this.exports.rvf_store_ids(handle, out, size));
    return [...new BigUint64Array(bytes.buffer, 0, size / 8)];
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

  /**
   * Makes a commit; status 1 when there is one, then acknowledge or discard must follow.
   * @param {{time?: bigint, signature?: number, compacts?: boolean}} options
   */
  commit(handle, { time = 0n, signature = -1, compacts = false } = {}) {
    const { status, bytes: info } = this.result(32, (out) =>
      this.exports.rvf_store_commit(handle, time, signature, compacts ? 1 : 0, out),
    );
    const view = new DataView(info.buffer);
    const [address, size, dataSize, replaces] = [8, 12, 16, 20].map((at) =>
      view.getUint32(at, true),
    );
    const bytes = status === 1 ? this.read(address, size) : NOTHING;
    const offset = Number(view.getBigUint64(0, true));
    return { status, offset, address, bytes, dataSize, replaces: replaces === 1 };
  }

  acknowledge(handle) {
    return this.exports.rvf_store_acknowledge(handle);
  }

  discard(handle) {
    return this.exports.rvf_store_discard(handle);
  }

  freeze(handle) {
    return this.exports.rvf_store_freeze(handle);
  }

  /** @param {Uint8Array} fileId @param {Uint8Array} parent the store's committed file */
  derive(handle, type, fileId, parent) {
    return this.with(fileId, (id) =>
      this.with(parent, (at) => this.exports.rvf_store_derive(handle, type, id, at, parent.length)),
    );
  }

  /** @param {string} name of the store's file, as the branch's folder knows it */
  branch(handle, fileId, parent, name) {
    const text = new TextEncoder().encode(name);
    const { rvf_store_branch: branch } = this.exports;
    return this.with(fileId, (id) =>
      this.with(parent, (at) =>
        this.with(text, (nameAt) => branch(handle, id, at, parent.length, nameAt, text.length)),
      ),
    );
  }

  /** The identity of the store, as rvf_store_lineage writes it. */
  lineage(handle) {
    const { status, bytes } = this.result(68, (out) => this.exports.rvf_store_lineage(handle, out));
    return {
      status,
      fileId: bytes.slice(0, 16),
      parentId: bytes.slice(16, 32),
      parentHash: bytes.slice(32, 64),
      depth: new DataView(bytes.buffer).getUint32(64, true),
    };
  }

  /** What rvf_store_state writes, but for the metadata. */
  state(handle) {
    const { status, bytes } = this.result(44, (out) => this.exports.rvf_store_state(handle, out));
    const view = new DataView(bytes.buffer);
    const [epoch, frozen, branch, changed, pending, layers, deleted, profile] = new Uint32Array(
      bytes.buffer,
      8,
    );
    return {
      status,
      fileSize: Number(view.getBigUint64(0, true)),
      epoch,
      frozen: frozen === 1,
      branch: branch === 1,
      changed: changed === 1,
      pending: pending === 1,
      layers,
      deleted,
      profile,
    };
  }

  /** Adds a segment; answers its id or a status. */
  embed(handle, type, payload) {
    return this.with(payload, (at) =>
      this.exports.rvf_store_embed(handle, type, at, payload.length),
    );
  }

  /** Every segment that the store carries on, by rvf_store_segment. */
  carried(handle) {
    const found = [];
    for (;;) {
      const { status, bytes } = this.result(40, (out) =>
        this.exports.rvf_store_segment(handle, found.length, out),
      );
      if (status !== 1) return found;
      const view = new DataView(bytes.buffer);
      const offset = view.getBigUint64(8, true);
      found.push({
        id: view.getBigUint64(0, true),
        offset: offset === NOT_IN_FILE ? null : Number(offset),
        type: view.getUint32(16, true),
        payload: this.read(view.getUint32(20, true), view.getUint32(24, true)),
        status: view.getInt32(28, true),
      });
    }
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
}

/** A file after a host has written a commit to it. */
export function written(file, { offset, bytes }) {
  return joined([file.subarray(0, offset), bytes]);
}

function joined(parts) {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
