// The bootstrap chain: which of a file's WASM modules run, in which order, and on what.

import { extractWasm } from "./containers.js";
import type { StoreRef } from "./session.js";
import type { BootstrapChain, WasmImage, WasmRole } from "./types.js";

/** What RvfStore.bootstrapChain does. */
export function bootstrapChain(store: StoreRef): BootstrapChain {
  const modules = extractWasm(store, {}).sort((a, b) => a.priority - b.priority);
  const all = (role: WasmRole) => modules.filter((module) => module.role === role);
  const [combined] = all("combined");
  const [interpreter] = all("interpreter");
  const [microkernel] = all("microkernel");
  const others = modules.filter(({ role }) => role === "control_plane" || role === "extension");
  const chain = (kind: BootstrapChain["kind"], ...first: WasmImage[]): BootstrapChain => ({
    kind,
    modules: [...first, ...others],
  });
  if (combined) return chain("self_contained", combined);
  if (!microkernel) return chain("none");
  if (!interpreter) return chain("host_required", microkernel);
  const kind = all("extension").length > 0 ? "full" : "two_stage";
  return chain(kind, interpreter, microkernel);
}
