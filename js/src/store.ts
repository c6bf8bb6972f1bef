// RvfStore: an .rvf file in memory. Checks what the module cannot (lengths, types, id ranges), moves
// bytes, and turns statuses into errors.
/// <reference lib="esnext.disposable" preserve="true" />

import type { ControlExports } from "./abi.js";
import { check, RvfError, RvfErrorCode } from "./errors.js";
import { decodeId, encodeIds } from "./ids.js";
import { copyIn, copyOut, withScratch } from "./memory.js";
import { metricCode, metrics } from "./metric.js";
import { control } from "./module.js";
import type {
  CreateOptions,
  Hit,
  Id,
  MemoryUsage,
  Metric,
  MetricName,
  OpenOptions,
  QueryOptions,
  StoreStatus,
  Vector,
  Warning,
} from "./types.js";

const hitBytes = 12;
const statusBytes = 20;
const memoryUsageBytes = 32;

/** By bit, from the lowest. */
const warningNames: readonly Warning[] = [
  "TornTail",
  "DamagedManifest",
  "ForeignDimension",
  "MetricAssumed",
  "WasmLayout",
  "NotFiniteRows",
  "SkippedManifest",
];

function invalid(text: string): RvfError {
  return new RvfError(RvfErrorCode.InvalidArgument, text);
}

/** A value as an error names it: text in quotes, so that "3" is not taken for 3. */
function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** The bytes of a file, as a view. */
function toBytes(bytes: unknown, what: string): Uint8Array {
  if (ArrayBuffer.isView(bytes)) {
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  if (Object.prototype.toString.call(bytes) === "[object ArrayBuffer]") {
    return new Uint8Array(bytes as ArrayBuffer);
  }
  throw invalid(`There are no ${what}; read the file and pass a Uint8Array or an ArrayBuffer.`);
}

/** Ids from one id or many. */
function idList(ids: Id | ArrayLike<Id>): Uint32Array {
  return encodeIds(isList(ids) ? ids : [ids as Id]);
}

/** `numbers` as 32-bit floats; a copy unless they are that already. */
function toFloats(numbers: unknown, what: string): Float32Array {
  if (numbers instanceof Float32Array) return numbers;
  if (!isList(numbers))
    throw invalid(`${what} is no list of numbers; pass a Float32Array or an array.`);
  return Float32Array.from(numbers, (value, i) => {
    if (typeof value === "number") return value;
    throw invalid(
      `Element ${i} of ${what.toLowerCase()} is of type ${typeof value}; give numbers, or a list of ids with ` +
        "a list of vectors.",
    );
  });
}

/** The floats of one vector. Throws DimensionMismatch. */
function toVector(vector: unknown, dimension: number, what: string): Float32Array {
  const floats = toFloats(vector, what);
  if (floats.length !== dimension) {
    throw new RvfError(
      RvfErrorCode.DimensionMismatch,
      `${what} has ${floats.length} elements, but the store's dimension is ${dimension}; use the ` +
        "model that the store was made with.",
    );
  }
  return floats;
}

/** `count` rows in one array, from one flat list or a list of rows. */
function toRows(vectors: unknown, count: number, dimension: number): Float32Array {
  if (!isList(vectors)) throw invalid("The vectors are no list; pass a Float32Array or an array.");
  if (!isList(vectors[0])) {
    const floats = toFloats(vectors, "The list of vectors");
    if (floats.length === count * dimension) return floats;
    throw new RvfError(
      RvfErrorCode.DimensionMismatch,
      `The number of ids is ${count}, so ${count * dimension} elements are needed (dimension ${dimension}), ` +
        `but there are ${floats.length}.`,
    );
  }
  if (vectors.length !== count) {
    throw invalid(`There are ${vectors.length} vectors and ${count} ids; give one id per vector.`);
  }
  const rows = new Float32Array(count * dimension);
  for (let i = 0; i < count; i++) {
    rows.set(toVector(vectors[i], dimension, `Vector ${i}`), i * dimension);
  }
  return rows;
}

/** As `check`, and names the first element that is not finite. */
function checkFinite(
  status: number,
  rows: Float32Array,
  dimension: number,
  what: (row: number) => string,
): number {
  const bad = status === -RvfErrorCode.NotFinite ? rows.findIndex((x) => !Number.isFinite(x)) : -1;
  if (bad < 0) return check(status);
  throw new RvfError(
    RvfErrorCode.NotFinite,
    `Element ${bad % dimension} of ${what(Math.floor(bad / dimension))} is ${rows[bad]} as a 32-bit ` +
      "float; give finite numbers.",
  );
}

/**
 * A vector store in memory, with the contents of one .rvf file.
 *
 * Everything passed in is copied and everything returned is a copy. Every method throws
 * {@link RvfError} and then leaves the store as it was; all but `create` and `open` throw StoreClosed
 * after {@link close}. Stores live in WebAssembly memory, which is not garbage collected: close them.
 */
export class RvfStore {
  readonly #wasm: ControlExports;
  readonly #handle: number;

  private constructor(wasm: ControlExports, handle: number) {
    this.#wasm = wasm;
    this.#handle = handle;
  }

  /**
   * Creates an empty store.
   *
   * @param dimension elements per vector, 1 to 65,535
   * @param metric default "l2"
   * @throws {RvfError} InvalidArgument, MetricUnsupported, OutOfMemory, TooManyStores, or
   *   BackendInitFailed before `init`
   */
  static create(dimension: number, metric?: MetricName): RvfStore;
  static create(options: CreateOptions): RvfStore;
  static create(first: number | CreateOptions, second?: MetricName): RvfStore {
    const options = typeof first === "object" && first !== null ? first : undefined;
    const dimension = options ? options.dimension : first;
    const metric = metricCode((options ? options.metric : second) ?? "l2");
    if (
      !Number.isInteger(dimension) ||
      (dimension as number) < 1 ||
      (dimension as number) > 65_535
    ) {
      throw invalid(`The dimension is ${shown(dimension)}; give an integer from 1 to 65,535.`);
    }
    const wasm = control();
    const fileId = crypto.getRandomValues(new Uint8Array(16));
    return withScratch(wasm, [fileId.length], (ptr) => {
      const handle = check(wasm.rvf_store_create(dimension as number, metric));
      copyIn(wasm, ptr, fileId);
      check(wasm.rvf_store_set_file_id(handle, ptr));
      return new RvfStore(wasm, handle);
    });
  }

  /**
   * Opens the bytes of an .rvf file, whichever tool wrote it. Look at {@link warnings} afterwards.
   *
   * @throws {RvfError} ManifestNotFound: not an .rvf file; InvalidVersion: newer than this package;
   *   InvalidChecksum, TruncatedSegment, InvalidManifest, CowMapCorrupt: damaged; ParentNotFound: a
   *   branch without its parent; ParentHashMismatch: the parent is another or has changed; OutOfMemory, TooManyStores, InvalidArgument, MetricUnsupported, BackendInitFailed
   */
  static open(bytes: Uint8Array | ArrayBuffer, options: OpenOptions = {}): RvfStore {
    const metric = metricCode(options.metric);
    const file = toBytes(bytes, "bytes to open");
    const parent = toBytes(options.parent ?? new Uint8Array(0), "bytes of a parent");
    const wasm = control();
    return withScratch(wasm, [file.length, parent.length], (filePtr, parentPtr) => {
      copyIn(wasm, filePtr, file);
      copyIn(wasm, parentPtr, parent);
      const sources = [filePtr, file.length, parentPtr, parent.length] as const;
      return new RvfStore(wasm, check(wasm.rvf_store_open_branch(...sources, metric)));
    });
  }

  /** Live vectors. */
  get count(): number {
    return check(this.#wasm.rvf_store_count(this.#handle));
  }

  /** Elements per vector. */
  get dimension(): number {
    return check(this.#wasm.rvf_store_dimension(this.#handle));
  }

  /** The metric that queries use unless they name another. */
  get metric(): Metric {
    return this.status().metric;
  }

  /** What opening the file had to pass over; empty for a sound file and for a created store. */
  get warnings(): Warning[] {
    const bits = check(this.#wasm.rvf_store_warnings(this.#handle));
    return warningNames.filter((_, bit) => (bits & (1 << bit)) !== 0);
  }

  /**
   * Adds vectors, or replaces those whose id is held already. All or nothing; of equal ids in one call
   * the last wins.
   *
   * @param vectors with one id: one vector; with many: a list of vectors, or one flat list of
   *   `ids.length * dimension` numbers, row after row
   * @returns how many vectors were taken: one, or `ids.length`
   * @throws {RvfError} DimensionMismatch; NotFinite, naming the element; InvalidArgument for an id
   *   that is no u64 or for other types; OutOfMemory
   */
  ingest(vector: Vector, id: Id): number;
  ingest(vectors: Vector | ArrayLike<Vector>, ids: ArrayLike<Id>): number;
  ingest(vectors: Vector | ArrayLike<Vector>, ids: Id | ArrayLike<Id>): number {
    const wasm = this.#wasm;
    const { dimension } = this;
    const encoded = idList(ids);
    const count = encoded.length / 2;
    const rows = isList(ids)
      ? toRows(vectors, count, dimension)
      : toVector(vectors, dimension, "The vector");
    return withScratch(wasm, [rows.byteLength, encoded.byteLength], (rowsPtr, idsPtr) => {
      copyIn(wasm, rowsPtr, rows);
      copyIn(wasm, idsPtr, encoded);
      const status = wasm.rvf_store_ingest(this.#handle, rowsPtr, idsPtr, count);
      return checkFinite(status, rows, dimension, (row) => `vector ${row}`);
    });
  }

  /**
   * Finds the nearest vectors by an exact scan.
   *
   * @param k how many, at least 1; a store with fewer vectors answers all of them
   * @returns hits by ascending distance, equal distances by ascending id
   * @throws {RvfError} DimensionMismatch; NotFinite; InvalidArgument for k; MetricUnsupported;
   *   OutOfMemory
   */
  query(vector: Vector, k: number, options: QueryOptions = {}): Hit[] {
    const wasm = this.#wasm;
    const { dimension, metric, count } = this.status();
    const query = toVector(vector, dimension, "The query");
    const override = metricCode(options.metric);
    if (!Number.isInteger(k) || k < 1) {
      throw invalid(`k is ${shown(k)}; give the number of hits wanted, an integer of at least 1.`);
    }
    const most = Math.min(k, Math.max(count, 1));
    const bytes = withScratch(wasm, [query.byteLength, most * hitBytes], (queryPtr, hitsPtr) => {
      copyIn(wasm, queryPtr, query);
      const status = wasm.rvf_store_query(this.#handle, queryPtr, most, override, hitsPtr);
      const found = checkFinite(status, query, dimension, () => "the query");
      return copyOut(wasm, hitsPtr, found * hitBytes);
    });
    const view = new DataView(bytes.buffer);
    const by = override < 0 ? metric : metrics[override];
    return Array.from({ length: bytes.length / hitBytes }, (_, i) => {
      const id = decodeId(view, i * hitBytes);
      const distance = view.getFloat32(i * hitBytes + 8, true);
      if (by === "cosine") return { id, distance, similarity: 1 - distance };
      return by === "inner_product" ? { id, distance, similarity: -distance } : { id, distance };
    });
  }

  /**
   * The vector of an id as a copy, or undefined when the id is not held.
   *
   * @throws {RvfError} InvalidArgument for an id that is no u64
   */
  get(id: Id): Float32Array<ArrayBuffer> | undefined {
    const wasm = this.#wasm;
    const encoded = encodeIds([id]);
    const size = this.dimension * 4;
    return withScratch(wasm, [encoded.byteLength, size], (idPtr, outPtr) => {
      copyIn(wasm, idPtr, encoded);
      const found = check(wasm.rvf_store_vector(this.#handle, idPtr, outPtr));
      return found ? new Float32Array(copyOut(wasm, outPtr, size).buffer) : undefined;
    });
  }

  /**
   * Deletes vectors by id. They are gone from queries, counts and exports at once.
   *
   * @returns how many were there; unknown and repeated ids are passed over
   * @throws {RvfError} InvalidArgument for an id that is no u64
   */
  delete(ids: Id | ArrayLike<Id>): number {
    const wasm = this.#wasm;
    const encoded = idList(ids);
    return withScratch(wasm, [encoded.byteLength], (ptr) => {
      copyIn(wasm, ptr, encoded);
      return check(wasm.rvf_store_delete(this.#handle, ptr, encoded.length / 2));
    });
  }

  /** Counts, dimension and metric in one call. */
  status(): StoreStatus {
    const view = this.#record(statusBytes, this.#wasm.rvf_store_status);
    const field = (i: number) => view.getUint32(i * 4, true);
    return {
      count: field(0),
      dimension: field(1),
      metric: metrics[field(2)] ?? "l2",
      rows: field(3),
      deletedRows: field(4),
    };
  }

  /** Bytes of WebAssembly memory that this store and the module hold. */
  memoryUsage(): MemoryUsage {
    const view = this.#record(memoryUsageBytes, this.#wasm.rvf_store_memory_usage);
    const field = (i: number) => Number(view.getBigUint64(i * 8, true));
    return { rows: field(0), ids: field(1), segments: field(2), module: field(3) };
  }

  /**
   * The store as a complete .rvf file that upstream's tools open too: the live vectors and every
   * segment of the opened file that this package does not interpret, unchanged.
   *
   * @throws {RvfError} SegmentTooLarge from 2 GiB on; OutOfMemory
   */
  toBytes(): Uint8Array<ArrayBuffer> {
    const wasm = this.#wasm;
    const size = check(wasm.rvf_store_export_size(this.#handle));
    return withScratch(wasm, [size], (ptr) =>
      copyOut(wasm, ptr, check(wasm.rvf_store_export(this.#handle, ptr, size))),
    );
  }

  /**
   * Frees the store's memory. Its handle is dead afterwards.
   *
   * @throws {RvfError} StoreClosed when it is closed already
   */
  close(): void {
    check(this.#wasm.rvf_store_close(this.#handle));
  }

  /** Closes the store at the end of a `using` block, unless it is closed already. */
  declare [Symbol.dispose]: () => void;

  /** The bytes that an export writes for this store, as a view of a copy. */
  #record(size: number, write: (handle: number, out: number) => number): DataView {
    return withScratch(this.#wasm, [size], (ptr) => {
      check(write(this.#handle, ptr));
      return new DataView(copyOut(this.#wasm, ptr, size).buffer);
    });
  }

  static {
    // Older browsers have no Symbol.dispose.
    if (Symbol.dispose) {
      Object.defineProperty(RvfStore.prototype, Symbol.dispose, {
        value(this: RvfStore) {
          if (this.#wasm.rvf_store_count(this.#handle) >= 0) this.close();
        },
      });
    }
  }
}
