// Containers against the real @ruvector/rvf-node: the same arguments give the same bytes, and each
// extracts what the other embedded.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import upstream from "@ruvector/rvf-node";
import { init, inspectSegments, RvfStore } from "rvf-wasm";

let folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "rvf-containers-"));
  await init();
});
after(() => rmSync(folder, { recursive: true }));

const image = Uint8Array.from({ length: 1001 }, (_, i) => (i * i) % 251);
const btf = Uint8Array.from({ length: 40 }, (_, i) => i + 1);
const cmdline = "console=ttyS0 quiet";
const kernel = {
  image,
  arch: "riscv64",
  kernelType: "asterinas",
  flags: 0x86,
  apiPort: 8080,
  cmdline,
};
const ebpf = { image, programType: "tc_filter", attachType: "tc_egress", maxDimension: 384, btf };

/** A file of upstream's with a kernel and a program, and what upstream extracts from it. */
function upstreamFile() {
  const path = join(mkdtempSync(join(folder, "theirs-")), "theirs.rvf");
  const database = upstream.RvfDatabase.create(path, { dimension: 2, metric: "l2" });
  database.embedKernel(2, 2, 0x86, Buffer.from(image), 8080, cmdline);
  database.embedEbpf(1, 2, 384, Buffer.from(image), Buffer.from(btf));
  const extracted = { kernel: database.extractKernel(), ebpf: database.extractEbpf() };
  database.close();
  return { bytes: readFileSync(path), extracted };
}

/** The payload of the segment of a type. */
function payloadOf(bytes, name) {
  const { offset, size } = inspectSegments(bytes).find(({ typeName }) => typeName === name);
  return Buffer.from(bytes.subarray(offset + 64, offset + 64 + size));
}

test("a kernel and a program of the same arguments are upstream's, byte for byte", () => {
  const store = RvfStore.create(2);
  store.embedKernel(kernel);
  store.embedEbpf(ebpf);
  const ours = store.toBytes();
  const { bytes } = upstreamFile();
  for (const name of ["kernel", "ebpf"]) {
    assert.deepEqual(payloadOf(ours, name), payloadOf(bytes, name), name);
  }
  store.close();
});

test("upstream extracts what we embedded", () => {
  const store = RvfStore.create(2);
  store.embedKernel(kernel);
  store.embedEbpf(ebpf);
  store.embedWasm({ image, role: "microkernel" });
  store.embedDashboard({ image });
  const path = join(folder, "ours.rvf");
  writeFileSync(path, store.changes().bytes);
  store.close();
  const database = upstream.RvfDatabase.open(path);
  const { extracted } = upstreamFile();
  assert.deepEqual(database.extractKernel(), extracted.kernel);
  assert.deepEqual(database.extractEbpf(), extracted.ebpf);
  database.compact();
  database.close();
  const again = RvfStore.open(readFileSync(path));
  assert.deepEqual(again.extractWasm()[0].image, image);
  assert.deepEqual(again.extractDashboards()[0].image, image);
  again.close();
});

test("we extract what upstream embedded, the command line apart", () => {
  const store = RvfStore.open(upstreamFile().bytes);
  const [found] = store.extractKernels();
  for (const key of Object.keys(kernel)) assert.deepEqual(found[key], kernel[key], key);
  const [program] = store.extractEbpf();
  for (const key of Object.keys(ebpf)) assert.deepEqual(program[key], ebpf[key], key);
  assert.deepEqual([found.hash, program.hash], ["simple", "simple"]);
  store.close();
});
