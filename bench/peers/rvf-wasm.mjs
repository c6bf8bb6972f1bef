// @ruvector/rvf-wasm: a store that scans; no graph and no filters.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { packageFile, versionOf } from "./packages.mjs";
import { RvfStore } from "./rvf-store.mjs";

export async function make(set) {
  const bytes = readFileSync(packageFile("@ruvector/rvf-wasm", "pkg/rvf_wasm_bg.wasm"));
  const module = new WebAssembly.Module(bytes);
  const store = new RvfStore(module, set.dimension);
  const file = join(set.folder, "rvf-wasm.rvf");
  return {
    name: `@ruvector/rvf-wasm ${versionOf("@ruvector/rvf-wasm")}`,
    kind: "wasm",

    build() {
      store.fill(set);
    },

    exact: (query) => store.query(query),

    memory: () => store.exports.memory.buffer.byteLength,

    save() {
      writeFileSync(file, store.toBytes(set.rows * (4 * set.dimension + 8) + 4096));
    },

    open(query) {
      const opened = new RvfStore(module, set.dimension);
      opened.open(readFileSync(file));
      return opened.query(query);
    },
  };
}
