// Runs the conformance suite inside a Worker and answers its results as JSON.

import * as api from "rvf-wasm";
import control from "rvf-wasm/control.wasm";
import kernel from "rvf-wasm/kernel.wasm";
import { growInEveryCall } from "../conformance/growth.mjs";
import { runAll } from "../conformance/suite.mjs";

export default {
  async fetch(request, env) {
    const mode = new URL(request.url).pathname.slice(1);
    const results = await runAll({
      mode,
      api,
      fixture: async (name) => {
        const response = await env.FIXTURES.fetch(`http://fixtures/${name}`);
        return new Uint8Array(await response.arrayBuffer());
      },
      wasm: { control, kernel },
      growths: mode === "growth" ? growInEveryCall() : undefined,
    });
    return Response.json(results);
  },
};
