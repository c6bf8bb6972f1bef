// The first example of js/README.md runs and prints what it says. (The Workers example runs in
// tests/runtimes/workerd.test.mjs.)

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import test from "node:test";
import { fileURLToPath } from "node:url";

test("the README's example", () => {
  const readme = readFileSync(new URL("../../js/README.md", import.meta.url), "utf8");
  const [, code] = readme.match(/```js\n(.*?)```/s);
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    encoding: "utf8",
  });
  assert.match(output, /id: 1,\s+distance: 0\.00496\d+,\s+similarity: 0\.995\d+\s.*id: 2,/s);
  assert.match(output, /^3 3 cosine \[\]$/m);
});
