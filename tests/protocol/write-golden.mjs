// Writes the golden files anew: node tests/protocol/write-golden.mjs. The replies are those of the
// model, never of the kernel.
import { writeFileSync } from "node:fs";
import { CONVERSATIONS, record } from "./conversations.mjs";
import { format, goldenPath } from "./golden.mjs";
import { Model } from "./model.mjs";

for (const [name, { about }] of Object.entries(CONVERSATIONS)) {
  const model = new Model();
  const turns = record(name, (bytes) => model.ring(bytes));
  writeFileSync(goldenPath(name), format(about, turns));
  console.log(`${name}: ${turns.length} messages`);
}
