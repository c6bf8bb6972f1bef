// The hub (host/hub/hub.h) compiled to WebAssembly. Runs wherever JavaScript does; what is particular to
// Node, browsers and others is handed over by the caller.

/**
 * `create` is the default export of rvf_hub.mjs, `wasm` the bytes of rvf_hub.wasm, both from the build.
 * @returns {Promise<Hub>}
 */
export async function loadHub({ create, wasm }) {
  return new Hub(await create({ wasmBinary: wasm }));
}

class Hub {
  #module;

  constructor(module) {
    this.#module = module;
  }

  /**
   * Runs all queries. Throws a TypeError when `data` is not as described; everything else that is wrong,
   * with the scenario too, is `report.error`.
   *
   * @param {string} scenario the text of a scenario file (docs/simulator.md)
   * @param {object} data
   * @param {number} data.dimension
   * @param {BigUint64Array} data.ids
   * @param {Float32Array} data.rows row after row, in the order of the ids
   * @param {Float32Array[]} data.queries
   * @param {{ entry: number, lists: number[][][] }} [data.graph] for mode "graph": HNSW over row numbers,
   *   lists[row][layer]
   * @param {import("./tiles.mjs").Tiles} tiles
   * @returns {{ report: object, answers: { id: bigint, distance: number }[][], log: string }} `report` has
   *   the fields of Report (host/hub/hub.h), `answers` one list per query, `log` one line per event
   */
  run(scenario, data, tiles) {
    if (typeof scenario !== "string")
      throw new TypeError("scenario must be the text of a JSON object");
    return unpacked(this.#module.run(scenario, checked(data), tiles));
  }

  /** The case of a seed (host/hub/soak.h). Needs up to 24 tiles. */
  runRandom(seed, tiles) {
    return unpacked(this.#module.runRandom(seed, tiles));
  }
}

function checked({ dimension, ids, rows, queries, graph }) {
  const isRow = (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32;
  const need = (fine, what) => {
    if (!fine) throw new TypeError(what);
  };
  need(
    Number.isInteger(dimension) && dimension >= 0 && dimension < 2 ** 16,
    "dimension must be a whole number",
  );
  need(ids instanceof BigUint64Array, "ids must be a BigUint64Array");
  need(rows instanceof Float32Array, "rows must be a Float32Array");
  need(rows.length === ids.length * dimension, "rows must hold `dimension` numbers per id");
  const areQueries =
    Array.isArray(queries) && queries.every((each) => each instanceof Float32Array);
  need(areQueries, "queries must be an array of Float32Array");
  if (graph !== undefined) {
    need(isRow(graph?.entry), "graph.entry must be the number of a row");
    const areLists =
      Array.isArray(graph.lists) &&
      graph.lists.every(
        (layers) =>
          Array.isArray(layers) && layers.every((list) => Array.isArray(list) && list.every(isRow)),
      );
    need(areLists, "graph.lists must hold, per row and layer, an array of row numbers");
  }
  const idHalves = new Uint32Array(ids.buffer, ids.byteOffset, 2 * ids.length);
  return { dimension, idHalves, rows, queries, graph };
}

function unpacked({ report, log, counts, ids, distances }) {
  const wide = new BigUint64Array(ids.buffer);
  let at = 0;
  const answers = Array.from(counts, (count) =>
    Array.from({ length: count }, () => {
      const answer = { id: wide[at], distance: distances[at] };
      at++;
      return answer;
    }),
  );
  return { report: JSON.parse(report), answers, log };
}
