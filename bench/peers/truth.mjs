// Recall against brute force in double precision.
import { K } from "./settings.mjs";

function squaredDistance(a, b) {
  let sum = 0;
  for (let d = 0; d < a.length; d++) {
    const difference = a[d] - b[d];
    sum += difference * difference;
  }
  return sum;
}

/** The K smallest values that it is shown. */
class Smallest {
  #values = [];

  show(value) {
    const values = this.#values;
    if (values.length === K && value >= values[K - 1]) return;
    let at = values.length;
    while (at > 0 && values[at - 1] > value) at--;
    values.splice(at, 0, value);
    if (values.length > K) values.pop();
  }
  get count() {
    return this.#values.length;
  }
  get worst() {
    return this.#values.at(-1);
  }
}

/** Answers `recall(answers, limit)`, of the first queries of a set among rows of a rank below `limit`. */
export function bruteForce(set, limits) {
  const { rows, queries, ranks } = set;
  const vectors = Array.from({ length: rows }, (_, row) => set.row(row));
  const nearest = new Map(limits.map((limit) => [limit, []]));
  for (let q = 0; q < queries; q++) {
    const query = set.query(q);
    const smallest = limits.map(() => new Smallest());
    for (let row = 0; row < rows; row++) {
      const distance = squaredDistance(vectors[row], query);
      for (let i = 0; i < limits.length; i++) {
        if (ranks[row] < limits[i]) smallest[i].show(distance);
      }
    }
    limits.forEach((limit, i) => {
      nearest.get(limit).push(smallest[i]);
    });
  }
  /** Rows at the same distance as the last one of the true answer are as good as it. */
  const isFound = (id, q, limit) =>
    id < rows &&
    ranks[id] < limit &&
    squaredDistance(vectors[id], set.query(q)) <= nearest.get(limit)[q].worst;
  return (answers, limit) => {
    let [found, all] = [0, 0];
    answers.forEach((ids, q) => {
      const { count } = nearest.get(limit)[q];
      found += Math.min([...new Set(ids)].filter((id) => isFound(id, q, limit)).length, count);
      all += count;
    });
    return found / all;
  };
}
