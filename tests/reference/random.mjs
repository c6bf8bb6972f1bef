/**
 * The query vector of a seed, as expected.json's query_vector_rule says.
 * @param {number} seed u32, not zero
 * @param {number} dimension
 * @returns {Float32Array} values in [-1, 1)
 */
export function queryVector(seed, dimension) {
  return randomSource(seed).floats(dimension);
}

/**
 * A source of repeatable numbers (xorshift32) for tests.
 * @param {number} seed u32, not zero
 * @returns {{uint32: () => number, float: (low?: number, high?: number) => number,
 *   int: (low: number, high: number) => number, floats: (length: number, low?: number,
 *   high?: number) => Float32Array, bytes: (length: number) => Uint8Array}}
 *   uint32: 1..2^32-1. float: [low, high), default [-1, 1). int: low..high, both included
 * @throws {RangeError} when the seed is 0
 */
export function randomSource(seed) {
  let state = seed >>> 0;
  if (state === 0) {
    throw new RangeError("xorshift32 needs a seed other than 0");
  }
  const uint32 = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  const float = (low = -1, high = 1) => ((uint32() >>> 8) / 2 ** 24) * (high - low) + low;
  const int = (low, high) => low + (uint32() % (high - low + 1));
  const floats = (length, low, high) => Float32Array.from({ length }, () => float(low, high));
  const bytes = (length) => Uint8Array.from({ length }, () => uint32() >>> 24);
  return { uint32, float, int, floats, bytes };
}
