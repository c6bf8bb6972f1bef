// Memory: results are copies, growth harms nothing, running out harms nothing, nothing leaks.

import { equal, near, ok } from "./assert.mjs";
import { randomVector } from "./reference.mjs";
import { ingestRows, makeRows } from "./store.mjs";

const page = 65_536;

/** Bytes of the module's memory. */
function moduleBytes(api) {
  const store = api.RvfStore.create(1);
  const { module } = store.memoryUsage();
  store.close();
  return module;
}

/**
 * Fills all memory that the module has, then calls `body` with a limit that begins there and rises by
 * `step` bytes until `body` succeeds; whatever it throws before must be OutOfMemory. Answers how often
 * it failed. Afterwards there is no limit and nothing is filled.
 */
async function underRisingLimits(api, step, body) {
  const limitTo = (maxMemoryBytes) => api.init(undefined, { maxMemoryBytes });
  const fillers = [];
  const orOutOfMemory = (action) => {
    try {
      action();
      return true;
    } catch (error) {
      equal(error.codeName, "OutOfMemory", error.stack);
      return false;
    }
  };
  const add = (rows) => {
    const store = api.RvfStore.create(4096);
    fillers.push(store);
    store.ingest(new Float32Array(rows * 4096), [...Array(rows).keys()]);
  };
  let limit = moduleBytes(api);
  let failures = 0;
  try {
    await limitTo(limit);
    for (let rows = 64; rows >= 1; rows /= 2) while (orOutOfMemory(() => add(rows)));
    while (!orOutOfMemory(body)) {
      ok(moduleBytes(api) <= limit, "the limit holds");
      failures++;
      limit += step;
      await limitTo(limit);
    }
  } finally {
    await limitTo(2 ** 32);
    for (const store of fillers) store.close();
  }
  return failures;
}

export const memory = {
  "results stay as they were while memory grows under them": ({ api }) => {
    const rows = makeRows(50, 16);
    const s = api.RvfStore.create(16);
    ingestRows(s, rows);
    const query = randomVector(3, 16);
    const [hits, bytes, usage] = [s.query(query, 10), s.toBytes(), s.memoryUsage()];
    const copies = [structuredClone(hits), bytes.slice(), structuredClone(usage)];

    const opened = [];
    const start = moduleBytes(api);
    while (moduleBytes(api) < start + 64 * page) {
      const big = api.RvfStore.create(256);
      ingestRows(big, makeRows(500, 256));
      opened.push(big);
      equal(s.query(query, 10), hits, "the same query later");
    }
    equal([hits, bytes, usage], copies, "earlier results");
    equal(s.toBytes(), bytes, "the same export later");
    bytes.fill(0); // ours to write on
    hits.length = 0;
    equal(s.query(query, 10), copies[0], "after writing on results");
    for (const store of [s, ...opened]) store.close();
  },

  "what was passed in may change afterwards": ({ api }) => {
    const vector = new Float32Array([1, 2, 3]);
    const ids = [4];
    const s = api.RvfStore.create(3);
    s.ingest(vector, ids);
    const bytes = s.toBytes();
    const b = api.RvfStore.open(bytes);
    vector.fill(9);
    ids[0] = 9;
    bytes.fill(9);
    for (const store of [s, b]) {
      equal(store.query([1, 2, 3], 1), [{ id: 4, distance: 0 }]);
      store.close();
    }
  },

  "memory was made to grow in every call": ({ growths }) => {
    if (growths !== undefined) ok(growths() > 1000, `${growths()} growths`);
  },

  "running out anywhere in an ingest leaves the store as before, and usable": async ({ api }) => {
    const rows = makeRows(2000, 64);
    const s = api.RvfStore.create(64);
    ingestRows(s, rows.slice(0, 100));
    const before = s.toBytes();
    const failures = await underRisingLimits(api, page, () => {
      try {
        ingestRows(s, rows);
      } catch (error) {
        equal(s.count, 100);
        equal(s.query(rows[5][1], 1), [{ id: 6, distance: 0 }]);
        equal(s.toBytes(), before, "the store");
        throw error;
      }
    });
    ok(failures > 3, `${failures} limits were too small`);
    equal(s.count, 2000);
    equal(s.query(rows[1500][1], 1), [{ id: 1501, distance: 0 }]);
    s.close();
  },

  "running out in an ingest of text ids and metadata leaves all as before": async ({ api }) => {
    const rows = makeRows(1500, 32);
    const ids = rows.map(([id]) => `text ${id}`);
    const records = ids.map((text, i) => ({ text: text.repeat(20), number: i, fresh: true }));
    const vectors = rows.map(([, vector]) => vector);
    const s = api.RvfStore.create(32);
    s.ingest(
      vectors.slice(0, 50),
      ids.slice(0, 50),
      records.slice(0, 50).map(({ text }) => ({ text })),
    );
    const before = s.toBytes();
    const failures = await underRisingLimits(api, page, () => {
      try {
        s.ingest(vectors, ids, records);
      } catch (error) {
        equal([s.count, s.has("text 60"), s.has("text 50")], [50, false, true]);
        equal(s.metadata("text 7"), { text: "text 7".repeat(20) });
        equal(s.idMap().nextLabel, 51);
        throw error;
      }
    });
    ok(failures > 3, `${failures} limits were too small`);
    equal([s.count, s.metadata("text 1500")], [1500, records[1499]]);
    s.delete(ids.slice(50));
    s.ingest(
      vectors.slice(0, 50),
      ids.slice(0, 50),
      records.slice(0, 50).map(({ text }) => ({ text })),
    );
    equal(s.toBytes().length - before.length < 200, true, "what is left is the names of fields");
    s.close();
  },

  "running out in commits, branches, searches among ids and extractions changes nothing": async ({
    api,
  }) => {
    const rows = makeRows(3000, 32);
    const s = api.RvfStore.create(32);
    ingestRows(s, rows);
    s.embedWasm({ image: new Uint8Array(300_000), role: "extension" });
    const ids = rows.map(([id]) => id);
    let file;
    const uses = [
      () => s.query(rows[0][1], 9, { ids }),
      () => s.extractWasm(),
      () => {
        const { bytes } = s.changes();
        file = bytes;
      },
      () => s.acknowledge(),
      () => s.branch({ parent: file, parentName: "a.rvf" }).close(),
      () => s.ids(),
      () => api.inspectSegments(file),
      () => api.verifyWitnesses(file),
    ];
    let failures = 0;
    for (const use of uses) {
      failures += await underRisingLimits(api, page, () => {
        equal(s.count, 3000);
        use();
      });
    }
    ok(failures > 20, `${failures} limits were too small`);
    const again = api.RvfStore.open(file);
    equal(again.query(rows[5][1], 20), s.query(rows[5][1], 20));
    again.close();
    s.close();
  },

  "running out in open leaves nothing behind": async ({ api }) => {
    const s = api.RvfStore.create(64);
    ingestRows(s, makeRows(4000, 64));
    const bytes = s.toBytes();
    s.close();
    const failures = await underRisingLimits(api, 4 * page, () => {
      const stores = [];
      try {
        while (stores.length < 4) stores.push(api.RvfStore.open(bytes));
        for (const store of stores) equal(store.count, 4000);
      } finally {
        for (const store of stores) store.close();
      }
    });
    ok(failures > 3, `${failures} limits were too small`);
  },

  "running out in a delete, a query and an export changes nothing": async ({ api }) => {
    const rows = makeRows(20_000, 8);
    const ids = rows.map(([id]) => id);
    const s = api.RvfStore.create(8);
    ingestRows(s, rows);
    const before = s.toBytes();
    const uses = [() => s.query(rows[0][1], 20_000), () => s.toBytes(), () => s.delete(ids)];
    for (const use of uses) {
      const failures = await underRisingLimits(api, page, () => {
        equal(s.count, 20_000);
        use();
      });
      ok(failures > 0, `${failures} limits were too small`);
      if (s.count > 0) equal(s.toBytes(), before, "the store");
    }
    equal(s.count, 0);
    s.close();
  },

  "stores that are closed give their memory back": ({ api }) => {
    const rows = makeRows(300, 32);
    const cycle = () => {
      const a = api.RvfStore.create(32);
      ingestRows(a, rows);
      a.delete(rows.slice(0, 50).map(([id]) => id));
      const b = api.RvfStore.open(a.toBytes());
      b.query(rows[9][1], 20, { ids: [1, 60, 70], includeMetadata: true });
      b.ingest(rows[0][1], "text", { a: "b" });
      b.changes();
      b.acknowledge();
      try {
        b.ingest([NaN], 1);
      } catch {
        // failing calls must not leak either
      }
      a.close();
      b.close();
    };
    for (let i = 0; i < 20; i++) cycle();
    const settled = moduleBytes(api);
    for (let i = 0; i < 200; i++) cycle();
    equal(moduleBytes(api), settled, "module memory after 200 more cycles");
  },

  "memoryUsage adds up": ({ api }) => {
    const s = api.RvfStore.create(100);
    const empty = s.memoryUsage();
    ingestRows(s, makeRows(1000, 100));
    const full = s.memoryUsage();
    ok(full.rows >= 400_000 && full.rows < 1_000_000, `rows: ${full.rows} bytes`);
    ok(full.ids >= 8000 && full.ids > empty.ids, `ids: ${full.ids} bytes`);
    equal(full.segments, 0);
    ok(full.module >= full.rows + full.ids, `module: ${full.module} bytes`);
    near(full.module % page, 0, 0, "whole pages");
    s.close();
  },
};
