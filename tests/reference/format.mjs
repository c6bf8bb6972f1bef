import { readBranch } from "./branch.mjs";
import {
  concat,
  hashState,
  listSegments,
  payloadOf,
  readHeader,
  segment,
  TYPE,
} from "./container.mjs";
import { CODE, RvfRefError } from "./errors.mjs";
import { findManifest, manifestPayload, parseWasmManifest } from "./manifest.mjs";
import { readVec, readWasmVec, vecPayload } from "./vec.mjs";

export { crc32, crc32c, crcRotated } from "./checksum.mjs";
export { concat, segment } from "./container.mjs";
export { RvfRefError } from "./errors.mjs";
export { manifestPayload } from "./manifest.mjs";
export { vecPayload } from "./vec.mjs";

/**
 * @typedef {object} RvfContent what a file holds
 * @property {"runtime" | "wasm"} layout who wrote it: a runtime writer, or rvf-wasm's export
 * @property {number} dimension
 * @property {0 | 1 | 2} metric 0 L2, 1 inner product, 2 cosine; any other byte is read as L2
 * @property {number | null} metricByte as stored, null where the layout has none
 * @property {number} epoch
 * @property {number} profile hardware profile, manifest byte 18
 * @property {string} fileId 32 hexadecimal digits, all zero when the file has no identity
 * @property {string} parentId like fileId
 * @property {number} lineageDepth
 * @property {number | null} manifestOffset where the header of the live manifest lies, in bytes
 * @property {Map<bigint, Float32Array>} rows live rows by id (u64)
 * @property {bigint[]} deletedIds as the manifest lists them, also ids that the file does not hold
 * @property {ReturnType<typeof readBranch>} branch what it says about a parent; rows are the
 *   child's own only. null for a file that is no branch
 * @property {{offset: number, id: bigint, type: number, version: number, payloadLength: number,
 *   hash: "good" | "absent" | "bad" | "unknown"}[]} segments every segment in the bytes, listed or
 *   not. "unknown": checksum_algo names a hash that this reference does not compute
 * @property {string[]} damage what is wrong or was refused, for people; empty for a sound file
 */

/**
 * Reads a whole .rvf file, sections 1 to 7 and 19.
 * @param {Uint8Array} bytes
 * @param {{rule?: "strict" | "lax"}} [options] how the live manifest is chosen: by the stricter
 *   rule of section "Opening a file" (default) or as upstream does
 * @returns {RvfContent}
 * @throws {RvfRefError} 0x0106 no manifest; 0x0102 a listed VEC segment is not there or its hash is
 *   wrong; 0x0700 the segments of a branch are garbage
 */
export function readRvf(bytes, { rule = "strict" } = {}) {
  const segments = listSegments(bytes);
  const { offset, manifest, damage } = findManifest(bytes, rule);
  damage.push(...segments.flatMap(hashDamage));
  if (!manifest) {
    return readWasmExport(bytes, segments, damage);
  }
  const { directory, ...fields } = manifest;
  const rows = new Map();
  for (const entry of directory.filter((listed) => listed.type === TYPE.VEC)) {
    const found = readVec(listedPayload(bytes, entry.offset), manifest.dimension);
    if (typeof found === "string") {
      damage.push(`VEC at ${entry.offset} gives no rows: ${found}`);
      continue;
    }
    for (const [id, values] of found) {
      rows.set(id, values);
    }
  }
  for (const id of manifest.deletedIds) {
    rows.delete(id);
  }
  const metric = manifest.metricByte <= 2 ? manifest.metricByte : 0;
  const branch = readBranch(bytes, directory);
  const layout = "runtime";
  return { layout, ...fields, metric, manifestOffset: offset, rows, branch, segments, damage };
}

/**
 * A file as rvf-node 0.2.3 reads it: VEC, then MANIFEST (sections 3.1, 4.1, 19 writer checklist).
 * @param {{dimension: number, metric?: 0 | 1 | 2, profile?: number, epoch?: number,
 *   rows: Iterable<[bigint | number, ArrayLike<number>]>, deletedIds?: Iterable<bigint | number>,
 *   fileId?: Uint8Array}} content rows hold the deleted ones too, if they are to be in the file;
 *   the same id twice is written twice. fileId is 16 bytes
 * @returns {Uint8Array}
 */
export function writeRvf({
  dimension,
  metric = 0,
  profile = 0,
  epoch = 1,
  rows,
  deletedIds = [],
  fileId = Uint8Array.from({ length: 16 }, (_, i) => i + 1),
}) {
  const list = [...rows];
  const payload = vecPayload(dimension, list);
  const directory = [{ id: 1, offset: 0, payloadLength: payload.length, type: TYPE.VEC }];
  const manifest = manifestPayload({
    epoch,
    dimension,
    totalVectors: new Set(list.map(([id]) => BigInt(id))).size,
    profile,
    metric,
    directory,
    deletedIds: Array.from(deletedIds, (id) => BigInt.asUintN(64, BigInt(id))).sort((a, b) =>
      a < b ? -1 : 1,
    ),
    fileId,
  });
  return concat(segment(TYPE.VEC, 1, payload), segment(TYPE.MANIFEST, 2, manifest));
}

function hashDamage({ offset, type, hash }) {
  if (hash === "good" || hash === "absent") {
    return [];
  }
  return [`segment at ${offset} (type ${type}): content hash ${hash}`];
}

function listedPayload(bytes, offset) {
  const header = readHeader(bytes, offset);
  if (!header?.fits) {
    throw new RvfRefError(CODE.INVALID_CHECKSUM, `no whole segment at listed offset ${offset}`);
  }
  if (hashState(bytes, header) === "bad") {
    throw new RvfRefError(CODE.INVALID_CHECKSUM, `content hash of the segment at ${offset}`);
  }
  return payloadOf(bytes, header);
}

function readWasmExport(bytes, segments, damage) {
  for (const { offset } of segments.filter(({ type }) => type === TYPE.MANIFEST).reverse()) {
    const manifest = parseWasmManifest(payloadOf(bytes, readHeader(bytes, offset)));
    const entry = manifest?.directory[0];
    if (entry?.type !== TYPE.VEC) {
      continue;
    }
    const rows = readWasmVec(listedPayload(bytes, entry.offset), manifest.dimension);
    if (rows) {
      return {
        layout: "wasm",
        dimension: manifest.dimension,
        metric: 0,
        metricByte: null,
        epoch: manifest.epoch,
        profile: manifest.profile,
        fileId: "0".repeat(32),
        parentId: "0".repeat(32),
        lineageDepth: 0,
        manifestOffset: offset,
        rows: new Map(rows),
        deletedIds: [],
        branch: null,
        segments,
        damage,
      };
    }
  }
  throw new RvfRefError(CODE.MANIFEST_NOT_FOUND, "no manifest");
}
