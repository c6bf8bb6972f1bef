// Random sequences of operations on a store of ours, beside a model of what must be live in it.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { hex } from "../reference/container.mjs";
import { SEGMENT } from "../wasm/control.mjs";
import { entries, filter, OPERATOR, STRING_ID, VALUE } from "../wasm/entries.mjs";
import { STATUS } from "../wasm/status.mjs";
import { dashboard, ebpf, kernel, wasm } from "./containers.mjs";
import { Model } from "./model.mjs";
import { control, gridVector, OurFile, vectorsIn } from "./support.mjs";

const GROUP_FIELD = 7;

const MOST_ROWS = 600; // far below the count from which upstream answers from a graph

/** A store of ours, its model, and operations on both. */
export class Sequence {
  /**
   * @param {OurFile} file
   * @param {ReturnType<import("../reference/random.mjs").randomSource>} random
   * @param {{pathOf: (name: string) => string, model?: Model, parents?: string[], reach?: number}}
   *   options `reach` is above all ids
   */
  constructor(file, random, options) {
    const { pathOf, model = new Model(), parents = [], reach = 2 ** 53 } = options;
    Object.assign(this, { file, random, model, parents, pathOf, reach });
    this.exports = 0;
    for (const id of model.doubtful) model.settle(id, hex(control.metadata(file.handle, id)));
  }

  get dimension() {
    return control.status(this.file.handle).dimension;
  }

  /** One random operation. */
  step(operations = OPERATIONS) {
    this[pick(this.random, operations)]();
  }

  ingest() {
    const rows = this.#ids(8).map((id) => [id, gridVector(this.random, this.dimension)]);
    this.file.ingest(rows);
    for (const [id, vector] of rows) this.model.put(id, vector);
  }

  upsert() {
    const rows = this.#ids(5).map((id) => {
      const described = this.#describe(id);
      return [id, gridVector(this.random, this.dimension), described.bytes, described.group];
    });
    this.file.upsert(rows);
    for (const [id, vector, bytes, group] of rows) {
      this.model.put(id, vector);
      this.model.describe(id, bytes, group);
    }
  }

  setMetadata() {
    for (const id of this.#ids(3)) {
      const { bytes, group } = this.#describe(id);
      const live = this.model.rows.has(id);
      assert.equal(control.setMetadata(this.file.handle, id, bytes), live ? 1 : 0);
      if (live) this.model.describe(id, bytes, group);
    }
  }

  setAbout() {
    const { bytes } = this.#describe(0n);
    assert.equal(control.setMetadata(this.file.handle, null, bytes), 1);
    this.model.about = hex(bytes);
  }

  delete() {
    const ids = this.#ids(6);
    const deleted = ids.filter((id) => this.model.delete(id)).length;
    assert.equal(this.file.delete(ids), deleted);
  }

  deleteWhere() {
    const group = BigInt(this.random.int(0, 5));
    const ids = [...this.model.groups].filter(([, one]) => one === group).map(([id]) => id);
    const program = filter(OPERATOR.EQUAL, GROUP_FIELD, [VALUE.U64, group]);
    assert.equal(control.deleteWhere(this.file.handle, program), ids.length);
    for (const id of ids) this.model.delete(id);
  }

  embed() {
    const { random } = this;
    const image = random.bytes(random.int(1, 60));
    const [type, payload] = pick(random, [
      [SEGMENT.KERNEL, kernel(image, "quiet")],
      [SEGMENT.EBPF, ebpf(random.bytes(16), image)],
      [SEGMENT.WASM, wasm(image, random.int(0, 4), random.int(0, 9))],
      [SEGMENT.DASHBOARD, dashboard(image)],
      [0xf1, image],
      [SEGMENT.META, image],
    ]);
    this.file.embed(type, payload);
    this.model.carried.push(`${type}:${hex(payload)}`);
  }

  commit() {
    this.file.commit(this.#signing());
  }

  discard() {
    if (control.commit(this.file.handle).status !== 1) return;
    this.#change();
    control.discard(this.file.handle);
  }

  /** Changes between the making of a commit and its acknowledgement. */
  commitMeanwhile() {
    const compacts = this.random.int(0, 3) === 0;
    this.file.commit({ ...this.#signing(), compacts, meanwhile: () => this.#change() });
  }

  compact() {
    this.file.commit({ ...this.#signing(), compacts: true });
  }

  reopen() {
    this.file.commit();
    this.file.reopen(this.parents);
  }

  /** The last operation: nothing changes the store from then on, also when its file is opened again. */
  freeze() {
    assert.equal(control.freeze(this.file.handle), 0);
    this.reopen();
    assert.equal(control.delete(this.file.handle, [1]), STATUS.kSnapshotFrozen);
    assert.equal(control.state(this.file.handle).frozen, true);
  }

  /** Goes on with an export of the store. */
  moveToExport() {
    const path = this.pathOf(`${this.exports++}-${this.random.uint32()}.rvf`);
    writeFileSync(path, control.export(this.file.handle).bytes);
    this.file.close();
    this.parents = [];
    this.file = OurFile.open(path);
  }

  /**
   * The store, and its file opened anew, hold what the model holds; every content hash in the file is good, every
   * chain of witnesses whole, and deleted ids are listed in order and only where a vector is still held.
   */
  assertHeld() {
    const { model, file, parents } = this;
    const hashes = control.inspect(file.bytes).map(({ hash }) => hash);
    assert.deepEqual([...new Set(hashes)], ["good"]);
    assert.equal(control.witnessReport(file.bytes).broken, 0);
    const { held, deleted } = vectorsIn(file.path);
    assert.ok(deleted.every((id, i) => held.has(id) && (i === 0 || deleted[i - 1] < id)));
    const again = OurFile.open(file.path, parents);
    for (const handle of [file, again].map((one) => one.handle)) {
      const { rows, metadata } = new OurFile(file.path, handle).content();
      assert.deepEqual(
        sorted(rows),
        sorted(model.rows, (vector) => [...vector]),
      );
      const described = [...metadata].filter(([, bytes]) => bytes !== "");
      assert.deepEqual(sorted(described), sorted(model.metadata));
      assert.equal(hex(control.metadata(handle, null)), model.about);
      const carried = new OurFile(file.path, handle).carried();
      assert.deepEqual(carried.filter(isNotOfBranches), model.carried);
      assert.equal(control.warnings(handle), 0);
    }
    again.close();
  }

  #change() {
    const changes = ["ingest", "upsert", "setMetadata", "setAbout", "delete", "deleteWhere"];
    for (let i = this.random.int(0, 2); i > 0; i--) this[pick(this.random, changes)]();
  }

  #ids(most) {
    const { random, model } = this;
    const count = model.rows.size > MOST_ROWS ? 0 : random.int(1, most);
    const one = () => {
      if (random.int(0, 9) > 0) return BigInt(random.int(0, 60));
      return (BigInt(random.uint32()) * BigInt(random.uint32())) % BigInt(this.reach);
    };
    return [...new Set(Array.from({ length: count }, one))];
  }

  #describe(id) {
    const { random } = this;
    if (random.int(0, 5) === 0) return { bytes: new Uint8Array(0), group: null };
    const group = BigInt(random.int(0, 5));
    const bytes = entries([
      [2, [VALUE.STRING, "x".repeat(random.int(0, 12))]],
      [GROUP_FIELD, [VALUE.U64, group]],
      [STRING_ID, [VALUE.STRING, `id-${id}`]],
    ]);
    return { bytes, group };
  }

  #signing() {
    return this.random.int(0, 3) === 0 ? { sign: () => this.random.bytes(64) } : {};
  }
}

const weighted = (weights) =>
  Object.entries(weights).flatMap(([name, weight]) => Array.from({ length: weight }, () => name));

/** Operations that leave the store in its file. */
export const IN_PLACE = weighted({
  ingest: 8,
  upsert: 5,
  setMetadata: 2,
  setAbout: 1,
  delete: 5,
  deleteWhere: 1,
  embed: 1,
  commit: 10,
  commitMeanwhile: 3,
  discard: 2,
  compact: 1,
});

export const OPERATIONS = [...IN_PLACE, ...weighted({ reopen: 2, moveToExport: 1 })];

const pick = (random, list) => list[random.int(0, list.length - 1)];

const isNotOfBranches = (text) => !/^(32|34):/.test(text);

function sorted(pairs, shownAs = (value) => value) {
  return Array.from(pairs, ([id, value]) => [id, shownAs(value)]).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
}
