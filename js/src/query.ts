// Searching: the query and its filter go in, hits come out.

import { withRows } from "./among.js";
import { invalid, shown } from "./bytes.js";
import { visitRows } from "./entries.js";
import { check } from "./errors.js";
import { compileFilter } from "./filter.js";
import { decodeId } from "./ids.js";
import { copyOut, withCopies } from "./memory.js";
import { metricCode, metrics } from "./metric.js";
import { toIds } from "./names.js";
import { decodeRecord } from "./records.js";
import type { Session } from "./session.js";
import type { Hit, Hits, Metric, NumericId, QueryOptions, StoreStatus, Vector } from "./types.js";
import { checkFinite, toVector } from "./vectors.js";

const hitBytes = 12;

function similarityOf(metric: Metric | undefined, distance: number): { similarity?: number } {
  if (metric === "cosine") return { similarity: 1 - distance };
  return metric === "inner_product" ? { similarity: -distance } : {};
}

const notFiniteRows = 32;

/** What RvfStore.query does; `status` is the store's. */
export function query(
  session: Session,
  status: StoreStatus,
  vector: Vector,
  k: number,
  options: QueryOptions,
): Hits {
  const { wasm, handle, names, fields } = session;
  const { dimension, metric, count } = status;
  const floats = toVector(vector, dimension, "The query");
  const override = metricCode(options.metric);
  if (!Number.isInteger(k) || k < 1) {
    throw invalid(`k is ${shown(k)}; give the number of hits wanted, an integer of at least 1.`);
  }
  const among = options.ids && names.labelsOf(toIds(options.ids));
  const allFinite = (check(wasm.rvf_store_warnings(handle)) & notFiniteRows) === 0;
  const filter = compileFilter(options.filter, fields, allFinite ? undefined : among);
  const most = Math.min(k, Math.max(allFinite && among ? among.length : count, 1));
  const search = (searched: number) =>
    withCopies(wasm, [floats, filter], [most * hitBytes], (queryPtr, filterPtr, out) => {
      const source = [queryPtr, most, override, filterPtr, filter.length, out] as const;
      const status = wasm.rvf_store_search(searched, ...source);
      const found = checkFinite(status, floats, dimension, () => "the query");
      return new DataView(copyOut(wasm, out, found * hitBytes).buffer);
    });
  const view =
    allFinite && among
      ? withRows(session, dimension, metrics.indexOf(metric), among, search)
      : search(handle);
  const by = override < 0 ? metric : metrics[override];
  return toHits(session, view, by, k, options);
}

/** The hits of a search. */
function toHits(
  session: Session,
  view: DataView,
  metric: Metric | undefined,
  k: number,
  { includeMetadata }: QueryOptions,
): Hits {
  const { names, fields } = session;
  const labels = Array.from({ length: view.byteLength / hitBytes }, (_, i) =>
    decodeId(view, i * hitBytes),
  );
  const entries = new Map<NumericId, Uint8Array>();
  if (includeMetadata || names.unread) {
    visitRows(session, labels, (label, read) => entries.set(label, read));
  }
  const hits = labels.map((label, i): Hit => {
    const distance = view.getFloat32(i * hitBytes + 8, true);
    const own = entries.get(label);
    const hit: Hit = { id: names.idOf(label, own), distance, ...similarityOf(metric, distance) };
    if (includeMetadata) hit.metadata = decodeRecord(own ?? new Uint8Array(0), fields);
    return hit;
  });
  // Not enumerable, so that hits are printed, compared and sent as the list that they are.
  return Object.defineProperty(hits, "exhausted", { value: hits.length < k }) as Hits;
}
