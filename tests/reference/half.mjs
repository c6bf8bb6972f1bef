/**
 * The value of an IEEE 754 binary16, exactly.
 * @param {number} bits u16
 * @returns {number}
 */
export function halfToFloat(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) {
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  if (exponent === 0) {
    return sign * fraction * 2 ** -24;
  }
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/**
 * The nearest IEEE 754 binary16, ties to even, in one rounding from double precision.
 * NaN gives 0x7E00; what rounds above 65,504 gives infinity.
 * @param {number} value
 * @returns {number} u16
 */
export function floatToHalf(value) {
  if (Number.isNaN(value)) {
    return 0x7e00;
  }
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65_520) {
    return sign | 0x7c00;
  }
  // The spacing of halves around `size`: 2^-24 below 2^-14, twice that for each power of two above.
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const steps = roundHalfEven(size / 2 ** (exponent - 10));
  // Consecutive halves have consecutive bits, so a carry out of the fraction needs no care.
  return sign | (steps + ((exponent + 14) << 10));
}

function roundHalfEven(value) {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
