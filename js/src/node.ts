// The entry for Node, Deno and Bun: reads file URLs from the file system and others with fetch.

import { readFile } from "node:fs/promises";
import { type Kernel, load as loadTile } from "./kernel.js";
import { load, type ReadUrl } from "./module.js";
import type { InitOptions, WasmSource } from "./types.js";

export * from "./api.js";

const moduleFor = ({ search }: InitOptions) =>
  search
    ? new URL("./rvf_search.wasm", import.meta.url)
    : new URL("./rvf_control.wasm", import.meta.url);

const read: ReadUrl = async (input) => {
  const url = new URL(input);
  return url.protocol === "file:" ? new Uint8Array(await readFile(url)) : fetch(url);
};

/**
 * Loads the control module, or the search module, which also has an index; await it before using
 * {@link RvfStore}. Calling it again loads nothing more (options are applied), and after a failure it
 * may be called again.
 *
 * @param input the module's URL, a Response, its bytes or a WebAssembly.Module; default: the file
 *   rvf_control.wasm beside this script, with `search` rvf_search.wasm
 * @throws {RvfError} BackendInitFailed, saying what to do; InvalidArgument for an option
 */
export function init(input?: WasmSource, options: InitOptions = {}): Promise<void> {
  return load(input === undefined ? moduleFor(options) : input, options, read);
}

export default init;

/**
 * Makes a new tile. For many, compile once and pass the WebAssembly.Module.
 *
 * @param input as for {@link init}; default: the file rvf_kernel.wasm beside this script
 * @throws {RvfError} BackendInitFailed
 */
export function loadKernel(
  input: WasmSource = new URL("./rvf_kernel.wasm", import.meta.url),
): Promise<Kernel> {
  return loadTile(input, read);
}
