import { hex } from "../reference/container.mjs";

/** What every operation leaves in a file, kept without any of our code. */
export class Model {
  /** @type {Map<bigint, Float32Array>} */
  rows = new Map();
  /** @type {Map<bigint, string>} entries of ids that have any, in hexadecimal */
  metadata = new Map();
  /** The entries of the store. */
  about = "";
  /** @type {string[]} type and payload of segments that were added */
  carried = [];
  /** @type {Map<bigint, bigint>} what the field that filters look at holds */
  groups = new Map();

  // Metadata of deleted ids is still in the file until one of our commits merges or overrules it. When
  // upstream compacts the file and makes such an id anew, nothing tells that from a replaced vector.
  /** @type {Map<bigint, {metadata: string, group: bigint | undefined}>} */
  #before = new Map();
  /** @type {Set<bigint>} ids that upstream made anew */
  doubtful = new Set();

  /** What a branch of the file shows; segments stay with the parent. */
  branched() {
    const branch = new Model();
    for (const [id, vector] of this.rows) branch.put(id, vector);
    for (const [id, metadata] of this.metadata) branch.metadata.set(id, metadata);
    for (const [id, group] of this.groups) branch.groups.set(id, group);
    branch.about = this.about;
    return branch;
  }

  put(id, vector) {
    this.rows.set(id, vector);
    this.#forget(id);
  }

  /** As upstream does it, which knows no metadata of ours. */
  putUpstream(id, vector) {
    if (!this.rows.has(id) && this.#before.has(id)) this.doubtful.add(id);
    this.rows.set(id, vector);
  }

  delete(id) {
    this.#forget(id);
    this.doubtful.delete(id);
    return this.rows.delete(id);
  }

  describe(id, bytes, group) {
    this.#forget(id);
    if (bytes.length) this.metadata.set(id, hex(bytes));
    if (group !== null) this.groups.set(id, group);
  }

  /** Accepts that an id which upstream made anew has its metadata again. */
  settle(id, metadata) {
    this.doubtful.delete(id);
    const before = this.#before.get(id);
    if (metadata !== before.metadata) return;
    this.metadata.set(id, metadata);
    if (before.group !== undefined) this.groups.set(id, before.group);
  }

  #forget(id) {
    const metadata = this.metadata.get(id);
    if (metadata) this.#before.set(id, { metadata, group: this.groups.get(id) });
    this.metadata.delete(id);
    this.groups.delete(id);
  }
}
