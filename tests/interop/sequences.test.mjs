// 150 random sequences of operations on files of ours (branches.test.mjs has 50 more on branches): at random
// points, the real rvf-node opens the file and answers as a plain brute force over a map does, and so do we;
// and nothing is lost that upstream does not read.
import { test } from "node:test";
import { randomSource } from "../reference/random.mjs";
import { Sequence } from "./sequence.mjs";
import { assertOpensUpstream, folder, METRICS, OurFile } from "./support.mjs";

const SEQUENCES = 150;
const STEPS = 60;

const pathOf = folder();

for (let seed = 1; seed <= SEQUENCES; seed++) {
  const metric = seed % 3;
  test(`sequence ${seed}, ${METRICS[metric]}`, () => {
    const random = randomSource(seed * 2654435761);
    const dimension = random.int(1, 12);
    const file = OurFile.create(pathOf(`${seed}.rvf`), dimension, metric);
    const sequence = new Sequence(file, random, { pathOf });
    for (let step = 1; step <= STEPS; step++) {
      sequence.step();
      if (step < STEPS && random.int(0, 9) > 0) continue;
      sequence.commit();
      sequence.assertHeld();
      assertOpensUpstream(sequence.file, sequence.model.rows, random.uint32());
    }
    if (seed % 3 === 0) sequence.freeze();
    assertOpensUpstream(sequence.file, sequence.model.rows, seed);
    sequence.file.close();
  });
}
