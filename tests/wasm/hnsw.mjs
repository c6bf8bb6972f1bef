import { l2 } from "../reference/distance.mjs";

/**
 * A small HNSW graph over vectors, built in plain JavaScript for the tests of the tile's navigation.
 * @param {ArrayLike<number>[]} vectors
 * @param {{m: number, construction: number, random: {float: (low: number, high: number) => number}}}
 *   options m: most neighbours of a node on an upper layer, twice that on layer 0; construction: beam
 * @returns {{entry: number, top: number, neighbors: number[][][]}} neighbors[layer][node]
 */
export function buildGraph(vectors, { m, construction, random }) {
  const between = (a, b) => l2(vectors[a], vectors[b]);
  const neighbors = [];
  let entry = 0;
  let top = -1;
  vectors.forEach((_, node) => {
    const level = Math.floor(-Math.log(random.float(2 ** -24, 1)) / Math.log(m));
    for (let layer = neighbors.length; layer <= level; layer++) neighbors.push([]);
    let near = [entry];
    for (let layer = top; layer > level; layer--) {
      near = searchLayer(neighbors[layer], near, 1, (other) => between(node, other));
    }
    for (let layer = level; layer >= 0; layer--) {
      const most = layer === 0 ? 2 * m : m;
      const layerOf = neighbors[layer];
      layerOf[node] = [];
      if (layer > top) continue;
      near = searchLayer(layerOf, near, construction, (other) => between(node, other));
      layerOf[node] = diverse(node, near, m, between);
      for (const other of layerOf[node]) {
        layerOf[other].push(node);
        if (layerOf[other].length > most) {
          layerOf[other] = diverse(other, layerOf[other], most, between);
        }
      }
    }
    if (level > top) [entry, top] = [node, level];
  });
  return { entry, top, neighbors };
}

/** The `beam` nearest nodes that a best-first search from some nodes finds on a layer. */
function searchLayer(layerOf, from, beam, distance) {
  const nearer = (a, b) => a.distance - b.distance;
  const seen = new Set(from);
  const found = from.map((node) => ({ node, distance: distance(node), expanded: false }));
  found.sort(nearer);
  for (;;) {
    const next = found.find((candidate) => !candidate.expanded);
    if (!next) return found.map(({ node }) => node);
    next.expanded = true;
    for (const node of layerOf[next.node]) {
      if (seen.has(node)) continue;
      seen.add(node);
      found.push({ node, distance: distance(node), expanded: false });
    }
    found.sort(nearer).splice(beam);
  }
}

/** Neighbours that are nearer to the node than to each other, filled up with the nearest others. */
function diverse(node, candidates, most, between) {
  const sorted = [...new Set(candidates)]
    .filter((other) => other !== node)
    .sort((a, b) => between(node, a) - between(node, b));
  const chosen = [];
  for (const other of sorted) {
    if (chosen.length === most) break;
    if (chosen.every((kept) => between(other, kept) > between(other, node))) chosen.push(other);
  }
  return [...chosen, ...sorted.filter((other) => !chosen.includes(other))].slice(0, most);
}
