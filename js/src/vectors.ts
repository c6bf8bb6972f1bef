// Vectors from JavaScript: any list of numbers becomes 32-bit floats of the right count.

import { invalid, isList } from "./bytes.js";
import { check, RvfError, RvfErrorCode } from "./errors.js";

/** `numbers` as 32-bit floats; a copy unless they are that already. */
function toFloats(numbers: unknown, what: string): Float32Array {
  if (numbers instanceof Float32Array) return numbers;
  if (!isList(numbers))
    throw invalid(`${what} is no list of numbers; pass a Float32Array or an array.`);
  return Float32Array.from(numbers, (value, i) => {
    if (typeof value === "number") return value;
    throw invalid(
      `Element ${i} of ${what.toLowerCase()} is of type ${typeof value}; give numbers, or a list of ids with ` +
        "a list of vectors.",
    );
  });
}

/** The floats of one vector. Throws DimensionMismatch. */
export function toVector(vector: unknown, dimension: number, what: string): Float32Array {
  const floats = toFloats(vector, what);
  if (floats.length !== dimension) {
    throw new RvfError(
      RvfErrorCode.DimensionMismatch,
      `${what} has ${floats.length} elements, but the store's dimension is ${dimension}; use the ` +
        "model that the store was made with.",
    );
  }
  return floats;
}

/** `count` rows in one array, from one flat list or a list of rows. */
export function toRows(vectors: unknown, count: number, dimension: number): Float32Array {
  if (!isList(vectors)) throw invalid("The vectors are no list; pass a Float32Array or an array.");
  if (!isList(vectors[0])) {
    const floats = toFloats(vectors, "The list of vectors");
    if (floats.length === count * dimension) return floats;
    throw new RvfError(
      RvfErrorCode.DimensionMismatch,
      `The number of ids is ${count}, so ${count * dimension} elements are needed (dimension ${dimension}), ` +
        `but there are ${floats.length}.`,
    );
  }
  if (vectors.length !== count) {
    throw invalid(`There are ${vectors.length} vectors and ${count} ids; give one id per vector.`);
  }
  const rows = new Float32Array(count * dimension);
  for (let i = 0; i < count; i++) {
    rows.set(toVector(vectors[i], dimension, `Vector ${i}`), i * dimension);
  }
  return rows;
}

/** Any number of rows in one array, from one flat list or a list of rows. */
export function toQueries(vectors: unknown, dimension: number): Float32Array {
  if (!isList(vectors)) throw invalid("The queries are no list; pass a Float32Array or an array.");
  if (isList(vectors[0])) {
    const rows = new Float32Array(vectors.length * dimension);
    for (let i = 0; i < vectors.length; i++) {
      rows.set(toVector(vectors[i], dimension, `Query ${i}`), i * dimension);
    }
    return rows;
  }
  const floats = toFloats(vectors, "The list of queries");
  if (floats.length % dimension === 0) return floats;
  throw new RvfError(
    RvfErrorCode.DimensionMismatch,
    `The list of queries has ${floats.length} elements, which is no multiple of the dimension ${dimension}; ` +
      "give whole vectors.",
  );
}

/** Throws NotFinite, naming the first element that is not finite. */
export function requireFinite(
  rows: Float32Array,
  dimension: number,
  what: (row: number) => string,
): void {
  const bad = rows.findIndex((x) => !Number.isFinite(x));
  if (bad < 0) return;
  throw new RvfError(
    RvfErrorCode.NotFinite,
    `Element ${bad % dimension} of ${what(Math.floor(bad / dimension))} is ${rows[bad]} as a 32-bit ` +
      "float; give finite numbers.",
  );
}

/** As `check`; a NotFinite names the element. */
export function checkFinite(
  status: number,
  rows: Float32Array,
  dimension: number,
  what: (row: number) => string,
): number {
  if (status === -RvfErrorCode.NotFinite) requireFinite(rows, dimension, what);
  return check(status);
}
