// Where we answer upstream's files differently from upstream, by which rule, and which open with warnings.
import { WARNING } from "./control.mjs";

export const RULE = {
  chain: "the chain of segments decides: bytes inside a payload are no manifest",
  hash: "a manifest counts only if its content hash is absent or good",
  version: "a manifest or VEC of a newer version is refused",
  counts: "a VEC whose counts lie is refused",
  dimension: "a manifest of dimension 0 is refused",
  branch: "a branch is refused, because its parent is not given",
  wasm: "files of the upstream wasm module open, with the metric assumed",
  live: "live vectors are the rows that answer, not rows minus length of the deleted list",
  nan: "a NaN distance is never in an answer",
};

const EPOCH_4 = "epoch 4, dimension 6, 80 live, 30 results";
const EPOCH_5 = "epoch 5, dimension 6, 100 live, 30 results";

/** Every fixture that we answer differently from upstream, by which rule, and both answers. */
export const DIFFERENCES = [
  {
    name: "crafted_fake_manifest_in_payload.rvf",
    rule: RULE.chain,
    upstream: "epoch 9, dimension 2, 0 live, 0 results",
    ours: "epoch 1, dimension 2, 3 live, 9 results",
  },
  {
    name: "damaged_manifest_dim.rvf",
    rule: RULE.hash,
    upstream: "epoch 5, dimension 7, 0 live, 0 results",
    ours: EPOCH_4,
  },
  {
    name: "damaged_manifest_dir_offset.rvf",
    rule: RULE.hash,
    upstream: "error 0x0102",
    ours: EPOCH_4,
  },
  {
    name: "damaged_manifest_fidi_marker.rvf",
    rule: RULE.hash,
    upstream: EPOCH_5,
    ours: EPOCH_4,
  },
  { name: "damaged_manifest_hash.rvf", rule: RULE.hash, upstream: EPOCH_5, ours: EPOCH_4 },
  { name: "damaged_manifest_metric9.rvf", rule: RULE.hash, upstream: EPOCH_5, ours: EPOCH_4 },
  {
    name: "crafted_version2.rvf",
    rule: RULE.version,
    upstream: "epoch 1, dimension 2, 3 live, 9 results",
    ours: "error 0x0101",
  },
  {
    name: "damaged_flip_vec_header_version.rvf",
    rule: RULE.version,
    upstream: EPOCH_5,
    ours: "error 0x0101",
  },
  {
    name: "crafted_vec_count_too_big.rvf",
    rule: RULE.counts,
    upstream: "epoch 1, dimension 2, 0 live, 0 results",
    ours: "error 0x0104",
  },
  {
    name: "crafted_zero_manifest_4096.rvf",
    rule: RULE.dimension,
    upstream: "epoch 0, dimension 0, 0 live, 0 results",
    ours: "error 0x0105",
  },
  {
    name: "carved_ruvbot_tail.rvf",
    rule: RULE.dimension,
    upstream: "epoch 1, dimension 0, 0 live, 0 results",
    ours: "error 0x0105",
  },
  {
    name: "made_branch_child_untouched.rvf",
    rule: RULE.branch,
    upstream: "epoch 0, dimension 4, 0 live, 30 results",
    ours: "error 0x0600",
  },
  {
    name: "made_branch_child_edited.rvf",
    rule: RULE.branch,
    upstream: "epoch 2, dimension 4, 3 live, 30 results",
    ours: "error 0x0600",
  },
  {
    name: "made_wasm_cosine_3x2.rvf",
    rule: RULE.wasm,
    upstream: "error 0x0106",
    ours: "epoch 1, dimension 2, 3 live, 9 results",
  },
  {
    name: "made_wasm_deleted_10x4.rvf",
    rule: RULE.wasm,
    upstream: "error 0x0106",
    ours: "epoch 1, dimension 4, 8 live, 24 results",
  },
  {
    name: "made_wasm_empty_dim4.rvf",
    rule: RULE.wasm,
    upstream: "error 0x0106",
    ours: "epoch 1, dimension 4, 0 live, 0 results",
  },
  {
    name: "made_wasm_l2_20x16.rvf",
    rule: RULE.wasm,
    upstream: "error 0x0106",
    ours: "epoch 1, dimension 16, 20 live, 30 results",
  },
  {
    name: "crafted_deleted_ids.rvf",
    rule: RULE.live,
    upstream: "epoch 1, dimension 2, 1 live, 6 results",
    ours: "epoch 1, dimension 2, 2 live, 6 results",
  },
  {
    name: "made_odd_values.rvf",
    rule: RULE.nan,
    upstream: "epoch 2, dimension 2, 7 live, 21 results",
    ours: "epoch 2, dimension 2, 7 live, 18 results",
  },
];

const WASM_FILE = WARNING.WASM_LAYOUT | WARNING.METRIC_ASSUMED;

/** Every fixture that opens with warnings; all others have none. */
export const WARNINGS = {
  "crafted_fake_manifest_in_payload.rvf": WARNING.TORN_TAIL,
  "crafted_two_dimensions.rvf": WARNING.FOREIGN_DIMENSION,
  "damaged_flip_vec_header_id.rvf": WARNING.DAMAGED_HEADER,
  "damaged_flip_vec_header_type.rvf": WARNING.DAMAGED_HEADER,
  "damaged_magic_last_manifest.rvf": WARNING.TORN_TAIL,
  "damaged_manifest_dim.rvf": WARNING.SKIPPED_MANIFEST,
  "damaged_manifest_dir_offset.rvf": WARNING.SKIPPED_MANIFEST,
  "damaged_manifest_fidi_marker.rvf": WARNING.SKIPPED_MANIFEST,
  "damaged_manifest_hash.rvf": WARNING.SKIPPED_MANIFEST,
  "damaged_manifest_metric9.rvf": WARNING.SKIPPED_MANIFEST,
  "damaged_manifest_segcount.rvf": WARNING.SKIPPED_MANIFEST,
  "damaged_trailing_100.rvf": WARNING.TORN_TAIL,
  "damaged_trunc_before_last_manifest.rvf": WARNING.TORN_TAIL,
  "damaged_trunc_in_first_vec.rvf": WARNING.TORN_TAIL,
  "damaged_trunc_in_last_manifest_dir.rvf": WARNING.TORN_TAIL,
  "damaged_trunc_in_last_manifest_header.rvf": WARNING.TORN_TAIL,
  "damaged_trunc_in_last_vec.rvf": WARNING.TORN_TAIL,
  "damaged_trunc_in_last_vec_header.rvf": WARNING.TORN_TAIL,
  "damaged_trunc_last_manifest_minus_fidi.rvf": WARNING.TORN_TAIL,
  "damaged_trunc_minus_1_byte.rvf": WARNING.TORN_TAIL,
  "made_odd_values.rvf": WARNING.NOT_FINITE_ROWS,
  "made_wasm_cosine_3x2.rvf": WASM_FILE,
  "made_wasm_deleted_10x4.rvf": WASM_FILE,
  "made_wasm_empty_dim4.rvf": WASM_FILE,
  "made_wasm_l2_20x16.rvf": WASM_FILE,
};
