// The types of the index: the graph and the codes that make searches quicker.

import type { Filter } from "./metadata_types.js";

export interface IndexOptions {
  /** A graph (HNSW) of near neighbours, for about the nearest; default true. */
  graph?: boolean;
  /** A byte for each dimension, for exact answers and for the walk through the graph; default true. */
  codes?: boolean;
  /** Links of a vector, 2 to 64; default 16. More: better answers, more memory, a longer build. */
  m?: number;
  /** Vectors that are compared to link one, 1 to 4,096; default 200. More: better, a longer build. */
  efConstruction?: number;
  /** Unsigned 64-bit; default 0. Equal seeds, vectors and calls give equal graphs. */
  seed?: number | bigint;
}

export interface BuildOptions {
  /** Vectors between two turns of the event loop; default 1,000. */
  sliceRows?: number;
  /** Called after each slice with the rows that are left, and the rows of the store. */
  onProgress?: (left: number, rows: number) => void;
}

/**
 * Why the graph of a file was not loaded, or its codes. Searches do with what is sound; createIndex
 * makes both anew.
 * - `Truncated`: cut, or not what its hash says.
 * - `NoTrailer`, `Version`, `NotHnsw`: of another kind, or of a version that is not known.
 * - `OutOfMemory`: memory cannot grow; the graph may be sound.
 * - `Ranges`: the graph is sound, but the ranges of the codes (QUANT) are damaged, of another kind,
 *   or there is no memory for them.
 * - the others: the graph contradicts itself.
 */
export type IndexFault =
  | "Truncated"
  | "NoTrailer"
  | "Version"
  | "NotHnsw"
  | "Parameters"
  | "NodeCount"
  | "Restart"
  | "Padding"
  | "Layers"
  | "Degree"
  | "Neighbor"
  | "Ids"
  | "OutOfMemory"
  | "Ranges";

export interface IndexState {
  /** Whether the index has a graph, and codes. Neither: there is none. */
  graph: boolean;
  codes: boolean;
  /** Of the graph; 0 without one. */
  m: number;
  efConstruction: number;
  /** Rows that the build of the graph has passed; searches compare the others one by one. */
  graphRows: number;
  codeRows: number;
  /** Rows of the store, deleted ones included. */
  rows: number;
  /** Vectors that the last exact search read because codes did not exclude them, all queries together. */
  rowsRead: number;
  /** What was wrong with the graph or the codes that loadIndex found; absent when nothing was. */
  fault?: IndexFault;
  /** Bytes of memory. */
  graphBytes: number;
  codesBytes: number;
}

export interface RecallOptions {
  /** As for a query. */
  ef?: number;
  filter?: Filter | string;
}
