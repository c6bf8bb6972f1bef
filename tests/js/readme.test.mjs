// The examples of js/README.md run and print what they say. (The Workers example runs in
// tests/runtimes/workerd.test.mjs.)

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

const js = fileURLToPath(new URL("../../js", import.meta.url));
const readme = readFileSync(join(js, "README.md"), "utf8");

/** Runs the block whose info string is given, in a folder of its own; answers { output, files }. */
function run(info) {
  const block = readme.split(`\`\`\`${info}\n`)[1]?.split("```")[0];
  assert.ok(block, `the README has a block ${info}`);
  const folder = mkdtempSync(join(tmpdir(), "rvf-readme-"));
  try {
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(js, join(folder, "node_modules", "rvf-wasm"));
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", block], {
      cwd: folder,
      encoding: "utf8",
    });
    return { output, files: readdirSync(folder).filter((name) => name !== "node_modules") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the README's example", () => {
  const { output } = run("js");
  assert.match(output, /id: 1,\s+distance: 0\.00496\d+,\s+similarity: 0\.995\d+\s.*id: 2,/s);
  assert.match(output, /^3 3 cosine \[\]$/m);
});

test("the README's text ids, metadata and filters", () => {
  const { output } = run("js metadata");
  assert.match(
    output,
    /^\{ id: 'wren', distance: 1, metadata: \{ kind: 'bird', weight: 0\.01 \} \}$/m,
  );
  assert.match(output, /^2 true$/m);
  assert.match(output, /^1 \[ 'owl', 'wren' \]$/m);
});

test("the README's file that grows", () => {
  const { output, files } = run("js file");
  assert.match(output, /^\[ 'b' \] \[\]$/m);
  assert.deepEqual(files, ["vectors.rvf"]);
});

test("the README's approximate search", () => {
  const { output } = run("js index");
  assert.deepEqual(output.trim().split("\n"), ["1000", "0", "0", "true", "100", "2000", "0"]);
});

test("the README's searcher", () => {
  const { output, files } = run("js searcher");
  assert.match(output, /^\{ id: 7, distance: 0 \}$/m);
  assert.deepEqual(files, ["vectors.rvf"]);
});

test("the README's signatures", () => {
  assert.match(run("js signatures").output, /^true$/m);
});

test("every method and function that the README names is there", async () => {
  const api = await import("rvf-wasm");
  const table = readme.split("## What there is")[1].split("\n- **Distances")[0];
  const rows = table.split("\n").filter((line) => line.startsWith("| `"));
  assert.ok(rows.length > 25, `${rows.length} rows`);
  for (const row of rows) {
    for (const [, name] of row.split("|")[1].matchAll(/`(?:RvfStore\.)?(\w+)/g)) {
      const there = name in api || name in api.RvfStore.prototype || name in api.RvfStore;
      assert.ok(there, name);
    }
  }
});
