// Measures the engines on one set: everything alternates between them in rounds, and the best counts.
import { EngineProcess } from "./processes.mjs";
import {
  EXACT_QUERIES,
  FILTER_QUERIES,
  FILTER_RECALL,
  K,
  LEAST_SECONDS,
  RECALLS,
  SHARES,
} from "./settings.mjs";

const MOST_EF = 1280;
const LEAST_OPEN_RECALL = 0.5; // of one query

export const limitsOf = (set) => SHARES.map((share) => Math.round(share * set.rows));

/** A search that is timed: what is asked for, its recall and the best seconds of a query. */
class Cell {
  seconds = Number.POSITIVE_INFINITY;

  constructor(engine, request, { ef, recall }) {
    Object.assign(this, { engine, request, ef, recall });
  }
  async time() {
    const [kind, limit, queries] = this.request;
    const { seconds } = await this.engine.ask("time", kind, this.ef, limit, queries, LEAST_SECONDS);
    this.seconds = Math.min(this.seconds, seconds);
  }
}

/** Answers the recall of `engine` for an ef, measured once. */
function recallOf(engine, recall, [kind, limit, queries]) {
  const known = new Map();
  return async (ef) => {
    if (!known.has(ef)) {
      const { ids } = await engine.ask("ids", kind, ef, limit, queries);
      known.set(ef, recall(ids, limit));
    }
    return { ef, recall: known.get(ef) };
  };
}

/** The first ef of a doubling ladder that reaches a recall, or the last; and the one before. */
async function climb(at, least) {
  let below;
  let point = await at(K);
  while (point.recall < least && point.ef < MOST_EF) {
    below = point;
    point = await at(2 * point.ef);
  }
  return { below, point };
}

/** The smallest ef that reaches a recall; undefined when none does. */
async function smallestEf(at, least) {
  let { below, point } = await climb(at, least);
  if (point.recall < least) return undefined;
  while (below && point.ef - below.ef > 1) {
    const middle = await at(Math.floor((below.ef + point.ef) / 2));
    if (middle.recall >= least) point = middle;
    else below = middle;
  }
  return point;
}

/** What is timed of an engine: a cell or undefined for each recall, exact search and each filter. */
async function cellsOf(engine, set, recall) {
  const { rows, queries } = set;
  const can = (kind) => engine.can.includes(kind);
  const cell = (request, point) => point && new Cell(engine, request, point);
  const byEf = new Map(); // both recalls at one ef are one cell
  const cells = { graph: [], filtered: [] };
  if (can("search")) {
    const request = ["search", rows, queries];
    const at = recallOf(engine, recall, request);
    for (const least of RECALLS) {
      const point = await smallestEf(at, least);
      if (!byEf.has(point?.ef)) byEf.set(point?.ef, cell(request, point));
      cells.graph.push(byEf.get(point?.ef));
    }
  }
  if (can("exact")) {
    const request = ["exact", rows, EXACT_QUERIES];
    cells.exact = cell(request, await recallOf(engine, recall, request)(K));
  }
  if (can("filtered")) {
    for (const limit of limitsOf(set)) {
      const request = ["filtered", limit, FILTER_QUERIES];
      const { point } = await climb(recallOf(engine, recall, request), FILTER_RECALL);
      cells.filtered.push(cell(request, point));
    }
  }
  return cells;
}

/** Starts an engine and builds; a result says what became of it. */
async function built(engine, set, result) {
  const process = await EngineProcess.start(engine, set);
  const { name, kind, can } = process;
  const { seconds } = await process.ask("build");
  Object.assign(result, { name, kind, hasGraph: can.includes("search") });
  result.build = Math.min(result.build ?? Number.POSITIVE_INFINITY, seconds);
  result.memory ??= await process.ask("memory");
  return process;
}

/** Saves, or opens once: `result.open` is the best seconds, or NaN when opening fails. */
async function open(process, result, isRight, round) {
  if (!process.can.includes("open") || Number.isNaN(result.open)) return;
  try {
    if (round === 0) await process.ask("save");
    const { seconds, ids } = await process.ask("open");
    result.open = isRight(ids) ? Math.min(result.open ?? seconds, seconds) : Number.NaN;
    if (!process.can.includes("copy")) return;
    const copy = await process.ask("copy");
    result.copy = Math.min(result.copy ?? copy.seconds, copy.seconds);
  } catch {
    result.open = Number.NaN;
  }
}

/**
 * Results of `engines` on a set, in their order. An engine that is absent or fails has `failed`, the
 * reason, instead.
 */
export async function measure(engines, set, recall, progress) {
  const results = engines.map(({ adapter, name = adapter }) => ({ adapter, name }));
  const processes = new Map();
  const each = async (what, step) => {
    for (const [i, result] of results.entries()) {
      if (result.failed) continue;
      progress(`${set.name}: ${what}, ${result.name}`);
      try {
        await step(result, engines[i], processes.get(result));
      } catch (error) {
        result.failed = error.message;
        await processes.get(result)?.stop();
      }
    }
  };
  for (let build = 0; build < set.builds; build++) {
    await each("build", async (result, engine, previous) => {
      await previous?.stop();
      processes.set(result, await built(engine, set, result));
    });
  }
  await each("recall", async (result, _, process) => {
    result.cells = await cellsOf(process, set, recall);
  });
  for (let round = 0; round < set.rounds; round++) {
    await each(`round ${round + 1}`, async (result) => {
      const { graph, exact, filtered } = result.cells;
      for (const cell of new Set([...graph, exact, ...filtered])) await cell?.time();
    });
  }
  // At last: an engine need not search any more when it has saved.
  for (let round = 0; round < set.rounds; round++) {
    await each(`open, round ${round + 1}`, (result, _, process) =>
      open(process, result, (ids) => recall(ids, set.rows) >= LEAST_OPEN_RECALL, round),
    );
  }
  for (const process of processes.values()) await process.stop();
  return results;
}
