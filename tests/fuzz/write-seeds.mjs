// Writes the messages of the golden conversations (tests/protocol) as programs of kernel_fuzzer:
// node tests/fuzz/write-seeds.mjs. What exceeds the fuzzer's inputs begins anew in another program.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { goldenNames, readGolden } from "../protocol/golden.mjs";

const LONGEST = 4096;
const RAW_MESSAGE = 0xf8;
const SEALED = 1;

function* programs(name) {
  let program = Buffer.alloc(0);
  for (const [sent] of readGolden(name)) {
    const start = Buffer.from([RAW_MESSAGE, SEALED, sent.length & 0xff, sent.length >> 8]);
    const next = Buffer.concat([program, start, sent]);
    if (next.length > LONGEST) yield program;
    program = next.length > LONGEST ? Buffer.concat([start, sent]) : next;
  }
  yield program;
}

for (const name of goldenNames().filter((one) => one !== "largest" && one !== "long")) {
  for (const program of programs(name)) {
    const file = createHash("sha1").update(program).digest("hex");
    writeFileSync(new URL(`corpus/kernel/${file}`, import.meta.url), program);
  }
}
