// A hub's view of the module: rings, and checks what every reply must be.
import assert from "node:assert/strict";
import { crc32c } from "../reference/checksum.mjs";
import { DTYPE, MAP } from "../wasm/tile.mjs";
import { parse } from "./messages.mjs";

/** Leaves a message, rings, and answers the reply's bytes. */
export function ring(tile, sent) {
  tile.write(MAP.MESSAGE, sent);
  tile.exports._start();
  const length = tile.view.getUint16(MAP.MESSAGE + 2, true);
  return tile.read(MAP.MESSAGE, 8 + length);
}

export const stateChecksum = (image) => crc32c(image.subarray(0, MAP.ROUTING));

/** A tile whose every reply is checked against an image of its memory before and after. */
export class CheckedTile {
  constructor(tile) {
    this.tile = tile;
  }

  ring(sent) {
    const { tile } = this;
    tile.write(MAP.MESSAGE, sent);
    const before = tile.snapshot();
    const bytes = ring(tile, sent);
    const reply = parse(bytes);
    assert.ok(reply.sound, "a reply of wrong length or checksum");
    assert.equal(reply.id, new DataView(before.buffer).getUint32(MAP.MESSAGE + 4, true));
    assert.equal(reply.stateBefore, stateChecksum(before));
    assert.equal(reply.stateAfter, stateChecksum(tile.bytes));
    this.before = before;
    return bytes;
  }
}

const STATE = Object.freeze({ dimension: 0x40, tables: 0x54, pqSubspaces: 0x5c });

/** CRC32C of what decides the distances of a block: query, tables, list, rows. */
export function operandsOf(image, { base, count, kind }) {
  const view = new DataView(image.buffer, image.byteOffset);
  const dimension = view.getUint32(STATE.dimension, true);
  const row = { [DTYPE.F16]: 2 * dimension, [DTYPE.I8]: dimension, [DTYPE.F32]: 4 * dimension };
  const size = row[kind] ?? view.getUint32(STATE.pqSubspaces, true);
  const ids = 8 * view.getUint16(MAP.NEIGHBORS + 12, true);
  const tables = view.getUint32(STATE.tables, true) ? [[MAP.TABLES, MAP.HOT_CACHE]] : [];
  const ranges = [
    [MAP.QUERY, MAP.END],
    ...tables,
    [MAP.NEIGHBORS, MAP.NEIGHBORS + 16 + ids],
    [base, base + size * count],
  ];
  return crc32c(Buffer.concat(ranges.map(([from, to]) => image.subarray(from, to))));
}
