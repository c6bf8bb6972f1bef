// What a file consists of, from its headers and its last manifest alone: for files that are not copied
// into the module. Only files are taken whose segments make them up without a gap; RvfStore.open, which
// sees every byte, takes the others.

import { invalid, viewOf } from "./bytes.js";
import { RvfError, RvfErrorCode } from "./errors.js";
import { segmentHeaderBytes, verifyChecksum } from "./inspect.js";
import { segmentTypes } from "./segment_types.js";
import type { FileSource } from "./types.js";

const magic = 0x5256_4653;
const signedFlag = 4;
const footerFrameBytes = 8;
const manifestFixedBytes = 22;
const entryBytes = 25;
const alignment = 64;

/** A segment that the last manifest lists. */
export interface ListedSegment {
  readonly type: number;
  readonly id: bigint;
  readonly offset: number;
  /** Of the payload. */
  readonly size: number;
}

export interface Outline {
  readonly manifest: Uint8Array;
  readonly listed: readonly ListedSegment[];
  /** Ids, u64 one after the other. */
  readonly deleted: Uint8Array<ArrayBuffer>;
}

/** A file that may be damaged, or one that a searcher cannot read. */
export function damaged(code: number, what: string): RvfError {
  return new RvfError(code, `${what}; open the file with RvfStore.open, which can tell more.`);
}

/** Bytes of the source. Throws InvalidArgument when it gives others. */
export function readSource(source: FileSource, offset: number, length: number): Uint8Array {
  const bytes = source.read(offset, length);
  const isBytes = ArrayBuffer.isView(bytes) && bytes.byteLength === bytes.length; // of any realm
  if (isBytes && bytes.length === length) return bytes;
  if (bytes instanceof Promise) {
    bytes.catch(() => {}); // it is answered here
    throw invalid("read gave a promise; it must give the bytes at once, as readSync does.");
  }
  throw new RvfError(
    RvfErrorCode.InvalidArgument,
    `read(${offset}, ${length}) gave ${isBytes ? bytes.length : "no"} bytes; it must give a Uint8Array of just as many as it is asked for.`,
  );
}

interface Found {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly end: number;
}

/** The segment that begins at `from` or behind zeros that align it; undefined when there is none. */
function segmentAt(source: FileSource, from: number): Found | undefined {
  const window = Math.min(segmentHeaderBytes + alignment, source.size - from);
  if (window < segmentHeaderBytes) return undefined;
  const bytes = readSource(source, from, window);
  const start = bytes.findIndex((byte) => byte !== 0);
  if (start < 0 || start + segmentHeaderBytes > window) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(start, true) !== magic) return undefined;
  const offset = from + start;
  const size = Number(view.getBigUint64(start + 16, true));
  let end = offset + segmentHeaderBytes + size;
  if (end > source.size) return undefined;
  const isSigned = (view.getUint16(start + 6, true) & signedFlag) !== 0;
  if (isSigned && end + footerFrameBytes <= source.size) {
    end += viewOf(readSource(source, end, 4)).getUint16(2, true) + footerFrameBytes;
  }
  return { type: bytes[start + 5] as number, offset, size, end };
}

/** The last manifest, with its header. Throws ManifestNotFound, InvalidManifest, InvalidChecksum. */
function lastManifest(source: FileSource): Uint8Array {
  let last: Found | undefined;
  let isTorn = false;
  let at = 0;
  for (let found = segmentAt(source, 0); found; found = segmentAt(source, at)) {
    const isManifest = found.type === segmentTypes.manifest;
    if (isManifest) last = found;
    if (found.type !== segmentTypes.witness) isTorn = !isManifest;
    at = found.end;
  }
  if (!last) throw damaged(RvfErrorCode.ManifestNotFound, "No manifest was found");
  if (isTorn) {
    throw damaged(RvfErrorCode.InvalidManifest, "There are segments behind the last commit");
  }
  if (source.size - at >= alignment) {
    throw damaged(RvfErrorCode.InvalidManifest, `At byte ${at} there is no segment`);
  }
  const bytes = readSource(source, last.offset, segmentHeaderBytes + last.size);
  if (verifyChecksum(bytes) === "bad") throw new RvfError(RvfErrorCode.InvalidChecksum);
  return bytes;
}

/** Reads the outline of a file. Throws also InvalidManifest and, for a branch, ParentNotFound. */
export function outlineOf(source: FileSource): Outline {
  const manifest = lastManifest(source);
  const view = viewOf(manifest);
  const fault = () => damaged(RvfErrorCode.InvalidManifest, "The last manifest cannot be read");
  const first = segmentHeaderBytes + manifestFixedBytes;
  if (manifest.length < first + 4) throw fault();
  const count = view.getUint32(segmentHeaderBytes + 14, true);
  const deletedAt = first + count * entryBytes;
  if (deletedAt + 4 > manifest.length) throw fault();
  const listed: ListedSegment[] = [];
  let room = source.size; // sound segments do not overlap
  for (let i = 0; i < count; i++) {
    const at = first + i * entryBytes;
    const offset = Number(view.getBigUint64(at + 8, true));
    const size = Number(view.getBigUint64(at + 16, true));
    const type = view.getUint8(at + 24);
    room -= segmentHeaderBytes + size;
    if (room < 0 || offset + segmentHeaderBytes + size > source.size) throw fault();
    if (type === segmentTypes.cow_map) throw new RvfError(RvfErrorCode.ParentNotFound);
    listed.push({ type, id: view.getBigUint64(at, true), offset, size });
  }
  const deletedCount = view.getUint32(deletedAt, true);
  if (deletedAt + 4 + 8 * deletedCount > manifest.length) throw fault();
  return {
    manifest,
    listed,
    deleted: manifest.slice(deletedAt + 4, deletedAt + 4 + 8 * deletedCount),
  };
}

/**
 * A file with the same dimension, metric and metadata as that of the outline, without any vector: small
 * enough to be copied into the module.
 */
export function withoutVectors(source: FileSource, { manifest, listed }: Outline): Uint8Array {
  const { meta, quant } = segmentTypes;
  const taken = listed.filter(({ type }) => type === meta || type === quant);
  const before = taken.reduce((sum, { size }) => sum + segmentHeaderBytes + size, 0);
  const payload = manifestFixedBytes + taken.length * entryBytes + 4;
  const file = new Uint8Array(before + segmentHeaderBytes + payload);
  const view = viewOf(file);
  file.set(manifest.subarray(0, segmentHeaderBytes + manifestFixedBytes), before);
  file.fill(0, before + 0x28, before + 0x38); // no content hash: the directory must hold then
  view.setBigUint64(before + 16, BigInt(payload), true);
  const fixed = before + segmentHeaderBytes;
  view.setUint32(fixed, Math.max(view.getUint32(fixed, true), 1), true);
  view.setUint32(fixed + 14, taken.length, true);
  let offset = 0;
  for (const [i, segment] of taken.entries()) {
    const size = segmentHeaderBytes + segment.size;
    file.set(readSource(source, segment.offset, size), offset);
    const entry = fixed + manifestFixedBytes + i * entryBytes;
    view.setBigUint64(entry, segment.id, true);
    view.setBigUint64(entry + 8, BigInt(offset), true);
    view.setBigUint64(entry + 16, BigInt(segment.size), true);
    view.setUint8(entry + 24, segment.type);
    offset += size;
  }
  return file;
}
