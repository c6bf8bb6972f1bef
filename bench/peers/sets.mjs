// The sets that engines are compared on. A set lies in a folder of its own, so that every engine,
// each in a process of its own, reads the same bytes.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { clustered, randomNumbers, readBvecs } from "../sets.mjs";

/** A set of `rows` vectors; `make` answers them with the queries behind. */
const generated = (key, rows, queries, rounds, builds) => ({
  key,
  name: `${rows.toLocaleString("en")} x 384, clustered`,
  dimension: 384,
  rows,
  queries,
  rounds,
  builds,
  make: () => clustered(rows + queries, 384),
});

const sift = (rounds, builds) => ({
  key: "sift",
  name: "SIFT, 9,000 x 128",
  dimension: 128,
  rows: 9000,
  queries: 1000,
  rounds,
  builds,
  make: () => readBvecs(new URL("../../tests/fixtures/sift10k/base.bvecs", import.meta.url)),
});

export const QUICK_SETS = [generated("10k", 10_000, 500, 2, 1), sift(2, 1)];

export const FULL_SETS = [
  generated("10k", 10_000, 500, 6, 4),
  sift(6, 6),
  generated("100k", 100_000, 500, 4, 1),
];

/** A number from 0 on for every row, in random order: a filter admits those below some limit. */
function ranksOf(rows) {
  const { uniform } = randomNumbers(3);
  const ranks = Uint32Array.from({ length: rows }, (_, i) => i);
  for (let i = rows - 1; i > 0; i--) {
    const j = Math.floor(uniform() * (i + 1));
    [ranks[i], ranks[j]] = [ranks[j], ranks[i]];
  }
  return ranks;
}

export function writeSet(folder, { make, ...set }) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "vectors.f32"), new Uint8Array(make().buffer));
  writeFileSync(join(folder, "ranks.u32"), new Uint8Array(ranksOf(set.rows).buffer));
  writeFileSync(join(folder, "set.json"), JSON.stringify(set));
  return readSet(folder);
}

/** The set in a folder: `row(i)` and `query(i)` are views of its vectors. */
export function readSet(folder) {
  const set = JSON.parse(readFileSync(join(folder, "set.json"), "utf8"));
  const { dimension, rows } = set;
  const numbers = (file, Type) => {
    const bytes = readFileSync(join(folder, file));
    return new Type(bytes.buffer, bytes.byteOffset, bytes.byteLength / Type.BYTES_PER_ELEMENT);
  };
  const vectors = numbers("vectors.f32", Float32Array);
  const row = (i) => vectors.subarray(i * dimension, (i + 1) * dimension);
  return {
    ...set,
    folder,
    vectors: vectors.subarray(0, rows * dimension),
    ranks: numbers("ranks.u32", Uint32Array),
    row,
    query: (i) => row(rows + i),
  };
}
