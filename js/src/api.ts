// What every entry exports alike; each adds its own init and loadKernel.

export type { KernelExports } from "./abi.js";
export { RvfError, RvfErrorCode, type RvfErrorName } from "./errors.js";
export { inspectSegments, verifyChecksum } from "./inspect.js";
export { Kernel, loadKernelSync, TileMemory } from "./kernel.js";
export { initSync } from "./module.js";
export { RvfSearcher } from "./searcher.js";
export { ed25519Signer, ed25519Verifier, verifySignatures } from "./signatures.js";
export { RvfStore } from "./store.js";
export type * from "./types.js";
export { createWitnessChain, verifyWitnessChain, verifyWitnesses } from "./witness.js";
