// Lineage: derived files, branches and what becomes of them when the parent goes on; and salvage.

import { equal, ok, throws } from "./assert.mjs";
import { contents, File } from "./file.mjs";

const zeros = (digits) => "0".repeat(digits);

/** A parent of ten vectors and its file. */
function makeParent(api) {
  const store = api.RvfStore.create(2, "cosine");
  const file = new File();
  const ids = Array.from({ length: 10 }, (_, i) => (i < 5 ? i : `text ${i}`));
  store.ingest(
    ids.map((_, i) => [i, 1]),
    ids,
    ids.map((_, i) => ({ n: i })),
  );
  file.save(store);
  return { store, file };
}

export const lineage = {
  "upstream's lineage is read as upstream reads it": async ({ api, fixture }) => {
    const { files } = JSON.parse(new TextDecoder().decode(await fixture("expected.json")));
    for (const name of ["made_derive_child_filled.rvf", "made_derive_grandchild.rvdna"]) {
      const { upstream } = files[name];
      const store = api.RvfStore.open(await fixture(name));
      const { fileId, parentId, depth } = store.lineage();
      equal(
        [fileId, parentId, depth],
        [upstream.file_id, upstream.parent_id, upstream.lineage_depth],
      );
      store.close();
    }
  },

  "derive makes an empty child that names its parent": async ({ api }) => {
    const { store, file } = makeParent(api);
    const own = store.lineage();
    equal([own.parentId, own.parentHash, own.depth], [zeros(32), zeros(64), 0]);
    ok(/^[0-9a-f]{32}$/.test(own.fileId) && own.fileId !== zeros(32), own.fileId);
    const types = [
      "clone",
      "filter",
      "merge",
      "quantize",
      "reindex",
      "transform",
      "snapshot",
      "user",
    ];
    for (const type of [undefined, ...types]) {
      const child = store.derive({ parent: file.bytes, ...(type ? { type } : {}) });
      equal([child.count, child.dimension, child.metric], [0, 2, "cosine"]);
      const line = child.lineage();
      equal([line.parentId, line.depth], [own.fileId, 1]);
      child.ingest([1, 2], "mine", { n: "mine" });
      const childFile = new File();
      childFile.save(child);
      const again = api.RvfStore.open(childFile.bytes);
      equal([again.lineage(), contents(again)], [line, [["mine", [1, 2], { n: "mine" }]]]);
      const code = type === undefined ? 1 : type === "user" ? 255 : types.indexOf(type);
      const text = new TextDecoder("latin1").decode(childFile.bytes);
      ok(text.includes(`origin:derivation=${code},`), `the witness of ${type}`);
      child.close();
      again.close();
    }
    await throws(api, "InvalidArgument", () => store.derive({ parent: file.bytes, type: "copy" }));
    await throws(api, "InvalidArgument", () => store.derive({}), /this store's file/);
    store.ingest([0, 1], 77);
    await throws(api, "CommitPending", () => store.derive({ parent: file.bytes }));
    store.close();
  },

  "a branch shows the parent's vectors and writes what it changes": async ({ api }) => {
    const { store: parent, file } = makeParent(api);
    const child = parent.branch({ parent: file.bytes, parentName: "parent.rvf" });
    equal(contents(child), contents(parent));
    const childFile = new File();
    childFile.save(child);
    ok(childFile.bytes.length < file.bytes.length, `${childFile.bytes.length} bytes`);
    child.delete([1, "text 6"]);
    child.ingest([9, 9], 2, { n: "own" });
    child.ingest([8, 8], "new", { fresh: true });
    child.setMetadata("text 7", { n: "changed" });
    childFile.save(child);
    const again = api.RvfStore.open(childFile.bytes, { parent: file.bytes });
    equal([again.state().isBranch, again.warnings], [true, []]);
    equal(contents(again), contents(child));
    equal([again.has(1), again.has("text 6"), [...again.get(2)]], [false, false, [9, 9]]);
    equal(again.metadata("text 7"), { n: "changed" });
    await throws(api, "ParentNotFound", () => api.RvfStore.open(childFile.bytes));
    for (const parentName of ["", undefined, 5]) {
      const options = { parent: file.bytes, parentName };
      await throws(api, "InvalidArgument", () => parent.branch(options), /parentName/);
    }
    const alone = api.RvfStore.open(again.toBytes());
    equal(contents(alone), contents(child));
    for (const store of [parent, child, again, alone]) store.close();
  },

  "a branch survives that its parent goes on, and says when it cannot": async ({ api }) => {
    const { store: parent, file } = makeParent(api);
    const child = parent.branch({ parent: file.bytes, parentName: "parent.rvf" });
    const childFile = new File();
    childFile.save(child);
    const expected = contents(child);
    for (let i = 0; i < 12; i++) {
      parent.delete(i);
      parent.ingest([i, i], `later ${i}`);
      file.save(parent);
    }
    const open = () => api.RvfStore.open(childFile.bytes, { parent: file.bytes });
    const again = open();
    equal(contents(again), expected);
    const stranger = makeParent(api);
    await throws(api, "LineageBroken", () =>
      api.RvfStore.open(childFile.bytes, { parent: stranger.file.bytes }),
    );
    file.save(parent, { compact: true });
    await throws(api, "ParentHashMismatch", open);
    for (const store of [parent, child, again, stranger.store]) store.close();
  },

  "branches of branches open with all parents, the nearest first": async ({ api }) => {
    const { store: parent, file } = makeParent(api);
    const stores = [parent];
    const files = [file];
    for (let depth = 1; depth <= 3; depth++) {
      const child = stores[0].branch({ parent: files[0].bytes, parentName: `${depth}.rvf` });
      child.ingest([depth, depth], `of ${depth}`);
      child.delete(depth);
      const childFile = new File();
      childFile.save(child);
      stores.unshift(child);
      files.unshift(childFile);
    }
    const [last, ...parents] = files.map(({ bytes }) => bytes);
    const again = api.RvfStore.open(last, { parent: parents });
    equal(contents(again), contents(stores[0]));
    equal([again.count, again.lineage().depth], [10, 3]);
    await throws(api, "ParentNotFound", () => api.RvfStore.open(last, { parent: parents[0] }));
    await throws(api, "InvalidArgument", () => api.RvfStore.open(last, { parent: [5] }), /parent/);
    const many = Array.from({ length: 17 }, () => file.bytes);
    await throws(api, "InvalidArgument", () => api.RvfStore.open(last, { parent: many }), /17/);
    for (const store of [again, ...stores]) store.close();
  },

  "salvage opens what is intact and lists what is not": async ({ api, fixture }) => {
    const sound = await fixture("made_multi_ingest.rvf");
    const bytes = await fixture("damaged_flip_first_vec_payload.rvf");
    await throws(api, "InvalidChecksum", () => api.RvfStore.open(bytes));
    const store = api.RvfStore.open(bytes, { salvage: true });
    const whole = api.RvfStore.open(sound);
    ok(store.warnings.includes("Losses"), `${store.warnings}`);
    ok(store.count > 0, `${store.count} vectors are left`);
    const [loss, ...others] = store.losses();
    equal(others, []);
    const { offset, type, typeName, reason } = loss;
    equal([offset, type, typeName, reason], [162, 1, "vec", "InvalidChecksum"]);
    equal([whole.losses(), whole.warnings], [[], []]);
    const plain = api.RvfStore.open(sound, { salvage: true });
    equal([plain.losses(), plain.warnings, plain.count], [[], [], whole.count]);
    const orphan = await fixture("made_branch_child_edited.rvf");
    const own = api.RvfStore.open(orphan, { salvage: true });
    ok(
      own.losses().some(({ reason: why }) => why === "ParentNotFound"),
      "the parent is missing",
    );
    for (const opened of [store, whole, plain, own]) opened.close();
  },
};
