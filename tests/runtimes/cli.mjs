// Runs the conformance suite in Node, Deno or Bun and prints { entry, results } as JSON.
// The argument `growth` makes memory grow in every call.

import { readFile } from "node:fs/promises";
import process from "node:process";
import * as api from "rvf-wasm";
import { growInEveryCall } from "../conformance/growth.mjs";
import { runAll } from "../conformance/suite.mjs";

const bytes = async (url) => new Uint8Array(await readFile(new URL(url)));
const fixtures = new URL("../fixtures/upstream/", import.meta.url);

const results = await runAll({
  api,
  fixture: (name) => bytes(new URL(name, fixtures)),
  wasm: {
    control: await bytes(import.meta.resolve("rvf-wasm/control.wasm")),
    kernel: await bytes(import.meta.resolve("rvf-wasm/kernel.wasm")),
  },
  growths: process.argv[2] === "growth" ? growInEveryCall() : undefined,
});

console.log(JSON.stringify({ entry: import.meta.resolve("rvf-wasm"), results }));
