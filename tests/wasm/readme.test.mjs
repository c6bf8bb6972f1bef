// The sizes that README.md names are those of the modules.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";

const file = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));

for (const name of ["rvf_kernel.wasm", "rvf_control.wasm"]) {
  test(`README.md gives the size of ${name}`, () => {
    const bytes = file(`build/wasm/${name}`);
    const row = new RegExp(`^\\| \`${name}\`.*\\| ([\\d,]+) \\| ([\\d,]+) \\|$`, "m");
    const [, raw, brotli] = row.exec(file("README.md").toString());
    const sizes = [bytes.length, brotliCompressSync(bytes).length];
    assert.deepEqual(
      [raw, brotli],
      sizes.map((size) => size.toLocaleString("en-US")),
    );
  });
}
