// Payloads of KERNEL, EBPF, WASM and DASHBOARD segments, written from docs/format.md, "Containers".
import { simpleHash } from "../reference/checksum.mjs";
import { concat, viewOf } from "../reference/container.mjs";

const KERNEL_HEADER = 128;
const HEADER = 64;

/** A kernel without a binding: the command line follows the image. */
export function kernel(image, commandLine = "") {
  const header = withMagic(KERNEL_HEADER, 0x52564b4e);
  const view = viewOf(header);
  header[0x06] = 0; // x86_64
  header[0x07] = 1; // MicroLinux
  view.setBigUint64(0x18, BigInt(image.length), true);
  view.setBigUint64(0x20, BigInt(image.length), true);
  view.setUint16(0x2a, 8080, false);
  view.setUint32(0x2c, 1, true);
  header.set(simpleHash(image), 0x30);
  view.setBigUint64(0x70, BigInt(KERNEL_HEADER), true);
  const text = new TextEncoder().encode(commandLine);
  view.setUint32(0x78, text.length, true);
  return concat(header, image, text);
}

/** A program with its type information behind it. */
export function ebpf(bytecode, btf = new Uint8Array(0)) {
  const header = withMagic(HEADER, 0x52564250);
  const view = viewOf(header);
  header[0x06] = 2; // socket filter
  header[0x07] = 3;
  view.setUint16(0x0c, bytecode.length / 8, true);
  view.setUint16(0x0e, 384, true);
  view.setBigUint64(0x10, BigInt(bytecode.length), true);
  view.setUint32(0x1c, btf.length, true);
  header.set(simpleHash(bytecode), 0x20);
  return concat(header, bytecode, btf);
}

/** A wasm module of a role (0 microkernel, 4 control plane) with its bootstrap priority. */
export function wasm(bytecode, role = 0, priority = 0) {
  const header = withMagic(HEADER, 0x5256574d);
  const view = viewOf(header);
  header[0x06] = role;
  view.setUint32(0x0c, bytecode.length, true);
  header[0x15] = 2;
  header.set(simpleHash(bytecode), 0x18);
  header[0x38] = priority;
  return concat(header, bytecode);
}

/** A page. */
export function dashboard(bundle) {
  const header = withMagic(HEADER, 0x52564442);
  const view = viewOf(header);
  header[0x06] = 2; // custom
  view.setBigUint64(0x08, BigInt(bundle.length), true);
  header.set(simpleHash(bundle), 0x20);
  return concat(header, bundle);
}

function withMagic(size, magic) {
  const header = new Uint8Array(size);
  const view = viewOf(header);
  view.setUint32(0, magic, true);
  view.setUint16(4, 1, true);
  return header;
}
