// How the package's types are meant to be used; package.test.mjs compiles this file.

import init, { type Hit, type Id, type Kernel, loadKernel, RvfError, RvfStore } from "rvf-wasm";
import initBrowser from "rvf-wasm/browser";
import initWorkerd from "rvf-wasm/workerd";

export async function usage(response: Promise<Response>, bytes: Uint8Array): Promise<Id[]> {
  await init();
  await init(response, { maxMemoryBytes: 2 ** 28 });
  await initBrowser(new URL("https://example.org/rvf_control.wasm"));
  await initWorkerd(new WebAssembly.Module(new ArrayBuffer(8)));

  using store = RvfStore.create({ dimension: 3, metric: "cosine" });
  const one: number = store.ingest([1, 2, 3], 1);
  store.ingest(new Float32Array(6), [one, BigInt(3)]);
  store.ingest([[1, 2, 3], new Float32Array(3)], new BigUint64Array(2));
  // @ts-expect-error: many ids, but a metric in place of k
  store.query([1, 2, 3], "l2");
  // @ts-expect-error: no such metric
  RvfStore.create(3, "manhattan");

  const opened = RvfStore.open(bytes, { metric: "ip" });
  const hits: Hit[] = opened.query(new Float32Array(3), 5, { metric: "l2" });
  const blob = new Blob([opened.toBytes()]);
  opened.close();

  const kernel: Kernel = await loadKernel();
  const next: bigint = kernel.exports.rvf_greedy_step(BigInt(-1), 0);
  try {
    kernel.check(kernel.exports.rvf_crc32c(kernel.write(0x1_0000, bytes), blob.size));
  } catch (error) {
    if (error instanceof RvfError && error.codeName === "InvalidPointer") return [next];
  }
  return hits.map(({ id, similarity = 0 }) => (similarity > 0.5 ? id : 0));
}
