// The vectors that the search benches measure with.
import { readFileSync } from "node:fs";

/** Mulberry32, and normal numbers from it. */
export function randomNumbers(seed) {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

/** Unit vectors near a 16-dimensional mixture of 256 clusters: like embeddings, but easier. */
export function clustered(count, dimension) {
  const { uniform, normal } = randomNumbers(1);
  const latent = 16;
  const centres = Float32Array.from({ length: 256 * latent }, normal);
  const map = Float32Array.from({ length: dimension * latent }, () => normal() / 4);
  const rows = new Float32Array(count * dimension);
  for (let i = 0; i < count; i++) {
    const cluster = Math.floor(uniform() * 256);
    const point = Array.from(
      { length: latent },
      (_, j) => centres[cluster * latent + j] + normal() / 2,
    );
    const row = rows.subarray(i * dimension, (i + 1) * dimension);
    for (let d = 0; d < dimension; d++) {
      for (let j = 0; j < latent; j++) row[d] += point[j] * map[d * latent + j];
    }
    const noise = Math.sqrt((0.05 * row.reduce((sum, x) => sum + x * x, 0)) / dimension);
    for (let d = 0; d < dimension; d++) row[d] += noise * normal();
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    for (let d = 0; d < dimension; d++) row[d] /= length;
  }
  return rows;
}

/** Independent values from -1 to 1: no structure at all. */
export function uniformRows(count, dimension) {
  const { uniform } = randomNumbers(2);
  return Float32Array.from({ length: count * dimension }, () => uniform() * 2 - 1);
}

export function readBvecs(path) {
  const bytes = readFileSync(path);
  const dimension = bytes.readUInt32LE(0);
  const count = bytes.length / (4 + dimension);
  const rows = new Float32Array(count * dimension);
  for (let i = 0; i < count; i++) {
    rows.set(bytes.subarray(i * (4 + dimension) + 4, (i + 1) * (4 + dimension)), i * dimension);
  }
  return rows;
}
