// Segments that a store carries on unread: those of its file, and those that are added.

import { toBytes } from "./bytes.js";
import { check, RvfError, type RvfErrorName } from "./errors.js";
import { decodeId } from "./ids.js";
import { copyOut, readRecord, withCopies } from "./memory.js";
import type { StoreRef } from "./session.js";
import type { CarriedSegment } from "./types.js";

const infoBytes = 40;
/** The high half of the offset of a segment that no commit holds. */
const notInFile = 0xffff_ffff;

/** Adds a segment; answers its id. */
export function embed({ wasm, handle }: StoreRef, type: number, payload: unknown): number {
  const bytes = toBytes(payload, "bytes of a payload");
  return withCopies(wasm, [bytes], [], (ptr) =>
    check(wasm.rvf_store_embed(handle, type, ptr, bytes.length)),
  );
}

/** The carried segments of a type, in the order of the file. */
export function carried({ wasm, handle }: StoreRef, type: number): CarriedSegment[] {
  const found: CarriedSegment[] = [];
  for (let index = 0; ; index++) {
    let there = 0;
    const view = readRecord(wasm, infoBytes, (out) => {
      there = check(wasm.rvf_store_segment(handle, index, out));
    });
    if (there === 0) return found;
    if (view.getUint32(16, true) !== type) continue;
    const status = view.getInt32(28, true);
    const inFile = view.getUint32(12, true) !== notInFile;
    found.push({
      id: decodeId(view, 0),
      ...(inFile ? { offset: Number(view.getBigUint64(8, true)) } : {}),
      payload: copyOut(wasm, view.getUint32(20, true), view.getUint32(24, true)),
      ...(status < 0 ? { problem: new RvfError(-status).codeName as RvfErrorName } : {}),
    });
  }
}
