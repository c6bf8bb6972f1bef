// Filters: upstream's JSON becomes a program for the module's stack of truth values
// (control/filter.h). Error texts are upstream's where it has one.

import { ByteWriter, isObject, shown } from "./bytes.js";
import { RvfError, RvfErrorCode } from "./errors.js";
import type { Fields } from "./fields.js";
import { encodeIds } from "./ids.js";
import type { Filter, NumericId, ValueType } from "./types.js";
import { plainValue, type RawValue, valueOfType, valueTypes, writeValue } from "./values.js";

const comparisons = new Map([
  ["eq", 0],
  ["ne", 1],
  ["lt", 2],
  ["le", 3],
  ["gt", 4],
  ["ge", 5],
]);
const [inOperator, rangeOperator, andOperator, orOperator, notOperator] = [6, 7, 0x10, 0x11, 0x12];

/** The field that is a row's number. */
const labelField = 0xfffe;
const largestField = 0xffff;

/** Objects inside objects; more is an object that holds itself, or meant to exhaust the stack. */
const mostNested = 1000;
/** Values on the module's stack. */
const mostStacked = 64;

function failure(text: string): RvfError {
  return new RvfError(RvfErrorCode.FilterParseError, text);
}

/** A piece of a program, and how many values are on the stack at most while it runs. */
interface Code {
  readonly parts: readonly Uint8Array[];
  readonly stacked: number;
}

function operator(code: number): Uint8Array {
  return new Uint8Array([code]);
}

function leaf(code: number, field: number, write: (writer: ByteWriter) => void): Code {
  const writer = new ByteWriter().u8(code).u16(field);
  write(writer);
  return { parts: [writer.finish()], stacked: 1 };
}

function membership(field: number, values: readonly RawValue[]): Code {
  return leaf(inOperator, field, (writer) => {
    writer.u32(values.length);
    for (const value of values) writeValue(writer, value);
  });
}

function negated(code: Code): Code {
  return { ...code, parts: [...code.parts, operator(notOperator)] };
}

/** True or false for every row: to be in a set of none. */
function constant(value: boolean): Code {
  const never = membership(0, []);
  return value ? negated(never) : never;
}

/**
 * All of the children by `and` or `or`. What stacks most comes first, so that what is needed grows with
 * the logarithm of their number only.
 */
function joined(code: number, children: readonly Code[]): Code {
  const [first, ...rest] = [...children].sort((a, b) => b.stacked - a.stacked);
  if (first === undefined) return constant(code === andOperator);
  const parts = [...first.parts];
  let { stacked } = first;
  for (const child of rest) {
    for (const part of child.parts) parts.push(part);
    parts.push(operator(code));
    stacked = Math.max(stacked, child.stacked + 1);
  }
  return { parts, stacked };
}

/** Compiles the objects of one filter. */
class Compiler {
  readonly #fields: Fields;

  constructor(fields: Fields) {
    this.#fields = fields;
  }

  compile(node: unknown, nested: number): Code {
    if (nested > mostNested) {
      throw failure(`The filter is nested deeper than ${mostNested} times; write it flatter.`);
    }
    if (!isObject(node) || typeof node.op !== "string") {
      throw failure("filter requires string field 'op'");
    }
    const { op } = node;
    if (op === "and" || op === "or") {
      if (!Array.isArray(node.children)) throw failure(`filter '${op}' requires 'children' array`);
      const children = node.children.map((child) => this.compile(child, nested + 1));
      return joined(op === "and" ? andOperator : orOperator, children);
    }
    if (op === "not") {
      if (node.child === undefined) throw failure("filter 'not' requires 'child'");
      return negated(this.compile(node.child, nested + 1));
    }
    return this.#leaf(op, node);
  }

  #leaf(op: string, node: Record<string, unknown>): Code {
    const comparison = comparisons.get(op);
    if (comparison === undefined && op !== "in" && op !== "range") {
      throw failure(`Unknown filter op '${op}'`);
    }
    const field = this.#field(node);
    const type = valueType(node);
    if (op === "in") {
      if (!Array.isArray(node.values)) throw failure("filter 'in' requires 'values' array");
      const values = node.values.map((value) =>
        toRaw(value, type, "'values' entries must be strings"),
      );
      return field === undefined ? constant(false) : membership(field, values);
    }
    const values = (op === "range" ? ["low", "high"] : ["value"]).map((key) =>
      toRaw(node[key], type, `filter requires string field '${key}'`),
    );
    if (field === undefined) return constant(op === "ne");
    return leaf(comparison ?? rangeOperator, field, (writer) => {
      for (const value of values) writeValue(writer, value);
    });
  }

  /** The number of the field; undefined for a name that no vector has. */
  #field({ field, fieldId }: Record<string, unknown>): number | undefined {
    if (typeof field === "string") {
      try {
        return this.#fields.numberOf(field);
      } catch (error) {
        if ((error as RvfError).code === RvfErrorCode.OutOfMemory) throw error;
        throw failure(error instanceof Error ? error.message.replace(/^.*?\. /, "") : "");
      }
    }
    const number = fieldId ?? field;
    if (typeof number !== "number" || !Number.isInteger(number) || number < 0) {
      throw failure("filter requires numeric field 'fieldId'");
    }
    if (number <= largestField) return number;
    throw failure(`The fieldId is ${number}; fields are numbered from 0 to 65533.`);
  }
}

function valueType({ valueType: type }: Record<string, unknown>): ValueType | undefined {
  if (type === undefined) return undefined;
  if (typeof type !== "string") throw failure("filter requires string field 'valueType'");
  if ((valueTypes as readonly string[]).includes(type)) return type as ValueType;
  throw failure(`Unknown value_type '${type}'`);
}

function toRaw(value: unknown, type: ValueType | undefined, missing: string): RawValue {
  if (isObject(value) && valueTypes.includes(value.type as ValueType)) {
    return toRaw(value.value, value.type as ValueType, missing);
  }
  const raw = type === undefined ? plainValue(value) : valueOfType(type, value);
  if (raw) return raw;
  const isValue = ["string", "number", "bigint", "boolean"].includes(typeof value);
  if (!isValue && !(value instanceof Uint8Array)) throw failure(missing);
  const text = typeof value === "string" ? value : shown(value);
  throw failure(`Cannot parse '${text}' as ${type ?? "value"}`);
}

function parse(filter: unknown): unknown {
  if (typeof filter !== "string") return filter;
  try {
    return JSON.parse(filter);
  } catch (error) {
    throw failure(`Invalid filter JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** The rows with these numbers. */
function amongLabels(labels: readonly NumericId[]): Code {
  const bytes = new Uint8Array(encodeIds(labels).buffer);
  const values = labels.map((_, i) => ({ type: 0, bytes: bytes.subarray(8 * i, 8 * i + 8) }));
  return membership(labelField, values);
}

/** All of one or two, in this order: where a list of rows comes first, only those are looked at. */
function inOrder(codes: readonly Code[]): Code {
  const [first, second] = codes;
  if (!first || !second || second.stacked >= mostStacked) return joined(andOperator, codes);
  const parts = [...first.parts, ...second.parts, operator(andOperator)];
  return { parts, stacked: Math.max(first.stacked, second.stacked + 1) };
}

/**
 * The program of a filter, of a list of row numbers, or of both together; empty when there are
 * neither. Throws FilterParseError.
 */
export function compileFilter(
  filter: Filter | string | undefined,
  fields: Fields,
  labels?: readonly NumericId[],
): Uint8Array<ArrayBuffer> {
  const codes: Code[] = [];
  if (labels) codes.push(amongLabels(labels));
  if (filter !== undefined) codes.push(new Compiler(fields).compile(parse(filter), 0));
  if (codes.length === 0) return new Uint8Array(0);
  const { parts, stacked } = inOrder(codes);
  if (stacked > mostStacked) {
    throw failure(
      `The filter needs ${stacked} values at once, of ${mostStacked}; write it flatter.`,
    );
  }
  const writer = new ByteWriter();
  for (const part of parts) writer.bytes(part);
  return writer.finish();
}
