// Runs the conformance suite in a page and leaves the results in globalThis.results.

import * as api from "rvf-wasm";
import { growInEveryCall } from "../conformance/growth.mjs";
import { runAll } from "../conformance/suite.mjs";

async function bytes(path) {
  const response = await fetch(new URL(path, import.meta.url));
  return new Uint8Array(await response.arrayBuffer());
}

const mode = location.hash.slice(1);
globalThis.results = await runAll({
  mode,
  api,
  fixture: (name) => bytes(`../fixtures/upstream/${name}`),
  wasm: {
    control: await bytes("../../js/dist/rvf_control.wasm"),
    kernel: await bytes("../../js/dist/rvf_kernel.wasm"),
  },
  growths: mode === "growth" ? growInEveryCall() : undefined,
});
