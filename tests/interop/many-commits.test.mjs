// 100,000 commits of one vector each: the file and the time to open it grow with their number, the manifest does
// not, and upstream's packages open it, the SDK too, which looks for a manifest in the last 64 KiB only.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { RvfDatabase as Sdk } from "@ruvector/rvf";
import { findManifest } from "../reference/manifest.mjs";
import { Control } from "../wasm/control.mjs";
import { folder, withUpstream } from "./support.mjs";

const COMMITS = [10_000, 20_000, 50_000, 100_000];
const DIMENSION = 4;
const SEARCHED_TAIL = 65_536;

const pathOf = folder();

/** @type {{commits: number, size: number, manifest: number, open: number}[]} */
const table = [];
let file;

/** Best of three, in milliseconds. */
function timeToOpen(bytes, count) {
  const times = [0, 1, 2].map(() => {
    const control = new Control();
    const start = performance.now();
    const handle = control.open(bytes);
    const time = performance.now() - start;
    assert.equal(control.count(handle), count);
    return time;
  });
  return Math.min(...times);
}

before(() => {
  const control = new Control();
  const handle = control.create(DIMENSION);
  control.setFileId(handle, new Uint8Array(16).fill(7));
  const bytes = new Uint8Array(160_000_000);
  const vector = new Float32Array(DIMENSION);
  let size = 0;
  let manifest = 0;
  const start = performance.now();
  let opening = 0;
  for (let id = 1; id <= COMMITS.at(-1); id++) {
    vector[0] = id;
    control.ingest(handle, vector, [id]);
    const commit = control.commit(handle);
    assert.equal(commit.offset, size);
    bytes.set(commit.bytes, size);
    size += commit.bytes.length;
    manifest = Math.max(manifest, commit.bytes.length - commit.dataSize);
    assert.equal(control.acknowledge(handle), 0);
    if (!COMMITS.includes(id)) continue;
    const written = performance.now();
    const open = timeToOpen(bytes.subarray(0, size), id);
    const total = written - start - opening;
    opening += performance.now() - written;
    table.push({ commits: id, size, manifest, total, open });
  }
  file = bytes.subarray(0, size);
  for (const { commits, total, open, ...row } of table) {
    console.log(
      `${commits} commits in ${total.toFixed(0)} ms: ${row.size} bytes, largest manifest ` +
        `${row.manifest}, opened in ${open.toFixed(0)} ms`,
    );
  }
});

/** How much more one commit costs at the end of the table than at its beginning. */
const growth = (column) =>
  table.at(-1)[column] / table.at(-1).commits / (table[0][column] / table[0].commits);

describe("100,000 commits of one vector", () => {
  test("the file grows with them; a merge more for each eightfold", () => {
    assert.ok(growth("size") < 1.25, `${growth("size")}`);
    assert.ok(table.at(-1).size / table.at(-1).commits < 1100);
  });

  test("so does the time to open it", () => assert.ok(growth("open") < 5, `${growth("open")}`));

  test("so does the time to commit", () => assert.ok(growth("total") < 5, `${growth("total")}`));

  test("the largest manifest has less than 2 KB", () => assert.ok(table.at(-1).manifest < 2048));

  test("the last manifest begins in the last 64 KiB", () => {
    const { offset } = findManifest(file.subarray(file.length - SEARCHED_TAIL), "lax");
    assert.notEqual(offset, null);
  });

  test("upstream's addon counts them all", () => {
    writeFileSync(pathOf("many.rvf"), file);
    withUpstream(pathOf("many.rvf"), (database) => {
      assert.equal(database.status().totalVectors, COMMITS.at(-1));
    });
  });

  test("upstream's SDK counts and finds them", async () => {
    writeFileSync(pathOf("many-sdk.rvf"), file);
    const database = await Sdk.open(pathOf("many-sdk.rvf"));
    assert.equal((await database.status()).totalVectors, COMMITS.at(-1));
    const [nearest] = await database.query(Float32Array.of(77_777, 0, 0, 0), 1);
    assert.deepEqual(nearest, { id: "77777", distance: 0 });
    await database.close();
  });
});
