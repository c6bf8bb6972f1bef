// A plain evaluation of filters, by the rules of docs/format.md, over values that know their type; and
// random metadata and filters to compare with.

const bytewise = (a, b) => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
const byValue = (a, b) => (a < b ? -1 : a > b ? 1 : a === b ? 0 : undefined);
const orders = {
  u64: byValue,
  i64: byValue,
  f64: byValue,
  bool: byValue,
  string: bytewise,
  bytes: bytewise,
};

/** -1, 0 or 1; undefined when the two do not compare. */
function order(stored, { type, value }) {
  return stored?.type === type ? orders[type](stored.value, value) : undefined;
}

const leaves = {
  eq: (stored, { value }) => order(stored, value) === 0,
  ne: (stored, { value }) => order(stored, value) !== 0,
  lt: (stored, { value }) => order(stored, value) < 0,
  le: (stored, { value }) => order(stored, value) <= 0,
  gt: (stored, { value }) => order(stored, value) > 0,
  ge: (stored, { value }) => order(stored, value) >= 0,
  in: (stored, { values }) => values.some((value) => order(stored, value) === 0),
  range: (stored, { low, high }) => order(stored, low) >= 0 && order(stored, high) < 0,
};

export const operators = [...Object.keys(leaves), "and", "or", "not"];

/** Whether a filter of typed values admits a record, a map from field to typed value. */
export function admits(filter, record) {
  if (filter.op === "and") return filter.children.every((child) => admits(child, record));
  if (filter.op === "or") return filter.children.some((child) => admits(child, record));
  if (filter.op === "not") return !admits(filter.child, record);
  return leaves[filter.op](record.get(filter.field), filter);
}

/** Values of each type: few, so that they meet, and those where comparing goes wrong. */
export const pools = {
  u64: [0n, 1n, 5n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
  i64: [-(2n ** 63n), -5n, -1n, 0n, 1n, 5n, 2n ** 63n - 1n],
  f64: [Number.NaN, -Infinity, -1.5, -0, 0, 5e-324, 1, 5, 2 ** 53, 1e308, Infinity],
  string: ["", "a", "ab", "b", "5", "true", "é", "\uffff", "😀", "a\0"],
  bool: [false, true],
  bytes: [[], [0], [0, 1], [1], [255]].map((bytes) => new Uint8Array(bytes)),
};

/** Numbers from 0 to below `count`. */
export function randomSource(seed) {
  let state = seed >>> 0 || 1;
  return (count) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % count;
  };
}

const pick = (random, list) => list[random(list.length)];

export function randomValue(random, types) {
  const type = pick(random, types);
  return { type, value: pick(random, pools[type]) };
}

/** A filter of typed values over the fields, of every operator. */
export function randomFilter(random, fields, types, depth = 3) {
  const op = pick(random, depth > 0 ? operators : operators.slice(0, 8));
  const child = () => randomFilter(random, fields, types, depth - 1);
  if (op === "and" || op === "or") {
    return { op, children: Array.from({ length: random(4) }, child) };
  }
  if (op === "not") return { op, child: child() };
  const field = pick(random, fields);
  const type = pick(random, types);
  const value = () => randomValue(random, [type]);
  if (op === "in") return { op, field, type, values: Array.from({ length: random(4) }, value) };
  if (op === "range") return { op, field, type, low: value(), high: value() };
  return { op, field, type, value: value() };
}

/** The same filter with every value and field changed by these. */
export function mapFilter(filter, leafOf) {
  const { op, children, child } = filter;
  if (children) return { op, children: children.map((each) => mapFilter(each, leafOf)) };
  return child ? { op, child: mapFilter(child, leafOf) } : leafOf(filter);
}

/** A value as upstream's JSON has it. */
export function textOf({ type, value }) {
  if (type === "bytes") return Buffer.from(value).toString("hex");
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A leaf as upstream's JSON has it, but for the field. */
export function textLeaf({ op, type, value, values, low, high }) {
  const texts = value
    ? { value: textOf(value) }
    : values
      ? { values: values.map(textOf) }
      : { low: textOf(low), high: textOf(high) };
  return { op, valueType: type, ...texts };
}
