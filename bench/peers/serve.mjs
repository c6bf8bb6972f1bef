// An engine in a process of its own. Reads a request a line, answers with a line of JSON each.
// usage: node --expose-gc bench/peers/serve.mjs ENGINE SET_FOLDER
//
//   hello                              its name, and what it can do
//   build                              seconds
//   memory                             bytes for all rows, and what was counted
//   ids KIND EF LIMIT QUERIES          the answers; KIND is search, exact or filtered
//   time KIND EF LIMIT QUERIES SECONDS seconds a query, measured for that long at least
//   save                               seconds; no more searches follow, but any of these:
//   open                               seconds from the file to the answer of query 0, and that one
//   copy                               seconds of copying the file
//
// Seconds are those of the CPU, of all threads.
import { createInterface } from "node:readline";

import { readSet } from "./sets.mjs";

const [adapter, folder] = process.argv.slice(2);
const WARM_UP = 20; // queries

const seconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

function timed(run) {
  globalThis.gc();
  const start = seconds();
  const result = run();
  return { seconds: seconds() - start, result };
}

const resident = () => {
  globalThis.gc();
  return process.memoryUsage().rss;
};

const numbers = (ids) => Array.from(ids, Number);

const set = readSet(folder);
const { make } = await import(`./${adapter}.mjs`);

/** Answers the requests for one engine. */
function answers(engine) {
  let before;
  let after;
  const runner = (kind, ef, limit) => {
    engine.prepare?.(ef);
    return (i) => engine[kind](set.query(i), ef, limit);
  };
  return {
    hello: () => ({
      name: engine.name,
      kind: engine.kind,
      can: Object.keys(engine).filter((key) => typeof engine[key] === "function"),
    }),
    build() {
      before = resident();
      const { seconds } = timed(() => engine.build());
      after = resident();
      return { seconds };
    },
    memory: () =>
      engine.memory
        ? { bytes: engine.memory(), what: "its memory" }
        : { bytes: after - before, what: "resident set" },
    save: () => ({ seconds: timed(() => engine.save()).seconds }),
    open() {
      const { seconds, result } = timed(() => engine.open(set.query(0)));
      return { seconds, ids: [numbers(result)] };
    },
    copy: () => ({ seconds: timed(() => engine.copy()).seconds }),
    ids(kind, ef, limit, queries) {
      const run = runner(kind, Number(ef), Number(limit));
      return { ids: Array.from({ length: Number(queries) }, (_, i) => numbers(run(i))) };
    },
    time(kind, ef, limit, count, least) {
      const run = runner(kind, Number(ef), Number(limit));
      const queries = Number(count);
      for (let i = 0; i < Math.min(queries, WARM_UP); i++) run(i);
      let passes = 0;
      const start = seconds();
      let spent;
      do {
        for (let i = 0; i < queries; i++) run(i);
        passes++;
        spent = seconds() - start;
      } while (spent < Number(least));
      return { seconds: spent / passes / queries };
    },
  };
}

const say = (reply) => process.stdout.write(`${JSON.stringify(reply)}\n`);

const requests = await make(set).then(answers, (error) => {
  say({ error: error.message });
  process.exit(1);
});
for await (const line of createInterface({ input: process.stdin })) {
  const [request, ...args] = line.split(" ");
  try {
    say(requests[request](...args));
  } catch (error) {
    say({ error: error.message });
  }
}
process.exit(0); // hnswlib-wasm keeps a timer
