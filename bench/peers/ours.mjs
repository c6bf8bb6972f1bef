// Our engine: rvf_search.wasm, with a graph and codes. RVF_WASM_BUILD is another build folder to take
// it from.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { idsAt, putBytes, putFloats, RvfStore } from "./rvf-store.mjs";
import { K } from "./settings.mjs";

const LESS = 2; // control/filter.h
const RANK_FIELD = 0;
const TAKE_FILE = 2; // control/control.h
const GRAPH_AND_CODES = 3; // control/index.h
const FILTER_BYTES = 16;
const SEED = 42n;

const build = process.env.RVF_WASM_BUILD ?? new URL("../../build/wasm", import.meta.url).pathname;

/** Field, type u64, length and value: an entry of metadata, and what a filter compares with. */
function rankEntry(rank) {
  const view = new DataView(new ArrayBuffer(15));
  view.setUint16(0, RANK_FIELD, true);
  view.setUint32(3, 8, true);
  view.setUint32(7, rank, true);
  return new Uint8Array(view.buffer);
}

/** A store that is searched by its index. */
class Engine extends RvfStore {
  constructor(module, dimension) {
    super(module, dimension);
    this.filterAt = this.exports.rvf_alloc(FILTER_BYTES);
    this.foundAt = this.exports.rvf_alloc(4);
  }

  /** Rows with their ranks as metadata. */
  fillRanked(set) {
    this.fill(set, (rows, ids, count, first) => {
      const entries = new Uint8Array(19 * count);
      for (let i = 0; i < count; i++) {
        entries[19 * i] = 15;
        entries.set(rankEntry(set.ranks[first + i]), 19 * i + 4);
      }
      const { exports, handle } = this;
      const at = this.copy(entries);
      const accepted = exports.rvf_store_upsert(handle, rows, ids, count, at, entries.length);
      exports.rvf_free(at, entries.length);
      return accepted;
    });
  }

  index() {
    const { exports, handle } = this;
    let left = exports.rvf_index_create(handle, GRAPH_AND_CODES, 16, 200, SEED);
    if (left === 0) left = exports.rvf_index_build(handle, 0x7fffffff);
    if (left !== 0) throw new Error(`the index is not built: ${left}`);
  }

  /** The store takes over the block with the file. */
  open(bytes) {
    const at = this.copy(bytes);
    this.handle = this.exports.rvf_store_open_with(at, bytes.length, 0, 0, -1, TAKE_FILE);
    if (this.handle <= 0) throw new Error(`the file is not opened: status ${this.handle}`);
  }

  /** With an ef of 0, exactly. */
  search(query, ef, filterBytes = 0) {
    const { exports, handle, queryAt, hitsAt, filterAt, foundAt } = this;
    putFloats(exports.memory, queryAt, query);
    const filter = [filterAt, filterBytes];
    const found = exports.rvf_index_search(
      ...[handle, queryAt, 1, K, -1, ef, 0, ...filter, hitsAt, foundAt],
    );
    return idsAt(exports.memory, hitsAt, found);
  }

  filtered(query, ef, limit) {
    putBytes(this.exports.memory, this.filterAt, Uint8Array.of(LESS, ...rankEntry(limit)));
    return this.search(query, ef, FILTER_BYTES);
  }
}

export async function make(set) {
  const module = new WebAssembly.Module(readFileSync(join(build, "rvf_search.wasm")));
  const file = join(set.folder, "ours.rvf");
  let engine;

  return {
    name: "rvf-wasm (this one)",
    kind: "wasm",

    build() {
      engine = new Engine(module, set.dimension);
      engine.fillRanked(set);
      engine.index();
    },

    search: (query, ef) => engine.search(query, ef),

    exact: (query) => engine.search(query, 0),

    filtered: (query, ef, limit) => engine.filtered(query, ef, limit),

    memory: () => engine.exports.memory.buffer.byteLength,

    save() {
      const status = engine.exports.rvf_index_save(engine.handle);
      if (status !== 0) throw new Error(`the index is not saved: ${status}`);
      writeFileSync(file, engine.toBytes());
    },

    open(query) {
      const opened = new Engine(module, set.dimension);
      opened.open(readFileSync(file));
      if (opened.exports.rvf_index_load(opened.handle, SEED) < 1) throw new Error("no index");
      return opened.search(query, 64);
    },

    /** What opening is measured by: the same bytes read and copied into a module, nothing more. */
    copy() {
      new RvfStore(module, set.dimension).copy(readFileSync(file));
    },
  };
}
