// Branches: ours beside their parents in the real rvf-node, its own in ours, changes by both; and where ours do
// what upstream's cannot.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { hex } from "../reference/container.mjs";
import { randomSource } from "../reference/random.mjs";
import { entries, VALUE } from "../wasm/entries.mjs";
import { STATUS } from "../wasm/status.mjs";
import { IN_PLACE, OPERATIONS, Sequence } from "./sequence.mjs";
import {
  assertAnswers,
  bytesOfFile,
  changeUpstream,
  control,
  fileId,
  folder,
  gridVector,
  ingestUpstream,
  METRICS,
  OurFile,
  RvfDatabase,
  withUpstream,
} from "./support.mjs";
import { UpstreamSession } from "./upstream-session.mjs";

const pathOf = folder();
const random = randomSource(99);
const DIMENSION = 6;

const upTo = (count) => Array.from({ length: count }, (_, i) => i);
const rowsOf = (...ids) => ids.map((id) => [BigInt(id), gridVector(random, DIMENSION)]);

/** A committed store of ours with some rows. */
function made(name, rows, metric = 0) {
  const file = OurFile.create(pathOf(name), DIMENSION, metric);
  file.ingest(rows);
  file.commit();
  return file;
}

/** A committed branch of ours in a file of its own, beside its parent's. */
function branchOf(parent, name) {
  const parentName = parent.path.split("/").at(-1);
  const handle = control.branch(parent.handle, fileId(), parent.bytes, parentName);
  writeFileSync(pathOf(name), "");
  const branch = new OurFile(pathOf(name), handle);
  branch.commit();
  return branch;
}

/** Upstream, and we after opening the file anew, answer by these rows. */
function assertBothAnswer(branch, parents, rows, seed) {
  const again = OurFile.open(branch.path, parents);
  for (const { handle } of [branch, again]) {
    withUpstream(branch.path, (database) => assertAnswers({ handle, database, rows, seed }));
  }
  again.close();
}

describe("a branch of ours in upstream", () => {
  for (const metric of [0, 1, 2]) {
    test(`shows what its parent holds, ${METRICS[metric]}`, () => {
      const rows = rowsOf(...upTo(50));
      const parent = made(`parent-${metric}.rvf`, rows, metric);
      const branch = branchOf(parent, `branch-${metric}.rvf`);
      assertBothAnswer(branch, [parent.path], new Map(rows), 1);
      withUpstream(branch.path, (database) => {
        assert.equal(database.parentId(), hex(control.lineage(parent.handle).fileId));
        assert.equal(database.lineageDepth(), 1);
        assert.equal(database.metric(), METRICS[metric]);
      });
    });
  }

  test("added, replaced, deleted and revived vectors are as in ours", () => {
    const rows = new Map(rowsOf(...upTo(50)));
    const parent = made("edited-parent.rvf", [...rows]);
    const branch = branchOf(parent, "edited.rvf");
    const put = (...ids) => {
      const added = rowsOf(...ids);
      for (const [id, vector] of added) rows.set(id, vector);
      branch.ingest(added);
    };
    const remove = (...ids) => {
      assert.equal(branch.delete(ids), ids.length);
      for (const id of ids) rows.delete(BigInt(id));
    };
    const commit = (options) => {
      branch.commit(options);
      assertBothAnswer(branch, [parent.path], rows, rows.size);
    };
    put(100, 3); // new, and one of the parent's
    commit();
    remove(4, 5); // the parent's
    commit();
    remove(100, 3); // its own
    commit();
    put(4, 3);
    commit();
    remove(3, 6);
    commit({ compacts: true });
    put(6);
    commit();
    commit({ compacts: true });
  });

  test("its own vectors are all that upstream counts", () => {
    const parent = made("counted-parent.rvf", rowsOf(...upTo(50)));
    const branch = branchOf(parent, "counted.rvf");
    branch.ingest(rowsOf(100, 3));
    branch.commit();
    assert.equal(control.count(branch.handle), 51);
    withUpstream(branch.path, (database) => assert.equal(database.status().totalVectors, 2));
  });

  test("metadata of the parent is there too", () => {
    const parent = OurFile.create(pathOf("described-parent.rvf"), DIMENSION);
    const label = entries([[1, [VALUE.STRING, "one"]]]);
    parent.upsert(rowsOf(1, 2).map(([id, vector]) => [id, vector, label]));
    parent.commit();
    const branch = branchOf(parent, "described.rvf");
    branch.ingest(rowsOf(2));
    branch.commit();
    branch.reopen([parent.path]);
    assert.equal(hex(control.metadata(branch.handle, 1)), hex(label));
    assert.equal(hex(control.metadata(branch.handle, 2)), "");
  });

  test("a branch of a branch shows what both hold", () => {
    const rows = new Map(rowsOf(...upTo(20)));
    const parent = made("chain-parent.rvf", [...rows]);
    const child = branchOf(parent, "chain-child.rvf");
    const [replaced, added] = rowsOf(3, 30);
    child.ingest([replaced, added]);
    child.delete([4]);
    child.commit();
    const grandchild = branchOf(child, "chain-grandchild.rvf");
    const [own] = rowsOf(5);
    grandchild.ingest([own]);
    grandchild.delete([30]);
    grandchild.commit();
    for (const [id, vector] of [replaced, own]) rows.set(id, vector);
    rows.delete(4n);
    assertBothAnswer(grandchild, [child.path, parent.path], rows, 2);
  });

  test("an export of it needs no parent", () => {
    const rows = new Map(rowsOf(...upTo(20)));
    const branch = branchOf(made("exported-parent.rvf", [...rows]), "exported-branch.rvf");
    branch.delete([4]);
    rows.delete(4n);
    writeFileSync(pathOf("whole.rvf"), control.export(branch.handle).bytes);
    const whole = OurFile.open(pathOf("whole.rvf"));
    assertBothAnswer(whole, [], rows, 3);
    withUpstream(whole.path, (database) => assert.equal(database.status().totalVectors, 19));
  });
});

describe("a branch with sparse ids", () => {
  test("takes less than 2 KB beside its rows, where upstream's takes 125 KB", () => {
    const rows = new Map(rowsOf(1, 1_000_000));
    const parent = made("sparse-parent.rvf", [...rows]);
    const branch = branchOf(parent, "sparse.rvf");
    assert.ok(branch.bytes.length < 2048, `${branch.bytes.length} bytes`);
    assertBothAnswer(branch, [parent.path], rows, 4);
    changeUpstream(parent.path, (database) => database.branch(pathOf("theirs-sparse.rvf")).close());
    assert.ok(bytesOfFile(pathOf("theirs-sparse.rvf")).length > 125_000);
  });

  test("hides what we deleted, shows what we replaced and revived", () => {
    const rows = new Map(rowsOf(1, 5, 9, 1_000_000, Number.MAX_SAFE_INTEGER));
    const parent = made("sparse-edited-parent.rvf", [...rows]);
    const branch = branchOf(parent, "sparse-edited.rvf");
    const [replaced, revived] = rowsOf(5, 9);
    branch.ingest([replaced]);
    branch.delete([9, 1_000_000]);
    branch.commit();
    rows.set(...replaced);
    for (const id of [9n, 1_000_000n]) rows.delete(id);
    assertBothAnswer(branch, [parent.path], rows, 5);
    branch.ingest([revived]);
    branch.commit({ compacts: true });
    rows.set(...revived);
    assertBothAnswer(branch, [parent.path], rows, 6);
    assert.ok(branch.bytes.length < 2048, `${branch.bytes.length} bytes`);
  });

  test("hides what was deleted, revived and deleted again, also after a compaction", () => {
    const rows = new Map(rowsOf(1, 5, 1_000_000));
    const parent = made("sparse-again-parent.rvf", [...rows]);
    const branch = branchOf(parent, "sparse-again.rvf");
    branch.delete([5]);
    branch.commit();
    branch.ingest(rowsOf(5));
    branch.commit();
    branch.delete([5]);
    rows.delete(5n);
    branch.commit();
    assertBothAnswer(branch, [parent.path], rows, 9);
    branch.commit({ compacts: true });
    assertBothAnswer(branch, [parent.path], rows, 10);
  });

  test("shows an inherited vector again that upstream deletes, whose bitmap has no room for it", () => {
    const rows = new Map(rowsOf(1, 1_000_000));
    const parent = made("sparse-theirs-parent.rvf", [...rows]);
    const branch = branchOf(parent, "sparse-theirs.rvf");
    changeUpstream(branch.path, (database) => database.delete([1]));
    branch.reopen([parent.path]);
    assertBothAnswer(branch, [parent.path], rows, 7);
  });
});

describe("a parent that goes on", () => {
  /** A branch, and its parent after three more commits. */
  function leftBehind(name) {
    const rows = new Map(rowsOf(...upTo(20)));
    const parent = made(`${name}-parent.rvf`, [...rows]);
    const branch = branchOf(parent, `${name}.rvf`);
    for (const id of [50, 51, 52]) {
      parent.ingest(rowsOf(id, 3));
      parent.delete([id - 46]);
      parent.commit();
    }
    return { rows, parent, branch };
  }

  test("leaves its branch as it was in ours; upstream refuses that branch", () => {
    const { rows, parent, branch } = leftBehind("going-on");
    branch.reopen([parent.path]);
    assert.deepEqual(new Set(control.ids(branch.handle)), new Set(rows.keys()));
    assert.deepEqual(control.vector(branch.handle, 3n).values, [...rows.get(3n)]);
    assert.throws(() => RvfDatabase.open(branch.path), /0x0601/);
  });

  test("takes the branch's changes with it", () => {
    const { rows, parent, branch } = leftBehind("going-on-both");
    const [own] = rowsOf(3);
    branch.reopen([parent.path]);
    branch.ingest([own]);
    branch.delete([7]);
    branch.commit();
    branch.reopen([parent.path]);
    assert.equal(control.count(branch.handle), rows.size - 1);
    assert.deepEqual(control.vector(branch.handle, 3n).values, [...own[1]]);
  });

  test("that upstream changes, likewise", () => {
    const { rows, parent, branch } = leftBehind("going-on-theirs");
    changeUpstream(parent.path, (database) => {
      ingestUpstream(database, rowsOf(3, 60));
      database.delete([8]);
    });
    branch.reopen([parent.path]);
    assert.deepEqual(new Set(control.ids(branch.handle)), new Set(rows.keys()));
    assert.deepEqual(control.vector(branch.handle, 3n).values, [...rows.get(3n)]);
  });

  test("and was compacted is no longer what the branch was made from", () => {
    const { parent, branch } = leftBehind("compacted");
    parent.commit({ compacts: true });
    const opened = control.openWith(branch.bytes, { parents: [parent.bytes] });
    assert.equal(opened, STATUS.kParentHashMismatch);
  });

  test("and another file is not taken for it", () => {
    const { branch } = leftBehind("mistaken");
    const other = made("some-other-file.rvf", rowsOf(1, 2, 3));
    const opened = control.openWith(branch.bytes, { parents: [other.bytes] });
    assert.equal(opened, STATUS.kLineageBroken);
  });
});

describe("a branch of upstream's in ours", () => {
  /** A frozen parent of upstream's and its branch of it. */
  function theirs(name, rows) {
    const path = pathOf(`${name}-parent.rvf`);
    const parent = RvfDatabase.create(path, { dimension: DIMENSION });
    ingestUpstream(parent, rows);
    parent.freeze();
    parent.branch(pathOf(`${name}.rvf`)).close();
    parent.close();
    return [pathOf(`${name}.rvf`), path];
  }

  test("shows the same, before and after its changes and ours", () => {
    const rows = new Map(rowsOf(...upTo(40)));
    const [path, parent] = theirs("theirs", [...rows]);
    const put = (...ids) => {
      const added = rowsOf(...ids);
      for (const [id, vector] of added) rows.set(id, vector);
      return added;
    };
    const check = () => {
      const branch = OurFile.open(path, [parent]);
      assertBothAnswer(branch, [parent], rows, rows.size);
      return branch;
    };
    const ours = (change) => {
      const branch = check();
      change(branch);
      branch.commit();
      branch.close();
    };
    ours((branch) => branch.ingest(put(3, 100)));
    changeUpstream(path, (database) => ingestUpstream(database, put(4, 101, 100)));
    ours((branch) => branch.delete([4, 5, 101]));
    for (const id of [4n, 5n, 101n]) rows.delete(id);
    changeUpstream(path, (database) => database.delete([3, 6, 100]));
    for (const id of [3n, 6n, 100n]) rows.delete(id);
    ours((branch) => branch.ingest(put(3, 4, 5, 6, 100)));
    ours((branch) => branch.commit({ compacts: true }));
    check().close();
  });

  test("takes a branch of ours", () => {
    const rows = new Map(rowsOf(...upTo(40)));
    const [path, parent] = theirs("theirs-child", [...rows]);
    const child = OurFile.open(path, [parent]);
    const grandchild = branchOf(child, "ours-of-theirs.rvf");
    grandchild.delete([4]);
    grandchild.commit();
    rows.delete(4n);
    assertBothAnswer(grandchild, [path, parent], rows, 8);
  });
});

describe("random sequences on branches", () => {
  // Upstream's compaction of a branch shows the parent's vector again where the branch deleted its own.
  const THEIRS = ["ingest", "ingest", "delete", "delete", "embedKernel"];

  for (let seed = 1; seed <= 50; seed++) {
    test(`sequence ${seed}`, () => {
      const source = randomSource(seed * 7368787);
      const dimension = source.int(1, 8);
      const isSparse = seed % 3 === 0;
      const parent = OurFile.create(pathOf(`sequence-${seed}-parent.rvf`), dimension, seed % 3);
      const reach = isSparse ? undefined : 4000;
      const first = new Sequence(parent, source, { pathOf, reach });
      for (let step = 0; step < 25; step++) first.step(IN_PLACE);
      if (isSparse) {
        const far = [2n ** 40n, gridVector(source, dimension)];
        parent.ingest([far]);
        first.model.put(...far);
      }
      parent.commit();
      const branch = branchOf(parent, `sequence-${seed}.rvf`);
      const model = first.model.branched();
      const options = { pathOf, model, parents: [parent.path] };
      let sequence = new Sequence(branch, source, options);
      for (let round = 0; round < 5; round++) {
        for (let step = source.int(1, 20); step > 0; step--) sequence.step(OPERATIONS);
        sequence.commit();
        sequence.assertHeld();
        const { file, parents } = sequence;
        assertBothAnswer(file, parents, model.rows, source.uint32());
        // A deletion by upstream does not reach what a sparse branch inherits.
        const names = isSparse ? THEIRS.filter((name) => name !== "delete") : THEIRS;
        UpstreamSession.run(file.path, model, source, names, source.int(1, 4));
        file.close();
        sequence = new Sequence(OurFile.open(file.path, parents), source, {
          ...options,
          parents,
        });
        sequence.assertHeld();
      }
    });
  }
});
