// Segment types between their codes and upstream's names.

import { invalid, shown } from "./bytes.js";
import type { SegmentTypeName } from "./types.js";

export const segmentTypes: Record<SegmentTypeName, number> = {
  invalid: 0x00,
  vec: 0x01,
  index: 0x02,
  overlay: 0x03,
  journal: 0x04,
  manifest: 0x05,
  quant: 0x06,
  meta: 0x07,
  hot: 0x08,
  sketch: 0x09,
  witness: 0x0a,
  profile: 0x0b,
  crypto: 0x0c,
  meta_idx: 0x0d,
  kernel: 0x0e,
  ebpf: 0x0f,
  wasm: 0x10,
  dashboard: 0x11,
  cow_map: 0x20,
  refcount: 0x21,
  membership: 0x22,
  delta: 0x23,
  transfer_prior: 0x30,
  policy_kernel: 0x31,
  cost_curve: 0x32,
  federated_manifest: 0x33,
  diff_privacy_proof: 0x34,
  redaction_log: 0x35,
  aggregate_weights: 0x36,
};

const names = new Map(Object.entries(segmentTypes).map(([name, code]) => [code, name]));

/** The name of a type; "unknown(0xNN)" for those without. */
export function typeName(type: number): string {
  return names.get(type) ?? `unknown(0x${type.toString(16).toUpperCase().padStart(2, "0")})`;
}

/** The code of a type that is given by code or name. Throws InvalidArgument. */
export function typeCode(type: unknown): number {
  const code =
    typeof type === "string"
      ? new Map<string, number>(Object.entries(segmentTypes)).get(type)
      : type;
  if (typeof code === "number" && Number.isInteger(code) && code >= 0 && code <= 0xff) return code;
  throw invalid(`There is no type of segment ${shown(type)}; use a number up to 255, or its name.`);
}
