// The results as Markdown.
import { RECALLS, SHARES } from "./settings.mjs";

const NONE = "-";

export const whole = (value) => Math.round(value).toLocaleString("en");

function table(head, rows) {
  console.log(`| ${head.join(" | ")} |`);
  console.log(`|${head.map((_, i) => (i ? "---:" : "---")).join("|")}|`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
}

const rate = (cell) => whole(1 / cell.seconds);
const recallText = (recall) => `R${(Math.floor(recall * 1000) / 1000).toFixed(3)}`;
const milliseconds = (seconds) => (seconds * 1e3).toFixed(seconds < 0.01 ? 2 : 1);

/** Rate, ef and recall; `never` when the recall is not reached, NONE where there is no such search. */
function graphCell(result, i) {
  if (!result.hasGraph) return NONE;
  const cell = result.cells.graph[i];
  return cell ? `${rate(cell)} @${cell.ef} ${recallText(cell.recall)}` : "never";
}

function exactCell({ cells: { exact } }) {
  if (!exact) return NONE;
  return exact.recall > 0.999 ? rate(exact) : `${rate(exact)} ${recallText(exact.recall)}`;
}

const buildCell = (set, { hasGraph, build }) => (hasGraph ? whole(set.rows / build) : NONE);

function openCell({ open, copy }) {
  if (open === undefined) return NONE;
  if (Number.isNaN(open)) return "fails";
  return copy ? `${milliseconds(open)} (copy ${milliseconds(copy)})` : milliseconds(open);
}

const present = (results) => results.filter(({ failed }) => !failed);

export function printSet(set, results) {
  const engines = present(results);
  console.log(`\n### ${set.name}\n`);
  table(
    [
      "",
      "build, vectors/s",
      ...RECALLS.map((recall) => `QPS, recall >= ${recall}`),
      "exact, QPS",
      `bytes per vector (${4 * set.dimension} of f32)`,
      "open, CPU ms",
    ],
    engines.map((result) => [
      `${result.name}, ${result.kind}`,
      buildCell(set, result),
      ...RECALLS.map((_, i) => graphCell(result, i)),
      exactCell(result),
      `${whole(result.memory.bytes / set.rows)}${result.kind === "native" ? " RSS" : ""}`,
      openCell(result),
    ]),
  );
  const filtering = engines.filter(({ cells }) => cells.filtered.length > 0);
  if (filtering.length === 0) return;
  console.log("");
  table(
    ["filtered, QPS", ...SHARES.map((share) => `${share * 100} %`)],
    filtering.map(({ name, cells }) => [
      name,
      ...cells.filtered.map((cell) => `${rate(cell)} ${recallText(cell.recall)}`),
    ]),
  );
}

/** All sets in one table, for quoting. */
export function printSummary(sets) {
  const names = [...new Set(sets.flatMap(({ results }) => present(results).map((r) => r.name)))];
  const of = (name, { results }) => present(results).find((result) => result.name === name);
  const pair = (cells) => (cells.every((cell) => cell === NONE) ? NONE : cells.join(" / "));
  const both = (result) => {
    if (!result?.hasGraph) return NONE;
    return result.cells.graph.map((cell) => (cell ? rate(cell) : "never")).join(" / ");
  };
  console.log("\n### All sets\n");
  const order = sets.map(({ set }) => `${set.rows.toLocaleString("en")} x ${set.dimension}`);
  table(
    [
      "",
      ...order.map((name) => `${name}, recall >= ${RECALLS.join(" / ")}`),
      `build, vectors/s, ${order.join(" / ")}`,
      `exact, ${order.join(" / ")}`,
    ],
    names.map((name) => {
      const mine = sets.map((one) => of(name, one));
      return [
        name,
        ...mine.map(both),
        pair(mine.map((result, i) => (result ? buildCell(sets[i].set, result) : NONE))),
        pair(mine.map((result) => (result ? exactCell(result) : NONE))),
      ];
    }),
  );
}

/** How many times as fast our engine is as each other one. */
export function printRatios(sets) {
  const columns = ["build", ...RECALLS.map((recall) => `>= ${recall}`), "exact"];
  const speeds = ({ hasGraph, build, cells: { graph, exact } }) => [
    hasGraph ? 1 / build : undefined,
    ...RECALLS.map((_, i) => (graph[i] ? 1 / graph[i].seconds : undefined)),
    exact && 1 / exact.seconds,
  ];
  const times = (a, b) => (a && b ? `${(a / b).toFixed(2)}x` : NONE);
  for (const { set, results } of sets) {
    const [ours, ...peers] = results;
    if (ours.adapter !== "ours" || ours.failed || present(peers).length === 0) continue;
    console.log(`\n### ${ours.name} against the others, ${set.name}\n`);
    const our = speeds(ours);
    table(
      ["", ...columns],
      present(peers).map((peer) => [
        peer.name,
        ...speeds(peer).map((speed, i) => times(our[i], speed)),
      ]),
    );
  }
}

export function printFailures(sets) {
  for (const { set, results } of sets) {
    for (const { name, failed } of results) {
      if (failed) console.log(`\nAbsent on ${set.name}: ${name}: ${failed.split("\n")[0]}`);
    }
  }
}
