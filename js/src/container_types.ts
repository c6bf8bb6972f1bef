// The types of containers: what is embedded in a file to run there. Codes of headers have upstream's
// names; codes without one are numbers, here and there.

import type { CarriedSegment } from "./file_types.js";

export type KernelArch = "x86_64" | "aarch64" | "riscv64" | "universal" | "unknown";

export type KernelType =
  | "hermit"
  | "micro_linux"
  | "asterinas"
  | "wasi_p2"
  | "custom"
  | "test_stub";

export type EbpfProgramType =
  | "xdp_distance"
  | "tc_filter"
  | "socket_filter"
  | "tracepoint"
  | "kprobe"
  | "cgroup_skb"
  | "custom";

export type EbpfAttachType =
  | "xdp_ingress"
  | "tc_ingress"
  | "tc_egress"
  | "socket_filter"
  | "cgroup_ingress"
  | "cgroup_egress"
  | "none";

export type WasmRole = "microkernel" | "interpreter" | "combined" | "extension" | "control_plane";

export type WasmTarget = "wasm32" | "wasi_p1" | "wasi_p2" | "browser" | "bare_tile";

export type WasmInterpreter = "generic" | "wasm3" | "wamr" | "wasmi";

/** What an engine must have to run a module. */
export type WasmFeature =
  | "simd"
  | "bulk_memory"
  | "multi_value"
  | "reference_types"
  | "threads"
  | "tail_call"
  | "gc"
  | "exceptions";

export type DashboardFramework = "threejs" | "react" | "custom";

export type DashboardCompression = "none" | "gzip" | "brotli";

export interface KernelOptions {
  /** At most 128 MiB. */
  image: Uint8Array | ArrayBuffer;
  arch: KernelArch | number;
  kernelType: KernelType | number;
  /** Bits that upstream defines; default 0. */
  flags?: number;
  /** The port that it listens at; default 0. */
  apiPort?: number;
  /** Default: empty. */
  cmdline?: string;
}

export interface EbpfOptions {
  /** The byte code; at most 16 MiB. */
  image: Uint8Array | ArrayBuffer;
  programType: EbpfProgramType | number;
  attachType: EbpfAttachType | number;
  /** The largest dimension of vectors that it takes. */
  maxDimension: number;
  /** Type information; default: none. */
  btf?: Uint8Array | ArrayBuffer;
}

export interface WasmOptions {
  /** The module; at most 8 MiB. */
  image: Uint8Array | ArrayBuffer;
  role: WasmRole | number;
  /** Default "wasm32". */
  target?: WasmTarget | number;
  features?: readonly WasmFeature[];
  /** Low first; default 0. */
  priority?: number;
  /** Of a module whose role it is; default "generic". */
  interpreter?: WasmInterpreter | number;
  /** Default 0: not counted. */
  exportCount?: number;
  /** Of memory; default 2, as upstream's. */
  minPages?: number;
  /** Default 0: no limit. */
  maxPages?: number;
  /** Default 0. */
  tables?: number;
}

export interface DashboardOptions {
  /** The bundle; at most 64 MiB. */
  image: Uint8Array | ArrayBuffer;
  /** Default "custom". */
  framework?: DashboardFramework | number;
  /** How the bundle is compressed already; default "none". */
  compression?: DashboardCompression | number;
  /** When it was built, in milliseconds since 1970; stored in seconds. Default `Date.now()`. */
  built?: number;
}

export interface ExtractOptions {
  /** Gives damaged ones too, with their `problem`; without it they are an error. */
  damaged?: boolean;
}

/**
 * Which hash of an image its header holds. "simple" is upstream's: it finds accidents, but anybody can
 * make another image of the same hash.
 */
export type ImageHash = "simple" | "shake-256" | "absent" | "bad";

/** What all containers have. */
export interface EmbeddedImage extends Omit<CarriedSegment, "payload"> {
  /** As it is in the file: 128 bytes of a kernel, 64 of others. */
  header: Uint8Array<ArrayBuffer>;
  image: Uint8Array<ArrayBuffer>;
  hash: ImageHash;
}

export interface KernelImage extends EmbeddedImage {
  arch: KernelArch | number;
  kernelType: KernelType | number;
  flags: number;
  apiPort: number;
  cmdline: string;
  /** The 128 bytes that bind it to a manifest and a policy, if it has them. */
  binding?: Uint8Array<ArrayBuffer>;
}

export interface EbpfProgram extends EmbeddedImage {
  programType: EbpfProgramType | number;
  attachType: EbpfAttachType | number;
  maxDimension: number;
  btf: Uint8Array<ArrayBuffer>;
}

export interface WasmImage extends EmbeddedImage {
  role: WasmRole | number;
  target: WasmTarget | number;
  features: WasmFeature[];
  priority: number;
  interpreter: WasmInterpreter | number;
  exportCount: number;
  minPages: number;
  maxPages: number;
  tables: number;
}

export interface DashboardImage extends EmbeddedImage {
  framework: DashboardFramework | number;
  compression: DashboardCompression | number;
  /** Milliseconds since 1970. */
  built: number;
}

/**
 * Which modules of a file run, by upstream's rule. Of each role the one of the lowest priority counts,
 * of equal ones the first in the file.
 * - `self_contained`: a combined interpreter and microkernel.
 * - `two_stage`: an interpreter, which runs the microkernel; `full` when there are extensions as well.
 * - `host_required`: a microkernel, which the host's own engine runs.
 * - `none`: neither.
 */
export interface BootstrapChain {
  kind: "none" | "host_required" | "self_contained" | "two_stage" | "full";
  /**
   * The modules in the order in which they start: those of `kind`, the interpreter before what it
   * interprets; then control planes and extensions, by priority.
   */
  modules: WasmImage[];
}
