/**
 * The one error of the reference: a code of section "Error codes" of the format document and a reason.
 */
export class RvfRefError extends Error {
  /**
   * @param {number} code u16 of section "Error codes", for example 0x0102
   * @param {string} reason what was found where
   */
  constructor(code, reason) {
    super(`RVF 0x${code.toString(16).padStart(4, "0")}: ${reason}`);
    this.name = "RvfRefError";
    this.code = code;
  }
}

/** The codes of section "Error codes" that this reference throws. */
export const CODE = Object.freeze({
  INVALID_CHECKSUM: 0x0102,
  MANIFEST_NOT_FOUND: 0x0106,
  PARENT_HASH_MISMATCH: 0x0601,
  COW_MAP_CORRUPT: 0x0700,
});
