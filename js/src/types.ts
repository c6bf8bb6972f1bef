// Every public type that is not a class.

import type { Filter, Metadata } from "./metadata_types.js";

export type * from "./container_types.js";
export type * from "./file_types.js";
export type * from "./index_types.js";
export type * from "./metadata_types.js";

/**
 * How distances are computed; smaller is nearer in all three.
 * - `l2`: sum of squared differences, no square root.
 * - `inner_product`: minus the dot product.
 * - `cosine`: 1 - dot / (|a| |b|); 1 when a norm is (nearly) zero.
 */
export type Metric = "l2" | "inner_product" | "cosine";

/** A metric by any name that upstream's packages take. */
export type MetricName = Metric | "L2" | "Cosine" | "InnerProduct" | "ip" | "dotproduct";

/**
 * An id that is a number: any unsigned 64-bit one. Numbers must be safe integers (at most 2^53 - 1);
 * larger ids are bigints. Answers give a number when it is safe and a bigint otherwise.
 */
export type NumericId = number | bigint;

/**
 * A vector's id: a number, or any text in valid Unicode. 5 and "5" are two ids.
 *
 * A vector whose id is text has a number too, its label: the next one that is free, from 1. It is what
 * tools see that know numbers only. Here it is no id: to look for it finds nothing, and to ingest it
 * is an error.
 */
export type Id = NumericId | string;

/** One vector: exactly `dimension` finite numbers, stored as 32-bit floats. */
export type Vector = ArrayLike<number>;

/** Where a wasm module comes from. Bytes are copied, responses are read to their end. */
export type WasmSource =
  | URL
  | string
  | Response
  | Promise<Response>
  | BufferSource
  | WebAssembly.Module;

export interface InitOptions {
  /**
   * The most bytes of memory that the module may grow to; default 4 GiB. Stores report OutOfMemory
   * beyond it and stay as they are. Calling `init` again with another value changes the limit.
   */
  maxMemoryBytes?: number;
  /**
   * Whether an index is needed (RvfStore.createIndex): another, larger module has it. Only the first
   * `init` can choose. Default false.
   */
  search?: boolean;
}

/**
 * How a query searches.
 * - `exact`: compares with every vector; an index with codes spares most of them, with the same answers.
 * - `hnsw`: walks through the graph of the index; finds about the nearest.
 * - `auto`: `hnsw` where that is likely to be faster, `exact` elsewhere: it walks from (20 + 4,500 /
 *   dimension) times `ef` vectors on, when all are in a graph and the metric is the store's. With an
 *   `ef` of RvfStore.calibrateEf it meets a recall.
 */
export type SearchMode = "exact" | "hnsw" | "auto";

export interface CreateOptions {
  /** Elements per vector, 1 to 65,535. */
  dimension: number;
  /** Default "l2". */
  metric?: MetricName;
}

/** Upstream's list of text ids, as its SDK keeps it beside a file in `.idmap.json`. */
export interface IdMap {
  /** The label of each text. */
  idToLabel: Record<string, number>;
  /** The text of each label, in digits. */
  labelToId: Record<string, string>;
  /** The label that the next new text gets. */
  nextLabel: number;
}

export interface OpenOptions {
  /** Overrules the metric stored in the file, for files whose writer did not store it. */
  metric?: MetricName;
  /**
   * For a branch: the bytes of the file that it was branched from, and when that is a branch itself, of
   * its parent next, and so on, 16 at most. Other files ignore them. A parent that has gone on since is
   * taken as it was then.
   */
  parent?: Uint8Array | ArrayBuffer | readonly (Uint8Array | ArrayBuffer)[];
  /**
   * Opens a damaged file with what is intact: damaged vectors and metadata are left out, a branch opens
   * without its parent, a file without a commit with every sound segment. The store then warns of
   * `Losses`, and RvfStore.losses lists them.
   */
  salvage?: boolean;
  /**
   * Upstream's list of text ids for this file, as text or parsed. Vectors that it names and that have
   * no text yet get theirs, which the next commit saves. A frozen file takes none: SnapshotFrozen.
   */
  idMap?: string | IdMap;
}

export interface QueryOptions {
  /** Answers by another metric than the store's, for this query only. */
  metric?: MetricName;
  /** Only vectors that it admits. It acts during the search: k are found when k are admitted. */
  filter?: Filter | string;
  /**
   * Only vectors with these ids; together with `filter`, those that pass both. Unknown ones are passed
   * over. The query costs what they cost, not what the store holds.
   */
  ids?: ArrayLike<Id>;
  /** Adds the metadata to each hit. */
  includeMetadata?: boolean;
  /** Default "exact". What `ids` name is compared one by one in every mode. */
  mode?: SearchMode;
  /**
   * How many vectors a walk through the graph keeps in view, k at least: more, more of the true ones, and
   * a longer search. Default: 64, or k when that is more.
   */
  ef?: number;
  /**
   * The most vectors that a walk through the graph compares. An answer that it cut short is `partial`.
   * Exact searches have no limit, nor have those where a filter admits so few that all are compared.
   */
  workLimit?: number;
}

/** A file that is read where it is. */
export interface FileSource {
  /** Bytes of the whole file. */
  readonly size: number;
  /** Just these bytes. They are copied before the next call. */
  read(offset: number, length: number): Uint8Array;
}

export interface SearcherOptions {
  /** Only vectors that it admits. */
  filter?: Filter | string;
  /** Adds the metadata to each hit. */
  includeMetadata?: boolean;
  /** As {@link QueryOptions.ef}; default 64, or k when that is more. */
  ef?: number;
  /** How many vectors are read to be compared as they are, k at least; default 4 k, 32 at least. */
  rescore?: number;
  /** As {@link QueryOptions.workLimit}. */
  workLimit?: number;
}

/** One answer of a query. */
export interface Hit {
  id: Id;
  /** Smaller is nearer; see {@link Metric} for the formulas. */
  distance: number;
  /** Larger is nearer. Cosine: 1 - distance. Inner product: the dot product. L2: absent. */
  similarity?: number;
  /** With `includeMetadata`: the vector's record, empty when it has none. */
  metadata?: Metadata;
}

/** The answers of a query, by ascending distance, equal distances by ascending number. */
export interface Hits extends Array<Hit> {
  /** There are fewer than k, because no more vectors are held or admitted. Not enumerable. */
  readonly exhausted: boolean;
  /** `workLimit` was reached, so that nearer vectors may be missing. Not enumerable. */
  readonly partial: boolean;
}

export interface StoreStatus {
  /** Live vectors. */
  count: number;
  dimension: number;
  metric: Metric;
  /** Rows held in memory, deleted ones included. */
  rows: number;
  /** Deleted rows whose memory is still held. */
  deletedRows: number;
}

/** Bytes of WebAssembly memory. */
export interface MemoryUsage {
  /** Held by the store's vectors. */
  rows: number;
  /** Held by the store's ids and their map. */
  ids: number;
  /** Held by metadata, and by segments that are kept unread for the next export. */
  segments: number;
  /** The whole memory of the module, all stores together. */
  module: number;
}

/**
 * What opening a file had to pass over.
 * - `TornTail`: bytes after the last commit were ignored: an interrupted write.
 * - `DamagedManifest`: no manifest passed the strict check; the last readable one was taken.
 * - `ForeignDimension`: a vector segment of another dimension was left out.
 * - `MetricAssumed`: the stored metric is unknown or missing; L2 is assumed.
 * - `WasmLayout`: written by the upstream wasm module, which stores no metric; `open` can be given one.
 * - `NotFiniteRows`: the file holds vectors with NaN or infinities.
 * - `SkippedManifest`: a later manifest is damaged; the state before it was opened.
 * - `DamagedHeader`: the header of a segment does not agree with the directory, which counts.
 * - `DamagedRecord`: a REFCOUNT or DELTA segment is not sound; it is carried on all the same.
 * - `Losses`: salvage left something out; see RvfStore.losses.
 */
export type Warning =
  | "TornTail"
  | "DamagedManifest"
  | "ForeignDimension"
  | "MetricAssumed"
  | "WasmLayout"
  | "NotFiniteRows"
  | "SkippedManifest"
  | "DamagedHeader"
  | "DamagedRecord"
  | "Losses";
