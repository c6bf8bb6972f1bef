// RvfSearcher: searches a file whose vectors stay outside the module.
/// <reference lib="esnext.disposable" preserve="true" />

import type { SearchExports } from "./abi.js";
import { invalid, shown, toBytes, viewOf } from "./bytes.js";
import { visitRows } from "./entries.js";
import { check, RvfError, RvfErrorCode } from "./errors.js";
import { Fields } from "./fields.js";
import { compileFilter } from "./filter.js";
import { decodeId } from "./ids.js";
import { segmentHeaderBytes } from "./inspect.js";
import { copyIn, copyOut, withCopies, withScratch } from "./memory.js";
import { control, isSearchModule } from "./module.js";
import { nameIn } from "./names.js";
import { openFile } from "./open.js";
import {
  damaged,
  type ListedSegment,
  type Outline,
  outlineOf,
  readSource,
  withoutVectors,
} from "./outline.js";
import { asHits, hitBytes, similarityOf } from "./query.js";
import { decodeRecord } from "./records.js";
import { integer, maxU32, stateOf } from "./search_index.js";
import { segmentTypes } from "./segment_types.js";
import { memoryUsageOf, statusOf } from "./status.js";
import type * as types from "./types.js";
import { checkFinite, toVector } from "./vectors.js";

const versionAt = 4;
const formatVersion = 1;
const vecFixedBytes = 6;
const contentHashAt = 0x28;
const contentHashBytes = 16;
const pieceBytes = 1 << 19;
/** That the usual graph, of m = 16, takes for a row. */
const graphBytesPerRow = 144;
const foundRowBytes = 8;
const cutShort = 0x4000_0000;
const mostEf = 1 << 20;
const usualEf = 64;

const recordBytesOf = (dimension: number): number => 8 + 4 * dimension;

/** Where the records of a VEC segment lie: the first of them is record `first` of the file. */
interface Vectors {
  readonly first: number;
  readonly at: number;
}

function sourceOf(file: types.FileSource | Uint8Array | ArrayBuffer): types.FileSource {
  if (typeof (file as types.FileSource)?.read === "function") {
    const source = file as types.FileSource;
    integer(source.size, "size", 1, Number.MAX_SAFE_INTEGER);
    return source;
  }
  const bytes = toBytes(file, "bytes or FileSource to search");
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** Throws for a query of finite elements that the module cannot compare with codes. */
function requireInRange(status: number, floats: Float32Array): void {
  if (status !== -RvfErrorCode.NotFinite || !floats.every(Number.isFinite)) return;
  throw damaged(
    RvfErrorCode.NotFinite,
    "The query is too long for 32-bit floats, or the ranges of the file's codes are",
  );
}

/** Hands the vectors of one segment to the module, a piece after the other; answers how many. */
function takeVectors(
  wasm: SearchExports,
  handle: number,
  dimension: number,
  source: types.FileSource,
  segment: ListedSegment,
  piece: number,
): number {
  const header = readSource(source, segment.offset, segmentHeaderBytes + vecFixedBytes);
  if (header[versionAt] !== formatVersion) throw new RvfError(RvfErrorCode.InvalidVersion);
  const fixed = viewOf(header.subarray(segmentHeaderBytes));
  // Vectors of another dimension are passed over, as RvfStore.open does.
  const count = fixed.getUint16(0, true) === dimension ? fixed.getUint32(2, true) : 0;
  const recordBytes = recordBytesOf(dimension);
  if (vecFixedBytes + count * recordBytes > segment.size) {
    throw new RvfError(RvfErrorCode.TruncatedSegment);
  }
  const perPiece = Math.max(Math.floor((pieceBytes - vecFixedBytes) / recordBytes), 1);
  const hash = header.subarray(contentHashAt, contentHashAt + contentHashBytes);
  withCopies(wasm, [hash], [], (hashAt) => {
    let left = count;
    for (let at = 0; at < segment.size; ) {
      const records = Math.min(perPiece, left);
      const fixedBytes = at === 0 ? vecFixedBytes : 0;
      // What lies behind the last record is hashed like it, and no record.
      const isRest = at > 0 && left === 0;
      const rest = Math.min(pieceBytes, segment.size - at);
      const length = isRest ? rest : fixedBytes + records * recordBytes;
      copyIn(wasm, piece, readSource(source, segment.offset + segmentHeaderBytes + at, length));
      at += length;
      left -= records;
      const skip = isRest ? length : fixedBytes;
      const expected = at === segment.size ? hashAt : 0;
      const taken = wasm.rvf_rows_take(handle, piece, length, skip, expected);
      if (taken === -RvfErrorCode.InvalidChecksum) {
        throw damaged(
          RvfErrorCode.InvalidChecksum,
          `The vectors at byte ${segment.offset} do not match their hash, or it is not a CRC-32`,
        );
      }
      check(taken);
    }
  });
  return count;
}

/** Hands all that is live of the file to a store without vectors. */
function takeFile(
  wasm: SearchExports,
  handle: number,
  source: types.FileSource,
  { listed, deleted }: Outline,
  seed: bigint,
): Vectors[] {
  const dimension = check(wasm.rvf_store_dimension(handle));
  const vecs = listed.filter(({ type }) => type === segmentTypes.vec);
  const rows = vecs.reduce((sum, { size }) => sum + Math.floor(size / recordBytesOf(dimension)), 0);
  const index = listed.filter(({ type }) => type === segmentTypes.index).at(-1);
  const more = index ? segmentHeaderBytes + index.size + rows * graphBytesPerRow : 0;
  const begun = wasm.rvf_rows_begin(handle, Math.min(rows, maxU32), Math.min(more, maxU32));
  if (begun === -RvfErrorCode.InvalidArgument) {
    throw invalid(
      "The file holds no codes; open it with RvfStore, createIndex, buildIndex and saveIndex, and save it.",
    );
  }
  check(begun);
  const vectors: Vectors[] = [];
  let first = 0;
  const room = Math.max(pieceBytes, vecFixedBytes + 8 + 4 * dimension);
  withScratch(wasm, [room], (piece) => {
    for (const segment of vecs) {
      vectors.push({ first, at: segment.offset + segmentHeaderBytes + vecFixedBytes });
      first += takeVectors(wasm, handle, dimension, source, segment, piece);
    }
  });
  for (const segment of listed) {
    if (segment.type !== segmentTypes.meta) continue;
    const payload = readSource(source, segment.offset + segmentHeaderBytes, segment.size);
    withCopies(wasm, [payload], [], (at) =>
      check(wasm.rvf_rows_metadata(handle, at, payload.length)),
    );
  }
  if (index) {
    const bytes = readSource(source, index.offset, segmentHeaderBytes + index.size);
    withCopies(wasm, [bytes], [], (at) =>
      check(wasm.rvf_rows_link(handle, at, bytes.length, seed)),
    );
  }
  if (deleted.length > 0) {
    withCopies(wasm, [deleted], [], (ids) =>
      check(wasm.rvf_store_delete(handle, ids, deleted.length / 8)),
    );
  }
  return vectors;
}

/**
 * Searches an .rvf file whose vectors stay where they are: in a file, in the origin's private file system,
 * or in JavaScript's memory. The module holds ids, metadata, codes of a byte for each dimension, and the
 * graph; each query reads the vectors of a few rows, and answers with their true distances. It cannot
 * change anything.
 *
 * Needs the search module, `init(undefined, { search: true })`, and a file that was saved with codes (see
 * RvfStore.saveIndex). Lives in WebAssembly memory, which is not garbage collected: close it.
 */
export class RvfSearcher {
  readonly #wasm: SearchExports;
  readonly #handle: number;
  readonly #source: types.FileSource;
  readonly #vectors: readonly Vectors[];
  readonly #fields: Fields;
  readonly #status: types.StoreStatus;

  private constructor(
    wasm: SearchExports,
    handle: number,
    source: types.FileSource,
    vectors: readonly Vectors[],
  ) {
    this.#wasm = wasm;
    this.#handle = handle;
    this.#source = source;
    this.#vectors = vectors;
    this.#fields = new Fields({ wasm, handle });
    this.#status = statusOf({ wasm, handle });
  }

  /**
   * Reads a file once, a part of it at a time, and checks all of it.
   *
   * @param file its bytes, or what reads them; it must stay as it is until the searcher is closed
   * @throws {RvfError} InvalidArgument: no codes in it, or fewer bytes than asked for; ManifestNotFound,
   *   InvalidManifest, InvalidChecksum, TruncatedSegment: no .rvf file, or damaged; InvalidVersion: newer
   *   than this package; ParentNotFound: a branch; OutOfMemory, TooManyStores, BackendInitFailed; and what `read` throws
   */
  static open(file: types.FileSource | Uint8Array | ArrayBuffer): RvfSearcher {
    const wasm = control();
    if (!isSearchModule(wasm)) {
      throw new RvfError(
        RvfErrorCode.BackendInitFailed,
        "A searcher needs the search module; `await init(undefined, { search: true })` before anything else.",
      );
    }
    const source = sourceOf(file);
    const outline = outlineOf(source);
    const handle = openFile(wasm, withoutVectors(source, outline), {});
    try {
      const vectors = takeFile(wasm, handle, source, outline, BigInt(0));
      return new RvfSearcher(wasm, handle, source, vectors);
    } catch (error) {
      wasm.rvf_store_close(handle);
      throw error;
    }
  }

  /** Live vectors. */
  get count(): number {
    return check(this.#wasm.rvf_store_count(this.#handle));
  }

  /** Elements per vector. */
  get dimension(): number {
    return this.#status.dimension;
  }

  get metric(): types.Metric {
    return this.#status.metric;
  }

  /** What the module holds besides ids and metadata. */
  indexState(): types.IndexState {
    return stateOf({ wasm: this.#wasm, handle: this.#handle });
  }

  /** Bytes of WebAssembly memory. */
  memoryUsage(): types.MemoryUsage {
    return memoryUsageOf({ wasm: this.#wasm, handle: this.#handle });
  }

  /**
   * About the `k` nearest vectors, with their true distances: by the graph of the file, or by a scan of
   * the codes where it has none or `filter` admits few. Vectors of a squared length of 1e37 or more, and
   * those with NaN or infinities, have no code and come last.
   *
   * @throws {RvfError} InvalidArgument, DimensionMismatch, FilterParseError, OutOfMemory, StoreClosed;
   *   NotFinite, also for a squared length of 1e37 or more; and what `read` throws
   */
  query(vector: types.Vector, k: number, options: types.SearcherOptions = {}): types.Hits {
    const { dimension, metric } = this.#status;
    const wasm = this.#wasm;
    const handle = this.#handle;
    const most = Math.max(check(wasm.rvf_store_count(handle)), 1); // hits, however many are asked for
    const floats = toVector(vector, dimension, "The query");
    if (!Number.isInteger(k) || k < 1 || k > mostEf) {
      throw invalid(
        `k is ${shown(k)}; give the number of hits wanted, an integer from 1 to ${mostEf}.`,
      );
    }
    const wanted = Math.max(integer(options.ef ?? usualEf, "ef", 1, mostEf), k);
    const usual = Math.min(wanted, Math.max(4 * k, 32));
    const ef = Math.min(wanted, most);
    const rescore = Math.min(integer(options.rescore ?? usual, "rescore", k, mostEf), ef);
    const work = options.workLimit ?? 0;
    if (options.workLimit !== undefined) integer(work, "workLimit", 1, maxU32);
    const filter = compileFilter(options.filter, this.#fields);
    const vectorBytes = 4 * dimension;
    const sizes = [ef * foundRowBytes, rescore * 4, rescore * vectorBytes, rescore * hitBytes];
    return withCopies(
      wasm,
      [floats, filter],
      sizes,
      (query, program, found, rows, vectors, out) => {
        const status = wasm.rvf_rows_find(handle, query, ef, work, program, filter.length, found);
        requireInRange(status, floats);
        const answer = checkFinite(status, floats, dimension, () => "the query");
        const count = Math.min(answer % cutShort, rescore);
        const list = new DataView(copyOut(wasm, found, count * foundRowBytes).buffer);
        const numbers = new Uint32Array(count);
        for (let i = 0; i < count; i++) {
          numbers[i] = list.getUint32(i * foundRowBytes, true);
          const at = this.#vectorAt(list.getUint32(i * foundRowBytes + 4, true));
          copyIn(wasm, vectors + i * vectorBytes, readSource(this.#source, at, vectorBytes));
        }
        copyIn(wasm, rows, numbers);
        const hits = check(wasm.rvf_rows_compare(handle, query, rows, vectors, count, k, out));
        const view = new DataView(copyOut(wasm, out, hits * hitBytes).buffer);
        return this.#toHits(view, metric, k, answer >= cutShort, options.includeMetadata);
      },
    );
  }

  /** Where the vector of a record begins in the file. */
  #vectorAt(record: number): number {
    let low = 0;
    for (let high = this.#vectors.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if ((this.#vectors[middle] as Vectors).first <= record) low = middle;
      else high = middle;
    }
    const { first, at } = this.#vectors[low] as Vectors;
    return at + (record - first) * (8 + 4 * this.#status.dimension) + 8;
  }

  #toHits(
    view: DataView,
    metric: types.Metric,
    k: number,
    partial: boolean,
    includeMetadata: boolean | undefined,
  ): types.Hits {
    const labels = Array.from({ length: view.byteLength / hitBytes }, (_, i) =>
      decodeId(view, i * hitBytes),
    );
    const hits: types.Hit[] = [];
    visitRows({ wasm: this.#wasm, handle: this.#handle }, labels, (label, entries) => {
      const distance = view.getFloat32(hits.length * hitBytes + 8, true);
      const id = nameIn(entries) ?? label;
      const hit: types.Hit = { id, distance, ...similarityOf(metric, distance) };
      if (includeMetadata) hit.metadata = decodeRecord(entries, this.#fields);
      hits.push(hit);
    });
    return asHits(hits, k, partial);
  }

  /** Frees the memory. Closing twice does nothing. */
  close(): void {
    this.#wasm.rvf_store_close(this.#handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
