// Loading: from a source of any kind to the exports of a wasm module, with errors that say what to do.
// The entries (index.ts, node.ts, workerd.ts) differ only in the default source and in how they read a
// URL. The modules are so small that streaming compilation would gain nothing; without it no MIME type
// is needed, and what the server really sent can be looked at.

import type { ControlExports, SearchExports } from "./abi.js";
import { RvfError, RvfErrorCode } from "./errors.js";
import type { InitOptions, WasmSource } from "./types.js";

/** How an entry reads a URL. */
export type ReadUrl = (url: URL | string) => Promise<Response | BufferSource>;

const hints: [pattern: RegExp, hint: string][] = [
  [
    /^not wasm: html/,
    "The server sent an HTML page instead of the .wasm file. Pass the file's URL or its bytes to " +
      'init(); with Vite, add "rvf-wasm" to optimizeDeps.exclude.',
  ],
  [
    /disallowed by embedder/i,
    'This runtime does not compile WebAssembly at run time; import "rvf-wasm/workerd", or pass a ' +
      "WebAssembly.Module to init().",
  ],
  [
    /content security policy|unsafe-eval/i,
    "The page's Content Security Policy forbids WebAssembly; add 'wasm-unsafe-eval' to script-src.",
  ],
];

function initFailure(cause: unknown): RvfError {
  if (cause instanceof RvfError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const hint =
    hints.find(([pattern]) => pattern.test(reason))?.[1] ??
    `The module could not be loaded (${reason}). Pass its URL, its bytes or a WebAssembly.Module.`;
  return new RvfError(RvfErrorCode.BackendInitFailed, hint, { cause });
}

/** The class name of a value, also of one from another realm. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function isModule(value: unknown): value is WebAssembly.Module {
  return kindOf(value) === "WebAssembly.Module";
}

function wasmBytes(value: unknown): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array<ArrayBuffer>;
  if (ArrayBuffer.isView(value)) {
    bytes = new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength);
  } else if (kindOf(value) === "ArrayBuffer") {
    bytes = new Uint8Array(value as ArrayBuffer);
  } else {
    throw new TypeError(`${kindOf(value)} is not a source of WebAssembly`);
  }
  if (/^\s*</.test(String.fromCharCode(...bytes.subarray(0, 64))))
    throw new Error("not wasm: html");
  return bytes;
}

/** Compiles a source. Throws BackendInitFailed. */
export async function compile(source: WasmSource, read: ReadUrl): Promise<WebAssembly.Module> {
  try {
    let input: unknown = await source;
    if (typeof input === "string" || kindOf(input) === "URL")
      input = await read(input as URL | string);
    if (kindOf(input) === "Response") {
      const response = input as Response;
      if (!response.ok) throw new Error(`HTTP status ${response.status} for ${response.url}`);
      input = await response.arrayBuffer();
    }
    return isModule(input) ? input : await WebAssembly.compile(wasmBytes(input));
  } catch (error) {
    throw initFailure(error);
  }
}

/** The same, at once, for what needs no waiting. */
export function compileSync(source: WebAssembly.Module | BufferSource): WebAssembly.Module {
  try {
    return isModule(source) ? source : new WebAssembly.Module(wasmBytes(source));
  } catch (error) {
    throw initFailure(error);
  }
}

/** Throws BackendInitFailed unless the exports have `name`, which tells the modules apart. */
export function expectExport<T>(
  exports: WebAssembly.Exports,
  name: keyof T & string,
  file: string,
): T {
  if (typeof exports[name] !== "function") {
    throw new RvfError(
      RvfErrorCode.BackendInitFailed,
      `This module has no export ${name}; pass the ${file} of this version of rvf-wasm.`,
    );
  }
  return exports as unknown as T;
}

let current: ControlExports | undefined;
let loading: Promise<void> | undefined;

/** The loaded control module. Throws BackendInitFailed before init. */
export function control(): ControlExports {
  if (current === undefined) throw new RvfError(RvfErrorCode.BackendInitFailed);
  return current;
}

/** Whether a module has an index. */
export function isSearchModule(wasm: ControlExports): wasm is SearchExports {
  return "rvf_index_search" in wasm;
}

function adopt({ exports }: WebAssembly.Instance, { search }: InitOptions): void {
  if (search) expectExport<SearchExports>(exports, "rvf_index_search", "rvf_search.wasm");
  current ??= expectExport<ControlExports>(exports, "rvf_memory_limit", "rvf_control.wasm");
}

/** Throws BackendInitFailed when another module is loaded than the options ask for. */
function requireModule({ search }: InitOptions): void {
  if (!search || isSearchModule(control())) return;
  throw new RvfError(
    RvfErrorCode.BackendInitFailed,
    "The module without search is loaded already; give { search: true } to the first init.",
  );
}

/** The limit of `options`, cut to what a 32-bit module can have; undefined when it sets none. */
function memoryLimit(options: InitOptions): number | undefined {
  const limit = options.maxMemoryBytes;
  if (limit === undefined) return undefined;
  if (!Number.isSafeInteger(limit) || limit <= 0) {
    throw new RvfError(
      RvfErrorCode.InvalidArgument,
      `maxMemoryBytes is ${String(limit)}; give a positive number of bytes.`,
    );
  }
  return Math.min(limit, 0xffff_ffff);
}

/** What every entry's `init` does. */
export async function load(source: WasmSource, options: InitOptions, read: ReadUrl): Promise<void> {
  const limit = memoryLimit(options);
  if (current === undefined) {
    loading ??= compile(source, read)
      .then((module) => WebAssembly.instantiate(module))
      .then((instance) => adopt(instance, options))
      .finally(() => {
        loading = undefined;
      });
    await loading;
  }
  requireModule(options);
  if (limit !== undefined) control().rvf_memory_limit(limit);
}

/**
 * Loads the control or search module at once, from a compiled module or from bytes. Does nothing but
 * apply the options when one is loaded already. Browsers may refuse large modules on the main thread here; ours
 * are small.
 *
 * @throws {RvfError} BackendInitFailed; a later call may try again.
 */
export function initSync(
  module: WebAssembly.Module | BufferSource,
  options: InitOptions = {},
): void {
  const limit = memoryLimit(options);
  if (current === undefined) adopt(new WebAssembly.Instance(compileSync(module)), options);
  requireModule(options);
  if (limit !== undefined) control().rvf_memory_limit(limit);
}
