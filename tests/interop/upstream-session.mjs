// A session of upstream's on a file: random operations through the real rvf-node, and what they must do to a
// model of the file by upstream's own rules (docs/format.md, "Where we differ from upstream").
import assert from "node:assert/strict";
import { hex } from "../reference/container.mjs";
import { SEGMENT } from "../wasm/control.mjs";
import { ebpf, kernel } from "./containers.mjs";
import { gridVector, ingestUpstream, RvfDatabase, vectorsIn } from "./support.mjs";

export class UpstreamSession {
  /**
   * @param {string} path
   * @param {import("./model.mjs").Model} model
   * @param {ReturnType<import("../reference/random.mjs").randomSource>} random
   */
  constructor(path, model, random) {
    const { held, deleted } = vectorsIn(path);
    Object.assign(this, { path, model, random, own: held, sticky: new Set(deleted) });
    this.database = RvfDatabase.open(path);
    this.dimension = this.database.dimension();
  }

  /** Runs one session of some operations and checks what upstream itself then shows. */
  static run(path, model, random, names, count) {
    const session = new UpstreamSession(path, model, random);
    try {
      for (let i = 0; i < count; i++) session[names[random.int(0, names.length - 1)]]();
      session.assertShown();
    } finally {
      session.database.close();
    }
  }

  /** An id that the deleted list holds stays hidden, though its vector is in the file. */
  ingest() {
    const rows = this.#ids(6).map((id) => [id, gridVector(this.random, this.dimension)]);
    ingestUpstream(this.database, rows);
    for (const [id, vector] of rows) {
      this.own.add(id);
      if (!this.sticky.has(id)) this.model.putUpstream(id, vector);
    }
  }

  /** What the file itself holds enters the deleted list; what only a parent holds does not. */
  delete() {
    const ids = this.#ids(4);
    const live = ids.filter((id) => this.model.rows.has(id));
    assert.equal(this.database.delete(ids.map(Number)).deleted, live.length);
    for (const id of live) {
      this.model.delete(id);
      if (this.own.has(id)) this.sticky.add(id);
    }
  }

  embedKernel() {
    const image = this.random.bytes(this.random.int(1, 40));
    this.database.embedKernel(0, 1, 0, Buffer.from(image), 8080, "theirs");
    this.model.carried.push(`${SEGMENT.KERNEL}:${hex(kernel(image, "theirs"))}`);
  }

  embedEbpf() {
    const [code, types] = [this.random.bytes(24), this.random.bytes(3)];
    this.database.embedEbpf(2, 3, 384, Buffer.from(code), Buffer.from(types));
    this.model.carried.push(`${SEGMENT.EBPF}:${hex(ebpf(code, types))}`);
  }

  compact() {
    this.database.compact();
    this.sticky.clear();
  }

  assertShown() {
    const hits = this.database.query(new Float32Array(this.dimension), this.model.rows.size + 9);
    const shown = hits.map(({ id }) => BigInt(id));
    assert.deepEqual(shown.toSorted(), [...this.model.rows.keys()].toSorted());
  }

  #ids(most) {
    const { random } = this;
    const one = () => BigInt(random.int(0, 9) ? random.int(0, 60) : random.int(2 ** 20, 2 ** 30));
    return [...new Set(Array.from({ length: random.int(1, most) }, one))];
  }
}
