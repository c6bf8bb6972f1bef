// Numbers as ids between JavaScript (number or bigint) and the module (u64, as two 32-bit halves).

import { encodeText, invalid, shown } from "./bytes.js";
import type { Id, NumericId } from "./types.js";

const halfRange = 2 ** 32;

function isId(id: unknown): boolean {
  if (typeof id === "number") return Number.isSafeInteger(id) && id >= 0;
  if (typeof id === "bigint") return id === BigInt.asUintN(64, id);
  return typeof id === "string" && encodeText(id) !== undefined;
}

/**
 * Throws InvalidArgument for the first id that is no text in valid Unicode and no number from 0 to
 * 2^64 - 1, or one above 2^53 - 1 that is not a bigint.
 */
export function checkIds(ids: ArrayLike<unknown>): asserts ids is ArrayLike<Id> {
  for (let i = 0; i < ids.length; i++) {
    if (isId(ids[i])) continue;
    throw invalid(
      `The id ${shown(ids[i])} at position ${i} is neither text nor an unsigned 64-bit integer; use a ` +
        "text, a safe integer, or a bigint above 2^53 - 1.",
    );
  }
}

/** Sound ids as little-endian u64. */
export function encodeIds(ids: ArrayLike<NumericId>): Uint32Array<ArrayBuffer> {
  const halves = new Uint32Array(ids.length * 2);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as NumericId;
    if (typeof id === "number") {
      halves[2 * i] = id; // modulo 2^32
      halves[2 * i + 1] = id / halfRange;
    } else {
      halves[2 * i] = Number(BigInt.asUintN(32, id));
      halves[2 * i + 1] = Number(id >> BigInt(32));
    }
  }
  return halves;
}

/** The id at `offset` of `view`: a number when it is a safe integer, else a bigint. */
export function decodeId(view: DataView, offset: number): NumericId {
  const low = view.getUint32(offset, true);
  const high = view.getUint32(offset + 4, true);
  return high < 2 ** 21 ? high * halfRange + low : (BigInt(high) << BigInt(32)) | BigInt(low);
}
