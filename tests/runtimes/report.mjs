// Turns the results of a conformance run into subtests, one per case.

import { testsOf } from "../conformance/suite.mjs";

/** `results` as runAll gives them in that mode; a case that is missing from them fails. */
export async function report(t, mode, results) {
  const byName = new Map(results.map((result) => [result.name, result]));
  for (const { name } of testsOf(mode)) {
    await t.test(name, () => {
      const result = byName.get(name);
      if (result === undefined) throw new Error("this case did not run");
      if (result.error !== undefined) throw new Error(result.error);
    });
  }
}
