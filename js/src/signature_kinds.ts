// Signature footers: which algorithms there are, and what lies where (control/signature.h).

import { invalid, shown, viewOf } from "./bytes.js";
import type { SegmentSignature, SignatureAlgorithm } from "./types.js";

/** By code. */
const algorithms: readonly SignatureAlgorithm[] = ["ed25519", "ml-dsa-65", "slh-dsa-128s"];
const sizes: readonly number[] = [64, 3309, 7856];

/** Where the signature begins in its footer: behind kind u16 and length u16. */
export const signatureOffset = 4;
const lengthBytes = 4;

/** The code of an algorithm and the bytes of its signatures. Throws InvalidArgument. */
export function signatureKind(algorithm: unknown): { code: number; size: number } {
  const code = algorithms.indexOf(algorithm as SignatureAlgorithm);
  if (code >= 0) return { code, size: sizes[code] as number };
  throw invalid(`There is no algorithm ${shown(algorithm)}; use ${algorithms.join(", ")}.`);
}

/** What a sound footer says. */
export function signatureIn(footer: Uint8Array): SegmentSignature {
  return {
    algorithm: algorithms[viewOf(footer).getUint16(0, true)] as SignatureAlgorithm,
    bytes: footer.slice(signatureOffset, footer.length - lengthBytes),
  };
}
