// The conformance suite in a runtime with a command line, by cli.mjs: once in each mode.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { modes } from "../conformance/suite.mjs";
import { report } from "./report.mjs";

const cli = fileURLToPath(new URL("cli.mjs", import.meta.url));

export function testRuntime(name, command, args) {
  for (const [mode, what] of Object.entries(modes)) {
    test(name + what, async (t) => {
      const { stdout } = await promisify(execFile)(command, [...args, cli, mode], {
        env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1" },
        maxBuffer: 2 ** 26,
      });
      const { entry, results } = JSON.parse(stdout);
      assert.match(entry, /\/dist\/node\.js$/);
      await report(t, mode, results);
    });
  }
}

/** A program of node_modules/.bin. */
export function bin(name) {
  return fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));
}
