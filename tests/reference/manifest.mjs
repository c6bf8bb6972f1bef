import { hashState, hex, payloadOf, readHeader, TYPE, viewOf, walkChain } from "./container.mjs";

const FIXED_SIZE = 22;
const ENTRY_SIZE = 25;
const IDENTITY_MARKER = 0x46494449;
const IDENTITY_SIZE = 68;
const VERSION = 1;

/**
 * A runtime manifest payload, section "Manifest", or null when it is too short or its directory does not
 * fit. A missing or short deleted list is read as far as it goes.
 * @param {Uint8Array} payload
 * @returns {{epoch: number, dimension: number, profile: number, metricByte: number,
 *   directory: {id: bigint, offset: number, payloadLength: number, type: number}[],
 *   deletedIds: bigint[], fileId: string, parentId: string, lineageDepth: number} | null}
 */
export function parseManifest(payload) {
  if (payload.length < FIXED_SIZE) {
    return null;
  }
  const view = viewOf(payload);
  const directory = parseDirectory(payload, FIXED_SIZE, view.getUint32(14, true));
  if (!directory) {
    return null;
  }
  const deleted = parseDeleted(payload, FIXED_SIZE + ENTRY_SIZE * directory.length);
  return {
    epoch: view.getUint32(0, true),
    dimension: view.getUint16(4, true),
    profile: payload[18],
    metricByte: payload[19],
    directory,
    deletedIds: deleted.ids,
    ...parseIdentity(payload.subarray(deleted.end)),
  };
}

/**
 * The manifest payload that rvf-wasm exports, section "Manifest", or null for any other bytes.
 * @param {Uint8Array} payload
 * @returns {{epoch: number, dimension: number, profile: number,
 *   directory: {id: bigint, offset: number, payloadLength: number, type: number}[]} | null}
 */
export function parseWasmManifest(payload) {
  const fixed = 19;
  if (payload.length < fixed) {
    return null;
  }
  const view = viewOf(payload);
  const count = view.getUint32(15, true);
  const directory = parseDirectory(payload, fixed, count);
  if (count !== 1 || !directory || payload.length !== fixed + ENTRY_SIZE) {
    return null;
  }
  return {
    epoch: view.getUint32(0, true),
    dimension: view.getUint16(4, true),
    profile: payload[14],
    directory,
  };
}

/**
 * The manifest that decides what is live, section "Opening a file".
 *
 * Rule "strict": a candidate counts only if its version is 1 and its content hash is good, or absent
 * while every directory entry points at a header with the magic and the listed type. The candidates
 * are first those on the chain of segments, if the chain reaches the end of the file, then those of
 * a byte-wise search, both from the end backwards. Nothing found: rule "lax", reported as damage.
 *
 * Rule "lax", upstream's own: the last position that looks like a manifest whose directory fits.
 *
 * @param {Uint8Array} bytes the whole file
 * @param {"strict" | "lax"} rule
 * @returns {{offset: number | null, manifest: ReturnType<typeof parseManifest>, damage: string[]}}
 *   offset and manifest are null when there is none
 */
export function findManifest(bytes, rule) {
  if (rule === "lax") {
    return lastAccepted(bytes, positionsBackwards(bytes), () => null, []);
  }
  const damage = [];
  const chain = walkChain(bytes);
  const refusal = (header, manifest) => strictRefusal(bytes, header, manifest);
  if (chain.brokenAt === null) {
    const offsets = chain.headers.map((header) => header.offset).reverse();
    const found = lastAccepted(bytes, offsets, refusal, damage);
    if (found.manifest) {
      return found;
    }
  } else {
    damage.push(`chain of segments breaks at offset ${chain.brokenAt}`);
  }
  const found = lastAccepted(bytes, positionsBackwards(bytes), refusal, damage);
  if (found.manifest) {
    return found;
  }
  const lax = lastAccepted(bytes, positionsBackwards(bytes), () => null, damage);
  if (lax.manifest) {
    damage.push(
      `no manifest passes the strict rule; took the one at ${lax.offset} by the lax rule`,
    );
  }
  return lax;
}

/**
 * A runtime manifest payload, section "Manifest", with every id and count as given.
 * @param {{epoch: number, dimension: number, totalVectors: number, profile: number,
 *   metric: number, directory: {id: bigint | number, offset: number, payloadLength: number,
 *   type: number}[], deletedIds: bigint[], fileId: Uint8Array}} fields fileId is 16 bytes; all zero
 *   leaves the identity out
 * @returns {Uint8Array}
 */
export function manifestPayload(fields) {
  const { directory, deletedIds, fileId } = fields;
  const withIdentity = fileId.some((byte) => byte !== 0);
  const listEnd = FIXED_SIZE + ENTRY_SIZE * directory.length + 4 + 8 * deletedIds.length;
  const payload = new Uint8Array(listEnd + (withIdentity ? 4 + IDENTITY_SIZE : 0));
  const view = viewOf(payload);
  view.setUint32(0, fields.epoch, true);
  view.setUint16(4, fields.dimension, true);
  view.setBigUint64(6, BigInt(fields.totalVectors), true);
  view.setUint32(14, directory.length, true);
  payload[18] = fields.profile;
  payload[19] = fields.metric;
  directory.forEach((entry, i) => {
    const at = FIXED_SIZE + ENTRY_SIZE * i;
    view.setBigUint64(at, BigInt(entry.id), true);
    view.setBigUint64(at + 8, BigInt(entry.offset), true);
    view.setBigUint64(at + 16, BigInt(entry.payloadLength), true);
    payload[at + 24] = entry.type;
  });
  const listStart = listEnd - 4 - 8 * deletedIds.length;
  view.setUint32(listStart, deletedIds.length, true);
  deletedIds.forEach((id, i) => {
    view.setBigUint64(listStart + 4 + 8 * i, id, true);
  });
  if (withIdentity) {
    view.setUint32(listEnd, IDENTITY_MARKER, true);
    payload.set(fileId, listEnd + 4);
  }
  return payload;
}

function parseDirectory(payload, start, count) {
  if (start + ENTRY_SIZE * count > payload.length) {
    return null;
  }
  const view = viewOf(payload);
  return Array.from({ length: count }, (_, i) => {
    const at = start + ENTRY_SIZE * i;
    return {
      id: view.getBigUint64(at, true),
      offset: Number(view.getBigUint64(at + 8, true)),
      payloadLength: Number(view.getBigUint64(at + 16, true)),
      type: payload[at + 24],
    };
  });
}

function parseDeleted(payload, start) {
  const room = payload.length - start - 4;
  if (room < 0) {
    return { ids: [], end: payload.length };
  }
  const view = viewOf(payload);
  const count = Math.min(view.getUint32(start, true), Math.floor(room / 8));
  const ids = Array.from({ length: count }, (_, i) => view.getBigUint64(start + 4 + 8 * i, true));
  return { ids, end: start + 4 + 8 * count };
}

function parseIdentity(rest) {
  const view = viewOf(rest);
  const present = rest.length >= 4 + IDENTITY_SIZE && view.getUint32(0, true) === IDENTITY_MARKER;
  return {
    fileId: present ? hex(rest.subarray(4, 20)) : "0".repeat(32),
    parentId: present ? hex(rest.subarray(20, 36)) : "0".repeat(32),
    lineageDepth: present ? view.getUint32(68, true) : 0,
  };
}

function* positionsBackwards(bytes) {
  for (let offset = bytes.length - 1; offset >= 0; offset--) {
    if (bytes[offset] === 0x53) {
      yield offset;
    }
  }
}

function lastAccepted(bytes, offsets, refusal, damage) {
  for (const offset of offsets) {
    const header = readHeader(bytes, offset);
    if (header?.type !== TYPE.MANIFEST || !header.fits) {
      continue;
    }
    const payload = payloadOf(bytes, header);
    if (parseWasmManifest(payload)) {
      continue;
    }
    const manifest = parseManifest(payload);
    const reason = manifest ? refusal(header, manifest) : "its directory does not fit";
    if (reason === null) {
      return { offset, manifest, damage };
    }
    const line = `manifest at ${offset} refused: ${reason}`;
    if (!damage.includes(line)) {
      damage.push(line);
    }
  }
  return { offset: null, manifest: null, damage };
}

function strictRefusal(bytes, header, manifest) {
  if (header.version !== VERSION) {
    return `version ${header.version}`;
  }
  const hash = hashState(bytes, header);
  if (hash !== "good" && hash !== "absent") {
    return `content hash ${hash}`;
  }
  if (hash === "good") {
    return null; // the hash vouches for the directory; what it points at may be damaged all the same
  }
  for (const entry of manifest.directory) {
    const listed = readHeader(bytes, entry.offset);
    if (!listed) {
      return `directory lists offset ${entry.offset}, where no segment starts`;
    }
    if (listed.type !== entry.type) {
      const types = `type ${entry.type}, the header there says ${listed.type}`;
      return `directory lists offset ${entry.offset} as ${types}`;
    }
  }
  return null;
}
