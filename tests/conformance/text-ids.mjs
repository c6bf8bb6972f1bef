// Ids that are text: beside numbers, through files, and with upstream's list of them.

import { equal, ok, throws } from "./assert.mjs";
import { File } from "./file.mjs";

const texts = ["a", "", " ", "5", "__proto__", "é", "😀", "\ufeff", "x".repeat(5000), "a\0b"];

const byKind = (a, b) => (`${typeof a} ${a}` < `${typeof b} ${b}` ? -1 : 1);

export const textIds = {
  "come back as given, from everything that answers ids": ({ api }) => {
    const store = api.RvfStore.create(1);
    store.ingest([100], 5);
    equal(
      store.ingest(
        texts.map((_, i) => i),
        texts,
      ),
      texts.length,
    );
    const again = api.RvfStore.open(store.toBytes());
    for (const opened of [store, again]) {
      equal(
        opened.query([0], 99).map(({ id }) => id),
        [...texts, 5],
      );
      equal(opened.ids().sort(byKind), [...texts, 5].sort(byKind));
      for (const [i, id] of texts.entries())
        equal([opened.has(id), [...opened.get(id)]], [true, [i]]);
      equal(
        [opened.has("b"), opened.get("b"), opened.metadata("b")],
        [false, undefined, undefined],
      );
      equal(opened.delete(["é", "é", "nobody", "5"]), 2);
      equal([opened.has("5"), opened.has(5), opened.count], [false, true, texts.length - 1]);
      opened.close();
    }
  },

  "are looked for only where there is metadata, as the state says": ({ api }) => {
    const store = api.RvfStore.create(1);
    store.ingest([1], 5);
    const none = api.RvfStore.open(store.toBytes());
    equal([none.state().metadataBytes, none.query([1], 1)[0].id], [0, 5]);
    store.ingest([2], "a");
    const some = api.RvfStore.open(store.toBytes());
    ok(some.state().metadataBytes > 0, "a text is metadata");
    equal(some.query([2], 1)[0].id, "a");
    for (const opened of [store, none, some]) opened.close();
  },

  "are replaced by the same text, keep theirs beside metadata, and are new after deletion": ({
    api,
  }) => {
    const store = api.RvfStore.create(1);
    store.ingest([1, 2, 3], ["a", "b", "a"], [{ n: 1 }, { n: 2 }, { n: 3 }]);
    equal([store.count, [...store.get("a")], store.metadata("a")], [2, [3], { n: 3 }]);
    store.ingest([4], "a");
    equal([store.count, store.metadata("a")], [2, {}]);
    equal([store.setMetadata("a", { n: 5 }), store.has("a")], [true, true]);
    const again = api.RvfStore.open(store.toBytes());
    equal([again.metadata("a"), again.query([4], 1)[0].id], [{ n: 5 }, "a"]);
    equal(again.setMetadata("a", undefined), true);
    equal([again.has("a"), again.metadata("a")], [true, {}]);
    equal(again.deleteWhere({ op: "eq", field: "n", value: 2 }), 1);
    equal([again.has("b"), again.ids()], [false, ["a"]]);
    again.ingest([9], "b");
    equal([again.count, again.metadata("b")], [2, {}]);
    store.close();
    again.close();
  },

  "and numbers do not meet: a label is no id": async ({ api }) => {
    const store = api.RvfStore.create(1);
    store.ingest([1, 2, 3], ["a", 7, "b"]);
    const { idToLabel, labelToId, nextLabel } = store.idMap();
    equal([idToLabel, labelToId, nextLabel], [{ a: 8, b: 9 }, { 8: "a", 9: "b" }, 10]);
    const again = api.RvfStore.open(store.toBytes());
    for (const opened of [store, again]) {
      equal(
        [opened.has(8), opened.get(8n), opened.delete(8), opened.metadata(9)],
        [false, undefined, 0, undefined],
      );
      equal(opened.setMetadata(8, { n: 1 }), false);
      equal(opened.query([1], 3, { ids: [8, 9] }), []);
      await throws(api, "InvalidArgument", () => opened.ingest([9], 8), /label of "a"/);
      await throws(api, "InvalidArgument", () => opened.ingest([9, 9], [20, 9n]), /label of "b"/);
      equal(opened.ingest([4, 5], ["c", 10]), 2);
      equal(opened.idMap().idToLabel, { a: 8, b: 9, c: 11 });
      opened.delete(["a", "b", "c"]);
      equal(opened.ingest([8], 8), 1);
      equal(opened.has(8), true);
      opened.close();
    }
  },

  "find no label when the last safe number is in use, and say so": async ({ api }) => {
    const store = api.RvfStore.create(1);
    store.ingest([1, 2], ["a", Number.MAX_SAFE_INTEGER - 1]);
    equal(store.idMap().idToLabel, { a: Number.MAX_SAFE_INTEGER });
    await throws(api, "InvalidArgument", () => store.ingest([3], "b"), /"b".*smaller/);
    equal([store.count, store.has("b")], [2, false]);
    store.close();
  },

  "are refused when they are no Unicode": async ({ api }) => {
    const store = api.RvfStore.create(1);
    for (const id of ["\ud800", "a\udc00b"]) {
      for (const use of [
        () => store.ingest([1], id),
        () => store.get(id),
        () => store.has(id),
        () => store.delete(id),
        () => store.metadata(id),
        () => store.setMetadata(id, {}),
        () => store.query([1], 1, { ids: [id] }),
      ]) {
        await throws(api, "InvalidArgument", use, /position 0/);
      }
    }
    store.close();
  },

  "a failing ingest leaves none behind": async ({ api }) => {
    const store = api.RvfStore.create(1);
    await throws(api, "NotFinite", () => store.ingest([1, NaN], ["a", "b"]));
    equal([store.has("a"), store.ids(), store.idMap().nextLabel], [false, [], 1]);
    store.ingest([1], 1);
    equal(store.ids(), [1]);
    store.close();
  },

  "upstream's list of them is read when given, and saved in the file": async ({ api, fixture }) => {
    const text = new TextDecoder().decode(await fixture("made_sdk_string_ids.rvf.idmap.json"));
    const bytes = await fixture("made_sdk_string_ids.rvf");
    const { idToLabel } = JSON.parse(text);
    const plain = api.RvfStore.open(bytes);
    equal([...plain.ids()].sort(), Object.values(idToLabel).sort());
    for (const idMap of [text, JSON.parse(text)]) {
      const file = new File();
      file.bytes = bytes;
      const store = api.RvfStore.open(bytes, { idMap });
      equal([...store.ids()].sort(), Object.keys(idToLabel).sort());
      for (const [id, label] of Object.entries(idToLabel)) equal(store.get(id), plain.get(label));
      equal(store.idMap(), { ...JSON.parse(text) });
      file.save(store);
      const again = api.RvfStore.open(file.bytes);
      equal([...again.ids()].sort(), Object.keys(idToLabel).sort());
      const twice = api.RvfStore.open(file.bytes, { idMap });
      equal(twice.state().uncommitted, false, "nothing new");
      for (const opened of [store, again, twice]) opened.close();
    }
    for (const idMap of [
      "{",
      5,
      [],
      {},
      "[]",
      { idToLabel: { a: -1 } },
      { idToLabel: { a: 1, b: 1 } },
    ]) {
      await throws(api, "InvalidArgument", () => api.RvfStore.open(bytes, { idMap }), /idMap/);
    }
    plain.close();
  },
};
