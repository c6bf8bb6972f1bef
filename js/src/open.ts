// Opening: a file, its parents, and upstream's list of text ids.

import type { ControlExports } from "./abi.js";
import { encodeText, invalid, isList, isObject, shown, toBytes } from "./bytes.js";
import { check, RvfError, type RvfErrorName } from "./errors.js";
import { copyIn, readRecord, withGift, withScratch } from "./memory.js";
import { metricCode } from "./metric.js";
import { typeName } from "./segment_types.js";
import type { StoreRef } from "./session.js";
import type { IdMap, Loss, NumericId, OpenOptions } from "./types.js";

const fileBytesRecord = 8;
const lossBytes = 32;
const salvageFlag = 1;
const takeFileFlag = 2;
const mostParents = 16;

function parentList(parent: OpenOptions["parent"]): Uint8Array[] {
  if (parent === undefined) return [];
  const parents: readonly unknown[] = Array.isArray(parent) ? parent : [parent];
  if (parents.length > mostParents) {
    throw invalid(`There are ${parents.length} parents; no more than ${mostParents} can be given.`);
  }
  return parents.map((bytes) => toBytes(bytes, "bytes of a parent"));
}

/** Opens a file; answers its handle. */
export function openFile(
  wasm: ControlExports,
  bytes: Uint8Array | ArrayBuffer,
  options: OpenOptions,
): number {
  const metric = metricCode(options.metric);
  const file = toBytes(bytes, "bytes to open");
  const parents = parentList(options.parent);
  const flags = takeFileFlag | (options.salvage ? salvageFlag : 0);
  const sizes = parents.map(({ length }) => length);
  return withScratch(wasm, [parents.length * fileBytesRecord, ...sizes], (list, ...pointers) => {
    for (const [i, source] of parents.entries()) copyIn(wasm, pointers[i] as number, source);
    const records = parents.flatMap(({ length }, i) => [pointers[i] as number, length]);
    copyIn(wasm, list as number, new Uint32Array(records));
    return withGift(wasm, file, (ptr, size) =>
      check(wasm.rvf_store_open_with(ptr, size, list as number, parents.length, metric, flags)),
    );
  });
}

/** What RvfStore.losses does. */
export function lossesOf({ wasm, handle }: StoreRef): Loss[] {
  const count = check(wasm.rvf_store_losses(handle, 0, 0));
  const size = count * lossBytes;
  const view = readRecord(wasm, size, (out) => check(wasm.rvf_store_losses(handle, out, size)));
  return Array.from({ length: count }, (_, i) => {
    const at = i * lossBytes;
    const type = view.getUint32(at + 24, true);
    const error = new RvfError(-view.getInt32(at + 28, true));
    return {
      offset: Number(view.getBigUint64(at, true)),
      size: Number(view.getBigUint64(at + 8, true)),
      id: Number(view.getBigUint64(at + 16, true)),
      type,
      typeName: typeName(type),
      reason: error.codeName as RvfErrorName,
    };
  });
}

/** Texts and labels of upstream's list, whose text or object is given. Throws InvalidArgument. */
export function readIdMap(source: unknown): { labels: Map<string, NumericId>; next: number } {
  let map: unknown = source;
  if (typeof source === "string") {
    try {
      map = JSON.parse(source);
    } catch (error) {
      throw invalid(
        `The idMap is no JSON: ${error instanceof Error ? error.message : error}; pass the text of an .idmap.json file.`,
      );
    }
  }
  const { idToLabel, nextLabel = 1 } = isObject(map) ? (map as Partial<IdMap>) : {};
  if (!isObject(idToLabel) || isList(map)) {
    throw invalid(`The idMap has no idToLabel; pass the contents of an .idmap.json file.`);
  }
  const labels = new Map<string, NumericId>();
  const seen = new Set<unknown>();
  for (const [name, label] of Object.entries(idToLabel)) {
    if (!Number.isSafeInteger(label) || (label as number) < 0 || seen.has(label)) {
      throw invalid(
        `The idMap gives ${shown(name)} the label ${shown(label)}; labels are integers, each once.`,
      );
    }
    if (!encodeText(name))
      throw invalid(`The idMap holds ${shown(name)}, which is no valid Unicode.`);
    seen.add(label);
    labels.set(name, label as number);
  }
  return { labels, next: Number.isSafeInteger(nextLabel) ? nextLabel : 1 };
}
