import { randomSource } from "../reference/random.mjs";

const FAULTS = [
  "out_of_bounds",
  "unreachable",
  "exhaust_stack",
  "loop_forever",
  "flip_bits",
  "write_red_zone",
  "lose",
  "duplicate",
  "delay",
  "corrupt",
  "wrong_id",
  "tile_dies",
  "all_tiles_die",
];
const MODES = ["blocks", "graph"];
const DTYPES = ["f16", "i8", "f32"];
const METRICS = ["l2", "inner_product", "cosine"];
const SEEDS = 24;

/** Each endless loop takes a Worker and its real time; a run that dies wholly dies once. */
const MOST = { loop_forever: 1, all_tiles_die: 1, tile_dies: 2 };

const pick = (list, number) => list[number % list.length];

/** Links at random, layers as in a skip list. */
function randomGraph(random, rows) {
  const heights = Array.from(
    { length: rows },
    () => 1 + (random.int(0, 3) === 0) + (random.int(0, 15) === 0),
  );
  const lists = heights.map((height, row) =>
    Array.from({ length: height }, (_, layer) => {
      const links = Array.from({ length: layer === 0 ? 12 : 6 }, () => random.int(0, rows - 1));
      return [...new Set(links)].filter((other) => other !== row && heights[other] > layer);
    }),
  );
  return { entry: heights.indexOf(Math.max(...heights)), lists };
}

/** Vectors, ids beyond what a number of JavaScript holds, queries and, to walk it, a graph. */
function randomData(random, { mode, rows, dimension }) {
  return {
    dimension,
    ids: BigUint64Array.from({ length: rows }, (_, row) => BigInt(row) * 3n + 2n ** 60n),
    rows: random.floats(rows * dimension),
    queries: Array.from({ length: 2 }, () => random.floats(dimension)),
    ...(mode === "graph" && { graph: randomGraph(random, rows) }),
  };
}

/**
 * What the hub is asked in both engines: fault-free, every fault alone, all faults at once, and the
 * random cases of host/hub/soak.h. `faults` are the names of those that must strike.
 */
export function* cases() {
  let number = 0;
  const made = (name, mode, faults) => {
    number++;
    const random = randomSource(number);
    const dtype = pick(DTYPES, number);
    const profile = mode === "blocks" && number % 4 === 0 ? "core" : "hot";
    const scenario = {
      ...{ seed: number, tiles: 1 + random.int(1, 15), profile, mode, dtype },
      ...{ metric: pick(METRICS, random.int(0, 2)), k: random.int(1, 16), faults },
    };
    const size = { mode, rows: random.int(200, 400), dimension: random.int(17, 96) };
    const struck = faults.filter(({ rate }) => rate > 0.1).map((fault) => fault.name);
    return { name: `${name}, ${mode}, ${dtype}`, scenario, data: randomData(random, size), struck };
  };
  for (const mode of MODES) {
    for (const _ of DTYPES) yield made("no fault", mode, []);
    for (const name of FAULTS) {
      yield made(name, mode, [{ name, rate: 0.2, count: MOST[name] ?? 20 }]);
    }
    for (const _ of DTYPES) {
      const mixed = FAULTS.map((name) => ({ name, rate: 0.02, count: MOST[name] ?? 20 }));
      yield made("all faults", mode, mixed);
    }
  }
  for (let seed = 1; seed <= SEEDS; seed++) yield { name: `random case ${seed}`, seed, struck: [] };
}

/** A case as a line for the native program. */
export function lineOf({ seed, scenario, data }) {
  if (seed) return JSON.stringify({ seed });
  return JSON.stringify({
    scenario,
    ...data,
    ids: Array.from(data.ids, String),
    rows: [...data.rows],
    queries: data.queries.map((query) => [...query]),
  });
}
