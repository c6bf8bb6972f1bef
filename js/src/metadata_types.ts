// The types of metadata and filters.

/** The types of metadata values in a file. Values of different types never compare. */
export type ValueType = "u64" | "i64" | "f64" | "string" | "bool" | "bytes";

/**
 * A value with its type. Integers may be numbers, bigints or decimal text; an f64 a number or text; a
 * bool may be "true" or "false"; bytes may be hexadecimal text.
 */
export interface TypedValue {
  type: ValueType;
  value: string | number | bigint | boolean | Uint8Array;
}

/**
 * A metadata value. Without a type it is stored as follows from JavaScript's: a number as f64, whether
 * it is an integer or not; a bigint as i64, or as u64 from 2^63 on; text as string, a boolean as bool,
 * a Uint8Array as bytes.
 *
 * Values come back in the same form. A u64 below 2^63 comes as `{ type: "u64", value }`, whose value is
 * a number when it is safe and else a bigint.
 */
export type MetadataValue = string | number | bigint | boolean | Uint8Array | TypedValue;

/**
 * The metadata of a vector: a value for each named field.
 *
 * The file numbers fields and lists their names. A name of digits only, from "0" to "65533", is the
 * field of that number and needs no name; numbers for other names are given from 65533 downwards.
 */
export type Metadata = Record<string, MetadataValue>;

/** Metadata to store; fields that are undefined are left out. */
export type MetadataInput = Readonly<Record<string, MetadataValue | undefined>>;

/** Which field a filter compares: by `field`, its name, or by `fieldId`, its number. */
export interface FilterField {
  field?: string;
  /** 0 to 65533. 65534 is the vector's number as a u64, 65535 the text that is its id. */
  fieldId?: number;
  /**
   * The type of the values, which may then be texts as in {@link TypedValue}. Default: what they would
   * be stored as in metadata.
   */
  valueType?: ValueType;
}

/** Compares a field with a value. A field that is missing or of another type passes `ne` only. */
export interface ComparisonFilter extends FilterField {
  op: "eq" | "ne" | "lt" | "le" | "gt" | "ge";
  value: MetadataValue;
}

/** Whether a field is one of the values; of no values, it never is. */
export interface InFilter extends FilterField {
  op: "in";
  values: readonly MetadataValue[];
}

/** Whether low <= field < high. */
export interface RangeFilter extends FilterField {
  op: "range";
  low: MetadataValue;
  high: MetadataValue;
}

/** All of the children, or any of them. `and` of none is true, `or` of none is false. */
export interface JoinedFilter {
  op: "and" | "or";
  children: readonly Filter[];
}

/** The opposite of the child, also where a field is missing. */
export interface NotFilter {
  op: "not";
  child: Filter;
}

/**
 * A condition on metadata: upstream's JSON grammar, as an object, or as JSON text wherever a Filter is
 * taken. Strings and bytes compare byte by byte. No filter that is nested deeper than 1,000 times is
 * taken.
 */
export type Filter = ComparisonFilter | InFilter | RangeFilter | JoinedFilter | NotFilter;
