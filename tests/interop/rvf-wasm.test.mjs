// Files that the real @ruvector/rvf-wasm 0.1.9 exports are opened whole, where it loses data itself.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { init, RvfStore } from "rvf-wasm";

before(() => init());

/** What rvf-wasm exports for `count` vectors (i, i / 2) with ids 0 .. count - 1. */
function exportedByUpstream(count) {
  const url = new URL(
    "../../node_modules/@ruvector/rvf-wasm/pkg/rvf_wasm_bg.wasm",
    import.meta.url,
  );
  const wasm = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(url))).exports;
  const handle = wasm.rvf_store_create(2, 0);
  const vectors = wasm.rvf_alloc(8 * count);
  const ids = wasm.rvf_alloc(8 * count);
  const view = new DataView(wasm.memory.buffer);
  for (let i = 0; i < count; i++) {
    view.setFloat32(vectors + 8 * i, i, true);
    view.setFloat32(vectors + 8 * i + 4, i / 2, true);
    view.setBigUint64(ids + 8 * i, BigInt(i), true);
  }
  assert.equal(wasm.rvf_store_ingest(handle, vectors, ids, count), count);
  const size = 64 * 2 + 6 + 16 * count + 44;
  const out = wasm.rvf_alloc(size + 1024);
  const written = wasm.rvf_store_export(handle, out, size + 1024);
  assert.equal(written, size);
  return new Uint8Array(wasm.memory.buffer).slice(out, out + written);
}

test("65,537 vectors, whose count upstream writes as 1, are all there", () => {
  const store = RvfStore.open(exportedByUpstream(65_537));
  assert.equal(store.count, 65_537);
  assert.deepEqual([...store.get(65_536)], [65_536, 32_768]);
  assert.equal(store.query([40_000, 20_000], 1)[0].id, 40_000);
  assert.deepEqual(store.warnings, ["MetricAssumed", "WasmLayout"]);
  store.close();
});

test("a file that it exports and we write again opens as ours, with the metric that we were told", () => {
  const store = RvfStore.open(exportedByUpstream(10), { metric: "cosine" });
  const again = RvfStore.open(store.toBytes());
  assert.deepEqual([again.count, again.metric, again.warnings], [10, "cosine", []]);
  store.close();
  again.close();
});
