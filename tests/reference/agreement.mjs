import { DISTANCES } from "./distance.mjs";
import { queryVector } from "./random.mjs";
import { bruteForce } from "./topk.mjs";

const METRIC_NAMES = ["l2", "inner_product", "cosine"];
const RELATIVE = 1e-5;

// Two steps of a float32 at 1: what upstream's 1 - dot / norms can be off by when it is near 0.
const COSINE_FLOOR = 2 ** -22;

/**
 * Where an opened file and upstream's recorded answer part, in words. Distances are compared as
 * result_rule of expected.json says; ids only where neighbouring distances can be told apart.
 * @param {object} content answer of readRvf
 * @param {object} upstream `upstream` of a file in expected.json, with open "ok"
 * @returns {string[]} empty when they agree
 */
export function disagreements(content, upstream) {
  const pairs = [
    ["dimension", content.dimension, upstream.dimension],
    ["metric", METRIC_NAMES[content.metric], upstream.metric],
    ["epoch", content.epoch, upstream.epoch],
    ["profile", content.profile, upstream.profile_id],
    ["file id", content.fileId, upstream.file_id],
    ["parent id", content.parentId, upstream.parent_id],
    ["lineage depth", content.lineageDepth, upstream.lineage_depth],
    ["live vectors", content.rows.size, upstream.live_vectors],
  ];
  const fields = pairs
    .filter(([, ours, theirs]) => ours !== theirs)
    .map(([name, ours, theirs]) => `${name}: ${ours}, upstream ${theirs}`);
  if (content.dimension !== upstream.dimension) {
    return fields;
  }
  const answers = (upstream.queries ?? []).flatMap((query) =>
    answerDisagreements(content.rows, content.dimension, content.metric, query),
  );
  return [...fields, ...answers];
}

/**
 * Where the exact answer over some rows and one recorded answer part, in words. Our distances are
 * rounded to float32 first, as an answer holds them, so that what overflows there is Infinity.
 * @param {Map<bigint, Float32Array>} rows
 * @param {number} dimension
 * @param {0 | 1 | 2} metric
 * @param {{seed: number, k: number, results: {id: number, distance: number | string}[]}} query
 * @returns {string[]} empty when they agree
 */
export function answerDisagreements(rows, dimension, metric, { seed, k, results }) {
  const vector = queryVector(seed, dimension);
  const answered = (a, b) => Math.fround(DISTANCES[metric](a, b));
  const ranking = bruteForce(rows, vector, rows.size, answered);
  const ours = ranking.slice(0, k);
  if (ours.length !== results.length) {
    return [`seed ${seed}: ${ours.length} results, upstream ${results.length}`];
  }
  const close = (a, b) => same(a, b, metric);
  return results.flatMap((result, rank) => {
    const id = BigInt.asUintN(64, BigInt(result.id));
    const theirs = Number(result.distance);
    const row = rows.get(id);
    const apart = [rank - 1, rank + 1].every(
      (other) => !ranking[other] || !close(ranking[other].distance, ours[rank].distance),
    );
    const agrees =
      row !== undefined &&
      close(ours[rank].distance, theirs) &&
      close(answered(vector, row), theirs) &&
      (!apart || id === ours[rank].id);
    const mine = `${ours[rank].id} at ${ours[rank].distance}`;
    return agrees ? [] : [`seed ${seed} rank ${rank}: ${mine}, upstream ${id} at ${theirs}`];
  });
}

function same(ours, theirs, metric) {
  if (!Number.isFinite(ours) || !Number.isFinite(theirs)) {
    return ours === theirs;
  }
  const floor = metric === 2 ? COSINE_FLOOR : 0;
  return Math.abs(ours - theirs) <= RELATIVE * Math.abs(theirs) + floor;
}
