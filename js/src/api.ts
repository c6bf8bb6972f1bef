// What every entry exports alike; each adds its own init and loadKernel.

export type { KernelExports } from "./abi.js";
export { RvfError, RvfErrorCode, type RvfErrorName } from "./errors.js";
export { Kernel, loadKernelSync, TileMemory } from "./kernel.js";
export { initSync } from "./module.js";
export { RvfStore } from "./store.js";
export type * from "./types.js";
