// Looking at the segments of a file without opening it.

import type { ControlExports } from "./abi.js";
import { toBytes } from "./bytes.js";
import { check } from "./errors.js";
import { decodeId } from "./ids.js";
import { copyOut, withCopies } from "./memory.js";
import { control } from "./module.js";
import { typeName } from "./segment_types.js";
import { signatureIn } from "./signature_kinds.js";
import type { ChecksumState, SegmentInfo } from "./types.js";

const inspectBytes = 48;
export const segmentHeaderBytes = 64;

/** By code. */
const hashStates = ["absent", "good", "bad", "cut"] as const;

/** The segments of `size` bytes at `address`, one after the other. */
export function segmentsAt(
  wasm: ControlExports,
  address: number,
  size: number,
  out: number,
): SegmentInfo[] {
  const segments: SegmentInfo[] = [];
  for (let from = 0; check(wasm.rvf_segment_at(address, size, from, out)) === 1; ) {
    const view = new DataView(copyOut(wasm, out, inspectBytes).buffer);
    const offset = Number(view.getBigUint64(8, true));
    const payloadSize = Number(view.getBigUint64(16, true));
    const type = view.getUint8(24);
    const hash = hashStates[view.getUint32(28, true)] ?? "bad";
    const footerBytes = view.getUint32(32, true);
    const end = offset + segmentHeaderBytes + payloadSize;
    segments.push({
      offset,
      type,
      typeName: typeName(type),
      id: decodeId(view, 0),
      size: payloadSize,
      version: view.getUint8(25),
      flags: view.getUint16(26, true),
      hash,
      ...(footerBytes ? { signature: signatureIn(copyOut(wasm, address + end, footerBytes)) } : {}),
    });
    from = hash === "cut" ? offset + 1 : end + footerBytes;
  }
  return segments;
}

/**
 * All segments of a file, in its order, whether a commit lists them or not. After damage the walk goes
 * on where the next segment seems to begin.
 *
 * @param bytes a whole file, or any part of one
 * @throws {RvfError} InvalidArgument when there are no bytes; OutOfMemory; BackendInitFailed
 */
export function inspectSegments(bytes: Uint8Array | ArrayBuffer): SegmentInfo[] {
  const file = toBytes(bytes, "bytes to inspect");
  const wasm = control();
  return withCopies(wasm, [file], [inspectBytes], (address, out) =>
    segmentsAt(wasm, address, file.length, out),
  );
}

/**
 * Compares the content hash of one segment with its payload, by every rule that any writer follows.
 *
 * @param segment a segment from its header on; what is behind it does not matter
 * @throws {RvfError} InvalidMagic: no segment begins here; TruncatedSegment; InvalidArgument,
 *   OutOfMemory, BackendInitFailed
 */
export function verifyChecksum(segment: Uint8Array | ArrayBuffer): ChecksumState {
  const bytes = toBytes(segment, "bytes of a segment");
  const wasm = control();
  const status = withCopies(wasm, [bytes], [], (address) =>
    wasm.rvf_verify_checksum(address, bytes.length),
  );
  if (status === -0x0102) return "bad";
  return check(status) === 1 ? "good" : "absent";
}
