import { floatToHalf } from "../reference/half.mjs";

/** Zeros, subnormals, the largest numbers, infinities and NaN of several payloads, as bits. */
const SPECIAL_HALVES = [
  ...[0x0000, 0x8000, 0x0001, 0x83ff, 0x0400, 0x7bff, 0xfbff, 0x3c00],
  ...[0x7c00, 0xfc00, 0x7e00, 0xfe01, 0x7c01],
];
const SPECIAL_FLOATS = [
  ...[0x00000000, 0x80000000, 0x00000001, 0x807fffff, 0x00800000, 0x7f7fffff, 0xff7fffff],
  ...[0x3f800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc01234, 0x7f800001],
];

const BITS = new Uint32Array(1);
const FLOAT = new Float32Array(BITS.buffer);
const floatBits = (value) => {
  FLOAT[0] = value;
  return BITS[0];
};

const pick = (random, list) => list[random.int(0, list.length - 1)];

/** How the elements of one vector are chosen; ordinary numbers more often than the rest. */
const KINDS = ["ordinary", "ordinary", "ordinary", "zero", "huge", "tiny", "any", "one special"];

/** For every kind: the bits of one element, given what differs between halves and floats. */
function element(random, kind, { specials, bits, any, huge, tiny }) {
  switch (kind) {
    case "zero":
      return bits(random.int(0, 1) ? 0 : -0);
    case "huge":
      return bits(random.float(-huge, huge));
    case "tiny":
      return bits(random.float(-tiny, tiny));
    case "any":
      return random.int(0, 3) ? any() : pick(random, specials);
    default:
      return bits(random.float(-2, 2));
  }
}

function vector(random, array, shape, finite) {
  const kind = pick(random, finite ? KINDS.slice(0, 6) : KINDS);
  for (let i = 0; i < array.length; i++) array[i] = element(random, kind, shape);
  if (kind === "one special") {
    array[random.int(0, array.length - 1)] = pick(random, shape.specials);
  }
  return new Uint8Array(array.buffer);
}

/** Bytes of `count` halves, of every sort. */
export function halfVector(random, count) {
  return vector(random, new Uint16Array(count), {
    specials: SPECIAL_HALVES,
    bits: floatToHalf,
    any: () => random.uint32() >>> 16,
    huge: 65_504,
    tiny: 2 ** -14,
  });
}

/** Bytes of `count` floats, of every sort, or of every sort that is finite. */
export function floatVector(random, count, { finite = false } = {}) {
  const shape = {
    specials: SPECIAL_FLOATS,
    bits: floatBits,
    any: random.uint32,
    huge: 3.4e38,
    tiny: 2 ** -126,
  };
  return vector(random, new Uint32Array(count), shape, finite);
}
