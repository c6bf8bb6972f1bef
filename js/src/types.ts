// Every public type that is not a class.

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
 * A vector id: any unsigned 64-bit number. Numbers must be safe integers (at most 2^53 - 1); larger
 * ids are bigints. Answers give a number when it is safe and a bigint otherwise.
 */
export type Id = number | bigint;

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
}

export interface CreateOptions {
  /** Elements per vector, 1 to 65,535. */
  dimension: number;
  /** Default "l2". */
  metric?: MetricName;
}

export interface OpenOptions {
  /** Overrules the metric stored in the file, for files whose writer did not store it. */
  metric?: MetricName;
  /** For a branch: the bytes of the file that it was branched from. Other files ignore it. */
  parent?: Uint8Array | ArrayBuffer;
}

export interface QueryOptions {
  /** Answers by another metric than the store's, for this query only. */
  metric?: MetricName;
}

/** One answer of a query. */
export interface Hit {
  id: Id;
  /** Smaller is nearer; see {@link Metric} for the formulas. */
  distance: number;
  /** Larger is nearer. Cosine: 1 - distance. Inner product: the dot product. L2: absent. */
  similarity?: number;
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
  /** Held by segments that are kept unread for the next export. */
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
 */
export type Warning =
  | "TornTail"
  | "DamagedManifest"
  | "ForeignDimension"
  | "MetricAssumed"
  | "WasmLayout"
  | "NotFiniteRows"
  | "SkippedManifest";
