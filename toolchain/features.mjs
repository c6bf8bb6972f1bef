// What each feature of the store costs: bytes of code by source file, from the linker's map, before
// wasm-opt. Inlining does not cross files, so a function counts where it was written.

const features = [
  ["store: rows, ids, memory", ["store", "heap", "buffer"]],
  ["calls and handles", ["control", "handles", "inspect"]],
  ["exact search", ["search", "exact_distance"]],
  ["opening, manifests, salvage", ["open", "manifest", "segment", "vec_segment", "kept"]],
  ["content hashes", ["content_hash", "crc32", "xxh3", "sha256", "shake256", "simple_hash"]],
  ["commits, layers, images", ["commit", "layers", "segment_writer"]],
  ["metadata", ["metadata"]],
  ["filters", ["filter"]],
  ["lineage and branches", ["branch", "lineage", "cow"]],
  ["witnesses", ["witness"]],
  ["containers", ["container"]],
  ["signatures", ["signature"]],
  [
    "graph",
    ["beam", "hnsw", "hnsw_graph", "hnsw_links", "hnsw_repair", "hnsw_walk", "row_distance"],
  ],
  ["INDEX segments", ["index_segment"]],
  ["codes", ["sq8", "search_codes"]],
  ["the index", ["index", "search_index", "selection"]],
  ["vectors that stay outside", ["outside_rows"]],
];

/** Bytes by feature, those that are there, in the order above; what no feature has comes last. */
export function featureSizes(map) {
  const bySource = new Map();
  const entry = /^ +- +[0-9a-f]+ +([0-9a-f]+) +.*\/control\/(\w+)\.cpp\.obj:\(_?\w/gm;
  for (const [, size, source] of map.matchAll(entry)) {
    bySource.set(source, (bySource.get(source) ?? 0) + Number.parseInt(size, 16));
  }
  const sizes = [];
  for (const [feature, sources] of features) {
    const size = sources.reduce((sum, source) => sum + (bySource.get(source) ?? 0), 0);
    for (const source of sources) bySource.delete(source);
    if (size > 0) sizes.push({ feature, size });
  }
  for (const [feature, size] of bySource) sizes.push({ feature, size });
  return sizes;
}
