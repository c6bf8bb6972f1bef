// Files of the real rvf-node, changed by us, changed again by it, and opened by us again: neither side loses
// anything of the other.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hex } from "../reference/container.mjs";
import { randomSource } from "../reference/random.mjs";
import { SEGMENT } from "../wasm/control.mjs";
import { entries, VALUE } from "../wasm/entries.mjs";
import { dashboard, kernel } from "./containers.mjs";
import { Model } from "./model.mjs";
import { IN_PLACE, Sequence } from "./sequence.mjs";
import {
  assertOpensUpstream,
  changeUpstream,
  control,
  folder,
  gridVector,
  ingestUpstream,
  METRICS,
  OurFile,
  RvfDatabase,
  withUpstream,
} from "./support.mjs";
import { UpstreamSession } from "./upstream-session.mjs";

const DIMENSION = 6;
const pathOf = folder();
const random = randomSource(77);

const upTo = (count) => Array.from({ length: count }, (_, i) => i);
const rowsOf = (...ids) => ids.map((id) => [BigInt(id), gridVector(random, DIMENSION)]);
const label = (text) => entries([[0, [VALUE.STRING, text]]]);

/** A file of upstream's with some rows. */
function theirs(name, rows, metric = "l2") {
  const database = RvfDatabase.create(pathOf(name), { dimension: DIMENSION, metric });
  ingestUpstream(database, rows);
  database.close();
  return pathOf(name);
}

/** We open a file, change it, commit and close it. */
function changeOurs(path, change) {
  const file = OurFile.open(path);
  change(file);
  file.commit();
  file.close();
}

/** Both see these rows in the file. */
function assertBothSee(path, rows) {
  const file = OurFile.open(path);
  assert.equal(control.warnings(file.handle), 0);
  assertOpensUpstream(file, rows, 5);
  return file;
}

describe("vectors", () => {
  for (const metric of METRICS) {
    test(`appended in turns, ${metric}`, () => {
      const rows = new Map();
      const next = (...ids) => {
        const added = rowsOf(...ids);
        for (const [id, vector] of added) rows.set(id, vector);
        return added;
      };
      const path = theirs(`turns-${metric}.rvf`, next(...upTo(20)), metric);
      for (let turn = 1; turn < 5; turn++) {
        changeOurs(path, (file) => file.ingest(next(20 * turn, 20 * turn + 1, turn)));
        changeUpstream(path, (database) => ingestUpstream(database, next(20 * turn + 2, 2 * turn)));
        assertBothSee(path, rows).close();
      }
    });
  }

  test("deleted by either stay deleted for both", () => {
    const rows = new Map(rowsOf(...upTo(20)));
    const path = theirs("deleted.rvf", [...rows]);
    changeUpstream(path, (database) => database.delete([1, 2]));
    changeOurs(path, (file) => assert.equal(file.delete([2, 3]), 1));
    changeUpstream(path, (database) => database.delete([4]));
    for (const id of [1n, 2n, 3n, 4n]) rows.delete(id);
    assertBothSee(path, rows).close();
    changeOurs(path, (file) => file.commit({ compacts: true }));
    assertBothSee(path, rows).close();
    changeUpstream(path, (database) => database.compact());
    assertBothSee(path, rows).close();
  });

  test("an id that upstream deleted is live for both when we ingest it again", () => {
    const rows = new Map(rowsOf(...upTo(20)));
    const path = theirs("again.rvf", [...rows]);
    changeUpstream(path, (database) => database.delete([7]));
    const again = rowsOf(7);
    rows.set(...again[0]);
    changeOurs(path, (file) => file.ingest(again));
    assertBothSee(path, rows).close();
    changeUpstream(path, (database) => database.compact());
    assertBothSee(path, rows).close();
  });

  test("an id that upstream ingested again after its deletion stays hidden, as upstream hides it", () => {
    const rows = new Map(rowsOf(...upTo(20)));
    const path = theirs("sticky.rvf", [...rows]);
    changeUpstream(path, (database) => {
      database.delete([7]);
      ingestUpstream(database, rowsOf(7));
    });
    rows.delete(7n);
    assertBothSee(path, rows).close();
    const added = rowsOf(30);
    rows.set(...added[0]);
    changeOurs(path, (file) => file.ingest(added));
    assertBothSee(path, rows).close();
  });

  test("an index of upstream's is no longer listed after our commit, and upstream makes a new one", () => {
    const rows = new Map(rowsOf(...upTo(1100)));
    const path = theirs("indexed.rvf", [...rows]);
    const types = () =>
      withUpstream(path, (database) => database.segments().map(({ segType }) => segType));
    const search = (database) => database.query(new Float32Array(DIMENSION), 5);
    changeUpstream(path, search);
    assert.ok(types().includes("index"));
    const added = rowsOf(5000);
    changeOurs(path, (file) => file.ingest(added));
    assert.ok(!types().includes("index"));
    changeUpstream(path, search);
    assert.ok(types().includes("index"));
    const file = OurFile.open(path);
    assert.equal(control.count(file.handle), 1101);
    assert.deepEqual(control.vector(file.handle, 5000n).values, [...added[0][1]]);
    file.close();
  });
});

describe("metadata of ours", () => {
  /** A file of upstream's in which we described three ids and the store. */
  function described(name) {
    const rows = new Map(rowsOf(...upTo(20)));
    const path = theirs(name, [...rows]);
    changeOurs(path, (file) => {
      for (const id of [1n, 2n, 3n]) control.setMetadata(file.handle, id, label(`row ${id}`));
      control.setMetadata(file.handle, null, label("names"));
    });
    return { path, rows };
  }

  const assertLabel = (file, id, text) =>
    assert.equal(hex(control.metadata(file.handle, id)), text ? hex(label(text)) : "");

  test("survives what upstream ingests, embeds and compacts", () => {
    const { path, rows } = described("described.rvf");
    const added = rowsOf(100, 2);
    for (const [id, vector] of added) rows.set(id, vector);
    changeUpstream(path, (database) => {
      ingestUpstream(database, added);
      database.embedKernel(0, 1, 0, Buffer.from([1, 2, 3]), 80, "");
    });
    changeUpstream(path, (database) => database.compact());
    const file = assertBothSee(path, rows);
    for (const id of [1n, 2n, 3n]) assertLabel(file, id, `row ${id}`);
    assertLabel(file, null, "names");
    file.close();
  });

  test("goes with a vector that upstream deletes", () => {
    const { path } = described("described-deleted.rvf");
    changeUpstream(path, (database) => database.delete([2]));
    changeOurs(path, (file) => file.ingest(rowsOf(2)));
    const file = OurFile.open(path);
    assertLabel(file, 2n, "");
    assertLabel(file, 3n, "row 3");
    file.close();
  });

  test("replaced or removed by us is not back after upstream's compaction lists old segments", () => {
    const { path } = described("described-again.rvf");
    changeOurs(path, (file) => {
      control.setMetadata(file.handle, 1n, label("new"));
      file.ingest(rowsOf(2));
      control.setMetadata(file.handle, null, label("new names"));
    });
    for (let id = 200; id < 230; id++) changeOurs(path, (file) => file.ingest(rowsOf(id))); // merges
    changeUpstream(path, (database) => database.compact());
    const file = OurFile.open(path);
    assertLabel(file, 1n, "new");
    assertLabel(file, 2n, "");
    assertLabel(file, 3n, "row 3");
    assertLabel(file, null, "new names");
    file.close();
  });
});

describe("segments", () => {
  test("containers and unknown segments of both outlast compactions of both", () => {
    const path = theirs("segments.rvf", rowsOf(...upTo(10)));
    const images = [1, 2, 3, 4].map((i) => random.bytes(20 * i));
    changeUpstream(path, (database) =>
      database.embedKernel(0, 1, 0, Buffer.from(images[0]), 8080, "theirs"),
    );
    changeOurs(path, (file) => {
      file.embed(SEGMENT.KERNEL, kernel(images[1]));
      file.embed(SEGMENT.DASHBOARD, dashboard(images[2]));
      file.embed(0xf3, images[3]);
    });
    const carried = [
      `14:${hex(kernel(images[0], "theirs"))}`,
      `14:${hex(kernel(images[1]))}`,
      `17:${hex(dashboard(images[2]))}`,
      `243:${hex(images[3])}`,
    ];
    const assertCarried = () => {
      const file = OurFile.open(path);
      assert.deepEqual(file.carried(), carried);
      file.close();
    };
    assertCarried();
    changeUpstream(path, (database) => database.compact());
    assertCarried();
    changeOurs(path, (file) => file.commit({ compacts: true }));
    assertCarried();
    withUpstream(path, (database) => {
      const text = hex(new TextEncoder().encode("theirs"));
      assert.equal(hex(database.extractKernel().image), hex(images[0]) + text);
    });
  });

  test("every witness of either is kept, and every chain holds", () => {
    const path = theirs("witnesses.rvf", rowsOf(...upTo(10)));
    let before = 0;
    for (let turn = 0; turn < 4; turn++) {
      changeOurs(path, (file) => file.ingest(rowsOf(turn)));
      changeUpstream(path, (database) => database.delete([turn + 5]));
      const compacts = turn % 2 ? changeOurs : changeUpstream;
      compacts(path, (store) => (turn % 2 ? store.commit({ compacts: true }) : store.compact()));
      const report = control.witnessReport(OurFile.open(path).bytes);
      assert.equal(report.broken, 0);
      assert.equal(report.checked, before + (turn === 0 ? 4 : 3));
      before = report.checked;
    }
  });
});

describe("random rounds", () => {
  const NAMES = ["ingest", "ingest", "delete", "embedKernel", "embedEbpf", "compact"];

  for (let seed = 1; seed <= 60; seed++) {
    test(`of upstream's changes and ours, ${seed}`, () => {
      const source = randomSource(seed * 40503);
      const path = pathOf(`round-${seed}.rvf`);
      const options = { dimension: source.int(1, 12), metric: METRICS[seed % 3] };
      RvfDatabase.create(path, options).close();
      const model = new Model();
      for (let round = 0; round < 8; round++) {
        UpstreamSession.run(path, model, source, NAMES, source.int(1, 6));
        const sequence = new Sequence(OurFile.open(path), source, { pathOf, model });
        sequence.assertHeld();
        for (let step = source.int(1, 10); step > 0; step--) sequence.step(IN_PLACE);
        sequence.commit();
        sequence.assertHeld();
        assertOpensUpstream(sequence.file, model.rows, source.uint32());
        sequence.file.close();
      }
    });
  }
});
