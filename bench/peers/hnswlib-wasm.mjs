// hnswlib-wasm, which is built for browsers: it runs in Node behind a `window`, but cannot save
// without IndexedDB.
import { packageFile, versionOf } from "./packages.mjs";
import { EF_CONSTRUCTION, K, M } from "./settings.mjs";

export async function make(set) {
  globalThis.window = globalThis;
  const { loadHnswlib } = await import(packageFile("hnswlib-wasm", "dist/hnswlib.js"));
  const library = await loadHnswlib();
  const graph = new library.HierarchicalNSW("l2", set.dimension, "");
  let all;

  /** The rows once more, for the scan. */
  const rows = () => {
    if (!all) {
      all = new library.BruteforceSearch("l2", set.dimension);
      all.initIndex(set.rows);
      for (let i = 0; i < set.rows; i++) all.addPoint(set.row(i), i);
    }
    return all;
  };

  return {
    name: `hnswlib-wasm ${versionOf("hnswlib-wasm")}`,
    kind: "wasm",

    build() {
      graph.initIndex(set.rows, M, EF_CONSTRUCTION, 100);
      for (let i = 0; i < set.rows; i++) graph.addPoint(set.row(i), i, false);
    },

    search(query, ef) {
      graph.setEfSearch(ef);
      return graph.searchKnn(query, K, undefined).neighbors;
    },

    exact: (query) => rows().searchKnn(query, K, undefined).neighbors,

    filtered(query, ef, limit) {
      graph.setEfSearch(ef);
      return graph.searchKnn(query, K, (label) => set.ranks[label] < limit).neighbors;
    },

    memory: () => library.HEAPU8.length,
  };
}
