// Files that upstream's tools wrote, sound and damaged, against upstream's own answers.

import { equal, near, ok, throws } from "./assert.mjs";
import { randomVector } from "./reference.mjs";

async function expected(fixture, name) {
  const text = new TextDecoder().decode(await fixture("expected.json"));
  return JSON.parse(text).files[name];
}

/** Compares with upstream's hits: distances to 1e-5, ids unless the neighbouring distances tie. */
function checkQueries(store, queries) {
  for (const { seed, k, results } of queries) {
    const hits = store.query(randomVector(seed, store.dimension), k);
    equal(hits.length, results.length, `hits for seed ${seed}`);
    const tied = (i, j) => results[j] && Math.abs(results[i].distance - results[j].distance) < 1e-4;
    for (const [i, { id, distance }] of results.entries()) {
      near(hits[i].distance, distance, 1e-5, `distance ${i} for seed ${seed}`);
      if (!tied(i, i - 1) && !tied(i, i + 1) && i < k - 1) equal(hits[i].id, id, `hit ${i}`);
    }
  }
}

/** Opens, compares with upstream's answers, and does so again after an export. */
function sound(name, warnings = []) {
  return async ({ api, fixture }) => {
    const { upstream } = await expected(fixture, name);
    const first = api.RvfStore.open(await fixture(name));
    equal(first.warnings, warnings, "warnings");
    const second = api.RvfStore.open(first.toBytes());
    equal(second.warnings, [], "warnings of the export");
    for (const store of [first, second]) {
      equal(store.count, upstream.live_vectors, "count");
      equal([store.dimension, store.metric], [upstream.dimension, upstream.metric]);
      checkQueries(store, upstream.queries);
      store.close();
    }
  };
}

function wasmMade(name) {
  return async ({ api, fixture }) => {
    const { upstream_wasm: answers } = await expected(fixture, name);
    const store = api.RvfStore.open(await fixture(name));
    equal([store.count, store.dimension], [answers.count, answers.dimension]);
    equal([store.metric, store.warnings], ["l2", ["MetricAssumed", "WasmLayout"]]);
    checkQueries(store, answers.queries_l2);
    store.close();
  };
}

/** A branch and its parent together answer as upstream does, and so does their export alone. */
function branch(name) {
  return async ({ api, fixture }) => {
    const { upstream } = await expected(fixture, name);
    const parent = await fixture("made_branch_parent.rvf");
    const first = api.RvfStore.open(await fixture(name), { parent });
    const second = api.RvfStore.open(first.toBytes());
    for (const store of [first, second]) {
      equal(store.warnings, []);
      checkQueries(store, upstream.queries);
      store.close();
    }
  };
}

function refused(name, codeName, parentName) {
  return async ({ api, fixture }) => {
    const bytes = await fixture(name);
    const options = parentName ? { parent: await fixture(parentName) } : {};
    await throws(api, codeName, () => api.RvfStore.open(bytes, options));
  };
}

export const upstream = {
  made_metric_l2: sound("made_metric_l2.rvf"),
  made_metric_inner_product: sound("made_metric_inner_product.rvf"),
  made_metric_cosine: sound("made_metric_cosine.rvf"),
  made_deletes: sound("made_deletes.rvf"),
  made_duplicate_ids: sound("made_duplicate_ids.rvf"),
  made_multi_ingest: sound("made_multi_ingest.rvf"),
  made_multi_session: sound("made_multi_session.rvf"),
  made_compacted_then_ingest: sound("made_compacted_then_ingest.rvf"),
  made_ties: sound("made_ties.rvf"),
  made_dim1536: sound("made_dim1536.rvf"),
  made_index_cosine_sparse_ids: sound("made_index_cosine_sparse_ids.rvf"),
  made_kernel: sound("made_kernel.rvf"),
  made_empty: sound("made_empty.rvf"),
  "agent_memory, by upstream's first writer": sound("agent_memory.rvf"),

  made_wasm_l2_20x16: wasmMade("made_wasm_l2_20x16.rvf"),
  made_wasm_deleted_10x4: wasmMade("made_wasm_deleted_10x4.rvf"),
  made_wasm_empty_dim4: wasmMade("made_wasm_empty_dim4.rvf"),

  "a metric that was not stored can be given": async ({ api, fixture }) => {
    const store = api.RvfStore.open(await fixture("made_wasm_cosine_3x2.rvf"), {
      metric: "cosine",
    });
    equal(store.metric, "cosine");
    const again = api.RvfStore.open(store.toBytes());
    equal([again.metric, again.query([1, 0], 3)], ["cosine", store.query([1, 0], 3)]);
    ok(store.query([1, 0], 1)[0].similarity <= 1, "a similarity");
    store.close();
    again.close();
  },

  "torn: the last byte is missing": sound("damaged_trunc_minus_1_byte.rvf", ["TornTail"]),
  "torn: inside the last vectors": sound("damaged_trunc_in_last_vec.rvf", ["TornTail"]),
  "torn: 100 bytes too many": sound("damaged_trailing_100.rvf", ["TornTail"]),
  "padded: 70,000 zeros at the end": sound("damaged_trailing_70000_zero.rvf"),

  "damaged: first vectors": refused("damaged_flip_first_vec_payload.rvf", "InvalidChecksum"),
  "damaged: last vectors": refused("damaged_flip_last_vec_payload.rvf", "InvalidChecksum"),
  "damaged: a zeroed hole": refused("damaged_hole_zeroed_vec.rvf", "InvalidChecksum"),
  "damaged: nothing left": refused("damaged_trunc_zero_bytes.rvf", "ManifestNotFound"),
  "damaged: a header only": refused("damaged_trunc_header_only_64.rvf", "ManifestNotFound"),

  "a branch that changed nothing": branch("made_branch_child_untouched.rvf"),
  "a branch with changes of its own": branch("made_branch_child_edited.rvf"),
  "a branch without its parent": refused("made_branch_orphan.rvf", "ParentNotFound"),
  "a branch with another parent": refused(
    "made_branch_child_edited.rvf",
    "LineageBroken",
    "made_metric_l2.rvf",
  ),
  "a branch with a branch for a parent": refused(
    "made_branch_orphan.rvf",
    "LineageBroken",
    "made_branch_child_edited.rvf",
  ),

  "bytes cut anywhere never trap": async ({ api, fixture }) => {
    const whole = await fixture("made_deletes.rvf");
    for (let size = 0; size < whole.length; size += 61) {
      try {
        api.RvfStore.open(whole.subarray(0, size)).close();
      } catch (error) {
        ok(error instanceof api.RvfError, `at ${size} bytes: ${error}`);
      }
    }
  },
};
