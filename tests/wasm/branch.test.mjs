// Branches: files that show the vectors of their parent under their own.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerDisagreements } from "../reference/agreement.mjs";
import { mergeBranch } from "../reference/branch.mjs";
import { simpleHash } from "../reference/checksum.mjs";
import { TYPE } from "../reference/container.mjs";
import {
  concat,
  manifestPayload,
  readRvf,
  segment,
  vecPayload,
  writeRvf,
} from "../reference/format.mjs";
import { queryVector } from "../reference/random.mjs";
import { EXPECTED, fixture } from "../reference/upstream.mjs";
import { Control, METRIC } from "./control.mjs";
import { STATUS } from "./status.mjs";

const CHILDREN = ["made_branch_child_untouched.rvf", "made_branch_child_edited.rvf"];
const PARENT = fixture("made_branch_parent.rvf");

function opened(file, parent, metric) {
  const control = new Control();
  return { control, handle: control.openBranch(file, parent, metric) };
}

/** All rows of a store, by id. */
function rowsOf({ control, handle }) {
  return new Map([...readRvf(control.export(handle).bytes).rows].sort(byId));
}

const byId = ([a], [b]) => (a < b ? -1 : 1);

describe("upstream's branches", () => {
  for (const name of CHILDREN) {
    test(`${name} with its parent holds what the reference finds`, () => {
      const child = readRvf(fixture(name));
      const want = mergeBranch(child, readRvf(PARENT), PARENT);
      assert.deepEqual(rowsOf(opened(fixture(name), PARENT)), new Map([...want].sort(byId)));
    });

    test(`${name} with its parent gives upstream's answers`, () => {
      const { control, handle } = opened(fixture(name), PARENT);
      const { dimension, metric, live } = control.status(handle);
      const rows = rowsOf({ control, handle });
      for (const query of EXPECTED.files[name].upstream.queries) {
        assert.deepEqual(answerDisagreements(rows, dimension, metric, query), []);
        const { hits } = control.query(handle, queryVector(query.seed, dimension), query.k);
        assert.deepEqual(
          hits.map(({ id }) => Number(id)),
          query.results.map(({ id }) => id),
        );
      }
      assert.equal(live, rows.size);
    });

    test(`${name}, exported, is a whole file with the same answers`, () => {
      const branch = opened(fixture(name), PARENT);
      const file = branch.control.export(branch.handle).bytes;
      const control = new Control();
      const copy = { control, handle: control.open(file) };
      assert.ok(copy.handle > 0, `status ${copy.handle}`);
      assert.deepEqual(rowsOf(copy), rowsOf(branch));
      assert.equal(readRvf(file).branch, null);
      assert.equal(control.warnings(copy.handle), 0);
    });
  }

  test("a parent that has changed by one byte of its end is refused", () => {
    for (const at of [0, PARENT.length >> 1, PARENT.length - 1]) {
      const other = PARENT.slice();
      other[at] ^= 1;
      const { handle } = opened(fixture(CHILDREN[0]), other);
      assert.equal(handle, STATUS.kParentHashMismatch, `byte ${at}`);
    }
  });

  test("an empty parent is none", () => {
    assert.equal(opened(fixture(CHILDREN[0]), new Uint8Array(0)).handle, STATUS.kParentNotFound);
  });

  test("a file that is no branch ignores the parent, whatever that is", () => {
    const file = fixture("made_metric_l2.rvf");
    const alone = new Control();
    const want = rowsOf({ control: alone, handle: alone.open(file) });
    for (const parent of [PARENT, new Uint8Array(99).fill(7), file]) {
      assert.deepEqual(rowsOf(opened(file, parent)), want);
    }
  });

  test("the metric can be overruled as in any file", () => {
    const { control, handle } = opened(fixture(CHILDREN[1]), PARENT, METRIC.COSINE);
    assert.equal(control.status(handle).metric, METRIC.COSINE);
  });
});

const PARENT_ROWS = Array.from({ length: 130 }, (_, id) => [id, [id]]);
const FILE_ID = Uint8Array.from({ length: 16 }, (_, i) => 0xb0 + i);

/** The bitmap of some ids, in whole words of 64 bits. */
function bitmapOf(ids, limit) {
  const bitmap = new Uint8Array(8 * Math.ceil(limit / 64));
  for (const id of ids) bitmap[id >> 3] |= 1 << (id & 7);
  return bitmap;
}

/** A branch by hand: what it admits of the parent, its own rows and deletions. */
function branchOf(
  parent,
  { admitted, limit = 130, mode = 0, rows = [], deletedIds = [], dimension = 1, spoil = () => {} },
) {
  const map = new Uint8Array(0x51 + 5);
  const mapView = new DataView(map.buffer);
  mapView.setUint32(0, 0x5256434d, true);
  mapView.setUint16(4, 1, true);
  map.set(simpleHash(parent.subarray(-65_536)), 0x20);
  const bitmap = bitmapOf(admitted, limit);
  const filter = new Uint8Array(0x60 + bitmap.length);
  const view = new DataView(filter.buffer);
  view.setUint32(0, 0x52564d42, true);
  view.setUint16(4, 1, true);
  filter[7] = mode;
  view.setBigUint64(0x08, BigInt(limit), true);
  view.setBigUint64(0x10, BigInt(admitted.length), true);
  view.setBigUint64(0x18, 0x60n, true);
  view.setUint32(0x20, bitmap.length, true);
  filter.set(simpleHash(bitmap), 0x28);
  filter.set(bitmap, 0x60);
  spoil({ map, filter, view });
  const parts = [
    [TYPE.COW_MAP, map],
    [TYPE.MEMBERSHIP, filter],
    [TYPE.VEC, vecPayload(dimension, rows)],
  ];
  let offset = 0;
  const directory = parts.map(([type, payload], index) => {
    const entry = { id: index + 1, offset, payloadLength: payload.length, type };
    offset += 64 + payload.length;
    return entry;
  });
  const last = manifestPayload({
    epoch: 1,
    dimension,
    totalVectors: rows.length,
    profile: 0,
    metric: 0,
    directory,
    deletedIds,
    fileId: FILE_ID,
  });
  const written = parts.map(([type, payload], index) => segment(type, index + 1, payload));
  return concat(...written, segment(TYPE.MANIFEST, 9, last));
}

describe("a branch by hand", () => {
  const parent = writeRvf({ dimension: 1, rows: PARENT_ROWS, deletedIds: [5, 77] });
  const idsOf = (branch, other = parent) => [...rowsOf(opened(branch, other)).keys()].map(Number);

  test("shows what its filter admits and the parent has not deleted", () => {
    const admitted = [0, 5, 7, 8, 63, 64, 77, 127, 128, 129];
    assert.deepEqual(idsOf(branchOf(parent, { admitted })), [0, 7, 8, 63, 64, 127, 128, 129]);
  });

  test("a filter that excludes hides those and shows the rest, ids above its limit included", () => {
    const admitted = Array.from({ length: 100 }, (_, id) => id);
    const branch = branchOf(parent, { admitted, limit: 120, mode: 1 });
    assert.deepEqual(
      idsOf(branch),
      Array.from({ length: 30 }, (_, i) => 100 + i),
    );
  });

  test("its own rows come before the parent's, and its deletions before both", () => {
    const branch = branchOf(parent, {
      admitted: [1, 2, 3],
      rows: [
        [2, [200]],
        [9, [900]],
        [500, [5]],
      ],
      deletedIds: [3n, 9n],
    });
    assert.deepEqual(
      rowsOf(opened(branch, parent)),
      new Map([
        [1n, Float32Array.of(1)],
        [2n, Float32Array.of(200)],
        [500n, Float32Array.of(5)],
      ]),
    );
  });

  test("only the last 64 KiB of the parent are compared, as upstream does", () => {
    const wide = writeRvf({
      dimension: 100,
      rows: Array.from({ length: 300 }, (_, id) => [id, new Array(100).fill(id)]),
    });
    const branch = branchOf(wide, { admitted: [7], dimension: 100 });
    assert.deepEqual(idsOf(branch, wide), [7]);
    const changed = wide.slice();
    changed[wide.length - 65_536] ^= 1;
    assert.equal(opened(branch, changed).handle, STATUS.kParentHashMismatch);
  });

  test("a parent that does not open gives the parent's status", () => {
    const damaged = parent.slice();
    damaged[100] ^= 1;
    const branch = branchOf(damaged, { admitted: [1] });
    assert.equal(opened(branch, damaged).handle, STATUS.kInvalidChecksum);
  });

  test("a parent that is a branch itself is not followed", () => {
    const child = branchOf(parent, { admitted: [1] });
    const grandchild = branchOf(child, { admitted: [1] });
    assert.equal(opened(grandchild, child).handle, STATUS.kParentNotFound);
  });

  test("garbage in either segment is refused", () => {
    const garbage = {
      "magic of the map": ({ map }) => map.set([0], 0),
      "magic of the filter": ({ filter }) => filter.set([0], 0),
      "a roaring filter": ({ filter }) => filter.set([1], 6),
      "a filter behind its segment": ({ view }) => view.setBigUint64(0x18, 0x61n, true),
      "a filter offset that wraps around": ({ view }) =>
        view.setBigUint64(0x18, 2n ** 64n - 8n, true),
      "a filter size that wraps around": ({ view }) => view.setUint32(0x20, 2 ** 32 - 1, true),
      "more ids than bits": ({ view }) => view.setBigUint64(0x08, 193n, true),
      "ids that wrap around": ({ view }) => view.setBigUint64(0x08, 2n ** 64n - 1n, true),
      "a bit that its hash does not know": ({ filter }) => filter.set([0xff], 0x60),
    };
    for (const [what, spoil] of Object.entries(garbage)) {
      const { handle } = opened(branchOf(parent, { admitted: [1], spoil }), parent);
      assert.equal(handle, STATUS.kCowMapCorrupt, what);
    }
  });

  test("a damaged segment of its own is refused", () => {
    const branch = branchOf(parent, { admitted: [1] });
    for (const at of [64 + 0x20, 64 + 0x51 + 5 + 64 + 0x60]) {
      const damaged = branch.slice();
      damaged[at] ^= 1;
      assert.equal(opened(damaged, parent).handle, STATUS.kCowMapCorrupt, `byte ${at}`);
    }
  });

  test("a parent of another dimension is refused", () => {
    const branch = branchOf(parent, { admitted: [1], dimension: 2 });
    assert.equal(opened(branch, parent).handle, STATUS.kDimensionMismatch);
  });

  test("1,000 rounds of opening, failing and closing leave no memory behind", () => {
    const control = new Control();
    const branch = branchOf(parent, { admitted: [1, 2, 3] });
    const bad = branchOf(parent, {
      admitted: [1],
      spoil: ({ filter }) => filter.set([0xff], 0x60),
    });
    const round = () => {
      control.close(control.openBranch(branch, parent));
      assert.equal(control.openBranch(bad, parent), STATUS.kCowMapCorrupt);
      assert.equal(control.openBranch(branch, branch), STATUS.kParentHashMismatch);
    };
    for (let i = 0; i < 5; i++) round();
    const { size } = control;
    for (let i = 0; i < 1000; i++) round();
    assert.equal(control.size, size);
  });
});
