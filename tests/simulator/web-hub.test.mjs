// The hub's core in a JavaScript engine does what it does natively: the same events, byte for byte, and
// the same answers, bit for bit, whatever breaks.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { builtHub, nodeTiles } from "./web.mjs";
import { cases, lineOf } from "./web-cases.mjs";

/** Where the native build puts the other half. */
const PEER = fileURLToPath(new URL("../../build/native/rvf_web_peer", import.meta.url));

const CASES = [...cases()];

/** Answers as the native program writes them. */
function answersAsText(answers) {
  const bits = (distance) => new Uint32Array(Float32Array.of(distance).buffer)[0];
  return answers.map((list) => list.map(({ id, distance }) => `${id} ${bits(distance)}`));
}

describe("the hub in this engine and natively", () => {
  let natively;
  let hub;
  before(async () => {
    const input = CASES.map((each) => `${lineOf(each)}\n`).join("");
    const peer = spawnSync(PEER, { input, encoding: "utf8", maxBuffer: 2 ** 29 });
    assert.equal(peer.status, 0, peer.error?.message ?? peer.stderr);
    natively = peer.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(natively.length, CASES.length);
    hub = await builtHub();
  });

  CASES.forEach(({ name, seed, scenario, data, struck }, at) => {
    test(name, () => {
      const expected = natively[at];
      const { report, answers, log } = seed
        ? hub.runRandom(seed, nodeTiles())
        : hub.run(JSON.stringify(scenario), data, nodeTiles());
      assert.equal(expected.wrong, "");
      assert.ok(log === expected.log, firstDifference(log, expected.log));
      assert.deepEqual(answersAsText(answers), expected.answers);
      assert.deepEqual(report, expected.report);
      for (const fault of struck) assert.ok(report.faults[fault] > 0, `${fault} never struck`);
    });
  });
});

function firstDifference(text, other) {
  const lines = text.split("\n");
  const others = other.split("\n");
  const at = lines.findIndex((line, i) => line !== others[i]);
  return `line ${at + 1} is "${lines[at]}" here and "${others[at]}" natively`;
}
