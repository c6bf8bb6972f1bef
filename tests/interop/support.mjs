// Stores of ours with their files as a host keeps them, the real rvf-node on the same files, and
// answers from a plain brute force that both must give.
import assert from "node:assert/strict";
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import upstream from "@ruvector/rvf-node";
import { hex, payloadOf, readHeader } from "../reference/container.mjs";
import { DISTANCES } from "../reference/distance.mjs";
import { findManifest } from "../reference/manifest.mjs";
import { randomSource } from "../reference/random.mjs";
import { bruteForce } from "../reference/topk.mjs";
import { readVec } from "../reference/vec.mjs";
import { Control, SEGMENT } from "../wasm/control.mjs";

export const { RvfDatabase } = upstream;
export const METRICS = ["l2", "inner_product", "cosine"];

const ED25519 = 0;

/** One module for all stores of a test file, as a page has it. */
export const control = new Control();

// Upstream flushes every operation, which takes longest on a disk.
const MEMORY = "/dev/shm";

/** A folder that goes when the test file is done. Answers paths in it. */
export function folder() {
  const path = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "rvf-interop-"));
  after(() => rmSync(path, { recursive: true }));
  return (name) => join(path, name);
}

/** The bytes of a file. */
export const bytesOfFile = (path) => new Uint8Array(readFileSync(path));

let fileIds = 0;

/** A file id that no other file has. */
export function fileId() {
  const id = new Uint8Array(16).fill(1);
  new DataView(id.buffer).setUint32(4, ++fileIds);
  return id;
}

/**
 * Values that every f32 sum of a test holds exactly, so that distances by L2 and inner product are the same
 * bits wherever they are computed, and equal ones are equal.
 */
export function gridVector(random, dimension) {
  return Float32Array.from({ length: dimension }, () => random.int(-32, 32) / 8);
}

/** A store of ours and its file on a disk. */
export class OurFile {
  constructor(path, handle) {
    assert.ok(handle > 0, `no store: status ${handle}`);
    this.path = path;
    this.handle = handle;
  }

  static create(path, dimension, metric = 0) {
    writeFileSync(path, "");
    const file = new OurFile(path, control.create(dimension, metric));
    control.setFileId(file.handle, fileId());
    return file;
  }

  /** @param {string[]} parents paths, the nearest first */
  static open(path, parents = []) {
    const options = { parents: parents.map(bytesOfFile) };
    return new OurFile(path, control.openWith(bytesOfFile(path), options));
  }

  get bytes() {
    return bytesOfFile(this.path);
  }

  ingest(rows) {
    const [ids, vectors] = [rows.map(([id]) => id), rows.flatMap(([, vector]) => [...vector])];
    assert.equal(control.ingest(this.handle, vectors, ids), rows.length);
  }

  /** @param {[id: bigint, vector: Float32Array, entries: Uint8Array][]} rows */
  upsert(rows) {
    const [ids, vectors] = [rows.map(([id]) => id), rows.flatMap(([, vector]) => [...vector])];
    const metadata = rows.map(([, , entries]) => entries);
    assert.equal(control.upsert(this.handle, vectors, ids, metadata), rows.length);
  }

  delete(ids) {
    return control.delete(this.handle, ids);
  }

  embed(type, payload) {
    const id = control.embed(this.handle, type, payload);
    assert.ok(id > 0, `embed: status ${id}`);
    return id;
  }

  /**
   * Commits as control.h tells a host to. Answers the commit, or null when there was nothing. With
   * `sign` every segment is signed by Ed25519: it gets the 94 bytes and answers 64. `meanwhile` is called
   * before the bytes are written.
   * @param {{compacts?: boolean, time?: bigint, sign?: (input: Uint8Array) => Uint8Array,
   *   meanwhile?: () => void}} [options]
   */
  commit({ sign, meanwhile = () => {}, ...options } = {}) {
    const commit = control.commit(this.handle, { ...options, signature: sign ? ED25519 : -1 });
    if (commit.status === 0) return null;
    assert.equal(commit.status, 1);
    if (sign) fillFooters(commit, sign);
    meanwhile();
    if (commit.replaces) {
      writeFileSync(`${this.path}.new`, commit.bytes);
      renameSync(`${this.path}.new`, this.path);
    } else {
      append(this.path, commit);
    }
    assert.equal(control.acknowledge(this.handle), 0);
    return commit;
  }

  /** Closes the store and opens its file again. */
  reopen(parents = []) {
    this.close();
    this.handle = OurFile.open(this.path, parents).handle;
  }

  close() {
    control.close(this.handle);
  }

  /** Rows and metadata as they are live, by id. */
  content() {
    const ids = control.ids(this.handle);
    return {
      rows: new Map(ids.map((id) => [id, control.vector(this.handle, id).values])),
      metadata: new Map(ids.map((id) => [id, hex(control.metadata(this.handle, id))])),
    };
  }

  /** Payloads of the segments that are carried on and no witnesses, as type and hexadecimal. */
  carried() {
    return control
      .carried(this.handle)
      .filter(({ type }) => type !== 0x0a)
      .map(({ type, payload }) => `${type}:${hex(payload)}`);
  }
}

/** Signs the segments of a commit where it lies in the module's memory, and in the copy of it. */
function fillFooters({ address, bytes }, sign) {
  for (const { offset, payloadLength, footerSize } of control.inspect(bytes)) {
    if (footerSize === 0) continue; // it was there before, and what it had is carried on
    const end = offset + 64 + payloadLength;
    assert.equal(footerSize, 72);
    bytes.set(sign(control.signingInput(bytes.subarray(offset, end)).bytes), end + 4);
  }
  control.bytes.set(bytes, address);
}

function append(path, { offset, bytes }) {
  const file = openSync(path, "r+");
  ftruncateSync(file, offset);
  writeSync(file, bytes, 0, bytes.length, offset);
  closeSync(file);
}

/** Calls `use` with upstream's database for a file and closes it, which leaves the file as it was. */
export function withUpstream(path, use) {
  const before = readFileSync(path);
  const database = RvfDatabase.open(path);
  try {
    return use(database);
  } finally {
    database.close();
    assert.ok(before.equals(readFileSync(path)), "upstream changed the file");
  }
}

/** Upstream opens a file, changes it and closes it. */
export function changeUpstream(path, change) {
  const database = RvfDatabase.open(path);
  try {
    return change(database);
  } finally {
    database.close();
  }
}

/** Adds rows through upstream. */
export function ingestUpstream(database, rows) {
  const vectors = Float32Array.from(rows.flatMap(([, vector]) => [...vector]));
  database.ingestBatch(
    vectors,
    rows.map(([id]) => Number(id)),
  );
}

/** Ids of all vectors that the live manifest lists, and the ids that it lists as deleted. */
export function vectorsIn(path) {
  const bytes = bytesOfFile(path);
  const { manifest } = findManifest(bytes, "lax");
  const segments = manifest.directory.filter(({ type }) => type === SEGMENT.VEC);
  const ids = segments.flatMap(({ offset }) =>
    readVec(payloadOf(bytes, readHeader(bytes, offset)), manifest.dimension).map(([id]) => id),
  );
  return { held: new Set(ids), deleted: manifest.deletedIds };
}

// Two steps of a float32 at 1, for 1 - dot / norms near 0.
const COSINE_FLOOR = 2 ** -22;

/**
 * The store and upstream's database both answer what a brute force over `rows` answers, for one hit, a few,
 * and more than there are. L2 and inner product to the last bit, cosine as far as f32 tells.
 * @param {{handle: number, database: object, rows: Map<bigint, ArrayLike<number>>, seed: number}} all
 */
export function assertAnswers({ handle, database, rows, seed }) {
  const { dimension, metric } = control.status(handle);
  const random = randomSource(seed);
  for (const k of [1, 3, rows.size + 5]) {
    const query = gridVector(random, dimension);
    const exactly = (a, b) => Math.fround(DISTANCES[metric](a, b));
    const exact = bruteForce(rows, query, rows.size, exactly).map(asHit);
    const ours = control.query(handle, query, k).hits.map(asHit);
    const theirs = database.query(query, k).map(asHit);
    const check = metric === 2 ? assertNearly : assert.deepEqual;
    check(ours, exact.slice(0, k));
    check(theirs, exact.slice(0, k));
  }
}

/** An answer for comparing; the two zeros are one. */
const asHit = ({ id, distance }) => ({ id: BigInt(id), distance: distance + 0 });

/** Answers by cosine: hits whose distances f32 does not tell apart may change places. */
function assertNearly(hits, exact) {
  assert.equal(hits.length, exact.length);
  const near = (a, b) => Math.abs(a - b) <= 1e-5 * Math.abs(b) + COSINE_FLOOR;
  const distances = new Map(exact.map(({ id, distance }) => [id, distance]));
  hits.forEach(({ id, distance }, rank) => {
    assert.ok(near(distance, exact[rank].distance), `rank ${rank}: ${distance}`);
    const known = distances.get(id) ?? exact.at(-1).distance; // equals may end on either side of k
    assert.ok(near(distance, known), `id ${id}: ${distance}, exactly ${known}`);
  });
}

/** assertAnswers, and that upstream counts as many vectors as there are. */
export function assertOpensUpstream(file, rows, seed) {
  withUpstream(file.path, (database) => {
    const { dimension, metric } = control.status(file.handle);
    assert.equal(database.dimension(), dimension);
    assert.equal(database.metric(), METRICS[metric]);
    assert.equal(database.status().totalVectors, rows.size);
    assert.equal(database.status().currentEpoch, control.state(file.handle).epoch);
    assert.equal(database.fileId(), hex(control.lineage(file.handle).fileId));
    assertAnswers({ handle: file.handle, database, rows, seed });
  });
}
