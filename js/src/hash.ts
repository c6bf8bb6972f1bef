// The two 32-byte hashes of the format, and which of them a stored one is.

import type { ControlExports } from "./abi.js";
import { check } from "./errors.js";
import { copyOut, withCopies } from "./memory.js";
import type { ImageHash } from "./types.js";

const hashBytes = 32;
const kinds = ["simple", "shake-256"] as const;

/** Upstream's simple hash, which anybody can forge, or SHAKE-256. */
export function hashOf(
  wasm: ControlExports,
  kind: (typeof kinds)[number],
  bytes: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return withCopies(wasm, [bytes], [hashBytes], (address, out) => {
    check(wasm.rvf_hash(kinds.indexOf(kind), address, bytes.length, out));
    return copyOut(wasm, out, hashBytes);
  });
}

/** How a stored hash fits the bytes. */
export function compareHash(
  wasm: ControlExports,
  stored: Uint8Array,
  bytes: Uint8Array,
): ImageHash {
  if (stored.every((byte) => byte === 0)) return "absent";
  const kind = kinds.find((name) => {
    const hash = hashOf(wasm, name, bytes);
    return stored.every((byte, i) => byte === hash[i]);
  });
  return kind ?? "bad";
}
