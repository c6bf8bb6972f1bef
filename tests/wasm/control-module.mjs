import { readFileSync } from "node:fs";

/** Where the build puts the control module. */
export const CONTROL_URL = new URL("../../build/wasm/rvf_control.wasm", import.meta.url);

const MODULE = new WebAssembly.Module(readFileSync(CONTROL_URL));

/** A fresh instance of rvf_control.wasm and its memory. */
export class ControlModule {
  constructor() {
    const { memory, ...functions } = new WebAssembly.Instance(MODULE).exports;
    /** The exports as they are. */
    this.exports = functions;
    this.memory = memory;
  }

  /** All memory now. Dead after anything that may grow memory. */
  get bytes() {
    return new Uint8Array(this.memory.buffer);
  }

  get size() {
    return this.memory.buffer.byteLength;
  }

  alloc(size) {
    return this.exports.rvf_alloc(size) >>> 0;
  }

  free(address, size) {
    this.exports.rvf_free(address, size);
  }

  read(address, length) {
    return this.bytes.slice(address, address + length);
  }

  /** Calls `use` with the address of a copy of `bytes`; an empty copy has an address, too. */
  with(bytes, use) {
    const size = Math.max(bytes.length, 1);
    const address = this.alloc(size);
    if (address === 0) throw new Error(`no memory for an operand of ${size} bytes`);
    this.bytes.set(bytes, address);
    try {
      return use(address);
    } finally {
      this.free(address, size);
    }
  }

  /** Calls `use` with the address of a buffer and answers its status and what it then holds. */
  result(size, use) {
    return this.with(new Uint8Array(size), (address) => {
      const status = use(address);
      return { status, bytes: this.read(address, size) };
    });
  }
}

/** A typed array as the bytes it holds. */
export function bytesOf(array) {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
