// Searching: queries and their filter go in, hits come out.

import { withRows } from "./among.js";
import { invalid, shown } from "./bytes.js";
import { visitRows } from "./entries.js";
import { check } from "./errors.js";
import { compileFilter } from "./filter.js";
import { decodeId } from "./ids.js";
import { copyOut, withCopies } from "./memory.js";
import { metricCode, metrics } from "./metric.js";
import { isSearchModule } from "./module.js";
import { toIds } from "./names.js";
import { decodeRecord } from "./records.js";
import { efFor, hasIndex, integer, maxU32 } from "./search_index.js";
import type { Session, StoreRef } from "./session.js";
import type { Hit, Hits, Metric, NumericId, QueryOptions, StoreStatus, Vector } from "./types.js";
import { checkFinite, toQueries, toVector } from "./vectors.js";

export const hitBytes = 12;

/** What is larger the nearer a vector is, where the metric has such a number. */
export function similarityOf(
  metric: Metric | undefined,
  distance: number,
): { similarity?: number } {
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
  const floats = toVector(vector, status.dimension, "The query");
  const [hits] = search(session, status, floats, k, options, () => "the query");
  return hits as Hits;
}

/** What RvfStore.queryMany does. */
export function queryMany(
  session: Session,
  status: StoreStatus,
  vectors: Vector | ArrayLike<Vector>,
  k: number,
  options: QueryOptions,
): Hits[] {
  const floats = toQueries(vectors, status.dimension);
  return search(session, status, floats, k, options, (row) => `query ${row}`);
}

/** The hits of each of the queries that lie one after the other in `floats`. */
function search(
  session: Session,
  status: StoreStatus,
  floats: Float32Array,
  k: number,
  options: QueryOptions,
  nameOf: (row: number) => string,
): Hits[] {
  const { wasm, handle, names, fields } = session;
  const { dimension, metric } = status;
  const override = metricCode(options.metric);
  const by = override < 0 ? metric : metrics[override];
  if (!Number.isInteger(k) || k < 1) {
    throw invalid(`k is ${shown(k)}; give the number of hits wanted, an integer of at least 1.`);
  }
  const ef = efFor(session, status, k, by === metric, options);
  const work = options.workLimit ?? 0;
  if (options.workLimit !== undefined) integer(work, "workLimit", 1, maxU32);
  const among = options.ids === undefined ? undefined : names.labelsOf(toIds(options.ids));
  const isCopied = !hasIndex(session) && !(check(wasm.rvf_store_warnings(handle)) & notFiniteRows);
  const filter = compileFilter(options.filter, fields, isCopied ? undefined : among);
  const count = floats.length / dimension;
  if (count === 0) return [];
  const asked = { floats, count, k, metric: override, filter, ef: among ? 0 : ef, work };
  const answers =
    isCopied && among
      ? withRows(session, dimension, metrics.indexOf(metric), among, (rows) =>
          ask({ wasm, handle: rows }, asked, nameOf),
        )
      : ask(session, asked, nameOf);
  return answers.map((answer) => toHits(session, answer, by, k, options));
}

/** Queries as the module takes them. */
interface Asked {
  readonly floats: Float32Array;
  readonly count: number;
  readonly k: number;
  readonly metric: number;
  readonly filter: Uint8Array<ArrayBuffer>;
  readonly ef: number;
  readonly work: number;
}

/** Hits as the module writes them. */
interface Answer {
  readonly view: DataView;
  readonly partial: boolean;
}

const partialBit = 0x8000_0000;

/** The answers to each query. */
function ask(
  { wasm, handle }: StoreRef,
  { floats, count, k, metric, filter, ef, work }: Asked,
  nameOf: (row: number) => string,
): Answer[] {
  const most = Math.min(k, Math.max(check(wasm.rvf_store_count(handle)), 1));
  const dimension = floats.length / count;
  const stride = most * hitBytes;
  const finite = (status: number) => checkFinite(status, floats, dimension, nameOf);
  const sizes = [count * stride, count * 4];
  return withCopies(wasm, [floats, filter], sizes, (queries, program, out, found) => {
    const condition = [program, filter.length] as const;
    const answer = (i: number, hits: number, partial: boolean) => {
      const view = new DataView(copyOut(wasm, out + i * stride, hits * hitBytes).buffer);
      return { view, partial };
    };
    if (!isSearchModule(wasm)) {
      return Array.from({ length: count }, (_, i) => {
        const one = queries + i * dimension * 4;
        const source = [one, most, metric, ...condition, out + i * stride] as const;
        return answer(i, finite(wasm.rvf_store_search(handle, ...source)), false);
      });
    }
    const source = [queries, count, most, metric, ef, work, ...condition, out, found] as const;
    finite(wasm.rvf_index_search(handle, ...source));
    const counts = new DataView(copyOut(wasm, found, count * 4).buffer);
    return Array.from({ length: count }, (_, i) => {
      const hits = counts.getUint32(4 * i, true);
      return answer(i, hits % partialBit, hits >= partialBit);
    });
  });
}

/** The hits of a search. */
function toHits(
  session: Session,
  { view, partial }: Answer,
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
  return asHits(hits, k, partial);
}

/** The answers to a query for `k`. */
export function asHits(hits: Hit[], k: number, partial: boolean): Hits {
  // Not enumerable, so that hits are printed, compared and sent as the list that they are.
  return Object.defineProperties(hits, {
    exhausted: { value: hits.length < k && !partial },
    partial: { value: partial },
  }) as Hits;
}
