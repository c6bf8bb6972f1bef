// Codes in the headers of containers, and their names.

import { invalid, shown } from "./bytes.js";
import type {
  DashboardCompression,
  DashboardFramework,
  EbpfAttachType,
  EbpfProgramType,
  KernelArch,
  KernelType,
  WasmFeature,
  WasmInterpreter,
  WasmRole,
  WasmTarget,
} from "./types.js";

/** Names of one byte of a header; codes without a name are numbers. */
export class Codes<Name extends string> {
  readonly #what: string;
  readonly #codes: Map<unknown, number>;
  readonly #names: Map<number, Name>;

  constructor(what: string, codes: Record<Name, number>) {
    const entries = Object.entries(codes) as [Name, number][];
    this.#what = what;
    this.#codes = new Map(entries);
    this.#names = new Map(entries.map(([name, code]) => [code, name]));
  }

  /** Throws InvalidArgument for what is neither a name nor a byte. */
  code(value: Name | number): number {
    const code = typeof value === "number" ? value : this.#codes.get(value);
    if (code !== undefined && Number.isInteger(code) && code >= 0 && code <= 255) return code;
    const names = [...this.#names.values()].join(", ");
    throw invalid(
      `There is no ${this.#what} ${shown(value)}; use ${names}, or a number up to 255.`,
    );
  }

  name(code: number | undefined): Name | number {
    return this.#names.get(code ?? 0) ?? code ?? 0;
  }
}

export const architectures = new Codes<KernelArch>("architecture", {
  x86_64: 0,
  aarch64: 1,
  riscv64: 2,
  universal: 0xfe,
  unknown: 0xff,
});

export const kernelTypes = new Codes<KernelType>("type of kernel", {
  hermit: 0,
  micro_linux: 1,
  asterinas: 2,
  wasi_p2: 3,
  custom: 4,
  test_stub: 0xfe,
});

export const programTypes = new Codes<EbpfProgramType>("type of program", {
  xdp_distance: 0,
  tc_filter: 1,
  socket_filter: 2,
  tracepoint: 3,
  kprobe: 4,
  cgroup_skb: 5,
  custom: 0xff,
});

export const attachTypes = new Codes<EbpfAttachType>("place to attach to", {
  xdp_ingress: 0,
  tc_ingress: 1,
  tc_egress: 2,
  socket_filter: 3,
  cgroup_ingress: 4,
  cgroup_egress: 5,
  none: 0xff,
});

export const roles = new Codes<WasmRole>("role", {
  microkernel: 0,
  interpreter: 1,
  combined: 2,
  extension: 3,
  control_plane: 4,
});

export const targets = new Codes<WasmTarget>("target", {
  wasm32: 0,
  wasi_p1: 1,
  wasi_p2: 2,
  browser: 3,
  bare_tile: 4,
});

export const interpreters = new Codes<WasmInterpreter>("interpreter", {
  generic: 0,
  wasm3: 1,
  wamr: 2,
  wasmi: 3,
});

export const frameworks = new Codes<DashboardFramework>("framework", {
  threejs: 0,
  react: 1,
  custom: 2,
});

export const compressions = new Codes<DashboardCompression>("compression", {
  none: 0,
  gzip: 1,
  brotli: 2,
});

/** By bit. */
const features: readonly WasmFeature[] = [
  "simd",
  "bulk_memory",
  "multi_value",
  "reference_types",
  "threads",
  "tail_call",
  "gc",
  "exceptions",
];

/** The bits of features. Throws InvalidArgument. */
export function featureBits(names: readonly WasmFeature[]): number {
  return names.reduce((bits, name) => {
    const bit = features.indexOf(name);
    if (bit < 0) throw invalid(`There is no feature ${shown(name)}; use ${features.join(", ")}.`);
    return bits | (1 << bit);
  }, 0);
}

/** The features of bits; bits without a name are left out. */
export function featureNames(bits: number): WasmFeature[] {
  return features.filter((_, bit) => (bits & (1 << bit)) !== 0);
}
