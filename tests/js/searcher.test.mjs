// RvfSearcher against RvfStore on the same file.
import assert from "node:assert/strict";
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { init, inspectSegments, RvfErrorCode, RvfSearcher, RvfStore } from "rvf-wasm";
import { control } from "../../js/dist/module.js";
import { openFile } from "../../js/dist/open.js";
import { outlineOf, withoutVectors } from "../../js/dist/outline.js";

const dimension = 48;
const rows = 6000; // more than one piece of 256 KiB
const folder = mkdtempSync(join(tmpdir(), "rvf-searcher-"));

let seed = 1;
const random = () => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return seed / 2 ** 32 - 0.5;
};
const vectors = (count) => Float32Array.from({ length: count * dimension }, random);
const upTo = (count) => Array.from({ length: count }, (_, i) => i);

const concat = (a, b) => Uint8Array.from([...a, ...b]);

/** A store of two commits, with texts, metadata, replaced and deleted vectors; and its file. */
function made(options = {}) {
  const store = RvfStore.create({ dimension, metric: options.metric ?? "l2" });
  store.ingest(
    vectors(rows),
    upTo(rows),
    upTo(rows).map((n) => ({ n, even: n % 2 === 0 })),
  );
  if (options.index !== false) {
    store.createIndex({ codes: options.codes ?? true, efConstruction: 80 });
    store.buildIndex();
    store.saveIndex();
  }
  let file = store.changes().bytes;
  store.acknowledge();
  store.ingest(vectors(3), ["a", 5, "b"], [{ n: -1 }, { n: -2 }, { n: -3 }]);
  store.delete([7, 8]);
  if (options.index !== false && options.saves !== false) {
    store.buildIndex();
    store.saveIndex();
  }
  const { offset, bytes } = store.changes();
  store.acknowledge();
  file = concat(file.subarray(0, offset), bytes);
  return { store, file };
}

let l2;
before(async () => {
  await init(undefined, { search: true });
  l2 = made();
});
after(() => rmSync(folder, { recursive: true }));

function recallOf(searcher, store, options, count = 40) {
  let right = 0;
  let all = 0;
  for (let i = 0; i < count; i++) {
    const query = vectors(1);
    const truth = store.query(query, 10, options);
    const hits = searcher.query(query, 10, { ...options, ef: 200, rescore: 100 });
    assert.equal(hits.length, truth.length);
    const distances = new Map(truth.map(({ id, distance }) => [id, distance]));
    for (const { id, distance } of hits) {
      if (!distances.has(id)) continue;
      assert.equal(distance, distances.get(id), "the true distance, to the last bit");
      right++;
    }
    all += truth.length;
  }
  return all ? right / all : 1;
}

for (const metric of ["l2", "inner_product", "cosine"]) {
  test(`the nearest, with true distances: ${metric}`, () => {
    const { store, file } = metric === "l2" ? l2 : made({ metric });
    const searcher = RvfSearcher.open(file);
    assert.deepEqual(
      [searcher.count, searcher.dimension, searcher.metric],
      [store.count, dimension, metric],
    );
    assert.ok(recallOf(searcher, store, {}) >= 0.95);
    assert.ok(searcher.indexState().graph);
    searcher.close();
    if (metric !== "l2") store.close();
  });
}

test("codes are walked by also where they are no smaller than vectors", () => {
  const store = RvfStore.create(5);
  const all = Float32Array.from({ length: 5 * 3000 }, random);
  store.ingest(all, upTo(3000));
  store.createIndex();
  store.buildIndex();
  store.saveIndex();
  const searcher = RvfSearcher.open(store.changes().bytes);
  let right = 0;
  for (let i = 0; i < 50; i++) {
    const query = Float32Array.from({ length: 5 }, random);
    const truth = new Set(store.query(query, 10).map(({ id }) => id));
    for (const { id } of searcher.query(query, 10, { ef: 100 })) right += truth.has(id);
  }
  assert.ok(right >= 475, `${right} of 500`);
  searcher.close();
  store.close();
});

test("without a graph all codes are compared", () => {
  const { store, file } = made({ saves: false });
  const searcher = RvfSearcher.open(file);
  assert.ok(!searcher.indexState().graph);
  assert.equal(recallOf(searcher, store, {}), 1);
  searcher.close();
  store.close();
});

test("vectors are read from a file, a few for each query", () => {
  const path = join(folder, "vectors.rvf");
  writeFileSync(path, l2.file);
  const fd = openSync(path);
  let bytesRead = 0;
  const searcher = RvfSearcher.open({
    size: fstatSync(fd).size,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      bytesRead += readSync(fd, bytes, 0, length, offset);
      return bytes;
    },
  });
  bytesRead = 0;
  const query = vectors(1);
  const hits = searcher.query(query, 5, { ef: 100, rescore: 20 });
  assert.equal(bytesRead, 20 * 4 * dimension);
  assert.deepEqual(
    hits.map(({ id }) => id),
    l2.store.query(query, 5).map(({ id }) => id),
  );
  searcher.close();
  closeSync(fd);
});

test("texts, metadata and filters", () => {
  const { store, file } = l2;
  const searcher = RvfSearcher.open(file);
  for (const id of ["a", "b", 5, 17]) {
    const query = store.get(id);
    const [hit] = searcher.query(query, 1, { includeMetadata: true });
    assert.deepEqual([hit.id, hit.distance, hit.metadata], [id, 0, store.metadata(id)]);
  }
  for (const id of [7, 8]) {
    assert.ok(!searcher.query(vectors(1), 50, { ef: 500 }).some((hit) => hit.id === id));
  }
  for (const filter of [
    { op: "eq", field: "even", value: true },
    { op: "lt", field: "n", value: 300 },
    { op: "lt", field: "n", value: 4 },
    { op: "lt", field: "n", value: -9 },
  ]) {
    assert.ok(recallOf(searcher, store, { filter }, 20) >= 0.95, JSON.stringify(filter));
  }
  assert.ok(
    searcher.query(vectors(1), 2, { filter: { op: "lt", field: "n", value: -2 } }).exhausted,
  );
  searcher.close();
});

test("a walk that is cut short says so", () => {
  const searcher = RvfSearcher.open(l2.file);
  const query = vectors(1);
  assert.equal(searcher.query(query, 10, { ef: 50 }).partial, false);
  const cut = searcher.query(query, 10, { ef: 50, workLimit: 20 });
  assert.deepEqual([cut.partial, cut.exhausted], [true, false]);
  searcher.close();
});

test("k are found where a filter admits what lies away from the query", () => {
  const store = RvfStore.create(12);
  const data = Float32Array.from({ length: 3000 * 12 }, random);
  const isFar = (i) => i % 10 < 3;
  for (let i = 0; i < data.length; i++) if (isFar(Math.floor(i / 12))) data[i] += 20;
  store.ingest(
    data,
    upTo(3000),
    upTo(3000).map((i) => ({ far: isFar(i) })),
  );
  store.createIndex({ m: 4, efConstruction: 20 });
  store.buildIndex();
  store.saveIndex();
  const searcher = RvfSearcher.open(store.changes().bytes);
  const filter = { op: "eq", field: "far", value: true };
  assert.equal(searcher.query(new Float32Array(12), 10, { filter }).length, 10);
  const cut = searcher.query(new Float32Array(12), 10, { filter, workLimit: 100_000 });
  assert.equal(cut.partial || cut.length === 10, true);
  searcher.close();
  store.close();
});

test("a large k takes the memory of what there is", () => {
  const store = RvfStore.create(1024);
  store.ingest(Float32Array.from({ length: 10 * 1024 }, random), upTo(10));
  store.createIndex();
  store.buildIndex();
  store.saveIndex();
  const searcher = RvfSearcher.open(store.changes().bytes);
  const before = searcher.memoryUsage();
  const hits = searcher.query(store.get(3), 1 << 20);
  assert.deepEqual([hits.length, hits[0].id, hits.exhausted], [10, 3, true]);
  assert.deepEqual(searcher.memoryUsage(), before);
  searcher.close();
  store.close();
});

/** A store that is indexed and saved with its first vectors and again with later ones; and a searcher. */
function grown(metric, firstOnes, laterOnes) {
  const store = RvfStore.create({ dimension, metric });
  const count = firstOnes.length / dimension;
  for (const [i, vectors] of [firstOnes, laterOnes].entries()) {
    store.ingest(
      vectors,
      upTo(vectors.length / dimension).map((n) => i * count + n),
    );
    if (i === 0) store.createIndex({ efConstruction: 80 });
    store.buildIndex();
    store.saveIndex();
  }
  return { store, searcher: RvfSearcher.open(store.changes().bytes) };
}

test("vectors that came after the first index was saved are found like the others", () => {
  for (const metric of ["l2", "cosine"]) {
    const later = vectors(1500).map((x) => x + 4); // far outside of the ranges of the first ones
    const { store, searcher } = grown(metric, vectors(1500), later);
    const asked = upTo(20).map((i) => later.subarray(i * dimension, (i + 1) * dimension));
    const right = asked.map((query) => {
      const ids = new Set(store.query(query, 10).map(({ id }) => id));
      return searcher.query(query, 10).filter(({ id }) => ids.has(id)).length;
    });
    assert.ok(right.reduce((a, b) => a + b) >= 0.9 * 200, `${metric}: ${right}`);
    searcher.close();
    store.close();
  }
});

test("vectors too long for a code stand behind all others", () => {
  const long = vectors(100).map((x) => x * 1e20);
  const { store, searcher } = grown("l2", vectors(1000), long);
  for (let i = 0; i < 20; i++) {
    const query = vectors(1);
    assert.deepEqual(searcher.query(query, 10, { ef: 1100, rescore: 100 }), store.query(query, 10));
  }
  searcher.close();
  store.close();
});

test("a query that codes cannot be compared with is refused, and says how it is answered", () => {
  const searcher = RvfSearcher.open(l2.file);
  const refused = { codeName: "NotFinite", message: /too long.*RvfStore\.open/s };
  assert.throws(() => searcher.query(new Float32Array(dimension).fill(1e19), 1), refused);
  const query = new Float32Array(dimension);
  query[3] = Number.NaN;
  assert.throws(() => searcher.query(query, 1), { codeName: "NotFinite", message: /NaN/ });
  searcher.close();
});

test("a read that gives anything but bytes is refused", () => {
  const { file } = l2;
  for (const other of [
    (bytes) => Float32Array.from(bytes),
    (bytes) => Array.from(bytes),
    (bytes) => String.fromCharCode(...bytes.subarray(0, 64)).padEnd(bytes.length),
    () => undefined,
  ]) {
    let isOpen = false;
    const read = (at, length) => {
      const bytes = file.subarray(at, at + length);
      return isOpen ? other(bytes) : bytes;
    };
    const searcher = RvfSearcher.open({ size: file.length, read });
    isOpen = true;
    const refused = { codeName: "InvalidArgument", message: /read\(/ };
    assert.throws(() => searcher.query(new Float32Array(dimension), 3), refused);
    searcher.close();
  }
});

test("more rows than memory has are refused, and the store goes on", () => {
  const wasm = control();
  const source = { size: l2.file.length, read: (at, length) => l2.file.subarray(at, at + length) };
  const at = wasm.rvf_alloc(8 + 4 * dimension) >>> 0;
  for (const count of [0x7000_0000, 0xffff_ffff]) {
    const handle = openFile(wasm, withoutVectors(source, outlineOf(source)), {});
    assert.equal(wasm.rvf_rows_begin(handle, count, 0), -RvfErrorCode.OutOfMemory);
    assert.equal(wasm.rvf_store_ingest(handle, at + 8, at, 1), 1);
    wasm.rvf_store_close(handle);
  }
  wasm.rvf_free(at, 8 + 4 * dimension);
});

test("a read that answers with a promise is refused", async () => {
  const read = async () => {
    throw new Error("not caught by anyone");
  };
  assert.throws(() => RvfSearcher.open({ size: 10_000, read }), {
    codeName: "InvalidArgument",
    message: /promise/,
  });
  await new Promise((resolve) => setTimeout(resolve, 5)); // an unhandled rejection would end the process
});

test("it takes a fraction of the memory", () => {
  const { file } = made();
  const searcher = RvfSearcher.open(file);
  const { rows: columns, ids } = searcher.memoryUsage();
  const { graphBytes, codesBytes } = searcher.indexState();
  assert.ok(columns + ids + graphBytes + codesBytes < 0.75 * 4 * dimension * rows + 1_000_000);
  searcher.close();
  searcher.close();
  assert.throws(() => searcher.count, { codeName: "StoreClosed" });
});

/** The file with a manifest more that lists the first segment so many times. */
function listingAgain(file, times) {
  const last = inspectSegments(file)
    .filter(({ typeName }) => typeName === "manifest")
    .at(-1);
  const manifest = file.slice(last.offset, last.offset + 64 + last.size);
  const entries = 64 + 22;
  const count = new DataView(manifest.buffer).getUint32(64 + 14, true);
  const more = Uint8Array.from({ length: 25 * times }, (_, i) => manifest[entries + (i % 25)]);
  const longer = Uint8Array.from([
    ...manifest.subarray(0, entries),
    ...more,
    ...manifest.subarray(entries),
  ]);
  const view = new DataView(longer.buffer);
  view.setBigUint64(16, BigInt(longer.length - 64), true);
  view.setUint32(64 + 14, count + times, true);
  longer.fill(0, 0x28, 0x38); // without a hash
  return concat(file, longer);
}

test("files that cannot be searched say what to do", () => {
  const plain = made({ index: false });
  const graphOnly = made({ codes: false });
  for (const { file } of [plain, graphOnly]) {
    assert.throws(() => RvfSearcher.open(file), {
      codeName: "InvalidArgument",
      message: /saveIndex/,
    });
  }
  const { file } = l2;
  const refused = (bytes, codeName) =>
    assert.throws(() => RvfSearcher.open(bytes), { codeName }, `${codeName}`);
  refused(new Uint8Array(1), "ManifestNotFound");
  refused(file.subarray(0, file.length - 1), "InvalidManifest"); // its last commit is cut
  const flipped = (at) => {
    const copy = file.slice();
    copy[at] ^= 1;
    return copy;
  };
  const torn = l2.store;
  torn.setMetadata("a", { n: -1 });
  const { bytes, manifestOffset } = torn.changes();
  torn.discard();
  refused(concat(file, bytes.subarray(0, manifestOffset)), "InvalidManifest"); // a commit was cut off
  const newer = file.slice();
  newer[4] = 2; // the version of the first segment, which holds vectors
  refused(newer, "InvalidVersion");
  refused(flipped(64 + 1000), "InvalidChecksum"); // a vector
  refused(listingAgain(file, 2000), "InvalidManifest");
  refused(flipped(file.length - 10), "InvalidChecksum"); // the manifest
  const short = { size: file.length, read: (at, length) => file.subarray(at, at + length - 1) };
  assert.throws(() => RvfSearcher.open(short), { codeName: "InvalidArgument", message: /read\(/ });
  assert.throws(() => RvfSearcher.open(7), { codeName: "InvalidArgument" });
  plain.store.close();
  graphOnly.store.close();
});

test("whatever byte is cut or flipped, it opens as it was or is refused", () => {
  const store = RvfStore.create(4);
  store.ingest(
    Float32Array.from({ length: 40 }, random),
    upTo(10),
    upTo(10).map((n) => ({ n })),
  );
  store.createIndex();
  store.buildIndex();
  store.saveIndex();
  const file = store.changes().bytes;
  const answer = (bytes) => {
    const searcher = RvfSearcher.open(bytes);
    const hits = searcher.query([0, 0, 0, 0], 10, { includeMetadata: true, ef: 10 });
    searcher.close();
    return JSON.stringify(hits);
  };
  const expected = answer(file);
  let refused = 0;
  for (let at = 0; at < file.length; at++) {
    for (const bytes of [
      file.subarray(0, at),
      Uint8Array.from(file, (b, i) => b ^ (i === at ? 4 : 0)),
    ]) {
      try {
        assert.equal(answer(bytes), expected, `${at}`);
      } catch (error) {
        if (error.name !== "RvfError") throw error;
        refused++;
      }
    }
  }
  assert.ok(refused > 1.5 * file.length);
  store.close();
});
