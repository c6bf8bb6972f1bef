// The conformance suite in a runtime with a command line, by cli.mjs: once plainly, and once with
// memory growing in every call.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { report } from "./report.mjs";

const cli = fileURLToPath(new URL("cli.mjs", import.meta.url));

export function testRuntime(name, command, args) {
  for (const mode of ["plain", "growth"]) {
    test(mode === "plain" ? name : `${name}, memory growing in every call`, async (t) => {
      const { stdout } = await promisify(execFile)(command, [...args, cli, mode], {
        env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1" },
        maxBuffer: 2 ** 26,
      });
      const { entry, results } = JSON.parse(stdout);
      assert.match(entry, /\/dist\/node\.js$/);
      await report(t, results);
    });
  }
}

/** A program of node_modules/.bin. */
export function bin(name) {
  return fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));
}
