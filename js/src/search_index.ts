// The index of a store: made, built, saved, loaded; and what it means for a search.

import type { ControlExports, SearchExports } from "./abi.js";
import { invalid, shown } from "./bytes.js";
import { check, RvfError, RvfErrorCode } from "./errors.js";
import { readRecord } from "./memory.js";
import { isSearchModule } from "./module.js";
import type { StoreRef } from "./session.js";
import type {
  BuildOptions,
  IndexFault,
  IndexOptions,
  IndexState,
  QueryOptions,
  StoreStatus,
} from "./types.js";

const stateBytes = 48;
const graphFlag = 1;
const codesFlag = 2;
export const maxU32 = 0xffff_ffff;
/**
 * How many vectors a scan compares while a walk deals with one of the `ef` that it keeps in view: what
 * "auto" chooses by. A part of the walk's time does not depend on the dimension. Measured by
 * toolchain/bench index.
 */
const scannedForEach = (dimension: number, byCodes: boolean) =>
  byCodes ? 20 + 4500 / dimension : 12 + 2200 / dimension;
const leastEf = 64;

/** By the module's number, from 1. */
export const faultNames: readonly IndexFault[] = [
  "Truncated",
  "NoTrailer",
  "Version",
  "NotHnsw",
  "Parameters",
  "NodeCount",
  "Restart",
  "Padding",
  "Layers",
  "Degree",
  "Neighbor",
  "Ids",
  "OutOfMemory",
  "Ranges",
];

/** The module with an index. Throws BackendInitFailed for the other one. */
function indexed(wasm: ControlExports): SearchExports {
  if (isSearchModule(wasm)) return wasm;
  throw new RvfError(
    RvfErrorCode.BackendInitFailed,
    "An index needs the search module; `await init(undefined, { search: true })` before anything else.",
  );
}

/** `value` when it is an integer from `low` to `high`. Throws InvalidArgument. */
export function integer(value: unknown, name: string, low: number, high: number): number {
  if (Number.isInteger(value) && (value as number) >= low && (value as number) <= high) {
    return value as number;
  }
  const range = `${low} to ${high.toLocaleString("en")}`;
  throw invalid(`${name} is ${shown(value)}; give an integer from ${range}.`);
}

function seedOf(value: unknown): bigint {
  if (typeof value === "bigint" && value === BigInt.asUintN(64, value)) return value;
  return BigInt(integer(value, "seed", 0, Number.MAX_SAFE_INTEGER));
}

/** As `check`; an InvalidArgument says `what`. */
function checkIndex(status: number, what: string): number {
  if (status === -RvfErrorCode.InvalidArgument) throw invalid(what);
  return check(status);
}

/** What RvfStore.createIndex does. */
export function create({ wasm, handle }: StoreRef, options: IndexOptions): void {
  const { graph = true, codes = true, m = 16, efConstruction = 200, seed = 0 } = options;
  const flags = (graph ? graphFlag : 0) | (codes ? codesFlag : 0);
  if (flags === 0) throw invalid("An index of nothing was asked for; leave graph or codes true.");
  const links = integer(m, "m", 2, 64);
  const compared = integer(efConstruction, "efConstruction", 1, 4096);
  check(indexed(wasm).rvf_index_create(handle, flags, links, compared, seedOf(seed)));
}

/** What RvfStore.buildIndex does. */
export function build({ wasm, handle }: StoreRef, maxRows: number | undefined): number {
  const most = maxRows === undefined ? maxU32 : integer(maxRows, "maxRows", 1, maxU32);
  return checkIndex(
    indexed(wasm).rvf_index_build(handle, most),
    "There is no index; call createIndex or loadIndex first.",
  );
}

/** What RvfStore.buildIndexInSlices does. */
export async function buildInSlices(store: StoreRef, options: BuildOptions): Promise<void> {
  const { sliceRows = 1000, onProgress } = options;
  for (;;) {
    const left = build(store, sliceRows);
    onProgress?.(left, stateOf(store).rows);
    if (left === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** What RvfStore.indexState does. */
export function stateOf({ wasm, handle }: StoreRef): IndexState {
  const module = indexed(wasm);
  const view = readRecord(wasm, stateBytes, (out) => check(module.rvf_index_state(handle, out)));
  const field = (i: number) => view.getUint32(i * 4, true);
  const size = (i: number) => Number(view.getBigUint64(i * 8, true));
  const fault = faultNames[field(7) - 1];
  return {
    graph: (field(0) & graphFlag) !== 0,
    codes: (field(0) & codesFlag) !== 0,
    m: field(1),
    efConstruction: field(2),
    graphRows: field(3),
    codeRows: field(4),
    rows: field(5),
    rowsRead: field(6),
    ...(fault && { fault }),
    graphBytes: size(4),
    codesBytes: size(5),
  };
}

/** Whether the store has any part of an index. */
export function hasIndex(store: StoreRef): boolean {
  if (!isSearchModule(store.wasm)) return false;
  const { graph, codes } = stateOf(store);
  return graph || codes;
}

/** What RvfStore.saveIndex does. */
export function save({ wasm, handle }: StoreRef): void {
  checkIndex(
    indexed(wasm).rvf_index_save(handle),
    "There is no index, or no live vector in it; call createIndex and buildIndex first.",
  );
}

/** What RvfStore.loadIndex does. */
export function load(store: StoreRef, seed: number | bigint): IndexState {
  check(indexed(store.wasm).rvf_index_load(store.handle, seedOf(seed)));
  return stateOf(store);
}

/** What RvfStore.dropIndex does. */
export function drop({ wasm, handle }: StoreRef): void {
  check(indexed(wasm).rvf_index_drop(handle));
}

/** Whether "auto" walks through the graph. */
function graphIsFaster(store: StoreRef, { count, dimension }: StoreStatus, ef: number): boolean {
  if (count <= ef * scannedForEach(dimension, false) || !isSearchModule(store.wasm)) return false;
  const { graph, graphRows, codes, rows } = stateOf(store);
  if (codes && count <= ef * scannedForEach(dimension, true)) return false;
  return graph && graphRows === rows;
}

/** The `ef` of a search through the graph; 0 for an exact one. */
export function efFor(
  store: StoreRef,
  status: StoreStatus,
  k: number,
  isOwnMetric: boolean,
  options: QueryOptions,
): number {
  const { mode = "exact" } = options;
  const ef = integer(options.ef ?? Math.min(Math.max(leastEf, k), maxU32), "ef", 1, maxU32);
  if (mode === "exact") return 0;
  if (mode === "auto") return isOwnMetric && graphIsFaster(store, status, ef) ? ef : 0;
  if (mode !== "hnsw") {
    throw invalid(`The mode is ${shown(mode)}; use "exact", "hnsw" or "auto".`);
  }
  indexed(store.wasm);
  if (!isOwnMetric) {
    throw new RvfError(
      RvfErrorCode.MetricUnsupported,
      `The graph is of the metric ${status.metric}; leave out \`metric\`, or search with mode "exact".`,
    );
  }
  if (!stateOf(store).graph) {
    throw invalid("There is no graph; call createIndex or loadIndex first.");
  }
  return ef;
}
