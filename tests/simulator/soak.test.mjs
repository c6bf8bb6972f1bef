// 500 random scenarios with faults. More of them: rvf-sim --soak 10000
import assert from "node:assert/strict";
import { test } from "node:test";
import { sim, simJson } from "./sim.mjs";

test("500 random scenarios: every answer is right", () => {
  const soak = simJson("--soak", "500");
  assert.equal(soak.schema, "rvf-sim-soak");
  assert.deepEqual(soak.failures, []);
  assert.equal(soak.cases, 500);
  for (const [fault, count] of Object.entries(soak.faults.injected)) {
    assert.ok(count > 0, `${fault} never struck`);
  }
  for (const [finding, count] of Object.entries(soak.faults.found)) {
    assert.ok(count > 0, `${finding} was never found`);
  }
});

test("a soak is repeated from its seed", () => {
  const log = () => sim("--soak", "3", "--seeds", "41", "--log", "-");
  const first = log();
  assert.equal(first.status, 0);
  assert.equal(first.stdout, log().stdout);
  assert.notEqual(first.stdout, sim("--soak", "3", "--seeds", "42", "--log", "-").stdout);
});
