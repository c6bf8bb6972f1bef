// Every recorded file of upstream's: opened by us, committed with one more vector, opened by the real rvf-node
// again. The old bytes are untouched, and the answers are those of expected.json and the new vector; or a rule
// is named by which they are not.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { answerDisagreements } from "../reference/agreement.mjs";
import { mergeBranch } from "../reference/branch.mjs";
import { hex } from "../reference/container.mjs";
import { readRvf } from "../reference/format.mjs";
import { queryVector } from "../reference/random.mjs";
import { EXPECTED, fixture, NAMES } from "../reference/upstream.mjs";
import { SEGMENT, WARNING } from "../wasm/control.mjs";
import { entries, VALUE } from "../wasm/entries.mjs";
import { STATUS } from "../wasm/status.mjs";
import { kernel } from "./containers.mjs";
import { control, folder, OurFile, RvfDatabase } from "./support.mjs";

const pathOf = folder();
const NEW_ID = 2 ** 50;
const IMAGE = Uint8Array.of(1, 2, 3, 4, 5);
const PARENT = "made_branch_parent.rvf";

/** What we do not open, for the reasons that tests/wasm/differences.mjs gives one by one. */
const REFUSED = {
  "carved_ruvbot_tail.rvf": STATUS.kInvalidManifest,
  "crafted_vec_count_too_big.rvf": STATUS.kTruncatedSegment,
  "crafted_version2.rvf": STATUS.kInvalidVersion,
  "crafted_zero_manifest_4096.rvf": STATUS.kInvalidManifest,
  "damaged_flip_first_vec_payload.rvf": STATUS.kInvalidChecksum,
  "damaged_flip_last_vec_payload.rvf": STATUS.kInvalidChecksum,
  "damaged_flip_vec_header_hash.rvf": STATUS.kInvalidChecksum,
  "damaged_flip_vec_header_len.rvf": STATUS.kInvalidChecksum,
  "damaged_flip_vec_header_version.rvf": STATUS.kInvalidVersion,
  "damaged_hole_zeroed_vec.rvf": STATUS.kInvalidChecksum,
  "damaged_magic_first_vec.rvf": STATUS.kInvalidChecksum,
  "damaged_trunc_63_bytes.rvf": STATUS.kManifestNotFound,
  "damaged_trunc_header_only_64.rvf": STATUS.kManifestNotFound,
  "damaged_trunc_zero_bytes.rvf": STATUS.kManifestNotFound,
  "made_branch_orphan.rvf": STATUS.kParentNotFound,
};

/** Upstream's own recorded answers, or for a file of its wasm module that module's. */
function recordedQueries(name) {
  const { upstream, upstream_wasm: wasm } = EXPECTED.files[name];
  return wasm?.queries_l2 ?? upstream.queries;
}

const beforeDamage = {
  rule: "a damaged manifest does not count",
  queries: recordedQueries("damaged_trunc_before_last_manifest.rvf"),
};

/** Files whose own recorded answers do not count, and what they answer instead. */
const RULES = {
  "crafted_fake_manifest_in_payload.rvf": {
    rule: "bytes inside a payload are no manifest",
    queries: recordedQueries("crafted_no_file_identity.rvf"), // which holds the same vectors
  },
  "damaged_manifest_dim.rvf": beforeDamage,
  "damaged_manifest_dir_offset.rvf": beforeDamage,
  "damaged_manifest_fidi_marker.rvf": beforeDamage,
  "damaged_manifest_hash.rvf": beforeDamage,
  "damaged_manifest_metric9.rvf": beforeDamage,
};

const parentsOf = (name) => (name.startsWith("made_branch_child") ? [pathOf(PARENT)] : []);

/** All rows that a file shows, by the reference. */
function rowsOf(name) {
  const bytes = fixture(name);
  const content = readRvf(bytes);
  if (!content.branch) return content.rows;
  return mergeBranch(content, readRvf(fixture(PARENT)), fixture(PARENT));
}

const asHit = ({ id, distance }) => ({ id, distance: Number(distance) });
/** Neither a record of a branch nor an index, which knows rows that are gone. */
const staysWhateverChanges = (text) => !/^(2|32|34):/.test(text);
const isNumber = ({ distance }) => !Number.isNaN(Number(distance));

writeFileSync(pathOf(PARENT), fixture(PARENT));

describe("one more vector", () => {
  for (const name of NAMES.filter((one) => !(one in REFUSED))) {
    const rule = RULES[name];
    test(`${name} ${rule ? `by the rule: ${rule.rule}` : "answers as recorded"}`, () => {
      const path = pathOf(`more-${name}`);
      const before = fixture(name);
      writeFileSync(path, before);
      const file = OurFile.open(path, parentsOf(name));
      const { dimension, metric } = control.status(file.handle);
      const rows = rowsOf(name);
      assert.equal(control.count(file.handle), rows.size);
      const vector = queryVector(4711, dimension);
      file.ingest([[BigInt(NEW_ID), vector]]);
      rows.set(BigInt(NEW_ID), vector);

      const { offset } = file.commit();
      const isTorn = (control.warnings(file.handle) & WARNING.TORN_TAIL) !== 0;
      assert.ok(isTorn || before.subarray(offset).every((byte) => byte === 0)); // padding
      assert.deepEqual(file.bytes.subarray(0, offset), before.subarray(0, offset));
      file.close();

      const database = RvfDatabase.openReadonly(path);
      for (const { seed, k, results } of rule?.queries ?? recordedQueries(name)) {
        const answer = database.query(queryVector(seed, dimension), k).filter(isNumber);
        const found = { seed, k: answer.length, results: answer };
        assert.deepEqual(answerDisagreements(rows, dimension, metric, found), []);
        const old = answer.filter(({ id }) => id !== NEW_ID);
        assert.deepEqual(old, results.filter(isNumber).map(asHit).slice(0, old.length));
        assert.ok(answer.length >= results.filter(isNumber).length);
      }
      assert.ok(database.query(vector, rows.size).some(({ id }) => id === NEW_ID));
      database.close();
    });
  }
});

/** Upstream answers by these rows, whatever was recorded. */
function assertAnswersBy(rows, path, { dimension, metric }) {
  const database = RvfDatabase.openReadonly(path);
  for (const seed of [1001, 2002]) {
    const results = database.query(queryVector(seed, dimension), 10).filter(isNumber);
    const found = { seed, k: results.length, results };
    assert.deepEqual(answerDisagreements(rows, dimension, metric, found), []);
  }
  const shown = database.query(new Float32Array(dimension), rows.size + 10);
  assert.equal(shown.length, rows.size);
  database.close();
}

describe("deletions, metadata, a container and a compaction", () => {
  const label = entries([[3, [VALUE.STRING, "label"]]]);

  for (const name of NAMES.filter((one) => !(one in REFUSED))) {
    test(`${name} after all of them, and deletions behind the compaction`, () => {
      const path = pathOf(`changed-${name}`);
      writeFileSync(path, fixture(name));
      const parents = parentsOf(name);
      const file = OurFile.open(path, parents);
      const status = control.status(file.handle);
      const rows = rowsOf(name);
      const carried = [...file.carried().filter(staysWhateverChanges), `14:${hex(kernel(IMAGE))}`];
      const remove = () => {
        const ids = [...rows.keys()].filter((_, i) => i % 3 === 0);
        assert.equal(file.delete(ids), ids.length);
        for (const id of ids) rows.delete(id);
      };
      remove();
      for (const id of rows.keys()) control.setMetadata(file.handle, id, label);
      file.embed(SEGMENT.KERNEL, kernel(IMAGE));
      file.commit();
      assertAnswersBy(rows, path, status);
      file.commit({ compacts: true });
      assertAnswersBy(rows, path, status);
      remove();
      file.commit();
      assertAnswersBy(rows, path, status);
      file.reopen(parents);
      assert.deepEqual(file.carried().filter(staysWhateverChanges), carried);
      assert.deepEqual(new Set(control.ids(file.handle)), new Set(rows.keys()));
      for (const id of rows.keys()) {
        assert.equal(hex(control.metadata(file.handle, id)), hex(label));
      }
      file.close();
    });
  }
});

describe("files that we do not open", () => {
  for (const [name, status] of Object.entries(REFUSED)) {
    test(`${name} is refused`, () => {
      assert.equal(control.openWith(fixture(name), {}), status);
    });
  }
});
