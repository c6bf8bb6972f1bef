const IEEE = crcTable(0xedb88320);
const CASTAGNOLI = crcTable(0x82f63b78);

/**
 * CRC-32 (IEEE 802.3, reflected), section "Content hash". "123456789" gives 0xCBF43926.
 * @param {Uint8Array} bytes
 * @returns {number} u32
 */
export function crc32(bytes) {
  return crc(IEEE, bytes);
}

/**
 * CRC-32C (Castagnoli, reflected). "123456789" gives 0xE3069283.
 * @param {Uint8Array} bytes
 * @returns {number} u32
 */
export function crc32c(bytes) {
  return crc(CASTAGNOLI, bytes);
}

/**
 * The content hash that the runtime writers store: four little-endian words, the CRC-32 of the
 * payload turned left by 0, 8, 16 and 24 bits. Section 1.3.
 * @param {Uint8Array} payload
 * @returns {Uint8Array} 16 bytes
 */
export function crcRotated(payload) {
  const hash = new Uint8Array(16);
  const view = new DataView(hash.buffer);
  const value = crc32(payload);
  for (let word = 0; word < 4; word++) {
    view.setUint32(4 * word, rotateLeft(value, 8 * word), true);
  }
  return hash;
}

/**
 * The additive "simple hash" that upstream puts where its documents say SHAKE-256. Section 5.
 * Not cryptographic.
 * @param {Uint8Array} bytes
 * @returns {Uint8Array} 32 bytes
 */
export function simpleHash(bytes) {
  const out = new Uint8Array(32);
  for (let i = 0; i < bytes.length; i++) {
    const k = i % 32;
    const j = (i + 13) % 32;
    out[k] += bytes[i];
    out[j] += (out[k] << 3) | (out[k] >>> 5);
  }
  return out;
}

/**
 * SHA-256 (FIPS 180-4).
 * @param {Uint8Array} bytes
 * @returns {Uint8Array} 32 bytes
 */
export function sha256(bytes) {
  const state = Uint32Array.from(SHA256_START);
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n, false);
  for (let block = 0; block < padded.length; block += 64) {
    sha256Block(state, view, block);
  }
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  state.forEach((word, i) => {
    out.setUint32(4 * i, word, false);
  });
  return digest;
}

function crcTable(polynomial) {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) {
      value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    }
    return value;
  });
}

function crc(table, bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value = table[(value ^ byte) & 0xff] ^ (value >>> 8);
  }
  return (value ^ 0xffffffff) >>> 0;
}

function rotateLeft(value, bits) {
  return ((value << bits) | (value >>> (32 - bits))) >>> 0;
}

function rotateRight(value, bits) {
  return (value >>> bits) | (value << (32 - bits));
}

const PRIMES = firstPrimes(64);
const SHA256_START = PRIMES.slice(0, 8).map((prime) => rootFraction(prime, 2n));
const SHA256_ROUND = PRIMES.map((prime) => rootFraction(prime, 3n));

function firstPrimes(count) {
  const primes = [];
  for (let n = 2; primes.length < count; n++) {
    if (primes.every((prime) => n % prime !== 0)) {
      primes.push(n);
    }
  }
  return primes;
}

/** The first 32 bits of the fraction of the square (degree 2) or cube (degree 3) root of n. */
function rootFraction(n, degree) {
  const scaled = BigInt(n) << (32n * degree);
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle ** degree <= scaled) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return Number(low & 0xffffffffn);
}

function sha256Block(state, view, offset) {
  const w = new Uint32Array(64);
  for (let i = 0; i < 16; i++) {
    w[i] = view.getUint32(offset + 4 * i, false);
  }
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15];
    const y = w[i - 2];
    const s0 = rotateRight(x, 7) ^ rotateRight(x, 18) ^ (x >>> 3);
    const s1 = rotateRight(y, 17) ^ rotateRight(y, 19) ^ (y >>> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const s1 = rotateRight(e, 6) ^ rotateRight(e, 11) ^ rotateRight(e, 25);
    const s0 = rotateRight(a, 2) ^ rotateRight(a, 13) ^ rotateRight(a, 22);
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + SHA256_ROUND[i] + w[i]) | 0;
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state[i] += word;
  });
}
