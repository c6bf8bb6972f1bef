// Ids between JavaScript (number or bigint) and the module (u64, as two 32-bit halves).

import { RvfError, RvfErrorCode } from "./errors.js";
import type { Id } from "./types.js";

const halfRange = 2 ** 32;

/**
 * The ids as little-endian u64. Throws InvalidArgument for the first one that is negative, fractional,
 * a number above 2^53 - 1, a bigint above 2^64 - 1, or no number at all.
 */
export function encodeIds(ids: ArrayLike<Id>): Uint32Array {
  const halves = new Uint32Array(ids.length * 2);
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i];
    if (typeof id === "number" && Number.isSafeInteger(id) && id >= 0) {
      halves[2 * i] = id; // modulo 2^32
      halves[2 * i + 1] = id / halfRange;
    } else if (typeof id === "bigint" && id === BigInt.asUintN(64, id)) {
      halves[2 * i] = Number(BigInt.asUintN(32, id));
      halves[2 * i + 1] = Number(id >> BigInt(32));
    } else {
      throw new RvfError(
        RvfErrorCode.InvalidArgument,
        `The id ${typeof id === "string" ? JSON.stringify(id) : String(id)} at position ${i} is not an ` +
          "unsigned 64-bit integer; use a safe integer, or a bigint above 2^53 - 1.",
      );
    }
  }
  return halves;
}

/** The id at `offset` of `view`: a number when it is a safe integer, else a bigint. */
export function decodeId(view: DataView, offset: number): Id {
  const low = view.getUint32(offset, true);
  const high = view.getUint32(offset + 4, true);
  return high < 2 ** 21 ? high * halfRange + low : (BigInt(high) << BigInt(32)) | BigInt(low);
}
