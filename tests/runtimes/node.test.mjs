// Node, and Node that forbids eval and its kin.
import { testRuntime } from "./spawn.mjs";

testRuntime("node", process.execPath, []);
testRuntime("node without eval", process.execPath, ["--disallow-code-generation-from-strings"]);
