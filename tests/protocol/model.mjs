// A tile in plain JavaScript, after kernel/PROTOCOL.md, kernel/kernel.h and the layouts in
// kernel/state.h: what a hub can predict of a tile. It computes in double precision and rounds once,
// so it agrees with a tile bit for bit when every sum is exact, as with small integers.
import { crc32c } from "../reference/checksum.mjs";
import { hamming } from "../reference/distance.mjs";
import { halfToFloat } from "../reference/half.mjs";
import { STATUS } from "../wasm/status.mjs";
import { DTYPE, halfBytes, MAP, METRIC, PROFILE } from "../wasm/tile.mjs";
import { CHECKSUM_RESIDUE, idBytes, MAX_PAYLOAD, message, PARAMS, TYPE } from "./messages.mjs";

const PAYLOAD = MAP.MESSAGE + 8;
const IDS = MAP.NEIGHBORS + 16;
const ENTRY_BYTES = 16;
const MOST_IDS = 510;
const TABLES = Object.freeze({ NONE: 0, SQ: 1, PQ: 2 });
const SQ_OFFSETS = MAP.TABLES + 0x1000;
const NO_ID = 2n ** 64n - 1n;

/** Where the fields of TileState lie. */
const FIELDS = {
  dimension: 0x40,
  block: 0x48,
  blockCount: 0x4c,
  blockType: 0x50,
  tables: 0x54,
  sqDimension: 0x58,
  pqSubspaces: 0x5c,
  pqLoaded: 0x60,
  pqCentroids: 0x64,
  resultCount: 0x68,
  operands: 0x6c,
};
const NEGATIVE_NORM = 0x44;
const THE_NAN = 0x7fc00000;

const { fround, sqrt } = Math;

/** What a refusal throws. */
class Refusal {
  constructor(status) {
    this.status = status;
  }
}
const refuseIf = (wrong, status) => {
  if (wrong) throw new Refusal(status);
};

export class Model {
  bytes = new Uint8Array(MAP.END);
  view = new DataView(this.bytes.buffer);

  constructor() {
    for (const [name, at] of Object.entries(FIELDS)) {
      Object.defineProperty(this, name, {
        get: () => this.view.getUint32(at, true),
        set: (value) => this.view.setUint32(at, value, true),
      });
    }
  }

  get profile() {
    return this.bytes[MAP.CONFIG];
  }
  get metric() {
    return this.bytes[MAP.CONFIG + 1];
  }
  get beam() {
    return ((this.bytes[MAP.CONFIG + 2] + 15) % 16) + 1;
  }
  get list() {
    return {
      node: this.view.getBigUint64(MAP.NEIGHBORS, true),
      layer: this.view.getUint32(MAP.NEIGHBORS + 8, true),
      count: this.view.getUint16(MAP.NEIGHBORS + 12, true),
      done: this.view.getUint16(MAP.NEIGHBORS + 14, true),
    };
  }
  get stateChecksum() {
    return crc32c(this.bytes.subarray(0, MAP.ROUTING));
  }

  /** Serves a message and answers the reply. */
  ring(bytes) {
    this.bytes.set(bytes, MAP.MESSAGE);
    const before = this.stateChecksum;
    const type = this.view.getUint16(MAP.MESSAGE, true);
    const id = this.view.getUint32(MAP.MESSAGE + 4, true);
    let answer;
    let content;
    try {
      answer = this.serve(type);
      content = answer === TYPE.TOPK_RESULT ? this.topK() : this.listHeader();
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      answer = TYPE.ERROR;
      content = this.listHeader();
      new DataView(content.buffer).setUint32(0, type | (-refusal.status << 16), true);
    }
    const checksums = Uint32Array.of(before, this.stateChecksum, this.operands);
    const reply = message(
      answer,
      id,
      Uint8Array.of(...new Uint8Array(checksums.buffer), ...content),
    );
    this.bytes.set(reply, MAP.MESSAGE);
    return reply;
  }

  listHeader() {
    return this.bytes.slice(MAP.NEIGHBORS, IDS);
  }

  topK() {
    const pairs = new Uint8Array(12 * this.resultCount);
    for (let i = 0; i < this.resultCount; i++) {
      const at = MAP.RESULTS + ENTRY_BYTES * i;
      pairs.set(this.bytes.subarray(at, at + 12), 12 * i);
    }
    return pairs;
  }

  serve(type) {
    const length = this.view.getUint16(MAP.MESSAGE + 2, true);
    refuseIf(length < 4 || length > MAX_PAYLOAD, STATUS.kTileInvalidMessage);
    const whole = this.bytes.subarray(MAP.MESSAGE, PAYLOAD + length);
    refuseIf(crc32c(whole) !== CHECKSUM_RESIDUE, STATUS.kTileInvalidMessage);
    refuseIf(type < TYPE.LOAD_QUERY || type > TYPE.RESET, STATUS.kTileInvalidMessage);
    if (type === TYPE.READ_TOPK) return TYPE.TOPK_RESULT;
    if (type === TYPE.RESET) {
      this.bytes.fill(0, FIELDS.dimension, MAP.ROUTING);
    } else if (type === TYPE.COMPUTE) {
      this.mergeBlock();
    } else {
      return this.loadPart(type, length - 4);
    }
    return TYPE.DONE;
  }

  loadPart(type, size) {
    const u16 = (at) => this.view.getUint16(PAYLOAD + at, true);
    const u32 = (at) => this.view.getUint32(PAYLOAD + at, true);
    const [to, base, count, listTo, listBytes] = [u32(0), u32(4), u16(8), u16(10), u16(12)];
    const [kind, last] = [this.bytes[PAYLOAD + 14], this.bytes[PAYLOAD + 15]];
    const rest = size - 16 - listBytes;
    const fits = rest >= 0 && this.usable(listTo, listBytes) && this.usable(to, rest);
    refuseIf(!fits, STATUS.kTileOutOfMemory);
    this.blockCount = 0;
    const content = PAYLOAD + 16;
    this.bytes.copyWithin(listTo, content, content + listBytes);
    this.bytes.copyWithin(to, content + listBytes, content + listBytes + rest);
    if (!last) return TYPE.DONE;
    if (type === TYPE.LOAD_NEIGHBORS) return this.list.count ? TYPE.NEED_BLOCK : this.searchOn();
    if (type === TYPE.LOAD_QUERY) this.loadQuery(base, count);
    else if (type === TYPE.LOAD_BLOCK) {
      this.loadBlock(base, count, kind);
      if (base === MAP.HOT_CACHE) return this.searchOn();
    } else if (kind === PARAMS.CONFIGURATION) this.init(base);
    else if (kind === PARAMS.SQ) this.loadSqParams(base, count);
    else this.loadPqCodebook(base, last, count);
    return TYPE.DONE;
  }

  /** Whether operands may lie there. */
  usable(address, size) {
    const end = address + size;
    if (size === 0 && address === 0) return true;
    const inside = [
      [MAP.ROUTING, MAP.WORKSPACE],
      [MAP.MESSAGE, MAP.DATA_END],
      [MAP.BLOCK, MAP.QUERY],
    ].some(([from, to]) => from <= address && end <= to);
    return inside && !(this.tables && address < MAP.HOT_CACHE && MAP.TABLES < end);
  }

  maxDimension(type) {
    if (this.profile !== PROFILE.CORE) return 1024;
    return type === DTYPE.I8 ? 768 : 384;
  }

  init(at) {
    refuseIf(at !== MAP.CONFIG && !this.usable(at, 64), STATUS.kInvalidPointer);
    const [profile, metric, k, reserved] = this.bytes.subarray(at, at + 4);
    const known = profile === PROFILE.CORE || profile === PROFILE.HOT;
    refuseIf(!known, STATUS.kTileUnsupported);
    refuseIf(k < 1 || k > 16, STATUS.kKTooLarge);
    refuseIf(metric > METRIC.HAMMING, STATUS.kMetricUnsupported);
    refuseIf(reserved, STATUS.kInvalidArgument);
    const given = this.bytes.slice(at, at + 64);
    this.bytes.fill(0, FIELDS.dimension, MAP.ROUTING);
    this.bytes.set(given, MAP.CONFIG);
  }

  halves(at, count) {
    return Array.from({ length: count }, (_, i) =>
      halfToFloat(this.view.getUint16(at + 2 * i, true)),
    );
  }

  floats(at, count) {
    return Array.from({ length: count }, (_, i) => this.view.getFloat32(at + 4 * i, true));
  }

  writeFloats(at, values) {
    values.forEach((value, i) => {
      this.view.setFloat32(at + 4 * i, value, true);
    });
  }

  loadQuery(at, dimension) {
    const fits = dimension > 0 && dimension <= this.maxDimension(DTYPE.I8);
    refuseIf(!fits, STATUS.kDimensionMismatch);
    refuseIf(!this.usable(at, 2 * dimension), STATUS.kInvalidPointer);
    // Eight elements at a time, so up to seven come from behind the query.
    for (let i = 0; i < 8 * Math.ceil(dimension / 8); i++) {
      const half = this.view.getUint16(at + 2 * i, true);
      const bits = i < dimension ? widened(half) : rebiased(half);
      this.view.setUint32(MAP.QUERY + 4 * i, bits, true);
    }
    const norm = this.halves(at, dimension).reduce((sum, value) => sum + value * value, 0);
    this.dimension = dimension;
    this.view.setFloat32(NEGATIVE_NORM, -norm, true);
    if (Number.isNaN(norm)) this.view.setUint32(NEGATIVE_NORM, THE_NAN, true);
    if (this.tables === TABLES.PQ || this.sqDimension !== dimension) this.tables = TABLES.NONE;
    this.resultCount = 0;
    this.blockCount = 0;
  }

  rowBytes(type) {
    if (type === DTYPE.PQ) return this.pqSubspaces;
    return this.dimension * { [DTYPE.F16]: 2, [DTYPE.I8]: 1, [DTYPE.F32]: 4 }[type];
  }

  loadBlock(at, count, type) {
    refuseIf(type > DTYPE.PQ, STATUS.kTileUnsupported);
    refuseIf(this.dimension === 0, STATUS.kTileInvalidMessage);
    refuseIf(type === DTYPE.PQ && this.tables !== TABLES.PQ, STATUS.kTileInvalidMessage);
    refuseIf(this.dimension > this.maxDimension(type), STATUS.kDimensionMismatch);
    refuseIf(count === 0, STATUS.kInvalidArgument);
    refuseIf(!this.usable(at, count * this.rowBytes(type)), STATUS.kTileOutOfMemory);
    Object.assign(this, { block: at, blockCount: count, blockType: type });
  }

  loadSqParams(at, dimension) {
    const fits = dimension > 0 && dimension <= 1024;
    refuseIf(!fits, STATUS.kDimensionMismatch);
    refuseIf(this.dimension && this.dimension !== dimension, STATUS.kDimensionMismatch);
    refuseIf(!this.usable(at, 8 * dimension), STATUS.kInvalidPointer);
    const pairs = this.floats(at, 2 * dimension);
    const scales = Array.from({ length: dimension }, (_, i) =>
      fround(fround(pairs[2 * i + 1] - pairs[2 * i]) / 255),
    );
    refuseIf(!scales.every(Number.isFinite), STATUS.kNotFinite);
    this.replaceTables(TABLES.SQ);
    this.writeFloats(MAP.TABLES, scales);
    this.writeFloats(
      SQ_OFFSETS,
      scales.map((scale, i) => fround(pairs[2 * i] + fround(128 * scale))),
    );
    this.sqDimension = dimension;
  }

  loadPqCodebook(at, subspaces, centroids) {
    const given = this.view.getUint16(MAP.CONFIG + 4, true);
    const total = given || subspaces;
    const more = this.tables === TABLES.PQ && this.pqLoaded < this.pqSubspaces;
    const loaded = more ? this.pqLoaded : 0;
    refuseIf(this.profile === PROFILE.CORE, STATUS.kTileUnsupported);
    refuseIf(this.metric > METRIC.INNER_PRODUCT, STATUS.kMetricUnsupported);
    refuseIf(this.dimension === 0, STATUS.kTileInvalidMessage);
    const sound = centroids > 0 && centroids <= 64 && !(more && centroids !== this.pqCentroids);
    refuseIf(!sound, STATUS.kInvalidArgument);
    refuseIf(this.dimension % total || loaded + subspaces > total, STATUS.kDimensionMismatch);
    refuseIf(4 * total * centroids > MAP.HOT_CACHE - MAP.TABLES, STATUS.kTileOutOfMemory);
    const width = this.dimension / total;
    const book = 2 * subspaces * centroids * width;
    refuseIf(!this.usable(at, book), STATUS.kInvalidPointer);
    this.replaceTables(TABLES.PQ);
    for (let i = 0; i < subspaces * centroids; i++) {
      const subspace = loaded + Math.floor(i / centroids);
      const query = this.floats(MAP.QUERY + 4 * width * subspace, width);
      const centroid = this.halves(at + 2 * width * i, width);
      const entry = MAP.TABLES + 4 * (centroids * loaded + i);
      this.view.setFloat32(entry, distance(this.metric, query, centroid), true);
    }
    Object.assign(this, { pqSubspaces: total, pqLoaded: loaded + subspaces });
    this.pqCentroids = centroids;
  }

  replaceTables(tables) {
    const size = this.blockCount * (this.blockCount ? this.rowBytes(this.blockType) : 0);
    if (this.block < MAP.HOT_CACHE && MAP.TABLES < this.block + size) this.blockCount = 0;
    this.tables = tables;
  }

  /** Distance of each row of the block from the query. */
  distances() {
    refuseIf(this.blockCount === 0, STATUS.kTileInvalidMessage);
    const size = this.rowBytes(this.blockType);
    const rows = Array.from({ length: this.blockCount }, (_, i) => this.block + size * i);
    if (this.blockType === DTYPE.PQ) return this.pqDistances(rows);
    if (this.metric === METRIC.HAMMING) {
      const query = this.queryBytes().subarray(0, size);
      return rows.map((row) => hamming(query, this.bytes.subarray(row, row + size)));
    }
    const query = this.floats(MAP.QUERY, this.dimension);
    return rows.map((row) => distance(this.metric, query, this.row(row)));
  }

  /** The query in the form that the block is in: as it was loaded, or widened. */
  queryBytes() {
    const end = MAP.QUERY + 4 * this.dimension;
    if (this.blockType === DTYPE.F32) return this.bytes.subarray(MAP.QUERY, end);
    return halfBytes(this.floats(MAP.QUERY, this.dimension));
  }

  row(at) {
    if (this.blockType === DTYPE.F16) return this.halves(at, this.dimension);
    if (this.blockType === DTYPE.F32) return this.floats(at, this.dimension);
    const codes = Array.from(new Int8Array(this.bytes.buffer, at, this.dimension));
    if (this.tables !== TABLES.SQ) return codes;
    const scales = this.floats(MAP.TABLES, this.dimension);
    const offsets = this.floats(SQ_OFFSETS, this.dimension);
    return codes.map((code, i) => fround(fround(code * scales[i]) + offsets[i]));
  }

  pqDistances(rows) {
    const whole = this.tables === TABLES.PQ && this.pqLoaded === this.pqSubspaces;
    refuseIf(!whole, STATUS.kTileInvalidMessage);
    const codesOf = (row) => Array.from(this.bytes.subarray(row, row + this.pqSubspaces));
    const bad = rows.some((row) => codesOf(row).some((code) => code >= this.pqCentroids));
    refuseIf(bad, STATUS.kInvalidArgument);
    const entry = (subspace, code) =>
      this.view.getFloat32(MAP.TABLES + 4 * (this.pqCentroids * subspace + code), true);
    return rows.map((row) =>
      codesOf(row).reduce((sum, code, subspace) => sum + entry(subspace, code), 0),
    );
  }

  /** The checksum of everything that decides the distances of the block. */
  operandsChecksum() {
    const range = (from, size) => this.bytes.subarray(from, from + size);
    const parts = [range(MAP.QUERY, MAP.END - MAP.QUERY)];
    if (this.tables) parts.push(range(MAP.TABLES, MAP.HOT_CACHE - MAP.TABLES));
    parts.push(range(MAP.NEIGHBORS, 16 + 8 * this.list.count));
    parts.push(range(this.block, this.blockCount * this.rowBytes(this.blockType)));
    return crc32c(Buffer.concat(parts));
  }

  mergeBlock() {
    const { count, done } = this.list;
    const end = done + this.blockCount;
    refuseIf(end > count || count > MOST_IDS, STATUS.kInvalidArgument);
    const distances = this.distances();
    this.operands = this.operandsChecksum();
    this.resultCount = Math.min(this.resultCount, this.beam);
    distances.forEach((value, i) => {
      this.insert(this.view.getBigUint64(IDS + 8 * (done + i), true), value);
    });
    this.view.setUint16(MAP.NEIGHBORS + 14, end, true);
    this.blockCount = 0;
  }

  /** The top-K as {id, distance, expanded}. */
  get entries() {
    return Array.from({ length: this.resultCount }, (_, i) => {
      const at = MAP.RESULTS + ENTRY_BYTES * i;
      return {
        id: this.view.getBigUint64(at, true),
        distance: this.view.getFloat32(at + 8, true),
        expanded: this.view.getUint32(at + 12, true),
      };
    });
  }

  set entries(entries) {
    entries.forEach(({ id, distance, expanded }, i) => {
      const at = MAP.RESULTS + ENTRY_BYTES * i;
      this.bytes.set(idBytes([id]), at);
      this.view.setFloat32(at + 8, distance, true);
      this.view.setUint32(at + 12, expanded, true);
    });
    this.resultCount = entries.length;
  }

  insert(id, distance) {
    if (Number.isNaN(distance)) return;
    const candidate = { id, distance: fround(distance), expanded: 0 };
    const entries = this.entries;
    const nearer = (a, b) => a.distance < b.distance || (a.distance === b.distance && a.id < b.id);
    let replaced = entries.findIndex((entry) => entry.id === id);
    if (replaced < 0 && entries.length === this.beam) replaced = this.beam - 1;
    if (replaced >= 0 && !nearer(candidate, entries[replaced])) return;
    if (replaced >= 0) entries.splice(replaced, 1);
    const place = entries.findIndex((entry) => nearer(candidate, entry));
    entries.splice(place < 0 ? entries.length : place, 0, candidate);
    this.entries = entries;
  }

  /** Goes on with a search at the delivered list. */
  searchOn() {
    refuseIf(this.profile === PROFILE.CORE, STATUS.kTileUnsupported);
    refuseIf(this.list.count > MOST_IDS, STATUS.kTileInvalidMessage);
    if (this.list.done !== this.list.count || this.blockCount) this.mergeBlock();
    const { node, layer, count, done } = this.list;
    if (done < count) return TYPE.NEED_BLOCK;
    const next = this.nextNode(node, layer);
    if (next === NO_ID && layer === 0) return TYPE.DONE;
    this.view.setBigUint64(MAP.NEIGHBORS, next === NO_ID ? node : next, true);
    this.view.setUint32(MAP.NEIGHBORS + 8, next === NO_ID ? layer - 1 : layer, true);
    this.view.setUint32(MAP.NEIGHBORS + 12, 0, true);
    return TYPE.NEED_NEIGHBORS;
  }

  nextNode(here, layer) {
    if (layer === 0) {
      this.entries = this.entries.map((entry) =>
        entry.id === here ? { ...entry, expanded: 1 } : entry,
      );
    }
    const next = this.entries.find((entry) => !entry.expanded);
    return next && next.id !== here ? next.id : NO_ID;
  }
}

/** The bits of a half as f32; a NaN keeps its own. */
function widened(half) {
  if ((half & 0x7c00) === 0x7c00) {
    return (((half & 0x8000) << 16) | 0x7f800000 | ((half & 0x3ff) << 13)) >>> 0;
  }
  return new Uint32Array(Float32Array.of(halfToFloat(half)).buffer)[0];
}

/** The same where the exponent of infinities and NaN is not looked at: behind a query. */
function rebiased(half) {
  if ((half & 0x7c00) !== 0x7c00) return widened(half);
  return (((half & 0x8000) << 16) | 0x47800000 | ((half & 0x3ff) << 13)) >>> 0;
}

/** In one rounding, but for the roots and the quotient of a cosine, which the kernel rounds too. */
function distance(metric, query, row) {
  const sum = (term) => row.reduce((total, x, i) => total + term(x, query[i]), 0);
  if (metric === METRIC.L2) return fround(sum((x, q) => (x - q) * (x - q)));
  const dot = fround(sum((x, q) => x * q));
  if (metric === METRIC.INNER_PRODUCT) return -dot;
  const root = (square) => fround(sqrt(square));
  const norms = fround(root(sum((_, q) => q * q)) * root(sum((x) => x * x)));
  return norms === 0 ? 1 : fround(1 - fround(dot / norms));
}
