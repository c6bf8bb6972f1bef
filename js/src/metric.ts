// Metrics between their names and the codes of the module.

import { RvfError, RvfErrorCode } from "./errors.js";
import type { Metric, MetricName } from "./types.js";

/** The names by code. */
export const metrics: readonly Metric[] = ["l2", "inner_product", "cosine"];

const codes = new Map<unknown, number>([
  ...metrics.map((name, code): [string, number] => [name, code]),
  ["L2", 0],
  ["InnerProduct", 1],
  ["ip", 1],
  ["dotproduct", 1],
  ["Cosine", 2],
]);

/** The code of a metric name; -1, "as stored", for undefined. Throws MetricUnsupported. */
export function metricCode(name: MetricName | undefined): number {
  if (name === undefined) return -1;
  const code = codes.get(name);
  if (code === undefined) {
    throw new RvfError(
      RvfErrorCode.MetricUnsupported,
      `There is no metric ${JSON.stringify(name)}; use "l2", "inner_product" or "cosine".`,
    );
  }
  return code;
}
