// The entry for Cloudflare Workers, which compile WebAssembly only at deployment: static imports.

import { type Kernel, load as loadTile } from "./kernel.js";
import { load } from "./module.js";
import controlModule from "./rvf_control.wasm";
import kernelModule from "./rvf_kernel.wasm";
import searchModule from "./rvf_search.wasm";
import type { InitOptions, WasmSource } from "./types.js";

export * from "./api.js";

const read = (url: URL | string) => fetch(url);

/**
 * Loads the control module, or the search module, which also has an index; await it before using
 * {@link RvfStore}. Calling it again loads nothing more (options are applied), and after a failure it
 * may be called again.
 *
 * @param input a WebAssembly.Module; default: the one that was deployed with this script
 * @throws {RvfError} BackendInitFailed, saying what to do; InvalidArgument for an option
 */
export function init(input?: WasmSource, options: InitOptions = {}): Promise<void> {
  const own = options.search ? searchModule : controlModule;
  return load(input === undefined ? own : input, options, read);
}

export default init;

/**
 * Makes a new tile.
 *
 * @param input as for {@link init}; default: the kernel that was deployed with this script
 * @throws {RvfError} BackendInitFailed
 */
export function loadKernel(input: WasmSource = kernelModule): Promise<Kernel> {
  return loadTile(input, read);
}
