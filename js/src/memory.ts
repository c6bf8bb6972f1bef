// Passing bytes into and out of the control module. Nothing else touches memory.buffer.
//
// Growth detaches every view of the memory, and several exports may grow it. So no view is ever
// kept: each copy makes its own, and what leaves this file is a copy.

import type { ControlExports } from "./abi.js";
import { RvfError, RvfErrorCode } from "./errors.js";

const maxAllocation = 0xffff_ffff;

function allocate(wasm: ControlExports, size: number): number {
  const ptr = size > maxAllocation ? 0 : wasm.rvf_alloc(size) >>> 0;
  if (ptr === 0) throw new RvfError(RvfErrorCode.OutOfMemory);
  return ptr;
}

/**
 * Calls `body` with the addresses of scratch blocks of the given sizes, each aligned to 16 bytes, and
 * frees them whatever happens. Throws OutOfMemory when one does not fit.
 */
export function withScratch<T>(
  wasm: ControlExports,
  sizes: readonly number[],
  body: (...pointers: number[]) => T,
): T {
  const blocks: { ptr: number; size: number }[] = [];
  try {
    for (const wanted of sizes) {
      const size = Math.max(wanted, 1);
      const ptr = allocate(wasm, size);
      blocks.push({ ptr, size });
    }
    return body(...blocks.map((block) => block.ptr));
  } finally {
    for (const { ptr, size } of blocks) wasm.rvf_free(ptr, size);
  }
}

/**
 * Calls `take` with the address and size of a copy of `data`, which belongs to the module when `take`
 * returns and is freed when it throws. Throws OutOfMemory when it does not fit.
 */
export function withGift<T>(
  wasm: ControlExports,
  data: Uint8Array,
  take: (ptr: number, size: number) => T,
): T {
  const size = Math.max(data.length, 1);
  const ptr = allocate(wasm, size);
  try {
    copyIn(wasm, ptr, data);
    return take(ptr, size);
  } catch (error) {
    wasm.rvf_free(ptr, size);
    throw error;
  }
}

/** Copies the bytes of `data` to address `ptr`. */
export function copyIn(wasm: ControlExports, ptr: number, data: ArrayBufferView): void {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  new Uint8Array(wasm.memory.buffer).set(bytes, ptr);
}

/** Copies `size` bytes at address `ptr` into an array of their own. */
export function copyOut(wasm: ControlExports, ptr: number, size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(wasm.memory.buffer).slice(ptr, ptr + size);
}

/**
 * The same with copies of `inputs`; the addresses of blocks of the sizes `outputs` come behind theirs.
 */
export function withCopies<T>(
  wasm: ControlExports,
  inputs: readonly ArrayBufferView[],
  outputs: readonly number[],
  body: (...pointers: number[]) => T,
): T {
  const sizes = [...inputs.map((input) => input.byteLength), ...outputs];
  return withScratch(wasm, sizes, (...pointers) => {
    for (const [i, input] of inputs.entries()) copyIn(wasm, pointers[i] as number, input);
    return body(...pointers);
  });
}

/** The record of `size` bytes that `write` puts at the address it is given, as a view of a copy. */
export function readRecord(
  wasm: ControlExports,
  size: number,
  write: (out: number) => unknown,
): DataView {
  return withScratch(wasm, [size], (out) => {
    write(out);
    return new DataView(copyOut(wasm, out, size).buffer);
  });
}
