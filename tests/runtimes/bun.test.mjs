// Bun.
import { bin, testRuntime } from "./spawn.mjs";

testRuntime("bun", bin("bun"), ["run", "--no-install"]);
