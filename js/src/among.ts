// Queries among a few rows: they are copied to a store of their own for as long as a query takes, so
// that it costs what they cost, and not a look at every row. Distances are the same to the last bit.

import { ByteWriter } from "./bytes.js";
import { visitRows } from "./entries.js";
import { check } from "./errors.js";
import { encodeIds } from "./ids.js";
import { withCopies } from "./memory.js";
import type { StoreRef } from "./session.js";
import type { NumericId } from "./types.js";

/** Lengths and entries of rows as rvf_store_upsert takes them, and where those of each begin. */
function entriesOf(store: StoreRef, labels: readonly NumericId[]) {
  const writer = new ByteWriter();
  const starts: number[] = [];
  visitRows(store, labels, (_, entries) => {
    starts.push(writer.size);
    writer.u32(entries.length).bytes(entries);
  });
  return { bytes: writer.finish(), starts };
}

/** Copies those rows that are live to another store of the same dimension. */
function copyRows(
  store: StoreRef,
  target: number,
  dimension: number,
  labels: readonly NumericId[],
): void {
  const { wasm, handle } = store;
  const { bytes, starts } = entriesOf(store, labels);
  withCopies(wasm, [encodeIds(labels), bytes], [4 * dimension], (ids, meta, row) => {
    for (const [i, start] of starts.entries()) {
      const id = ids + 8 * i;
      const size = (starts[i + 1] ?? bytes.length) - start;
      if (check(wasm.rvf_store_vector(handle, id, row)) === 1) {
        check(wasm.rvf_store_upsert(target, row, id, 1, meta + start, size));
      }
    }
  });
}

/**
 * Calls `use` with the handle of a store of those rows that are live. They must be finite. Throws
 * OutOfMemory or TooManyStores.
 */
export function withRows<T>(
  store: StoreRef,
  dimension: number,
  metric: number,
  labels: readonly NumericId[],
  use: (handle: number) => T,
): T {
  const { wasm } = store;
  const handle = check(wasm.rvf_store_create(dimension, metric));
  try {
    copyRows(store, handle, dimension, labels);
    return use(handle);
  } finally {
    wasm.rvf_store_close(handle);
  }
}
