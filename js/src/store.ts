// RvfStore: an .rvf file in memory. Each method is a function of another file over the module and the
// store's handle.
/// <reference lib="esnext.disposable" preserve="true" />

import type { ControlExports } from "./abi.js";
import { bootstrapChain } from "./bootstrap.js";
import { invalid, shown } from "./bytes.js";
import { carried, embed } from "./carried.js";
import { acknowledge, discard, makeCommit, stateOf, toChanges, unsigned } from "./commit.js";
import * as containers from "./containers.js";
import { check } from "./errors.js";
import { Fields } from "./fields.js";
import * as lineage from "./lineage.js";
import { copyIn, copyOut, withScratch } from "./memory.js";
import { metricCode } from "./metric.js";
import { control } from "./module.js";
import { Names } from "./names.js";
import { lossesOf, openFile, readIdMap } from "./open.js";
import { query, queryMany } from "./query.js";
import { calibrateEf, measureRecall } from "./recall.js";
import * as rows from "./rows.js";
import * as searchIndex from "./search_index.js";
import { typeCode } from "./segment_types.js";
import type { Session } from "./session.js";
import { signedChanges } from "./signatures.js";
import { memoryUsageOf, statusOf } from "./status.js";
import type * as types from "./types.js";

/** By bit, from the lowest. */
const warningNames: readonly types.Warning[] = [
  "TornTail",
  "DamagedManifest",
  "ForeignDimension",
  "MetricAssumed",
  "WasmLayout",
  "NotFiniteRows",
  "SkippedManifest",
  "DamagedHeader",
  "DamagedRecord",
  "Losses",
];

/**
 * A vector store in memory, with the contents of one .rvf file.
 *
 * Everything passed in is copied and everything returned is a copy. Every method throws
 * {@link RvfError} and then leaves the store as it was; all but `create` and `open` throw StoreClosed
 * after {@link close}, and whatever needs memory may throw OutOfMemory. Methods that change vectors,
 * metadata or segments throw SnapshotFrozen once the store is frozen. Stores live in WebAssembly
 * memory, which is not garbage collected: close them.
 */
export class RvfStore {
  readonly #store: Session;

  private constructor(wasm: ControlExports, handle: number, isEmpty: boolean) {
    const store = { wasm, handle };
    this.#store = {
      ...store,
      fields: new Fields(store),
      names: new Names(store, isEmpty),
      pending: undefined,
    };
  }

  /**
   * Creates an empty store.
   *
   * @param dimension elements per vector, 1 to 65,535
   * @param metric default "l2"
   * @throws {RvfError} InvalidArgument, MetricUnsupported, OutOfMemory, TooManyStores, or
   *   BackendInitFailed before `init`
   */
  static create(dimension: number, metric?: types.MetricName): RvfStore;
  static create(options: types.CreateOptions): RvfStore;
  static create(first: number | types.CreateOptions, second?: types.MetricName): RvfStore {
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
    const fileId = lineage.newFileId();
    return withScratch(wasm, [fileId.length], (ptr) => {
      const handle = check(wasm.rvf_store_create(dimension as number, metric));
      copyIn(wasm, ptr, fileId);
      check(wasm.rvf_store_set_file_id(handle, ptr));
      return new RvfStore(wasm, handle, true);
    });
  }

  /**
   * Opens the bytes of an .rvf file, whichever tool wrote it. Look at {@link warnings} afterwards.
   *
   * @throws {RvfError} ManifestNotFound: not an .rvf file; InvalidVersion: newer than this package;
   *   InvalidChecksum, TruncatedSegment, InvalidManifest, CowMapCorrupt: damaged; ParentNotFound: a
   *   branch without its parent; LineageBroken: that is another file; ParentHashMismatch: it does not
   *   hold what the branch was made from; OutOfMemory, TooManyStores, InvalidArgument,
   *   MetricUnsupported, SnapshotFrozen, BackendInitFailed
   */
  static open(bytes: Uint8Array | ArrayBuffer, options: types.OpenOptions = {}): RvfStore {
    const idMap = options.idMap === undefined ? undefined : readIdMap(options.idMap);
    const wasm = control();
    const store = new RvfStore(wasm, openFile(wasm, bytes, options), false);
    try {
      if (idMap) store.#store.names.adopt(idMap.labels, idMap.next);
      return store;
    } catch (error) {
      store.close();
      throw error;
    }
  }

  /** The store, when it is open. */
  get #open(): Session {
    check(this.#store.wasm.rvf_store_count(this.#store.handle));
    return this.#store;
  }

  /** Live vectors. */
  get count(): number {
    return check(this.#store.wasm.rvf_store_count(this.#store.handle));
  }

  /** Elements per vector. */
  get dimension(): number {
    return check(this.#store.wasm.rvf_store_dimension(this.#store.handle));
  }

  /** The metric that queries use unless they name another. */
  get metric(): types.Metric {
    return this.status().metric;
  }

  /** What opening the file had to pass over; empty for a sound file and for a created store. */
  get warnings(): types.Warning[] {
    const bits = check(this.#store.wasm.rvf_store_warnings(this.#store.handle));
    return warningNames.filter((_, bit) => (bits & (1 << bit)) !== 0);
  }

  // --- Vectors ---

  /**
   * Adds vectors, or replaces those whose id is held already, together with their metadata: what is
   * not given is gone. All or nothing; of equal ids in one call the last wins.
   *
   * @param vectors with one id: one vector; with many: a list of vectors, or one flat list of
   *   `ids.length * dimension` numbers, row after row
   * @param metadata with one id: its record; with many: a record or undefined for each
   * @returns how many vectors were taken: one, or `ids.length`
   * @throws {RvfError} DimensionMismatch; NotFinite, naming the element; InvalidArgument for an id or
   *   metadata that cannot be stored, for a number that is the label of a text, or for other types;
   *   SnapshotFrozen; OutOfMemory
   */
  ingest(vector: types.Vector, id: types.Id, metadata?: types.MetadataInput): number;
  ingest(
    vectors: types.Vector | ArrayLike<types.Vector>,
    ids: ArrayLike<types.Id>,
    metadata?: ArrayLike<types.MetadataInput | undefined>,
  ): number;
  ingest(
    vectors: types.Vector | ArrayLike<types.Vector>,
    ids: types.Id | ArrayLike<types.Id>,
    metadata?: types.MetadataInput | ArrayLike<types.MetadataInput | undefined>,
  ): number {
    return rows.ingest(this.#open, this.dimension, vectors, ids, metadata);
  }

  /**
   * Finds the nearest vectors, of all or of those that a filter admits: exactly, or by the index about
   * the nearest.
   *
   * @param k how many, at least 1; fewer come when fewer are held or admitted, and `exhausted` says so
   * @returns hits by ascending distance, equal distances by ascending number
   * @throws {RvfError} DimensionMismatch; NotFinite; InvalidArgument for k, ids, mode or ef, or without a
   *   graph; MetricUnsupported, also for "hnsw" by another metric than the store's; FilterParseError;
   *   OutOfMemory; BackendInitFailed for "hnsw" without the search module
   */
  query(vector: types.Vector, k: number, options: types.QueryOptions = {}): types.Hits {
    return query(this.#store, this.status(), vector, k, options);
  }

  /**
   * Many queries in one call, which share what reading vectors costs. The answers are those of
   * {@link query}, one after the other.
   *
   * @param vectors a list of vectors, or one flat list of `dimension` numbers for each
   * @throws {RvfError} as {@link query}
   */
  queryMany(
    vectors: types.Vector | ArrayLike<types.Vector>,
    k: number,
    options: types.QueryOptions = {},
  ): types.Hits[] {
    return queryMany(this.#store, this.status(), vectors, k, options);
  }

  /**
   * The vector of an id as a copy, or undefined when the id is not held.
   *
   * @throws {RvfError} InvalidArgument for what is no id
   */
  get(id: types.Id): Float32Array<ArrayBuffer> | undefined {
    return rows.vectorOf(this.#open, this.dimension, id);
  }

  /**
   * Whether an id is held.
   *
   * @throws {RvfError} InvalidArgument for what is no id
   */
  has(id: types.Id): boolean {
    return this.get(id) !== undefined;
  }

  /** All ids that are held, in no order to rely on. */
  ids(): types.Id[] {
    return rows.idsOf(this.#open);
  }

  /**
   * Deletes vectors by id. They are gone from queries, counts and exports at once.
   *
   * @returns how many were there; unknown and repeated ids are passed over
   * @throws {RvfError} InvalidArgument for what is no id; SnapshotFrozen
   */
  delete(ids: types.Id | ArrayLike<types.Id>): number {
    return rows.deleteIds(this.#open, ids);
  }

  /**
   * Deletes the vectors that a filter admits.
   *
   * @returns how many
   * @throws {RvfError} FilterParseError; SnapshotFrozen
   */
  deleteWhere(filter: types.Filter | string): number {
    return rows.deleteWhere(this.#open, filter);
  }

  /**
   * The metadata of an id: empty when it has none, undefined when the id is not held.
   *
   * @throws {RvfError} InvalidArgument for what is no id
   */
  metadata(id: types.Id): types.Metadata | undefined {
    return rows.metadataOf(this.#open, this.dimension, id);
  }

  /**
   * Replaces the metadata of an id; undefined removes it. The vector stays.
   *
   * @returns whether the id is held
   * @throws {RvfError} InvalidArgument for what is no id or cannot be stored; SnapshotFrozen
   */
  setMetadata(id: types.Id, metadata: types.MetadataInput | undefined): boolean {
    return rows.setMetadata(this.#open, this.dimension, id, metadata);
  }

  /** The texts that are ids and their labels, as upstream's SDK reads them from `.idmap.json`. */
  idMap(): types.IdMap {
    return this.#open.names.toIdMap();
  }

  /** Counts, dimension and metric in one call. */
  status(): types.StoreStatus {
    return statusOf(this.#store);
  }

  /** Bytes of WebAssembly memory that this store and the module hold. */
  memoryUsage(): types.MemoryUsage {
    return memoryUsageOf(this.#store);
  }

  // --- Its index ---
  // All of it needs the search module, init(undefined, { search: true }), and throws BackendInitFailed
  // without it.

  /**
   * Gives the store an empty index, in place of the one it has. {@link buildIndex} brings the vectors
   * into it, also those that are ingested later. Searches are right at any time: what is not in the index
   * yet is compared one by one, what was deleted is in no answer.
   *
   * @throws {RvfError} InvalidArgument; OutOfMemory; BackendInitFailed
   */
  createIndex(options: types.IndexOptions = {}): void {
    searchIndex.create(this.#open, options);
  }

  /**
   * Brings vectors into the index, those that were replaced first.
   *
   * @param maxRows how many at most; default all
   * @returns how many rows are left; 0: done
   * @throws {RvfError} InvalidArgument, also without an index; OutOfMemory: what was brought in stays;
   *   BackendInitFailed
   */
  buildIndex(maxRows?: number): number {
    return searchIndex.build(this.#open, maxRows);
  }

  /**
   * Builds the index in slices, with a turn of the event loop between them, in which the store may be
   * searched and changed.
   *
   * @throws {RvfError} as {@link buildIndex}; StoreClosed when it was closed meanwhile; and what
   *   `onProgress` throws
   */
  async buildIndexInSlices(options: types.BuildOptions = {}): Promise<void> {
    return searchIndex.buildInSlices(this.#store, options);
  }

  /** What the index is made of, and how far it is built. */
  indexState(): types.IndexState {
    return searchIndex.stateOf(this.#open);
  }

  /**
   * Puts the index into the next {@link changes}: call it just before them, once more whenever vectors
   * or metadata have changed, because a commit of those leaves an older graph out. The ranges of codes
   * are found anew when vectors have changed. Tools of upstream use the graph too.
   *
   * @throws {RvfError} InvalidArgument without an index or a live vector in it; SnapshotFrozen;
   *   CommitPending; OutOfMemory; BackendInitFailed
   */
  saveIndex(): void {
    searchIndex.save(this.#open);
  }

  /**
   * Takes the index from the file that was opened, whichever tool wrote it. Nothing is built anew; codes,
   * and vectors that it lacks, come by {@link buildIndex}. A damaged graph is left, and `fault` says why;
   * an index that the store has stays then.
   *
   * @param seed for vectors to come; default 0
   * @returns what the store has then
   * @throws {RvfError} InvalidArgument; OutOfMemory; BackendInitFailed
   */
  loadIndex(seed: number | bigint = 0): types.IndexState {
    return searchIndex.load(this.#open, seed);
  }

  /** Frees the index. What the file has of it stays there. */
  dropIndex(): void {
    searchIndex.drop(this.#open);
  }

  /**
   * The share of the exact answers that the graph finds, 0 to 1. Of equal distances any counts.
   *
   * @param queries as for {@link queryMany}, of the kind that will be asked
   * @throws {RvfError} as {@link query}
   */
  measureRecall(
    queries: types.Vector | ArrayLike<types.Vector>,
    k: number,
    options: types.RecallOptions = {},
  ): number {
    return measureRecall(this.#store, this.status(), queries, k, options);
  }

  /**
   * The smallest `ef` by which the graph finds that share of the exact answers to the queries; undefined
   * when 1,024 is not enough.
   *
   * @param recall above 0, of 1 at most
   * @throws {RvfError} as {@link query}
   */
  calibrateEf(
    queries: types.Vector | ArrayLike<types.Vector>,
    k: number,
    recall: number,
  ): number | undefined {
    return calibrateEf(this.#store, this.status(), queries, k, recall);
  }

  // --- Its file ---

  /**
   * Makes the bytes that bring the store's file up to date, mostly by appending; a created or derived
   * store's first are a whole file. See {@link types.Changes} for how to write them. Until they are
   * acknowledged or discarded the store may change on; that belongs to the next commit.
   *
   * @returns undefined when nothing has changed
   * @throws {RvfError} CommitPending: the last were neither acknowledged nor discarded;
   *   InvalidArgument; OutOfMemory
   */
  changes(options: types.ChangesOptions = {}): types.Changes | undefined {
    const pending = makeCommit(this.#store, options, unsigned);
    return pending && toChanges(this.#store, pending);
  }

  /**
   * The same with a signature behind every segment that is new. When signing fails, the changes are
   * discarded.
   *
   * @throws {RvfError} as {@link changes}; also when the commit was acknowledged or discarded before it
   *   was signed; and what the signer throws
   */
  async signedChanges(
    signer: types.Signer,
    options: types.ChangesOptions = {},
  ): Promise<types.Changes | undefined> {
    return signedChanges(this.#store, signer, options);
  }

  /**
   * Tells the store that its last changes are in the file, and flushed.
   *
   * @throws {RvfError} CommitPending when none were made
   */
  acknowledge(): void {
    acknowledge(this.#store);
  }

  /**
   * Tells the store that its last changes are not in the file. They belong to the next commit again.
   *
   * @throws {RvfError} CommitPending when none were made
   */
  discard(): void {
    discard(this.#store);
  }

  /**
   * Freezes the store: it takes no more changes from here on, nor does its file after the next commit,
   * wherever this package opens it.
   *
   * @throws {RvfError} SnapshotFrozen when it is frozen already; CommitPending; OutOfMemory
   */
  freeze(): void {
    check(this.#store.wasm.rvf_store_freeze(this.#store.handle));
  }

  /** Whether it takes no more changes. */
  get frozen(): boolean {
    return this.state().frozen;
  }

  /** What is known of its file. */
  state(): types.StoreState {
    return stateOf(this.#store);
  }

  /** What opening with `salvage` left out; empty when nothing was, or without it. */
  losses(): types.Loss[] {
    return lossesOf(this.#open);
  }

  /**
   * The store as a complete .rvf file of its own, which upstream's tools open too: the live vectors
   * with their metadata, and every segment of the opened file that this package does not interpret,
   * unchanged. The store and its own file do not change.
   *
   * @throws {RvfError} SegmentTooLarge from 2 GiB on; OutOfMemory
   */
  toBytes(): Uint8Array<ArrayBuffer> {
    const { wasm, handle } = this.#store;
    const size = check(wasm.rvf_store_export_size(handle));
    return withScratch(wasm, [size], (ptr) =>
      copyOut(wasm, ptr, check(wasm.rvf_store_export(handle, ptr, size))),
    );
  }

  // --- Lineage ---

  /** Who its file is, and what it was made from. */
  lineage(): types.Lineage {
    return lineage.lineageOf(this.#open);
  }

  /**
   * Makes an empty child: a store of the same dimension and metric whose lineage names this one.
   *
   * @throws {RvfError} CommitPending when this store has changes that are not in its file;
   *   InvalidArgument; OutOfMemory, TooManyStores
   */
  derive(options: types.DeriveOptions): RvfStore {
    const handle = lineage.derive(this.#open, options);
    return new RvfStore(this.#store.wasm, handle, true);
  }

  /**
   * Makes a branch: a child that shows the vectors of this store, and whose file holds only what it
   * changes. It opens with this store's file as `parent`, also after that has gone on, but not after
   * it was compacted.
   *
   * @throws {RvfError} as {@link derive}
   */
  branch(options: types.BranchOptions): RvfStore {
    const handle = lineage.branch(this.#open, options);
    return new RvfStore(this.#store.wasm, handle, false);
  }

  // --- Containers and other segments ---

  /**
   * Embeds a kernel. Several are kept beside each other; so it is with the other containers.
   *
   * @returns the segment's id
   * @throws {RvfError} InvalidArgument; SegmentTooLarge; SnapshotFrozen, CommitPending, OutOfMemory
   */
  embedKernel(options: types.KernelOptions): number {
    return containers.embedKernel(this.#open, options);
  }

  /** Embeds an eBPF program; as {@link embedKernel}. */
  embedEbpf(options: types.EbpfOptions): number {
    return containers.embedEbpf(this.#open, options);
  }

  /** Embeds a WASM module; as {@link embedKernel}. */
  embedWasm(options: types.WasmOptions): number {
    return containers.embedWasm(this.#open, options);
  }

  /** Embeds a dashboard; as {@link embedKernel}. */
  embedDashboard(options: types.DashboardOptions): number {
    return containers.embedDashboard(this.#open, options);
  }

  /**
   * All kernels, in the order of the file, those that no commit holds yet included.
   *
   * @throws {RvfError} InvalidChecksum, InvalidMagic, InvalidVersion, TruncatedSegment or
   *   SegmentTooLarge for the first that is damaged, unless `damaged` asks for it
   */
  extractKernels(options: types.ExtractOptions = {}): types.KernelImage[] {
    return containers.extractKernels(this.#open, options);
  }

  /** All eBPF programs; as {@link extractKernels}. */
  extractEbpf(options: types.ExtractOptions = {}): types.EbpfProgram[] {
    return containers.extractEbpf(this.#open, options);
  }

  /** All WASM modules; as {@link extractKernels}. */
  extractWasm(options: types.ExtractOptions = {}): types.WasmImage[] {
    return containers.extractWasm(this.#open, options);
  }

  /** All dashboards; as {@link extractKernels}. */
  extractDashboards(options: types.ExtractOptions = {}): types.DashboardImage[] {
    return containers.extractDashboards(this.#open, options);
  }

  /**
   * Which embedded WASM modules run, and in which order.
   *
   * @throws {RvfError} as {@link extractKernels} for a damaged module
   */
  bootstrapChain(): types.BootstrapChain {
    return bootstrapChain(this.#open);
  }

  /**
   * Adds a segment of any type that this package does not write itself: a chain of witnesses, a
   * profile, keys, types that nobody knows. It is carried on byte for byte.
   *
   * @returns the segment's id
   * @throws {RvfError} InvalidArgument for other types; SegmentTooLarge above 256 MiB;
   *   SnapshotFrozen, CommitPending, OutOfMemory, and what is wrong with a container
   */
  embedSegment(type: types.SegmentTypeName | number, payload: Uint8Array | ArrayBuffer): number {
    return embed(this.#open, typeCode(type), payload);
  }

  /** All segments of a type that are carried on, in the order of the file. */
  extractSegments(type: types.SegmentTypeName | number): types.CarriedSegment[] {
    return carried(this.#open, typeCode(type));
  }

  /**
   * Frees the store's memory. Its handle is dead afterwards. Changes that no commit holds are lost.
   *
   * @throws {RvfError} StoreClosed when it is closed already
   */
  close(): void {
    check(this.#store.wasm.rvf_store_close(this.#store.handle));
    this.#store.pending = undefined;
  }

  /** Closes the store at the end of a `using` block, unless it is closed already. */
  declare [Symbol.dispose]: () => void;

  static {
    // Older browsers have no Symbol.dispose.
    if (Symbol.dispose) {
      Object.defineProperty(RvfStore.prototype, Symbol.dispose, {
        value(this: RvfStore) {
          const { wasm, handle } = this.#store;
          if (wasm.rvf_store_count(handle) >= 0) this.close();
        },
      });
    }
  }
}
