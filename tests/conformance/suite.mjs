// The conformance suite: what the package promises, in tests that know no runtime.
//
// Each test is { name, run(context) }; they run one after another in this order, the first ones before
// init. A runner (tests/runtimes/) provides the context:
//   mode       one of `modes`
//   api        the package's namespace, as its users import it
//   fixture    (name) => Promise<Uint8Array>: a file of tests/fixtures/upstream/
//   wasm       { control, kernel }: each the bytes of the module, or a WebAssembly.Module where the
//              runtime compiles nothing
//   growths    how often memory was made to grow (see growth.mjs); only in the mode growth

import { commits } from "./commits.mjs";
import { containers } from "./containers.mjs";
import { errors } from "./errors.mjs";
import { ids } from "./ids.mjs";
import { init } from "./init.mjs";
import { inspection } from "./inspection.mjs";
import { kernel } from "./kernel.mjs";
import { lineage } from "./lineage.mjs";
import { memory } from "./memory.mjs";
import { metadata } from "./metadata.mjs";
import { search } from "./search.mjs";
import { store } from "./store.mjs";
import { textIds } from "./text-ids.mjs";
import { upstream } from "./upstream.mjs";

const groups = {
  init,
  store,
  ids,
  "text ids": textIds,
  metadata,
  commits,
  lineage,
  containers,
  inspection,
  errors,
  memory,
  upstream,
  kernel,
};

/** What is said of a run behind the name of the runtime. */
export const modes = {
  plain: "",
  growth: ", memory growing in every call",
  search: ", the search module",
};

/** The tests of a mode. */
export function testsOf(mode) {
  return Object.entries(mode === "search" ? { search } : groups).flatMap(([group, cases]) =>
    Object.entries(cases).map(([name, run]) => ({ name: `${group}: ${name}`, run })),
  );
}

/** Runs all tests; answers [{ name, ms, error }], error being absent when it passed. */
export async function runAll(context) {
  const results = [];
  for (const { name, run } of testsOf(context.mode)) {
    const start = performance.now();
    let error;
    try {
      await run(context);
    } catch (caught) {
      error = `${caught?.message ?? caught}\n${caught?.stack ?? ""}`;
    }
    results.push({ name, ms: performance.now() - start, error });
  }
  return results;
}
