// Builds dist/: the compiled TypeScript and, beside it, the three wasm modules.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

rmSync(path("dist"), { recursive: true, force: true });
const tsc = fileURLToPath(import.meta.resolve("typescript/bin/tsc"));
execFileSync(process.execPath, [tsc, "-p", path("tsconfig.json")], { stdio: "inherit" });

for (const name of ["rvf_control.wasm", "rvf_kernel.wasm", "rvf_search.wasm"]) {
  const source = path(`../build/wasm/${name}`);
  if (!existsSync(source)) {
    console.error(`build/wasm/${name} is missing: build the wasm modules first (see README.md)`);
    process.exit(1);
  }
  copyFileSync(source, path(`dist/${name}`));
}
