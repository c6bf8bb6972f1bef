// The package as others get it: what is in it, what a bundler makes of it, what types it has.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const js = fileURLToPath(new URL("../../js", import.meta.url));
const manifest = JSON.parse(await readFile(`${js}/package.json`, "utf8"));

test("publint has nothing to say", async () => {
  const { messages, pkg } = await publint({ pkgDir: js, strict: true, pack: false });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg)),
    [],
  );
});

test("every file that package.json names is there", () => {
  const paths = (value) =>
    typeof value === "string" ? [value] : Object.values(value).flatMap(paths);
  for (const path of paths(manifest.exports)) assert.ok(existsSync(`${js}/${path}`), path);
});

test("conditions: workerd first, types before code", () => {
  const conditions = manifest.exports["."];
  const order = ["workerd", "deno", "bun", "node", "browser", "default"];
  assert.deepEqual(Object.keys(conditions), order);
  for (const entry of Object.values(conditions)) assert.deepEqual(Object.keys(entry)[0], "types");
});

/** Bundles a program that uses all of the package, as for a browser. */
async function bundle(options) {
  const { outputFiles, metafile } = await esbuild.build({
    stdin: {
      contents: 'import * as rvf from "rvf-wasm"; globalThis.rvf = rvf;',
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
    },
    bundle: true,
    format: "esm",
    write: false,
    metafile: true,
    logLevel: "silent",
    ...options,
  });
  return { text: outputFiles[0].text, inputs: Object.keys(metafile.inputs) };
}

test("a browser bundle has no node: import and one literal URL per module", async () => {
  const { text, inputs } = await bundle({ platform: "browser" });
  assert.ok(inputs.some((path) => path.endsWith("dist/index.js")));
  assert.doesNotMatch(text, /node:|require\(/);
  for (const name of ["control", "kernel", "search"]) {
    assert.equal(text.split(`new URL("./rvf_${name}.wasm", import.meta.url)`).length, 2, name);
  }
});

test("a node bundle takes the node entry", async () => {
  const { text, inputs } = await bundle({ platform: "node" });
  assert.ok(inputs.some((path) => path.endsWith("dist/node.js")));
  assert.match(text, /from "node:fs\/promises"/);
});

test("shipped code has no BigInt literals and no eval", async () => {
  const { text } = await bundle({ platform: "browser", minifyWhitespace: true });
  assert.doesNotMatch(text, /[^\w"]\d+n\b|\beval\(|new Function/);
});

for (const settings of [
  "--module nodenext",
  "--module esnext --moduleResolution bundler",
  "--module esnext --moduleResolution bundler --customConditions browser",
  "--module esnext --moduleResolution bundler --customConditions workerd",
]) {
  test(`its types compile: tsc ${settings}`, () => {
    const tsc = fileURLToPath(import.meta.resolve("typescript/bin/tsc"));
    const usage = fileURLToPath(new URL("usage.ts", import.meta.url));
    const options =
      `--noEmit --strict --target es2022 --lib es2022,dom --typeRoots none ${settings}`.split(" ");
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, usage], {
      encoding: "utf8",
    });
    assert.equal(status, 0, stdout);
  });
}
