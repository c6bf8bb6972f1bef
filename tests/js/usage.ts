// How the package's types are meant to be used; package.test.mjs compiles this file.

import init, {
  type Changes,
  createWitnessChain,
  ed25519Signer,
  type Filter,
  type Hit,
  type Hits,
  type Id,
  type IndexState,
  inspectSegments,
  type Kernel,
  loadKernel,
  type Metadata,
  RvfError,
  RvfStore,
  type Signer,
  verifySignatures,
} from "rvf-wasm";
import initBrowser from "rvf-wasm/browser";
import initWorkerd from "rvf-wasm/workerd";

export async function signing(store: RvfStore, key: CryptoKey, mine: Signer): Promise<string[]> {
  const { bytes } = (await store.signedChanges(ed25519Signer(key))) ?? { bytes: new Uint8Array(0) };
  const verify = async () => (await mine.sign(bytes)).length > 0;
  const checks = await verifySignatures(bytes, [{ algorithm: mine.algorithm, verify }]);
  return [...checks, ...inspectSegments(bytes)].map(({ typeName }) => typeName);
}

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

  const filter: Filter = {
    op: "and",
    children: [
      { op: "eq", field: "kind", value: "bird" },
      { op: "range", fieldId: 1, valueType: "u64", low: "1", high: 5 },
      {
        op: "not",
        child: { op: "in", field: "n", values: [BigInt(1), { type: "u64", value: 1 }] },
      },
    ],
  };
  store.ingest([1, 2, 3], "text", { kind: "bird", n: BigInt(1), raw: bytes, maybe: undefined });
  store.ingest(new Float32Array(6), ["a", 2], [undefined, { kind: "x" }]);
  const found: Hits = store.query([1, 2, 3], 1, { filter, ids: ["a"], includeMetadata: true });
  const record: Metadata = found[0]?.metadata ?? {};
  const isAll: boolean = found.exhausted && store.setMetadata("text", record);
  store.deleteWhere(JSON.stringify(filter));
  // @ts-expect-error: a date is no metadata
  store.setMetadata(1, { when: new Date() });
  // @ts-expect-error: no such operator
  store.deleteWhere({ op: "like", field: "a", value: "b" });

  await init(undefined, { search: true });
  store.createIndex({ codes: false, m: 8, seed: BigInt(1) });
  await store.buildIndexInSlices({ sliceRows: 500, onProgress: (left: number) => left });
  const ef: number | undefined = store.calibrateEf([[1, 2, 3]], 5, 0.9);
  const many: Hits[] = store.queryMany(new Float32Array(6), 5, { mode: "auto", ...(ef && { ef }) });
  const { fault, graphRows }: IndexState = store.loadIndex();
  // @ts-expect-error: no such mode
  store.query([1, 2, 3], many.length, { mode: "fast", filter: `${fault ?? graphRows}` });

  const opened = RvfStore.open(bytes, { metric: "ip", parent: [bytes], salvage: isAll });
  const hits: Hit[] = opened.query(new Float32Array(3), 5, { metric: "l2" });
  const blob = new Blob([opened.toBytes()]);
  opened.embedWasm({ image: bytes, role: "control_plane", features: ["simd"] });
  opened.embedSegment("witness", createWitnessChain([{ action: "made", type: 1 }]));
  const changes: Changes | undefined = opened.changes({ compact: true });
  const child: RvfStore = opened.branch({ parent: bytes, parentName: "a.rvf" });
  opened.close();

  const kernel: Kernel = await loadKernel();
  const next: bigint = kernel.exports.rvf_greedy_step(BigInt(-1), 0);
  try {
    kernel.check(kernel.exports.rvf_crc32c(kernel.write(0x1_0000, bytes), blob.size));
  } catch (error) {
    if (error instanceof RvfError && error.codeName === "InvalidPointer") return [next];
  }
  child.close();
  if (changes === undefined) return [];
  return hits.map(({ id, similarity = 0 }) => (similarity > 0.5 ? id : 0));
}
