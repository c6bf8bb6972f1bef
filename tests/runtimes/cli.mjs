// Runs the conformance suite in Node, Deno or Bun and prints { entry, results } as JSON.
// The argument is the mode (tests/conformance/suite.mjs).

import { readFile } from "node:fs/promises";
import process from "node:process";
import * as api from "rvf-wasm";
import { growInEveryCall } from "../conformance/growth.mjs";
import { runAll } from "../conformance/suite.mjs";

const bytes = async (url) => new Uint8Array(await readFile(new URL(url)));
const fixtures = new URL("../fixtures/upstream/", import.meta.url);

const mode = process.argv[2] ?? "plain";
const results = await runAll({
  mode,
  api,
  fixture: (name) => bytes(new URL(name, fixtures)),
  wasm: {
    control: await bytes(import.meta.resolve("rvf-wasm/control.wasm")),
    kernel: await bytes(import.meta.resolve("rvf-wasm/kernel.wasm")),
  },
  growths: mode === "growth" ? growInEveryCall() : undefined,
});

console.log(JSON.stringify({ entry: import.meta.resolve("rvf-wasm"), results }));
