import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answerDisagreements, disagreements } from "./agreement.mjs";
import { mergeBranch } from "./branch.mjs";
import { sha256 } from "./checksum.mjs";
import { hex, listSegments } from "./container.mjs";
import { DISTANCES } from "./distance.mjs";
import { RvfRefError, readRvf } from "./format.mjs";
import { queryVector } from "./random.mjs";
import { bruteForce } from "./topk.mjs";
import { EXPECTED, fixture, NAMES } from "./upstream.mjs";

const RULE = {
  chain: "the chain of segments decides before a byte-wise search",
  hash: "a manifest counts only if its content hash is absent or good",
  wasm: "files exported by rvf-wasm are read",
  branch: "a branch gives its own rows; the parent is not looked for",
  live: "live vectors are the rows that answer, not rows minus length of the deleted list",
  nan: "a NaN distance is never in an answer",
};

const MANIFEST_RULES = [RULE.chain, RULE.hash];

const EPOCH_4 = "epoch 4, dimension 6, 80 live, 30 results";
const EPOCH_5 = "epoch 5, dimension 6, 100 live, 30 results";
const NO_MANIFEST = "error 0x0106";
const BAD_CHECKSUM = "error 0x0102";

/** Every fixture that this reference answers differently from upstream, and by which rule. */
const DIFFERENCES = [
  {
    fixture: "crafted_fake_manifest_in_payload.rvf",
    rule: RULE.chain,
    upstream: "epoch 9, dimension 2, 0 live, 0 results",
    ours: "epoch 1, dimension 2, 3 live, 9 results",
  },
  {
    fixture: "damaged_manifest_dim.rvf",
    rule: RULE.hash,
    upstream: "epoch 5, dimension 7, 0 live, 0 results",
    ours: EPOCH_4,
  },
  {
    fixture: "damaged_manifest_dir_offset.rvf",
    rule: RULE.hash,
    upstream: BAD_CHECKSUM,
    ours: EPOCH_4,
  },
  {
    fixture: "damaged_manifest_fidi_marker.rvf",
    rule: RULE.hash,
    upstream: EPOCH_5,
    ours: EPOCH_4,
  },
  { fixture: "damaged_manifest_hash.rvf", rule: RULE.hash, upstream: EPOCH_5, ours: EPOCH_4 },
  { fixture: "damaged_manifest_metric9.rvf", rule: RULE.hash, upstream: EPOCH_5, ours: EPOCH_4 },
  {
    fixture: "made_wasm_cosine_3x2.rvf",
    rule: RULE.wasm,
    upstream: NO_MANIFEST,
    ours: "epoch 1, dimension 2, 3 live, 9 results",
  },
  {
    fixture: "made_wasm_deleted_10x4.rvf",
    rule: RULE.wasm,
    upstream: NO_MANIFEST,
    ours: "epoch 1, dimension 4, 8 live, 24 results",
  },
  {
    fixture: "made_wasm_empty_dim4.rvf",
    rule: RULE.wasm,
    upstream: NO_MANIFEST,
    ours: "epoch 1, dimension 4, 0 live, 0 results",
  },
  {
    fixture: "made_wasm_l2_20x16.rvf",
    rule: RULE.wasm,
    upstream: NO_MANIFEST,
    ours: "epoch 1, dimension 16, 20 live, 30 results",
  },
  {
    fixture: "made_branch_orphan.rvf",
    rule: RULE.branch,
    upstream: "error 0x0600",
    ours: "epoch 0, dimension 2, 0 live, 0 results",
  },
  {
    fixture: "made_branch_child_untouched.rvf",
    rule: RULE.branch,
    upstream: "epoch 0, dimension 4, 0 live, 30 results",
    ours: "epoch 0, dimension 4, 0 live, 0 results",
  },
  {
    fixture: "made_branch_child_edited.rvf",
    rule: RULE.branch,
    upstream: "epoch 2, dimension 4, 3 live, 30 results",
    ours: "epoch 2, dimension 4, 3 live, 9 results",
  },
  {
    fixture: "crafted_deleted_ids.rvf",
    rule: RULE.live,
    upstream: "epoch 1, dimension 2, 1 live, 6 results",
    ours: "epoch 1, dimension 2, 2 live, 6 results",
  },
  {
    fixture: "made_odd_values.rvf",
    rule: RULE.nan,
    upstream: "epoch 2, dimension 2, 7 live, 21 results",
    ours: "epoch 2, dimension 2, 7 live, 18 results",
  },
];

/** Every fixture that opens, but with something to report, and how many lines of it. */
const DAMAGE = {
  "crafted_two_dimensions.rvf": 1,
  "crafted_vec_count_too_big.rvf": 1,
  "crafted_version2.rvf": 2,
  "damaged_flip_witness_payload.rvf": 1,
  "damaged_index_payload.rvf": 1,
  "damaged_kernel_payload.rvf": 1,
  "damaged_magic_last_manifest.rvf": 1,
  "damaged_manifest_dim.rvf": 2,
  "damaged_manifest_dir_offset.rvf": 2,
  "damaged_manifest_fidi_marker.rvf": 2,
  "damaged_manifest_hash.rvf": 2,
  "damaged_manifest_metric9.rvf": 2,
  "damaged_manifest_segcount.rvf": 2,
  "damaged_trailing_100.rvf": 1,
  "damaged_trunc_in_first_vec.rvf": 1,
  "damaged_trunc_in_last_manifest_dir.rvf": 1,
  "damaged_trunc_in_last_manifest_header.rvf": 1,
  "damaged_trunc_in_last_vec.rvf": 1,
  "damaged_trunc_in_last_vec_header.rvf": 1,
  "damaged_trunc_last_manifest_minus_fidi.rvf": 1,
  "damaged_trunc_minus_1_byte.rvf": 1,
};

describe("fixture files", () => {
  for (const name of NAMES) {
    test(`${name} is as recorded, segment by segment`, () => {
      const bytes = fixture(name);
      const { size, sha256: digest, forward_scan: scan } = EXPECTED.files[name];
      assert.equal(bytes.length, size);
      assert.equal(hex(sha256(bytes)), digest);
      assert.deepEqual(listSegments(bytes), scan.segments.map(recordedSegment));
    });
  }
});

describe("upstream's own rule", () => {
  const exceptions = DIFFERENCES.filter(({ rule }) => !MANIFEST_RULES.includes(rule));
  const agreeing = NAMES.filter((name) => !exceptions.some(({ fixture: other }) => other === name));
  for (const name of agreeing) {
    test(`${name} is answered as upstream answers it`, () => {
      assertAgrees(name, "lax");
    });
  }
});

describe("the stricter rule", () => {
  const agreeing = NAMES.filter(
    (name) => !DIFFERENCES.some(({ fixture: other }) => other === name),
  );
  for (const name of agreeing) {
    test(`${name} is answered as upstream answers it`, () => {
      assertAgrees(name, "strict");
    });
  }
  for (const { fixture: name, rule, upstream, ours } of DIFFERENCES) {
    test(`${name} differs: ${rule}`, () => {
      const recorded = EXPECTED.files[name].upstream;
      assert.notEqual(upstream, ours);
      assert.equal(recordedOutcome(recorded), upstream);
      assert.equal(outcome(opened(name, "strict")), ours);
    });
  }
  test("what is wrong is reported, and nothing else", () => {
    const reported = NAMES.map((name) => [name, opened(name, "strict").damage?.length ?? 0]);
    assert.deepEqual(Object.fromEntries(reported.filter(([, lines]) => lines > 0)), DAMAGE);
  });
});

describe("where the table of differences needs more than a count", () => {
  for (const name of NAMES.filter((other) => EXPECTED.files[other].upstream_wasm)) {
    test(`${name} is answered as rvf-wasm answers it`, () => {
      const { count, dimension, queries_l2: queries } = EXPECTED.files[name].upstream_wasm;
      const content = readRvf(fixture(name));
      assert.equal(content.layout, "wasm");
      assert.equal(content.metricByte, null);
      assert.equal(content.rows.size, count);
      const parted = queries.flatMap((query) =>
        answerDisagreements(content.rows, dimension, 0, query),
      );
      assert.deepEqual(parted, []);
    });
  }

  for (const name of ["made_branch_child_untouched.rvf", "made_branch_child_edited.rvf"]) {
    test(`${name} and its parent together give upstream's answers`, () => {
      const child = readRvf(fixture(name));
      const parentBytes = fixture(child.branch.parentName);
      const parent = readRvf(parentBytes);
      assert.equal(child.branch.parentId, parent.fileId);
      const rows = mergeBranch(child, parent, parentBytes);
      const parted = EXPECTED.files[name].upstream.queries.flatMap((query) =>
        answerDisagreements(rows, child.dimension, child.metric, query),
      );
      assert.deepEqual(parted, []);
    });
  }

  test("a branch refuses a parent that has changed", () => {
    const child = readRvf(fixture("made_branch_child_edited.rvf"));
    const parentBytes = fixture(child.branch.parentName);
    const parent = readRvf(parentBytes);
    parentBytes[parentBytes.length - 1] ^= 1;
    assert.throws(() => mergeBranch(child, parent, parentBytes), { code: 0x0601 });
  });

  test("crafted_deleted_ids.rvf lists an id that it does not hold, and answers as upstream", () => {
    const content = readRvf(fixture("crafted_deleted_ids.rvf"));
    const held = content.deletedIds.filter((id) => content.rows.has(id));
    assert.equal(content.deletedIds.length, 2);
    assert.deepEqual(held, []);
    const recorded = { ...EXPECTED.files["crafted_deleted_ids.rvf"].upstream, live_vectors: 2 };
    assert.deepEqual(disagreements(content, recorded), []);
  });

  test("made_odd_values.rvf gives upstream's answers without the NaN ones", () => {
    const content = readRvf(fixture("made_odd_values.rvf"));
    const recorded = EXPECTED.files["made_odd_values.rvf"].upstream;
    const queries = recorded.queries.map((query) => ({
      ...query,
      results: query.results.filter(({ distance }) => distance !== "NaN"),
    }));
    assert.deepEqual(disagreements(content, { ...recorded, queries }), []);
  });

  test("damaged_manifest_hash.rvf falls back to the state before the last commit", () => {
    const damaged = readRvf(fixture("damaged_manifest_hash.rvf"));
    const before = readRvf(fixture("damaged_trunc_before_last_manifest.rvf"));
    assert.deepEqual(damaged.rows, before.rows);
    assert.equal(damaged.manifestOffset, before.manifestOffset);
  });
});

function opened(name, rule) {
  try {
    return readRvf(fixture(name), { rule });
  } catch (error) {
    if (error instanceof RvfRefError) {
      return error;
    }
    throw error;
  }
}

function assertAgrees(name, rule) {
  const recorded = EXPECTED.files[name].upstream;
  const content = opened(name, rule);
  if (content instanceof RvfRefError) {
    assert.equal(outcome(content), recordedOutcome(recorded));
    return;
  }
  assert.equal(recorded.open, "ok", "upstream refuses the file");
  assert.deepEqual(disagreements(content, recorded), []);
}

function outcome(content) {
  if (content instanceof RvfRefError) {
    return `error 0x${content.code.toString(16).padStart(4, "0")}`;
  }
  const { epoch, dimension, rows, metric } = content;
  const results = [1001, 2002, 3003].flatMap((seed) =>
    bruteForce(rows, queryVector(seed, dimension), 10, DISTANCES[metric]),
  );
  return `epoch ${epoch}, dimension ${dimension}, ${rows.size} live, ${results.length} results`;
}

function recordedOutcome(recorded) {
  if (recorded.open === "error") {
    return `error ${recorded.error.match(/0x[0-9a-f]{4}/i)[0]}`;
  }
  const { epoch, dimension, live_vectors: live, queries } = recorded;
  const results = queries.reduce((sum, query) => sum + query.results.length, 0);
  return `epoch ${epoch}, dimension ${dimension}, ${live} live, ${results} results`;
}

function recordedSegment(recorded) {
  const hashes = { zero: "absent", mismatch: "bad", "crc32-rotated": "good", "sha256-128": "good" };
  return {
    offset: recorded.offset,
    id: BigInt(recorded.id),
    type: recorded.type,
    version: recorded.version,
    payloadLength: recorded.payload_length,
    hash: hashes[recorded.content_hash],
  };
}
