// Metadata as callers see it: a plain object of named values.

import { ByteWriter, invalid, isList, isObject, shown } from "./bytes.js";
import { type FieldDraft, type Fields, lastField } from "./fields.js";
import { nameEntry } from "./names.js";
import type { Metadata, MetadataInput, TypedValue } from "./types.js";
import {
  decodeEntries,
  type Entry,
  encodeEntries,
  plainValue,
  type RawValue,
  toMetadataValue,
  valueOfType,
  valueTypes,
  writeSorted,
} from "./values.js";

function isTyped(value: unknown): value is TypedValue {
  return isObject(value) && valueTypes.includes(value.type as TypedValue["type"]);
}

function toRaw(value: unknown, field: string): RawValue {
  const raw = isTyped(value) ? valueOfType(value.type, value.value) : plainValue(value);
  if (raw) return raw;
  throw invalid(
    `The metadata field ${shown(field)} is ${shown(isTyped(value) ? value.value : value)}` +
      `${isTyped(value) ? `, which is no ${value.type}` : ""}; give a text, number, bigint, boolean, ` +
      "Uint8Array, or { type, value }.",
  );
}

/** The entries of a record, and of the row's text. Throws InvalidArgument for what is no record. */
function toEntries(record: unknown, fields: FieldDraft, name: string | undefined): Entry[] {
  const entries: Entry[] = name === undefined ? [] : [nameEntry(name)];
  if (record !== undefined && !isObject(record)) {
    throw invalid(`The metadata is ${shown(record)}; give an object of fields and their values.`);
  }
  for (const [field, value] of Object.entries(record ?? {})) {
    if (value !== undefined) {
      entries.push({ field: fields.numberFor(field), ...toRaw(value, field) });
    }
  }
  return entries;
}

/** The same as bytes. */
export function encodeRecord(
  record: unknown,
  fields: FieldDraft,
  name: string | undefined,
): Uint8Array<ArrayBuffer> {
  return encodeEntries(toEntries(record, fields, name));
}

/** The record of a row's entries, without its text. Fields come in the order of their first use. */
export function decodeRecord(entries: Uint8Array, fields: Fields): Metadata {
  const own = decodeEntries(entries).filter(({ field }) => field <= lastField);
  return Object.fromEntries(
    own.reverse().map((entry) => [fields.nameOf(entry.field), toMetadataValue(entry)]),
  );
}

/** One record or a list of them, one for each of `count` rows; undefined when there are none. */
export function toRecords(
  metadata: unknown,
  count: number,
  many: boolean,
): ArrayLike<MetadataInput | undefined> | undefined {
  if (metadata === undefined) return undefined;
  if (!many) return [metadata as MetadataInput];
  if (!isList(metadata)) {
    throw invalid("The metadata is no list; give one record per id, or undefined for none.");
  }
  if (metadata.length !== count) {
    throw invalid(
      `There are ${metadata.length} records of metadata and ${count} ids; give one per id, undefined ` +
        "for none.",
    );
  }
  return metadata as ArrayLike<MetadataInput | undefined>;
}

/** For each row its length and entries, as rvf_store_upsert takes them; undefined: all have none. */
export function encodeRecords(
  records: ArrayLike<MetadataInput | undefined> | undefined,
  names: readonly (string | undefined)[] | undefined,
  count: number,
  fields: FieldDraft,
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  for (let i = 0; (records || names) && i < count; i++) {
    const at = writer.size;
    writeSorted(writer.u32(0), toEntries(records?.[i], fields, names?.[i]));
    writer.setU32(at, writer.size - at - 4);
  }
  return writer.finish();
}
