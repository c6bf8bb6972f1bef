/** Types of metadata values, as control/metadata.h numbers them. */
export const VALUE = Object.freeze({ U64: 0, I64: 1, F64: 2, STRING: 3, BOOL: 4, BYTES: 5 });

/** By convention the field that holds a row's id as text. */
export const STRING_ID = 0xffff;

/** Operators of filters, as control/filter.h numbers them. */
export const OPERATOR = Object.freeze({
  EQUAL: 0,
  NOT_EQUAL: 1,
  LESS: 2,
  LESS_OR_EQUAL: 3,
  GREATER: 4,
  GREATER_OR_EQUAL: 5,
  IN: 6,
  RANGE: 7,
  AND: 0x10,
  OR: 0x11,
  NOT: 0x12,
});

/**
 * Metadata as the module takes it.
 * @param {[field: number, value: [type: number, unknown]][]} fields ascending by field
 * @returns {Uint8Array}
 */
export function entries(fields) {
  return Uint8Array.from(fields.flatMap(([field, value]) => [...u16(field), ...typed(value)]));
}

/** The filter that compares a field with a value, or with several for IN and RANGE. */
export function filter(operator, field, ...values) {
  const count = operator === OPERATOR.IN ? u32(values.length) : [];
  return Uint8Array.from([operator, ...u16(field), ...count, ...values.flatMap(typed)]);
}

function typed([type, value]) {
  const bytes = BYTES_OF[type](value);
  return [type, ...u32(bytes.length), ...bytes];
}

const BYTES_OF = [
  (value) => bytesOf(BigUint64Array.of(BigInt(value))),
  (value) => bytesOf(BigInt64Array.of(BigInt(value))),
  (value) => bytesOf(Float64Array.of(value)),
  (value) => [...new TextEncoder().encode(value)],
  (value) => [value ? 1 : 0],
  (value) => [...value],
];

const u16 = (value) => bytesOf(Uint16Array.of(value));
const u32 = (value) => bytesOf(Uint32Array.of(value));

function bytesOf(array) {
  return [...new Uint8Array(array.buffer)];
}
