// --trace: a file that Perfetto opens.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inProject, LARGE, sim, simJson, temporary } from "./sim.mjs";

const ARGS = [LARGE, "--query", LARGE, "--queries", "10"];

function traceOf(name, ...args) {
  const path = temporary(name);
  const report = simJson(...ARGS, "--trace", path, ...args);
  return { report, trace: JSON.parse(readFileSync(path, "utf8")) };
}

const faulty = (name) => ["--scenario", inProject(`host/sim/scenarios/${name}.json`)];

for (const name of ["lossy-links", "failing-tiles", "dead-array"]) {
  test(`the trace of ${name} is well formed`, () => {
    const { trace, report } = traceOf(`${name}.json`, ...faulty(name));
    assert.deepEqual(Object.keys(trace), ["displayTimeUnit", "traceEvents"]);
    let last = 0;
    const open = new Map();
    for (const event of trace.traceEvents) {
      assert.equal(typeof event.name, "string");
      assert.ok(event.name.length > 0);
      assert.equal(event.pid, 1);
      assert.ok(event.tid >= 0 && event.tid <= report.tiles.length);
      if (event.ph === "M") continue;
      assert.ok(event.ts >= last, `time goes back to ${event.ts}`);
      last = event.ts;
      const row = open.get(event.tid) ?? [];
      open.set(event.tid, row);
      if (event.ph === "B") row.push(event.name);
      else if (event.ph === "E") assert.equal(row.pop(), event.name);
      else if (event.ph === "X") assert.ok(event.dur >= 0);
      else if (event.ph === "i") assert.equal(event.s, "t");
      else if (event.ph === "C") assert.ok(event.args.value >= 0);
      else assert.fail(`an event of phase ${event.ph}`);
      assert.ok(row.length <= 2, "a message inside a job, no more");
    }
    for (const [row, names] of open) assert.deepEqual(names, [], `row ${row}`);
    assert.ok(Math.abs(last * 1000 - report.virtual_ns) < 1);
  });
}

test("each tile has a named row, in order", () => {
  const { trace } = traceOf("rows.json", "--tiles", "20");
  const named = trace.traceEvents.filter((event) => event.name === "thread_name");
  const names = named.sort((a, b) => a.tid - b.tid).map((event) => event.args.name);
  assert.deepEqual(names, ["hub", ...Array.from({ length: 20 }, (_, tile) => `tile ${tile}`)]);
});

test("the trace counts what the report counts", () => {
  const { trace, report } = traceOf("counts.json", ...faulty("failing-tiles"));
  const events = trace.traceEvents;
  const begun = events.filter((event) => event.cat === "job" && event.ph === "B");
  const ended = (how) => events.filter((event) => event.args?.ended === how).length;
  assert.equal(begun.length, ended("done") + ended("taken away"));
  assert.equal(ended("done"), report.jobs.by_tiles);
  assert.equal(ended("taken away"), report.faults.jobs_reassigned);
  for (const [fault, count] of Object.entries(report.faults.injected)) {
    assert.equal(events.filter((event) => event.name === `fault: ${fault}`).length, count, fault);
  }
  const lastOf = (name) =>
    events.filter((event) => event.ph === "C" && event.name === name).at(-1)?.args.value;
  assert.equal(lastOf("jobs done"), report.jobs.all);
  assert.equal(lastOf("tiles left"), report.tiles_left);
  assert.equal(lastOf("jobs running"), 0);
});

test("the same run writes the same trace", () => {
  const [first, second] = ["a.json", "b.json"].map((name) => {
    const path = temporary(name);
    sim(...ARGS, "--trace", path, "--quiet");
    return readFileSync(path, "utf8");
  });
  assert.equal(first, second);
});
