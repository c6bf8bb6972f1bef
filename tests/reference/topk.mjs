/**
 * The k nearest of some candidates: ascending distance, equal distances by ascending id, a NaN
 * distance never. Section 13.3.
 * @param {Iterable<{id: bigint, distance: number}>} candidates
 * @param {number} k 0 gives an empty answer; more than there are gives all
 * @returns {{id: bigint, distance: number}[]}
 */
export function topK(candidates, k) {
  return [...candidates]
    .filter(({ distance }) => !Number.isNaN(distance))
    .sort(nearerFirst)
    .slice(0, k);
}

/**
 * Exact search over rows.
 * @param {Map<bigint, ArrayLike<number>>} rows live rows by id
 * @param {ArrayLike<number>} query
 * @param {number} k
 * @param {(a: ArrayLike<number>, b: ArrayLike<number>) => number} distance
 * @returns {{id: bigint, distance: number}[]}
 */
export function bruteForce(rows, query, k, distance) {
  const candidates = Array.from(rows, ([id, row]) => ({ id, distance: distance(query, row) }));
  return topK(candidates, k);
}

function nearerFirst(a, b) {
  if (a.distance !== b.distance) {
    return a.distance < b.distance ? -1 : 1;
  }
  if (a.id === b.id) {
    return 0;
  }
  return a.id < b.id ? -1 : 1;
}
