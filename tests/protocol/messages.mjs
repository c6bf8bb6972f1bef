// The messages of kernel/PROTOCOL.md, written and read without any code of the kernel.
import { crc32c } from "../reference/checksum.mjs";

export const TYPE = Object.freeze({
  LOAD_QUERY: 0x01,
  LOAD_BLOCK: 0x02,
  LOAD_NEIGHBORS: 0x03,
  LOAD_PARAMS: 0x04,
  COMPUTE: 0x05,
  READ_TOPK: 0x06,
  RESET: 0x07,
  TOPK_RESULT: 0x81,
  NEED_BLOCK: 0x82,
  NEED_NEIGHBORS: 0x83,
  DONE: 0x84,
  ERROR: 0x85,
});

/** What LOAD_PARAMS brings. */
export const PARAMS = Object.freeze({ CONFIGURATION: 0, SQ: 1, PQ: 2 });

/** The code of an ERROR for a message of wrong length, checksum or type. */
export const BAD_MESSAGE = 0x0403;
/** The code of an ERROR for a part that does not fit. */
export const DOES_NOT_FIT = 0x0401;

export const MAX_PAYLOAD = 2040;
export const CHECKSUM_RESIDUE = 0x48674bc7;
export const FRESH_STATE = 0x30fcedc0;

/** Bytes of list and rows that one message can bring. */
export const MAX_PART = MAX_PAYLOAD - 16 - 4;

const bytesOf = (numbers) => new Uint8Array(numbers.buffer);

/** A whole message: header, content, checksum. */
export function message(type, id, content = new Uint8Array(0)) {
  const bytes = new Uint8Array(8 + content.length + 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, type, true);
  view.setUint16(2, content.length + 4, true);
  view.setUint32(4, id, true);
  bytes.set(content, 8);
  return sealed(bytes);
}

/** The same bytes with the checksum that belongs to them. */
export function sealed(bytes) {
  const end = bytes.length - 4;
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(end, crc32c(copy.subarray(0, end)), true);
  return copy;
}

/** One part of a LOAD message: the load header, `list`, then `bytes`. */
export function part(type, id, fields) {
  const { to = 0, base = to, count = 0, listTo = 0, kind = 0, last = 0 } = fields;
  const { list = new Uint8Array(0), bytes = new Uint8Array(0) } = fields;
  const content = new Uint8Array(16 + list.length + bytes.length);
  const view = new DataView(content.buffer);
  view.setUint32(0, to, true);
  view.setUint32(4, base, true);
  view.setUint16(8, count, true);
  view.setUint16(10, listTo, true);
  view.setUint16(12, fields.listBytes ?? list.length, true);
  view.setUint8(14, kind);
  view.setUint8(15, last);
  content.set(list, 16);
  content.set(bytes, 16 + list.length);
  return message(type, id, content);
}

/** The 16 bytes of a NeighborList before its ids. */
export function listHeader(node, layer, count, done = 0) {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt.asUintN(64, BigInt(node)), true);
  view.setUint32(8, layer, true);
  view.setUint16(12, count, true);
  view.setUint16(14, done, true);
  return bytes;
}

export const idBytes = (ids) => bytesOf(BigUint64Array.from(ids, BigInt));

export function joined(...parts) {
  return Uint8Array.from(parts.flatMap((bytes) => [...bytes]));
}

/** The bytes of a NeighborList. */
export const neighborList = (node, layer, ids) =>
  joined(listHeader(node, layer, ids.length), idBytes(ids));

/** A TileConfig; `host` is what its last 58 bytes begin with. */
export function configuration({ profile = 2, metric = 0, k = 16, pqSubspaces = 0, host = [] }) {
  const bytes = new Uint8Array(64);
  bytes.set([profile, metric, k, 0, pqSubspaces & 0xff, pqSubspaces >> 8, ...host]);
  return bytes;
}

/** Parts of at most `size` bytes, with the place of each. */
export function pieces(bytes, size = MAX_PART) {
  const parts = [];
  for (let at = 0; at < bytes.length; at += size) {
    parts.push({ at, bytes: bytes.subarray(at, at + size), last: at + size >= bytes.length });
  }
  return parts;
}

/** A reply, read; `sound` says whether length and checksum are those of a message. */
export function parse(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getUint16(2, true);
  const reply = {
    type: view.getUint16(0, true),
    id: view.getUint32(4, true),
    sound: bytes.length === 8 + length && crc32c(bytes) === CHECKSUM_RESIDUE,
    stateBefore: view.getUint32(8, true),
    stateAfter: view.getUint32(12, true),
    operands: view.getUint32(16, true),
  };
  const content = { view, at: 20, length: length - 16 };
  return { ...reply, ...CONTENTS[reply.type]?.(content) };
}

const list = ({ view, at }) => ({
  node: view.getBigInt64(at, true),
  layer: view.getUint32(at + 8, true),
  count: view.getUint16(at + 12, true),
  done: view.getUint16(at + 14, true),
});

const CONTENTS = {
  [TYPE.TOPK_RESULT]: ({ view, at, length }) => ({
    hits: Array.from({ length: length / 12 }, (_, i) => ({
      id: view.getBigUint64(at + 12 * i, true),
      distance: view.getFloat32(at + 12 * i + 8, true),
    })),
  }),
  [TYPE.NEED_BLOCK]: list,
  [TYPE.NEED_NEIGHBORS]: list,
  [TYPE.DONE]: list,
  [TYPE.ERROR]: ({ view, at }) => ({
    refused: view.getUint16(at, true),
    code: view.getUint16(at + 2, true),
  }),
};
