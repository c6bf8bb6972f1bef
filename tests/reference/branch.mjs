import { simpleHash } from "./checksum.mjs";
import { hex, payloadOf, readHeader, TYPE, viewOf } from "./container.mjs";
import { CODE, RvfRefError } from "./errors.mjs";

const COW_MAP_MAGIC = 0x5256434d;
const MEMBERSHIP_MAGIC = 0x52564d42;
const PARENT_NAME_AT = 0x51;
const FILTER_AT = 0x60;
const PARENT_TAIL = 65_536;

/**
 * What a branch says about its parent, section "Branches", or null when the directory lists no COW_MAP.
 * The last COW_MAP and the last MEMBERSHIP of the directory count.
 * @param {Uint8Array} bytes the whole file
 * @param {{offset: number, type: number}[]} directory of the live manifest
 * @returns {{parentName: string, parentId: string, parentHash: string,
 *   admits: (id: bigint) => boolean} | null} ids and hashes in hexadecimal; `admits` is the filter
 *   over the parent's ids
 * @throws {RvfRefError} 0x0700 when either segment is missing or is no such segment
 */
export function readBranch(bytes, directory) {
  if (!directory.some((entry) => entry.type === TYPE.COW_MAP)) {
    return null;
  }
  const map = lastPayload(bytes, directory, TYPE.COW_MAP, COW_MAP_MAGIC, PARENT_NAME_AT);
  const filter = lastPayload(bytes, directory, TYPE.MEMBERSHIP, MEMBERSHIP_MAGIC, FILTER_AT);
  const nameEnd = PARENT_NAME_AT + viewOf(map).getUint32(0x49, true);
  if (nameEnd > map.length) {
    throw new RvfRefError(CODE.COW_MAP_CORRUPT, "the parent's name does not fit its COW_MAP");
  }
  return {
    parentName: new TextDecoder().decode(map.subarray(PARENT_NAME_AT, nameEnd)),
    parentId: hex(map.subarray(0x10, 0x20)),
    parentHash: hex(map.subarray(0x20, 0x40)),
    admits: membership(filter),
  };
}

/**
 * All rows that a branch shows, section "Branches": the parent's live rows that the filter admits and
 * that the child neither holds nor deleted itself, and the child's own live rows.
 * @param {{rows: Map<bigint, Float32Array>, deletedIds: bigint[],
 *   branch: NonNullable<ReturnType<typeof readBranch>>}} child answer of readRvf for a branch
 * @param {{rows: Map<bigint, Float32Array>}} parent answer of readRvf for its parent
 * @param {Uint8Array} parentBytes the parent's file, for its hash
 * @returns {Map<bigint, Float32Array>}
 * @throws {RvfRefError} 0x0601 when the parent is not as it was when the branch was made
 */
export function mergeBranch(child, parent, parentBytes) {
  const tail = parentBytes.subarray(Math.max(0, parentBytes.length - PARENT_TAIL));
  if (hex(simpleHash(tail)) !== child.branch.parentHash) {
    throw new RvfRefError(CODE.PARENT_HASH_MISMATCH, "the parent has changed since the branch");
  }
  const deleted = new Set(child.deletedIds);
  const rows = new Map();
  for (const [id, values] of parent.rows) {
    if (child.branch.admits(id) && !deleted.has(id)) {
      rows.set(id, values);
    }
  }
  for (const [id, values] of child.rows) {
    rows.set(id, values);
  }
  return rows;
}

function lastPayload(bytes, directory, type, magic, leastSize) {
  const entry = directory.findLast((listed) => listed.type === type);
  const header = entry && readHeader(bytes, entry.offset);
  const payload = header?.fits ? payloadOf(bytes, header) : new Uint8Array(0);
  if (payload.length < leastSize || viewOf(payload).getUint32(0, true) !== magic) {
    throw new RvfRefError(CODE.COW_MAP_CORRUPT, `no usable segment of type ${type}`);
  }
  return payload;
}

function membership(payload) {
  const bitmap = payload.subarray(FILTER_AT);
  const excludes = payload[0x07] === 1;
  const count = viewOf(payload).getBigUint64(0x08, true);
  return (id) => {
    const byte = id < count ? (bitmap[Number(id / 8n)] ?? 0) : 0;
    const marked = ((byte >> Number(id % 8n)) & 1) === 1;
    return marked !== excludes;
  };
}
