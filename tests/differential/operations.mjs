import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Control } from "../wasm/control.mjs";
import { Tile } from "../wasm/tile.mjs";

/** Where the native build puts the other half. */
const PEER = fileURLToPath(new URL("../../build/native/differential_peer", import.meta.url));

/** The exports of the kernel and the doorbell in the order of kernel.h: their number in an operation. */
const EXPORTS = [
  "rvf_init",
  "rvf_load_query",
  "rvf_load_block",
  "rvf_distances",
  "rvf_topk_merge",
  "rvf_topk_read",
  "rvf_load_sq_params",
  "rvf_dequant_i8",
  "rvf_load_pq_codebook",
  "rvf_pq_distances",
  "rvf_load_neighbors",
  "rvf_greedy_step",
  "rvf_verify_header",
  "rvf_crc32c",
  "_start",
];

/** Bytes that grow at the end. */
class Bytes {
  #buffer = Buffer.alloc(2 ** 20);
  length = 0;

  bytes(bytes) {
    const start = this.length;
    this.length += bytes.length;
    if (this.length > this.#buffer.length) {
      const larger = Buffer.alloc(2 * this.length);
      this.#buffer.copy(larger, 0, 0, start);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, start);
  }

  letter(letter) {
    this.bytes(Buffer.from(letter, "latin1"));
  }

  byte(value) {
    this.bytes([value]);
  }

  int32(value) {
    this.bytes(new Uint8Array(Int32Array.of(value).buffer));
  }

  int64(value) {
    this.bytes(new Uint8Array(BigInt64Array.of(BigInt(value)).buffer));
  }

  get content() {
    return this.#buffer.subarray(0, this.length);
  }
}

/**
 * Runs operations in the wasm modules at once and writes them down, so that the native peer can run
 * them too: peer.cpp says how. Operands are bytes, so that no NaN loses its payload on the way.
 */
export class Operations {
  #written = new Bytes();
  #answers = new Bytes();
  #cases = [];
  #tile = new Tile();
  #control = new Control();
  #store = 0;

  /** What comes next belongs to a case of this description. */
  begin(description) {
    this.#cases.push({ description, start: this.#answers.length });
  }

  get caseCount() {
    return this.#cases.length;
  }

  write(address, bytes) {
    this.#written.letter("W");
    this.#written.int32(address);
    this.#written.int32(bytes.length);
    this.#written.bytes(bytes);
    this.#tile.write(address, bytes);
  }

  call(name, ...args) {
    this.#written.letter("C");
    this.#written.byte(EXPORTS.indexOf(name));
    for (let i = 0; i < 4; i++) this.#written.int64(args[i] ?? 0);
    const answer = this.#tile.exports[name](...args) ?? 0;
    this.#answers.int64(answer);
    return answer;
  }

  read(address, size) {
    this.#written.letter("R");
    this.#written.int32(address);
    this.#written.int32(size);
    const bytes = this.#tile.read(address, size);
    this.#answers.bytes(bytes);
    return bytes;
  }

  createStore(dimension, metric) {
    this.#written.letter("S");
    this.#written.int32(dimension);
    this.#written.int32(metric);
    if (this.#store > 0) this.#control.close(this.#store);
    this.#store = this.#control.create(dimension, metric);
    this.#answers.int32(Math.min(this.#store, 0));
  }

  ingest(vectors, ids, count) {
    this.#written.letter("I");
    this.#written.int32(count);
    this.#written.bytes(vectors);
    this.#written.bytes(ids);
    const { rvf_store_ingest: ingest } = this.#control.exports;
    const status = this.#control.with(vectors, (vecs) =>
      this.#control.with(ids, (at) => ingest(this.#store, vecs, at, count)),
    );
    this.#answers.int32(status);
    return status;
  }

  delete(ids, count) {
    this.#written.letter("D");
    this.#written.int32(count);
    this.#written.bytes(ids);
    const { rvf_store_delete: remove } = this.#control.exports;
    this.#answers.int32(this.#control.with(ids, (at) => remove(this.#store, at, count)));
  }

  query(vector, k, metric) {
    this.#written.letter("Q");
    this.#written.int32(k);
    this.#written.int32(metric);
    this.#written.bytes(vector);
    const { rvf_store_query: query } = this.#control.exports;
    const { status, bytes } = this.#control.with(vector, (at) =>
      this.#control.result(12 * k, (out) => query(this.#store, at, k, metric, out)),
    );
    this.#answers.int32(status);
    this.#answers.bytes(bytes.subarray(0, 12 * Math.max(status, 0)));
    return status;
  }

  /** Runs everything in the peer, once, and answers the first case that parts, or null. */
  firstDifference() {
    const wasm = this.#answers.content;
    const native = this.#runPeer();
    if (Buffer.compare(wasm, native) === 0) return null;
    let at = 0;
    while (at < wasm.length && wasm[at] === native[at]) at++;
    const { description, start } = this.#cases.findLast((one) => one.start <= at);
    const some = (bytes) => bytes.subarray(at & ~3, (at & ~3) + 16).toString("hex");
    return `${description}, byte ${at - start}: wasm ${some(wasm)}, native ${some(native)}`;
  }

  #runPeer() {
    if (!existsSync(PEER)) {
      throw new Error(`no ${PEER}: cmake --preset native && cmake --build --preset native`);
    }
    const folder = mkdtempSync(join(tmpdir(), "rvf-differential-"));
    try {
      const operations = join(folder, "operations");
      const answers = join(folder, "answers");
      writeFileSync(operations, this.#written.content);
      execFileSync(PEER, [operations, answers]);
      return readFileSync(answers);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}
