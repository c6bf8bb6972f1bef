// Numbers about a store: counts, dimension, metric, memory.

import { check } from "./errors.js";
import { readRecord } from "./memory.js";
import { metrics } from "./metric.js";
import type { StoreRef } from "./session.js";
import type { MemoryUsage, StoreStatus } from "./types.js";

const statusBytes = 20;
const memoryUsageBytes = 32;

export function statusOf({ wasm, handle }: StoreRef): StoreStatus {
  const view = readRecord(wasm, statusBytes, (out) => check(wasm.rvf_store_status(handle, out)));
  const field = (i: number) => view.getUint32(i * 4, true);
  return {
    count: field(0),
    dimension: field(1),
    metric: metrics[field(2)] ?? "l2",
    rows: field(3),
    deletedRows: field(4),
  };
}

export function memoryUsageOf({ wasm, handle }: StoreRef): MemoryUsage {
  const view = readRecord(wasm, memoryUsageBytes, (out) =>
    check(wasm.rvf_store_memory_usage(handle, out)),
  );
  const field = (i: number) => Number(view.getBigUint64(i * 8, true));
  return { rows: field(0), ids: field(1), segments: field(2), module: field(3) };
}
