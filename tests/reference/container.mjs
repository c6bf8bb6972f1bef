import { crcRotated, sha256 } from "./checksum.mjs";

/** Bytes of a segment header, section "Header". */
export const HEADER_SIZE = 64;

/** Largest payload that a reader takes, in bytes, section "Header". */
export const PAYLOAD_LIMIT = 268_435_456;

/** The segment types that this reference looks into, section "Segments". */
export const TYPE = Object.freeze({ VEC: 0x01, MANIFEST: 0x05, COW_MAP: 0x20, MEMBERSHIP: 0x22 });

const MAGIC = 0x52564653;

/**
 * A view over bytes, wherever they lie in their buffer.
 * @param {Uint8Array} bytes
 * @returns {DataView}
 */
export function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The segment header at an offset, section "Header", or null where no whole header with the magic lies.
 * `fits` tells whether the payload lies inside the file and within the limit of section "Header".
 * @param {Uint8Array} bytes the whole file
 * @param {number} offset in bytes
 * @returns {{offset: number, id: bigint, type: number, version: number, checksumAlgo: number,
 *   payloadLength: number, payloadOffset: number, end: number, fits: boolean} | null}
 */
export function readHeader(bytes, offset) {
  if (offset < 0 || offset + HEADER_SIZE > bytes.length) {
    return null;
  }
  const view = viewOf(bytes);
  if (view.getUint32(offset, true) !== MAGIC) {
    return null;
  }
  const payloadLength = Number(view.getBigUint64(offset + 0x10, true));
  const payloadOffset = offset + HEADER_SIZE;
  const end = payloadOffset + payloadLength;
  return {
    offset,
    id: view.getBigUint64(offset + 0x08, true),
    type: bytes[offset + 0x05],
    version: bytes[offset + 0x04],
    checksumAlgo: bytes[offset + 0x20],
    payloadLength,
    payloadOffset,
    end,
    fits: payloadLength <= PAYLOAD_LIMIT && end <= bytes.length,
  };
}

/**
 * The payload of a header that fits.
 * @param {Uint8Array} bytes the whole file
 * @param {{payloadOffset: number, end: number}} header
 * @returns {Uint8Array} a view, not a copy
 */
export function payloadOf(bytes, header) {
  return bytes.subarray(header.payloadOffset, header.end);
}

/**
 * What the stored content hash says about the payload, sections 1.3 and 19 (row 2).
 * "absent": 16 zero bytes. "good": CRC-32 rotated or SHA-256-128, whatever checksum_algo says.
 * "unknown": neither, and checksum_algo names a rule that this reference does not compute
 * (XXH3-128, SHAKE-256, HMAC). "bad": neither, and checksum_algo is 0.
 * @param {Uint8Array} bytes the whole file
 * @param {ReturnType<typeof readHeader>} header a header that fits
 * @returns {"good" | "absent" | "bad" | "unknown"}
 */
export function hashState(bytes, header) {
  const stored = bytes.subarray(header.offset + 0x28, header.offset + 0x38);
  if (stored.every((byte) => byte === 0)) {
    return "absent";
  }
  const payload = payloadOf(bytes, header);
  if (startsWith(crcRotated(payload), stored) || startsWith(sha256(payload), stored)) {
    return "good";
  }
  return header.checksumAlgo === 0 ? "bad" : "unknown";
}

/**
 * Every segment found by walking the bytes; where no whole segment starts, the walk goes on one
 * byte further.
 * @param {Uint8Array} bytes the whole file
 * @returns {NonNullable<ReturnType<typeof readHeader>>[]} in file order
 */
export function scanSegments(bytes) {
  const found = [];
  let offset = 0;
  while (offset + HEADER_SIZE <= bytes.length) {
    const header = readHeader(bytes, offset);
    if (header?.fits) {
      found.push(header);
    }
    offset = header?.fits ? header.end : offset + 1;
  }
  return found;
}

/**
 * What scanSegments finds, with what each content hash says.
 * @param {Uint8Array} bytes the whole file
 * @returns {{offset: number, id: bigint, type: number, version: number, payloadLength: number,
 *   hash: ReturnType<typeof hashState>}[]} in file order
 */
export function listSegments(bytes) {
  return scanSegments(bytes).map((header) => {
    const { offset, id, type, version, payloadLength } = header;
    return { offset, id, type, version, payloadLength, hash: hashState(bytes, header) };
  });
}

/**
 * The chain of segments from offset 0, each starting where the one before ends; runs of zero bytes
 * between segments and after the last one are padding. Section 6, rule for our reader.
 * @param {Uint8Array} bytes the whole file
 * @returns {{headers: NonNullable<ReturnType<typeof readHeader>>[], brokenAt: number | null}}
 *   brokenAt is null when the chain reaches the end of the file
 */
export function walkChain(bytes) {
  const headers = [];
  let offset = 0;
  for (;;) {
    while (offset < bytes.length && bytes[offset] === 0) {
      offset++;
    }
    if (offset === bytes.length) {
      return { headers, brokenAt: null };
    }
    const header = readHeader(bytes, offset);
    if (!header?.fits) {
      return { headers, brokenAt: offset };
    }
    headers.push(header);
    offset = header.end;
  }
}

/**
 * One segment as the runtime writers write it: header with the CRC-rotated hash, then the payload.
 * Sections 1.1 and 1.3.
 * @param {number} type section "Segments"
 * @param {bigint | number} id
 * @param {Uint8Array} payload
 * @returns {Uint8Array}
 */
export function segment(type, id, payload) {
  const bytes = new Uint8Array(HEADER_SIZE + payload.length);
  const view = viewOf(bytes);
  view.setUint32(0x00, MAGIC, true);
  bytes[0x04] = 1;
  bytes[0x05] = type;
  view.setBigUint64(0x08, BigInt(id), true);
  view.setBigUint64(0x10, BigInt(payload.length), true);
  bytes.set(crcRotated(payload), 0x28);
  bytes.set(payload, HEADER_SIZE);
  return bytes;
}

/**
 * Byte arrays, one after the other.
 * @param {...Uint8Array} parts
 * @returns {Uint8Array}
 */
export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/**
 * Bytes as lower-case hexadecimal.
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function startsWith(whole, prefix) {
  return prefix.every((byte, i) => byte === whole[i]);
}
