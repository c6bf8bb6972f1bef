// Commits: the file that grows is the store; nothing is saved twice, and nothing is lost.

import { equal, ok, throws } from "./assert.mjs";
import { contents, File } from "./file.mjs";
import { ingestRows, makeRows } from "./store.mjs";

/** The store in the file is the one at hand. */
function checkFile(api, file, store, warnings = []) {
  const again = api.RvfStore.open(file.bytes);
  equal(again.warnings, warnings, "warnings");
  equal(contents(again), contents(store), "the store in the file");
  equal(again.metric, store.metric);
  again.close();
}

export const commits = {
  "each saves what changed, and the file is the store": ({ api }) => {
    const store = api.RvfStore.create(8, "cosine");
    const file = new File();
    ok(file.save(store) > 0, "a new store is a file");
    checkFile(api, file, store);
    equal(store.changes(), undefined, "nothing has changed");
    ingestRows(store, makeRows(200, 8));
    const large = file.save(store);
    ok(large > 8000, `${large} bytes for 200 vectors`);
    const steps = [
      () => store.ingest(makeRows(1, 8, 5)[0][1], "text", { a: 1, b: "two" }),
      () => store.delete([1, 2, 3]),
      () => store.setMetadata(10, { a: 2 }),
      () => store.ingest(makeRows(1, 8, 6)[0][1], 2),
      () => store.deleteWhere({ op: "eq", field: "a", value: 1 }),
    ];
    for (const step of steps) {
      step();
      ok(store.state().uncommitted, "there is something to save");
      const before = file.bytes.slice();
      const written = file.save(store);
      ok(written < 2000, `${written} bytes for one change`);
      equal(file.bytes.subarray(0, before.length), before, "what was there");
      checkFile(api, file, store);
    }
    const state = store.state();
    equal([state.epoch, state.uncommitted, state.pending], [7, false, false]);
    store.close();
  },

  "an opened file of any tool goes on": async ({ api, fixture }) => {
    for (const name of ["made_deletes.rvf", "made_kernel.rvf", "agent_memory.rvf"]) {
      const file = new File();
      file.bytes = await fixture(name);
      const size = file.bytes.length;
      const store = api.RvfStore.open(file.bytes);
      equal(store.state().fileSize, size);
      equal(store.changes(), undefined);
      store.ingest(new Float32Array(store.dimension), "new", { from: name });
      file.save(store);
      ok(file.bytes.length > size, "it grew");
      checkFile(api, file, store);
      store.close();
    }
  },

  "a torn tail is cut off by the next": async ({ api, fixture }) => {
    const file = new File();
    file.bytes = await fixture("damaged_trunc_in_last_vec.rvf");
    const store = api.RvfStore.open(file.bytes);
    equal(store.warnings, ["TornTail"]);
    store.ingest(new Float32Array(store.dimension), 4242);
    const changes = store.changes();
    ok(changes.offset < file.bytes.length, "it begins before the end");
    file.write(changes);
    store.acknowledge();
    checkFile(api, file, store);
    store.close();
  },

  "what was discarded belongs to the next": ({ api }) => {
    const store = api.RvfStore.create(2);
    const file = new File();
    store.ingest([1, 2], "a", { n: 1 });
    file.save(store);
    store.ingest([3, 4], "b", { n: 2 });
    store.delete("a");
    const first = store.changes({ time: 1 });
    ok(store.state().pending, "it is pending");
    store.discard();
    store.setMetadata("b", { n: 3 });
    const second = store.changes({ time: 1 });
    equal(second.offset, first.offset);
    file.write(second);
    store.acknowledge();
    checkFile(api, file, store);
    store.close();
  },

  "changes while one is pending belong to the next": async ({ api }) => {
    const store = api.RvfStore.create(1);
    const file = new File();
    store.ingest([1], "a");
    const first = store.changes();
    store.ingest([2], "b");
    store.delete("a");
    await throws(api, "CommitPending", () => store.changes());
    file.write(first);
    store.acknowledge();
    const between = api.RvfStore.open(file.bytes);
    equal(between.ids(), ["a"]);
    between.close();
    file.save(store);
    checkFile(api, file, store);
    store.close();
  },

  "there is one at a time, acknowledged or discarded once": async ({ api }) => {
    const store = api.RvfStore.create(1);
    await throws(api, "CommitPending", () => store.acknowledge());
    await throws(api, "CommitPending", () => store.discard());
    store.changes();
    store.acknowledge();
    await throws(api, "CommitPending", () => store.acknowledge());
    await throws(api, "InvalidArgument", () => store.changes({ time: -1 }), /milliseconds/);
    await throws(api, "InvalidArgument", () => store.changes({ time: "now" }), /milliseconds/);
    store.close();
  },

  "their bytes are copies": ({ api }) => {
    const store = api.RvfStore.create(1);
    store.ingest([1], 1);
    const changes = store.changes({ time: 1000 });
    const before = changes.bytes.slice();
    changes.bytes.fill(0);
    store.discard();
    equal(store.changes({ time: 1000 }).bytes, before);
    store.close();
  },

  "compaction writes the file anew without what no longer counts": ({ api }) => {
    const store = api.RvfStore.create(16);
    const file = new File();
    ingestRows(store, makeRows(500, 16));
    file.save(store);
    store.delete(makeRows(450, 16).map(([id]) => id));
    store.embedSegment(0xf3, new Uint8Array([1, 2, 3]));
    file.save(store);
    const size = file.bytes.length;
    const changes = store.changes({ compact: true });
    equal([changes.replaces, changes.offset], [true, 0]);
    file.write(changes);
    store.acknowledge();
    ok(file.bytes.length < size / 5, `${file.bytes.length} of ${size} bytes are left`);
    equal(store.state().deletedIds, 0);
    checkFile(api, file, store);
    const again = api.RvfStore.open(file.bytes);
    equal(again.extractSegments(0xf3)[0].payload, new Uint8Array([1, 2, 3]));
    again.close();
    store.close();
  },

  "toBytes is a file of its own and saves nothing": ({ api }) => {
    const store = api.RvfStore.create(1);
    const file = new File();
    store.ingest([1, 2], ["a", "b"], [{ n: 1 }, undefined]);
    file.save(store);
    store.ingest([3], "c");
    const image = api.RvfStore.open(store.toBytes());
    equal(contents(image), contents(store));
    equal(store.state().uncommitted, true);
    file.save(store);
    checkFile(api, file, store);
    image.close();
    store.close();
  },

  "a frozen store takes no changes, here and after reopening": async ({ api, fixture }) => {
    const store = api.RvfStore.create(1);
    const file = new File();
    store.ingest([1], "a", { n: 1 });
    file.save(store);
    store.freeze();
    equal([store.frozen, store.state().uncommitted], [true, true]);
    file.save(store);
    const again = api.RvfStore.open(file.bytes);
    for (const opened of [store, again]) {
      equal(opened.frozen, true);
      for (const change of [
        () => opened.ingest([2], "b"),
        () => opened.ingest([2], 2, { fresh: 1 }),
        () => opened.delete("a"),
        () => opened.deleteWhere({ op: "and", children: [] }),
        () => opened.setMetadata("a", { fresh: 1 }),
        () => opened.embedSegment(0xf0, new Uint8Array(1)),
        () => opened.freeze(),
      ]) {
        await throws(api, "SnapshotFrozen", change);
      }
      equal(contents(opened), [["a", [1], { n: 1 }]]);
      equal(opened.changes(), undefined);
    }
    const child = again.derive({ parent: file.bytes });
    child.ingest([5], "a");
    equal(child.frozen, false);
    const idMap = { idToLabel: { b: 1 } };
    const sdk = api.RvfStore.open(await fixture("made_sdk_string_ids.rvf"));
    sdk.freeze();
    const frozen = sdk.toBytes();
    await throws(api, "SnapshotFrozen", () => api.RvfStore.open(frozen, { idMap }));
    for (const opened of [store, again, child, sdk]) opened.close();
  },
};
