// What is embedded in a file to run there: kernels, eBPF programs, WASM modules, dashboards. Headers
// are written as upstream writes them (docs/format.md, "Containers").

import { decodeText, encodeText, invalid, shown, toBytes, viewOf } from "./bytes.js";
import { carried, embed } from "./carried.js";
import {
  architectures,
  attachTypes,
  compressions,
  featureBits,
  featureNames,
  frameworks,
  interpreters,
  kernelTypes,
  programTypes,
  roles,
  targets,
} from "./container_codes.js";
import { RvfError, RvfErrorCode } from "./errors.js";
import { compareHash, hashOf } from "./hash.js";
import { typeCode, typeName } from "./segment_types.js";
import type { StoreRef } from "./session.js";
import type {
  CarriedSegment,
  DashboardImage,
  DashboardOptions,
  EbpfOptions,
  EbpfProgram,
  EmbeddedImage,
  ExtractOptions,
  KernelImage,
  KernelOptions,
  WasmImage,
  WasmOptions,
} from "./types.js";

const kernelHeaderBytes = 128;
const headerBytes = 64; // of the others
const boundCmdline = 256; // behind a binding; then the image follows it

/** A number of a header. Throws InvalidArgument when it does not fit. */
function fitting(value: number, bits: number, what: string): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** bits) return value;
  throw invalid(`The ${what} is ${shown(value)}; give an integer from 0 to ${2 ** bits - 1}.`);
}

/** A header of zeros with magic and version 1. */
function newHeader(
  size: number,
  magic: number,
): { header: Uint8Array<ArrayBuffer>; view: DataView } {
  const header = new Uint8Array(size);
  const view = viewOf(header);
  view.setUint32(0, magic, true);
  view.setUint16(4, 1, true);
  return { header, view };
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Puts a kernel into the file; answers the segment's id. */
export function embedKernel(store: StoreRef, options: KernelOptions): number {
  const image = toBytes(options.image, "bytes of an image");
  const cmdline = encodeText(options.cmdline ?? "");
  if (!cmdline) throw invalid("The command line is no valid Unicode.");
  const { header, view } = newHeader(kernelHeaderBytes, 0x52564b4e);
  view.setUint8(0x06, architectures.code(options.arch));
  view.setUint8(0x07, kernelTypes.code(options.kernelType));
  view.setUint32(0x08, fitting(options.flags ?? 0, 32, "set of flags"), true);
  view.setBigUint64(0x18, BigInt(image.length), true);
  view.setBigUint64(0x20, BigInt(image.length), true);
  view.setUint16(0x2a, fitting(options.apiPort ?? 0, 16, "port"), false);
  view.setUint32(0x2c, 1, true);
  header.set(hashOf(store.wasm, "simple", image), 0x30);
  view.setUint32(0x70, kernelHeaderBytes, true);
  view.setUint32(0x78, cmdline.length, true);
  return embed(store, typeCode("kernel"), joined(header, image, cmdline));
}

/** Puts an eBPF program into the file; answers the segment's id. */
export function embedEbpf(store: StoreRef, options: EbpfOptions): number {
  const image = toBytes(options.image, "bytes of a program");
  const btf = toBytes(options.btf ?? new Uint8Array(0), "bytes of BTF");
  const { header, view } = newHeader(headerBytes, 0x52564250);
  view.setUint8(0x06, programTypes.code(options.programType));
  view.setUint8(0x07, attachTypes.code(options.attachType));
  view.setUint16(0x0c, image.length / 8, true); // modulo 65,536
  view.setUint16(0x0e, fitting(options.maxDimension, 16, "largest dimension"), true);
  view.setBigUint64(0x10, BigInt(image.length), true);
  view.setUint32(0x1c, btf.length, true);
  header.set(hashOf(store.wasm, "simple", image), 0x20);
  return embed(store, typeCode("ebpf"), joined(header, image, btf));
}

/** Puts a WASM module into the file; answers the segment's id. */
export function embedWasm(store: StoreRef, options: WasmOptions): number {
  const image = toBytes(options.image, "bytes of a module");
  const { header, view } = newHeader(headerBytes, 0x5256574d);
  view.setUint8(0x06, roles.code(options.role));
  view.setUint8(0x07, targets.code(options.target ?? "wasm32"));
  view.setUint16(0x08, featureBits(options.features ?? []), true);
  view.setUint16(0x0a, fitting(options.exportCount ?? 0, 16, "number of exports"), true);
  view.setUint32(0x0c, image.length, true);
  view.setUint8(0x15, fitting(options.minPages ?? 2, 8, "least number of pages"));
  view.setUint8(0x16, fitting(options.maxPages ?? 0, 8, "largest number of pages"));
  view.setUint8(0x17, fitting(options.tables ?? 0, 8, "number of tables"));
  header.set(hashOf(store.wasm, "simple", image), 0x18);
  view.setUint8(0x38, fitting(options.priority ?? 0, 8, "priority"));
  view.setUint8(0x39, interpreters.code(options.interpreter ?? "generic"));
  return embed(store, typeCode("wasm"), joined(header, image));
}

/** Puts a dashboard into the file; answers the segment's id. */
export function embedDashboard(store: StoreRef, options: DashboardOptions): number {
  const image = toBytes(options.image, "bytes of a bundle");
  const { header, view } = newHeader(headerBytes, 0x52564442);
  view.setUint8(0x06, frameworks.code(options.framework ?? "custom"));
  view.setUint8(0x07, compressions.code(options.compression ?? "none"));
  view.setBigUint64(0x08, BigInt(image.length), true);
  const built = Math.floor((options.built ?? Date.now()) / 1000);
  view.setBigUint64(0x18, BigInt(fitting(built, 53, "time of the build")), true);
  header.set(hashOf(store.wasm, "simple", image), 0x20);
  return embed(store, typeCode("dashboard"), joined(header, image));
}

/** A carried container whose header is whole. */
interface Container {
  readonly segment: CarriedSegment;
  readonly view: DataView;
}

/** The containers of a type. Throws for the first that is damaged, unless they are asked for. */
function containers(
  store: StoreRef,
  type: "kernel" | "ebpf" | "wasm" | "dashboard",
  options: ExtractOptions,
): Container[] {
  const code = typeCode(type);
  const least = type === "kernel" ? kernelHeaderBytes : headerBytes;
  return carried(store, code).flatMap((segment) => {
    const { problem, payload, offset } = segment;
    if (problem && !options.damaged) {
      throw new RvfError(
        RvfErrorCode[problem],
        `The ${typeName(code)} segment at ${offset ?? "the end"} is damaged (${problem}); ask for ` +
          "{ damaged: true } to have it all the same.",
      );
    }
    return payload.length < least ? [] : [{ segment, view: viewOf(payload) }];
  });
}

/** What all containers have; the image is `size` bytes at `at`, its hash at `hashAt`. */
function imageOf(
  store: StoreRef,
  { segment, view }: Container,
  at: number,
  size: number,
  hashAt: number,
): EmbeddedImage {
  const { payload, ...rest } = segment;
  const image = payload.slice(at, at + size);
  return {
    ...rest,
    header: payload.slice(
      0,
      view.getUint32(0, true) === 0x52564b4e ? kernelHeaderBytes : headerBytes,
    ),
    image,
    hash: compareHash(store.wasm, payload.subarray(hashAt, hashAt + 32), image),
  };
}

/** All kernels. */
export function extractKernels(store: StoreRef, options: ExtractOptions): KernelImage[] {
  return containers(store, "kernel", options).map((container) => {
    const { segment, view } = container;
    const { payload } = segment;
    const size = Number(view.getBigUint64(0x18, true));
    const cmdlineSize = view.getUint32(0x78, true);
    const isBound = Number(view.getBigUint64(0x70, true)) === boundCmdline;
    const imageAt = isBound ? boundCmdline + cmdlineSize : kernelHeaderBytes;
    const cmdlineAt = isBound ? boundCmdline : imageAt + size;
    return {
      ...imageOf(store, container, imageAt, size, 0x30),
      arch: architectures.name(payload[0x06]),
      kernelType: kernelTypes.name(payload[0x07]),
      flags: view.getUint32(0x08, true),
      apiPort: view.getUint16(0x2a, false),
      cmdline: decodeText(payload.subarray(cmdlineAt, cmdlineAt + cmdlineSize)),
      ...(isBound ? { binding: payload.slice(kernelHeaderBytes, boundCmdline) } : {}),
    };
  });
}

/** All eBPF programs. */
export function extractEbpf(store: StoreRef, options: ExtractOptions): EbpfProgram[] {
  return containers(store, "ebpf", options).map((container) => {
    const { segment, view } = container;
    const size = Number(view.getBigUint64(0x10, true));
    const btfAt = headerBytes + size;
    return {
      ...imageOf(store, container, headerBytes, size, 0x20),
      programType: programTypes.name(segment.payload[0x06]),
      attachType: attachTypes.name(segment.payload[0x07]),
      maxDimension: view.getUint16(0x0e, true),
      btf: segment.payload.slice(btfAt, btfAt + view.getUint32(0x1c, true)),
    };
  });
}

/** All WASM modules. */
export function extractWasm(store: StoreRef, options: ExtractOptions): WasmImage[] {
  return containers(store, "wasm", options).map((container) => {
    const { segment, view } = container;
    return {
      ...imageOf(store, container, headerBytes, view.getUint32(0x0c, true), 0x18),
      role: roles.name(segment.payload[0x06]),
      target: targets.name(segment.payload[0x07]),
      features: featureNames(view.getUint16(0x08, true)),
      exportCount: view.getUint16(0x0a, true),
      minPages: view.getUint8(0x15),
      maxPages: view.getUint8(0x16),
      tables: view.getUint8(0x17),
      priority: view.getUint8(0x38),
      interpreter: interpreters.name(segment.payload[0x39]),
    };
  });
}

/** All dashboards. */
export function extractDashboards(store: StoreRef, options: ExtractOptions): DashboardImage[] {
  return containers(store, "dashboard", options).map((container) => {
    const { segment, view } = container;
    return {
      ...imageOf(store, container, headerBytes, Number(view.getBigUint64(0x08, true)), 0x20),
      framework: frameworks.name(segment.payload[0x06]),
      compression: compressions.name(segment.payload[0x07]),
      built: Number(view.getBigUint64(0x18, true)) * 1000,
    };
  });
}
