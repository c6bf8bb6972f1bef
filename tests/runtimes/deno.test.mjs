// Deno, with no permission but to read files.
import { bin, testRuntime } from "./spawn.mjs";

testRuntime("deno", bin("deno"), [
  "run",
  "--quiet",
  "--no-prompt",
  "--cached-only",
  "--allow-read",
]);
