// The sizes that README.md names are those of the modules.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { brotliCompressSync } from "node:zlib";

const file = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));

for (const name of ["rvf_kernel.wasm", "rvf_control.wasm", "rvf_search.wasm"]) {
  test(`README.md gives the size of ${name}`, () => {
    const bytes = file(`build/wasm/${name}`);
    const row = new RegExp(`^\\| \`${name}\`.*\\| ([\\d,]+) \\| ([\\d,]+) \\|$`, "m");
    const [, raw, brotli] = row.exec(file("README.md").toString());
    const number = (text) => Number(text.replaceAll(",", ""));
    assert.equal(number(raw), bytes.length);
    // Compressors differ a little from one Node to the next.
    const compressed = brotliCompressSync(bytes).length;
    assert.ok(Math.abs(number(brotli) - compressed) < compressed / 50, `brotli: ${compressed}`);
  });
}
