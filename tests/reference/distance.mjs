export { floatToHalf, halfToFloat } from "./half.mjs";
export { pqDistance, pqTable, sqDequantize } from "./quantize.mjs";

/**
 * Sum of squared differences, no square root, in double precision. Section 13.3.
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b as long as a
 * @returns {number}
 * @throws {RangeError} when the lengths differ
 */
export function l2(a, b) {
  return sum(a, b, (x, y) => (x - y) * (x - y));
}

/**
 * Minus the dot product, in double precision. Section 13.3.
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b as long as a
 * @returns {number}
 * @throws {RangeError} when the lengths differ
 */
export function innerProduct(a, b) {
  return -dot(a, b);
}

/**
 * 1 - dot / sqrt(|a|^2 * |b|^2), in double precision; 1 when either norm is zero. Section 13.3.
 * @param {ArrayLike<number>} a
 * @param {ArrayLike<number>} b as long as a
 * @returns {number}
 * @throws {RangeError} when the lengths differ
 */
export function cosine(a, b) {
  const norms = dot(a, a) * dot(b, b);
  const product = dot(a, b);
  return norms === 0 ? 1 : 1 - product / Math.sqrt(norms);
}

/**
 * Number of differing bits.
 * @param {Uint8Array} a
 * @param {Uint8Array} b as long as a
 * @returns {number}
 * @throws {RangeError} when the lengths differ
 */
export function hamming(a, b) {
  return sum(a, b, (x, y) => bitCount(x ^ y));
}

/** The distances of the metric codes that a file can hold: 0 L2, 1 inner product, 2 cosine. */
export const DISTANCES = Object.freeze([l2, innerProduct, cosine]);

function dot(a, b) {
  return sum(a, b, (x, y) => x * y);
}

function sum(a, b, term) {
  if (a.length !== b.length) {
    throw new RangeError(`lengths ${a.length} and ${b.length} differ`);
  }
  let total = 0;
  for (let i = 0; i < a.length; i++) {
    total += term(a[i], b[i]);
  }
  return total;
}

function bitCount(byte) {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) {
    count++;
  }
  return count;
}
