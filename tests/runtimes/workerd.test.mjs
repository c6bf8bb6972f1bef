// Cloudflare Workers: the real workerd by miniflare, with the package bundled as wrangler would do it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";
import { Miniflare, Response } from "miniflare";
import { modes } from "../conformance/suite.mjs";
import { report } from "./report.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The worker of this code, bundled, and as modules of their own the .wasm files that it imports. */
async function bundle(contents, conditions) {
  const wasm = new Map();
  const asModules = {
    name: "wasm-as-modules",
    setup(build) {
      build.onResolve({ filter: /\.wasm$/ }, async ({ path, ...options }) => {
        if (options.pluginData === asModules) return undefined;
        const found = await build.resolve(path, { ...options, pluginData: asModules });
        wasm.set(basename(found.path), await readFile(found.path));
        return { path: `./${basename(found.path)}`, external: true };
      });
    },
  };
  const { outputFiles } = await esbuild.build({
    stdin: { contents, resolveDir: here(".") },
    bundle: true,
    format: "esm",
    write: false,
    conditions,
    plugins: [asModules],
  });
  return [
    { type: "ESModule", path: "worker.mjs", contents: outputFiles[0].text },
    ...Array.from(wasm, ([path, contents]) => ({ type: "CompiledWasm", path, contents })),
  ];
}

/** Answers what the worker answers to a request for `path`. */
async function ask(modules, path) {
  const miniflare = new Miniflare({
    modules,
    cf: false,
    compatibilityDate: "2026-01-01",
    serviceBindings: {
      FIXTURES: async ({ url }) =>
        new Response(await readFile(here(`../fixtures/upstream/${basename(url)}`))),
    },
  });
  try {
    const response = await miniflare.dispatchFetch(`http://worker/${path}`);
    assert.equal(response.status, 200, await response.clone().text());
    return await response.json();
  } finally {
    await miniflare.dispose();
  }
}

for (const [mode, what] of Object.entries(modes)) {
  test(`workerd${what}`, async (t) => {
    const modules = await bundle(await readFile(here("worker.mjs"), "utf8"), ["workerd"]);
    assert.equal(modules.length, 4); // the script and three modules
    await report(t, mode, await ask(modules, mode));
  });
}

test("the README's worker, by condition and by subpath", async () => {
  const readme = await readFile(here("../../js/README.md"), "utf8");
  const [, code] = readme.match(/```js worker\n(.*?)```/s);
  const bySubpath = code.replace('"rvf-wasm";', '"rvf-wasm/workerd";');
  assert.notEqual(code, bySubpath);
  const bundles = [await bundle(code, ["workerd"]), await bundle(bySubpath, [])];
  for (const modules of bundles) assert.deepEqual(await ask(modules, ""), [{ id: 7, distance: 0 }]);
});
