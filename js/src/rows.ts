// Rows: ingesting and deleting them, their vectors and their metadata.

import { isList } from "./bytes.js";
import { readEntries, rowNumbers, writeEntries } from "./entries.js";
import { check } from "./errors.js";
import { compileFilter } from "./filter.js";
import { encodeIds } from "./ids.js";
import { copyOut, withCopies } from "./memory.js";
import { toIds } from "./names.js";
import { decodeRecord, encodeRecord, encodeRecords, toRecords } from "./records.js";
import type { Session } from "./session.js";
import type { Filter, Id, Metadata, MetadataInput, NumericId } from "./types.js";
import { checkFinite, requireFinite, toRows, toVector } from "./vectors.js";

const nameRow = (row: number) => `vector ${row}`;

/** What RvfStore.ingest does. */
export function ingest(
  session: Session,
  dimension: number,
  vectors: unknown,
  ids: Id | ArrayLike<Id>,
  metadata: unknown,
): number {
  const { wasm, handle, fields, names } = session;
  const list = toIds(ids);
  const count = list.length;
  const many = isList(ids);
  const rows = many
    ? toRows(vectors, count, dimension)
    : toVector(vectors, dimension, "The vector");
  const records = toRecords(metadata, count, many);
  const draft = names.draft(list);
  const fieldDraft = fields.draft();
  const meta = encodeRecords(records, draft.names, count, fieldDraft);
  if (fieldDraft.hasNew()) requireFinite(rows, dimension, nameRow); // before names are stored
  const store = () =>
    withCopies(wasm, [rows, draft.labels, meta], [], (rowsPtr, idsPtr, metaPtr) => {
      const sources = [rowsPtr, idsPtr, count, metaPtr, meta.length] as const;
      const status = wasm.rvf_store_upsert(handle, ...sources);
      return checkFinite(status, rows, dimension, nameRow);
    });
  const stored = fieldDraft.apply(store);
  draft.apply();
  return stored;
}

/** The row of an id, by its number, when it is live. */
function liveLabel(session: Session, id: Id): NumericId | undefined {
  const [checked] = Array.from(toIds([id]));
  return session.names.labelOf(checked as Id);
}

/** The vector of an id, or undefined. */
export function vectorOf(
  session: Session,
  dimension: number,
  id: Id,
): Float32Array<ArrayBuffer> | undefined {
  const { wasm, handle } = session;
  const label = liveLabel(session, id);
  if (label === undefined) return undefined;
  const size = dimension * 4;
  return withCopies(wasm, [encodeIds([label])], [size], (idPtr, out) => {
    const found = check(wasm.rvf_store_vector(handle, idPtr, out));
    return found ? new Float32Array(copyOut(wasm, out, size).buffer) : undefined;
  });
}

/** The ids of all rows. */
export function idsOf(session: Session): Id[] {
  return rowNumbers(session).map((label) => session.names.idOf(label));
}

/** Deletes by id; answers how many were there. */
export function deleteIds(session: Session, ids: Id | ArrayLike<Id>): number {
  const { wasm, handle, names } = session;
  const list = toIds(ids);
  const labels = encodeIds(names.labelsOf(list));
  const deleted = withCopies(wasm, [labels], [], (ptr) =>
    check(wasm.rvf_store_delete(handle, ptr, labels.length / 2)),
  );
  names.remove(list);
  return deleted;
}

/** Deletes what a filter admits; answers how many. */
export function deleteWhere(session: Session, filter: Filter | string): number {
  const { wasm, handle, names, fields } = session;
  const program = compileFilter(filter, fields);
  const deleted = withCopies(wasm, [program], [], (ptr) =>
    check(wasm.rvf_store_delete_where(handle, ptr, program.length)),
  );
  if (deleted > 0) names.reload();
  return deleted;
}

/** The record of an id; undefined when the id is not held. */
export function metadataOf(session: Session, dimension: number, id: Id): Metadata | undefined {
  const label = liveLabel(session, id);
  if (label === undefined) return undefined;
  const entries = readEntries(session, label);
  if (entries.length === 0 && !vectorOf(session, dimension, id)) return undefined;
  return decodeRecord(entries, session.fields);
}

/** Replaces the record of an id; answers whether it is held. */
export function setMetadata(
  session: Session,
  dimension: number,
  id: Id,
  record: MetadataInput | undefined,
): boolean {
  const draft = session.fields.draft();
  const entries = encodeRecord(record, draft, typeof id === "string" ? id : undefined);
  const label = liveLabel(session, id);
  if (label === undefined || !vectorOf(session, dimension, id)) return false;
  return draft.apply(() => writeEntries(session, label, entries));
}
