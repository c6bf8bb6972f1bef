// Which of the two modules is loaded, and what each of them does without or with an index. Every case is
// a process of its own, because a module is loaded once.

import { execFileSync } from "node:child_process";
import test from "node:test";
import { fileURLToPath } from "node:url";

const prelude = `
  import assert from "node:assert/strict";
  import { readFileSync } from "node:fs";
  import { fileURLToPath } from "node:url";
  import init, { initSync, RvfStore } from "rvf-wasm";
  const bytes = (name) => readFileSync(fileURLToPath(import.meta.resolve("rvf-wasm/" + name + ".wasm")));
  const failed = (message) => ({ codeName: "BackendInitFailed", message });
  const made = () => {
    const store = RvfStore.create(2);
    store.ingest([[1, 0], [0, 1], [5, 5]], [1, 2, 3]);
    return store;
  };
`;

/** Runs code in a process in which nothing is loaded yet. */
function run(code) {
  execFileSync(process.execPath, ["--input-type=module", "--eval", prelude + code], {
    cwd: fileURLToPath(new URL(".", import.meta.url)),
    stdio: "pipe",
  });
}

const cases = {
  "the smaller module is the default; it has no index and says so": `
    await init();
    const store = made();
    const message = /search module.*search: true/;
    for (const call of [
      () => store.createIndex(),
      () => store.buildIndex(),
      () => store.indexState(),
      () => store.saveIndex(),
      () => store.loadIndex(),
      () => store.dropIndex(),
      () => store.query([0, 1], 1, { mode: "hnsw" }),
      () => store.measureRecall([[0, 1]], 1),
    ]) assert.throws(call, failed(message));
    await assert.rejects(store.buildIndexInSlices(), failed(message));
    const queries = [[0, 1], [4, 4], [1, 0.5]];
    const single = queries.map((query) => store.query(query, 2));
    assert.deepEqual(store.queryMany(queries, 2, { mode: "auto" }), single);
    assert.deepEqual(store.queryMany(queries.flat(), 2), single);
    assert.equal(single[1][0].id, 3);`,
  "the smaller one stays when the other is asked for later": `
    await init();
    await assert.rejects(init(undefined, { search: true }), failed(/first init/));
    assert.throws(() => initSync(bytes("search"), { search: true }), failed(/first init/));
    made();`,
  "the larger one is taken by an init that does not ask for it": `
    await init(undefined, { search: true });
    await init();
    await init(undefined, { search: true, maxMemoryBytes: 2 ** 30 });
    made().createIndex();`,
  "a source without search is refused, and another may follow": `
    await assert.rejects(init(bytes("control"), { search: true }), failed(/rvf_search.wasm/));
    assert.throws(() => initSync(bytes("control"), { search: true }), failed(/rvf_search.wasm/));
    assert.throws(() => RvfStore.create(2), failed(/await init/));
    initSync(bytes("search"), { search: true });
    made().createIndex();`,
  "a source with search needs no option": `
    await init(bytes("search"));
    made().createIndex();`,
  "of two at once the one that did not get its module says so": `
    const [plain, search] = await Promise.allSettled([init(), init(undefined, { search: true })]);
    assert.equal(plain.status, "fulfilled");
    assert.throws(() => { throw search.reason; }, failed(/first init/));`,
};

for (const [name, code] of Object.entries(cases)) test(name, () => run(code));
