// Metadata as bytes: reading and replacing the entries of a row, or of the store itself; and the
// numbers of rows.

import { check } from "./errors.js";
import { decodeId, encodeIds } from "./ids.js";
import { copyOut, withCopies, withScratch } from "./memory.js";
import type { StoreRef } from "./session.js";
import type { NumericId } from "./types.js";

const usualBytes = 1024;
const none = new Uint8Array(0);

/** What `read` writes, which is called again with more room when it answers that it needs more. */
function readFitting(
  { wasm }: StoreRef,
  read: (out: number, len: number) => number,
): Uint8Array<ArrayBuffer> {
  for (let room = usualBytes; ; ) {
    const bytes = withScratch(wasm, [room], (out) => {
      const size = check(read(out, room));
      return size <= room ? copyOut(wasm, out, size) : size;
    });
    if (typeof bytes !== "number") return bytes;
    room = bytes;
  }
}

/** The entries of a row, by its number, or of the store; empty when it has none or is not there. */
export function readEntries(store: StoreRef, label?: NumericId): Uint8Array<ArrayBuffer> {
  const { wasm, handle } = store;
  if (label === undefined) {
    return readFitting(store, (out, len) => wasm.rvf_store_metadata(handle, 0, out, len));
  }
  return withCopies(wasm, [encodeIds([label])], [], (id) =>
    readFitting(store, (out, len) => wasm.rvf_store_metadata(handle, id, out, len)),
  );
}

/** Replaces the entries of a row, or of the store for undefined; answers whether it is there. */
export function writeEntries(
  store: StoreRef,
  label: NumericId | undefined,
  entries: Uint8Array,
): boolean {
  const { wasm, handle } = store;
  const halves = encodeIds(label === undefined ? [] : [label]);
  return withCopies(wasm, [entries, halves], [], (meta, idPtr) => {
    const id = label === undefined ? 0 : idPtr;
    return check(wasm.rvf_store_set_metadata(handle, id, meta, entries.length)) === 1;
  });
}

/** The numbers of all live rows, in the order of the rows. */
export function rowNumbers({ wasm, handle }: StoreRef): NumericId[] {
  const bytes = 8 * check(wasm.rvf_store_count(handle));
  return withScratch(wasm, [bytes], (out) => {
    check(wasm.rvf_store_ids(handle, out, bytes));
    const view = new DataView(copyOut(wasm, out, bytes).buffer);
    return Array.from({ length: bytes / 8 }, (_, i) => decodeId(view, 8 * i));
  });
}

/** Calls `visit` with the number and the entries of each of these rows. */
export function visitRows(
  store: StoreRef,
  labels: readonly NumericId[],
  visit: (label: NumericId, entries: Uint8Array<ArrayBuffer>) => void,
): void {
  const { wasm, handle } = store;
  withCopies(wasm, [encodeIds(labels)], [usualBytes], (ids, out) => {
    for (const [i, label] of labels.entries()) {
      const size = check(wasm.rvf_store_metadata(handle, ids + 8 * i, out, usualBytes));
      if (size === 0) visit(label, none);
      else visit(label, size > usualBytes ? readEntries(store, label) : copyOut(wasm, out, size));
    }
  });
}
