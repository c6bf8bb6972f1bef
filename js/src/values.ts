// Typed values between JavaScript and the bytes that metadata and filters are made of
// (control/metadata.h).

import { ByteWriter, decodeText, encodeText, fromHex, viewOf } from "./bytes.js";
import { decodeId } from "./ids.js";
import type { MetadataValue, ValueType } from "./types.js";

/** A value as the module has it. */
export interface RawValue {
  /** Index in {@link valueTypes}. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** A value and the field that it belongs to. */
export interface Entry extends RawValue {
  readonly field: number;
}

/** By code. */
export const valueTypes: readonly ValueType[] = ["u64", "i64", "f64", "string", "bool", "bytes"];

const [u64, i64, f64, string, bool, blob] = [0, 1, 2, 3, 4, 5];
const largestI64 = (BigInt(1) << BigInt(63)) - BigInt(1);

const integerText = /^[+-]?\d+$/;
const floatText = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const specialFloats = new Map([
  ["inf", Number.POSITIVE_INFINITY],
  ["infinity", Number.POSITIVE_INFINITY],
  ["nan", Number.NaN],
]);

function toBigInt(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== "string" || !integerText.test(value)) return undefined;
  return BigInt(value.replace(/^\+/, ""));
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return undefined;
  if (floatText.test(value)) return Number(value);
  const special = specialFloats.get(value.toLowerCase().replace(/^[+-]/, ""));
  return special !== undefined && value.startsWith("-") ? -special : special;
}

function integer(type: number, value: unknown): RawValue | undefined {
  const number = toBigInt(value);
  if (number === undefined) return undefined;
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, number, true);
  const back = type === u64 ? view.getBigUint64(0, true) : view.getBigInt64(0, true);
  return back === number ? { type, bytes } : undefined;
}

function float(value: unknown): RawValue | undefined {
  const number = toNumber(value);
  return number === undefined
    ? undefined
    : { type: f64, bytes: new Uint8Array(new Float64Array([number]).buffer) };
}

function text(value: unknown): RawValue | undefined {
  const bytes = typeof value === "string" ? encodeText(value) : undefined;
  return bytes && { type: string, bytes };
}

function truth(value: unknown): RawValue | undefined {
  if (value === true || value === "true") return { type: bool, bytes: new Uint8Array([1]) };
  if (value === false || value === "false") return { type: bool, bytes: new Uint8Array([0]) };
  return undefined;
}

function bytesOf(value: unknown): RawValue | undefined {
  const bytes = typeof value === "string" ? fromHex(value) : value;
  return bytes instanceof Uint8Array ? { type: blob, bytes } : undefined;
}

/**
 * The value of that type, also from text: decimal numbers, true and false, and hexadecimal bytes.
 * Undefined when it is none.
 */
export function valueOfType(type: ValueType, value: unknown): RawValue | undefined {
  if (type === "u64") return integer(u64, value);
  if (type === "i64") return integer(i64, value);
  if (type === "f64") return float(value);
  if (type === "bool") return truth(value);
  return type === "string" ? text(value) : bytesOf(value);
}

/**
 * The value of a type that follows from JavaScript's: numbers are f64; bigints i64, or u64 above its
 * range. Undefined when there is none.
 */
export function plainValue(value: unknown): RawValue | undefined {
  if (typeof value === "string") return text(value);
  if (typeof value === "number") return float(value);
  if (typeof value === "bigint") return integer(value > largestI64 ? u64 : i64, value);
  return typeof value === "boolean" ? truth(value) : bytesOf(value);
}

/** What {@link plainValue} makes `raw` of; a u64 that it would make an i64 of comes with its type. */
export function toMetadataValue({ type, bytes }: RawValue): MetadataValue {
  const view = viewOf(bytes);
  if (type === u64) {
    const number = view.getBigUint64(0, true);
    return number > largestI64 ? number : { type: "u64", value: decodeId(view, 0) };
  }
  if (type === i64) return view.getBigInt64(0, true);
  if (type === f64) return view.getFloat64(0, true);
  if (type === string) return decodeText(bytes);
  return type === bool ? bytes[0] === 1 : bytes.slice();
}

/** Appends type, length and value. */
export function writeValue(writer: ByteWriter, { type, bytes }: RawValue): void {
  writer.u8(type).u32(bytes.length).bytes(bytes);
}

/** Appends entries as the module takes them, ascending by field. */
export function writeSorted(writer: ByteWriter, entries: Entry[]): void {
  entries.sort((a, b) => a.field - b.field);
  for (const entry of entries) writeValue(writer.u16(entry.field), entry);
}

/** Entries as the module takes them. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writeSorted(writer, [...entries]);
  return writer.finish();
}

/** The bytes of the entry at `at`: field u16, type u8, length u32, value. */
function entryBytes(entries: Uint8Array, at: number): number {
  const size = (i: number) => entries[at + i] ?? 0;
  return 7 + size(3) + size(4) * 2 ** 8 + size(5) * 2 ** 16 + size(6) * 2 ** 24;
}

function entryAt(entries: Uint8Array, at: number): Entry {
  return {
    field: (entries[at] ?? 0) + (entries[at + 1] ?? 0) * 2 ** 8,
    type: entries[at + 2] ?? 0,
    bytes: entries.subarray(at + 7, at + entryBytes(entries, at)),
  };
}

/** Entries that the module gave; their bytes are views. */
export function decodeEntries(entries: Uint8Array): Entry[] {
  const list: Entry[] = [];
  for (let at = 0; at < entries.length; at += entryBytes(entries, at)) {
    list.push(entryAt(entries, at));
  }
  return list;
}

/** The last of them, of the largest field; undefined when there are none. */
export function lastEntry(entries: Uint8Array): Entry | undefined {
  let last = -1;
  for (let at = 0; at < entries.length; at += entryBytes(entries, at)) last = at;
  return last < 0 ? undefined : entryAt(entries, last);
}
