// Upstream's SDK with the old addon that it brings (0.1.8) opens our files, too. It knows no metric but L2 and no
// branches; ids are texts, and equal distances come in any order.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { RvfDatabase as Sdk } from "@ruvector/rvf";
import { hex } from "../reference/container.mjs";
import { l2 } from "../reference/distance.mjs";
import { randomSource } from "../reference/random.mjs";
import { METRIC, SEGMENT } from "../wasm/control.mjs";
import { entries, STRING_ID, VALUE } from "../wasm/entries.mjs";
import { ebpf, kernel } from "./containers.mjs";
import { control, folder, gridVector, OurFile } from "./support.mjs";

const DIMENSION = 6;
const pathOf = folder();
const random = randomSource(123);

const rowsOf = (...ids) => ids.map((id) => [BigInt(id), gridVector(random, DIMENSION)]);
const upTo = (count) => Array.from({ length: count }, (_, i) => i);

/** The SDK finds exactly these rows in a file, at their distances. */
async function assertFound(path, rows) {
  const database = await Sdk.open(path);
  const query = gridVector(random, DIMENSION);
  const hits = await database.query(query, rows.size + 5);
  const exact = Array.from(rows, ([id, vector]) => [`${id}`, l2(query, vector)]);
  assert.deepEqual(new Map(hits.map(({ id, distance }) => [id, distance])), new Map(exact));
  assert.equal((await database.status()).totalVectors, rows.size);
  await database.close();
}

/** A store of ours with 300 rows in 30 commits, described, some deleted, some made again. */
function made(name, options) {
  const file = OurFile.create(pathOf(name), DIMENSION);
  const rows = new Map();
  for (let commit = 0; commit < 30; commit++) {
    const label = (id) => entries([[STRING_ID, [VALUE.STRING, `id-${id}`]]]);
    const added = rowsOf(...upTo(10).map((i) => 10 * commit + i));
    for (const [id, vector] of added) rows.set(id, vector);
    file.upsert(added.map(([id, vector]) => [id, vector, label(id)]));
    file.delete([commit]);
    rows.delete(BigInt(commit));
    file.commit(options);
  }
  const again = rowsOf(3, 4);
  for (const [id, vector] of again) rows.set(id, vector);
  file.ingest(again);
  file.commit(options);
  return { file, rows };
}

test("commits with metadata, deletions and ids made again", async () => {
  const { file, rows } = made("commits.rvf");
  await assertFound(file.path, rows);
});

test("signed commits", async () => {
  const { file, rows } = made("signed.rvf", { sign: () => random.bytes(64) });
  await assertFound(file.path, rows);
});

test("a compacted file, and commits behind it", async () => {
  const { file, rows } = made("compacted.rvf");
  file.commit({ compacts: true });
  await assertFound(file.path, rows);
  const added = rowsOf(1000);
  rows.set(...added[0]);
  file.ingest(added);
  file.commit();
  await assertFound(file.path, rows);
});

test("an export", async () => {
  const { file, rows } = made("exported.rvf");
  writeFileSync(pathOf("export.rvf"), control.export(file.handle).bytes);
  await assertFound(pathOf("export.rvf"), rows);
});

test("containers are extracted", async () => {
  const { file } = made("containers.rvf");
  const [image, code] = [random.bytes(50), random.bytes(16)];
  file.embed(SEGMENT.KERNEL, kernel(image));
  file.embed(SEGMENT.EBPF, ebpf(code));
  file.commit();
  const database = await Sdk.open(file.path);
  assert.equal(hex((await database.extractKernel()).image), hex(image));
  assert.equal(hex((await database.extractEbpf()).payload), hex(code));
  await database.close();
});

test("8,000 deletions, one each, leave the manifest where the SDK looks for it", async () => {
  const file = OurFile.create(pathOf("deletions.rvf"), DIMENSION);
  const rows = new Map(rowsOf(...upTo(9000)));
  file.ingest([...rows]);
  file.commit();
  for (let id = 0; id < 8000; id++) {
    file.delete([id]);
    rows.delete(BigInt(id));
    if (id % 8 === 0) file.commit();
  }
  file.commit();
  await assertFound(file.path, rows);
});

/** The SDK adds a vector to a file, which gets the first free number of the SDK's own list: 1. */
async function ingestBySdk(path, vector) {
  const database = await Sdk.open(path);
  assert.equal((await database.ingestBatch([{ id: "theirs", vector }])).accepted, 1);
  await database.close();
}

test("what it ingests we see, and lose nothing of ours", async () => {
  const file = OurFile.create(pathOf("back.rvf"), DIMENSION);
  const label = entries([[STRING_ID, [VALUE.STRING, "a name"]]]);
  const rows = rowsOf(1000, 1001, 1002);
  file.upsert(rows.map(([id, vector]) => [id, vector, label]));
  file.embed(0xf5, Uint8Array.of(1, 2, 3));
  file.delete([1001]);
  file.commit();
  const [theirs] = rowsOf(1);
  await ingestBySdk(file.path, theirs[1]);
  file.reopen();
  assert.equal(control.warnings(file.handle), 0);
  const content = file.content();
  const shown = [rows[0], rows[2], theirs].map(([id, vector]) => [id, [...vector]]);
  assert.deepEqual(content.rows, new Map(shown));
  assert.equal(content.metadata.get(1000n), hex(label));
  assert.deepEqual(file.carried(), ["245:010203"]);
});

test("it forgets a metric, which can then be given when we open the file", async () => {
  const file = OurFile.create(pathOf("cosine.rvf"), DIMENSION, METRIC.COSINE);
  file.ingest(rowsOf(1000));
  file.commit();
  await ingestBySdk(file.path, gridVector(random, DIMENSION));
  file.reopen();
  assert.equal(control.status(file.handle).metric, METRIC.L2);
  const handle = control.openWith(file.bytes, { metric: METRIC.COSINE });
  assert.equal(control.status(handle).metric, METRIC.COSINE);
});
