// The plain second opinion: vectors by rule and distances in double precision.

/** xorshift32 floats in [-1, 1): the rule of tests/fixtures/upstream/expected.json. */
export function randomVector(seed, dimension) {
  let s = seed >>> 0;
  return Float32Array.from({ length: dimension }, () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return ((s >>> 8) / 2 ** 24) * 2 - 1;
  });
}

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

export const distance = {
  l2: (a, b) => a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0),
  inner_product: (a, b) => -dot(Array.from(a), b),
  cosine: (a, b) => {
    const [p, q] = [Array.from(a), Array.from(b)];
    return 1 - dot(p, q) / Math.sqrt(dot(p, p) * dot(q, q));
  },
};

/** The k nearest of `rows` ([id, vector] pairs), nearest first, ties by id. */
export function nearest(rows, query, k, metric) {
  return rows
    .map(([id, vector]) => ({ id, distance: distance[metric](Array.from(query), vector) }))
    .sort((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1))
    .slice(0, k);
}

/** A float as IEEE half precision, rounded to nearest even. */
export function toHalf(value) {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(Math.floor(Math.log2(size || 2 ** -24)), -14);
  const steps = size / 2 ** (exponent - 10);
  const floor = Math.floor(steps);
  const rest = steps - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
  return sign | (((exponent + 14) << 10) + rounded);
}

export function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 1024 + fraction : fraction) * 2 ** (Math.max(exponent, 1) - 25);
}
