// Kernel: the tile microkernel as it is, for those who build on it. kernel/kernel.h is its manual.

import type { KernelExports } from "./abi.js";
import { check } from "./errors.js";
import { compile, compileSync, expectExport, type ReadUrl } from "./module.js";
import type { WasmSource } from "./types.js";

/** Where the regions of tile memory begin, in bytes. */
export const TileMemory = {
  /** Data memory, 8 KB. Its first 512 bytes belong to the kernel: no call may point there but `rvf_init`, to address 0. */
  data: 0x0_0000,
  /** 512 bytes for the host's entry points and centroids. */
  routing: 0x0_0200,
  /** 1 KB that belongs to the kernel, like the first 512 bytes. */
  workspace: 0x0_0400,
  /** 2 KB: the place for configuration, parameters and results. */
  message: 0x0_0800,
  /** 4 KB: the neighbour list that the host delivers. */
  neighborCache: 0x0_1000,
  /** First byte after data memory. */
  dataEnd: 0x0_2000,
  /** SIMD scratch: the vector block, 32 KB, or 60 KB while no tables are loaded. */
  block: 0x1_0000,
  /** 16 KB of quantizer tables. */
  tables: 0x1_8000,
  /** 12 KB for blocks that must fit beside tables. */
  hotCache: 0x1_c000,
  /** 4 KB that the kernel owns: the widened query. */
  query: 0x1_f000,
  /** First byte after scratch. */
  scratchEnd: 0x2_0000,
} as const;

/** One tile: an instance of rvf_kernel.wasm with 14 exports and a memory that never grows. */
export class Kernel {
  /** The exports, unwrapped: pointers in, statuses out. */
  readonly exports: KernelExports;
  /** All of tile memory; this view stays valid. See {@link TileMemory} for what lies where. */
  readonly memory: Uint8Array<ArrayBuffer>;

  /** Made by `loadKernel` and {@link loadKernelSync}. */
  constructor(instance: WebAssembly.Instance) {
    this.exports = expectExport<KernelExports>(
      instance.exports,
      "rvf_load_query",
      "rvf_kernel.wasm",
    );
    this.memory = new Uint8Array(this.exports.memory.buffer);
  }

  /** Copies the bytes of `data` to `address` and answers the address, for use as an argument. */
  write(address: number, data: ArrayBufferView): number {
    this.memory.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), address);
    return address;
  }

  /** A copy of `size` bytes at `address`. */
  read(address: number, size: number): Uint8Array<ArrayBuffer> {
    return this.memory.slice(address, address + size);
  }

  /**
   * Passes a success on and throws a negative status as an RvfError. Not for `rvf_crc32c`, whose
   * answers use all 32 bits, nor for the -1 and -2 of `rvf_greedy_step`.
   */
  check(status: number): number {
    return check(status);
  }
}

/** What every entry's `loadKernel` does. */
export async function load(source: WasmSource, read: ReadUrl): Promise<Kernel> {
  return new Kernel(await WebAssembly.instantiate(await compile(source, read)));
}

/**
 * Makes a tile at once, from a compiled module or from bytes.
 *
 * @throws {RvfError} BackendInitFailed
 */
export function loadKernelSync(module: WebAssembly.Module | BufferSource): Kernel {
  return new Kernel(new WebAssembly.Instance(compileSync(module)));
}
