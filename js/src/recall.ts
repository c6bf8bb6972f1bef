// How much of the exact answer the graph finds.

import { invalid, shown } from "./bytes.js";
import { queryMany } from "./query.js";
import type { Session } from "./session.js";
import type { Hits, QueryOptions, RecallOptions, StoreStatus, Vector } from "./types.js";

const largestEf = 1024;

/** Of `exact`, the share that `found` has: hits that are no farther than the last exact one. */
function share(exact: readonly Hits[], found: readonly Hits[]): number {
  let [wanted, there] = [0, 0];
  for (const [i, hits] of exact.entries()) {
    const farthest = hits.at(-1)?.distance ?? 0;
    wanted += hits.length;
    there += found[i]?.filter(({ distance }) => distance <= farthest).length ?? 0;
  }
  return wanted === 0 ? 1 : there / wanted;
}

/** What RvfStore.measureRecall does. */
export function measureRecall(
  session: Session,
  status: StoreStatus,
  queries: Vector | ArrayLike<Vector>,
  k: number,
  { ef, filter }: RecallOptions,
): number {
  const common: QueryOptions = filter === undefined ? {} : { filter };
  const options: QueryOptions = { ...common, mode: "hnsw", ...(ef !== undefined && { ef }) };
  const found = queryMany(session, status, queries, k, options);
  return share(queryMany(session, status, queries, k, common), found);
}

/** What RvfStore.calibrateEf does. */
export function calibrateEf(
  session: Session,
  status: StoreStatus,
  queries: Vector | ArrayLike<Vector>,
  k: number,
  recall: number,
): number | undefined {
  if (!(typeof recall === "number" && recall > 0 && recall <= 1)) {
    throw invalid(`The recall is ${shown(recall)}; give a number above 0, of 1 at most.`);
  }
  const exact = queryMany(session, status, queries, k, {});
  const reaches = (ef: number) =>
    share(exact, queryMany(session, status, queries, k, { mode: "hnsw", ef })) >= recall;
  // Below k, ef means k.
  const most = Math.max(k, largestEf);
  let [low, high] = [k - 1, k];
  while (!reaches(high)) {
    if (high === most) return undefined;
    [low, high] = [high, Math.min(2 * high, most)];
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (reaches(middle)) high = middle;
    else low = middle;
  }
  return high;
}
