// See endless-loop.mjs. Never waits, so that the Workers that it starts do start.
import { OUTCOME } from "./tiles.mjs";

const threads = globalThis.self ?? (await import("node:worker_threads"));
const port = threads.parentPort ?? globalThis;
const WORKER = new URL("./endless-loop-worker.mjs", import.meta.url);

port.onmessage = ({ data: { ready, ...loop } }) => {
  if (ready) ready.postMessage("ready");
  else guard(loop);
};

function guard({ saboteur, bytes, deadlineMs, ended }) {
  const worker = new threads.Worker(WORKER, { type: "module" });
  const { port1, port2 } = new MessageChannel();
  const end = async (outcome) => {
    port1.close();
    await worker.terminate();
    Atomics.store(ended, 0, 1 + outcome);
    Atomics.notify(ended, 0);
  };
  let deadline;
  // The worker says twice where it is: before the loop, and after it if it gets there.
  port1.onmessage = ({ data: { outcome } }) => {
    clearTimeout(deadline);
    if (outcome === undefined) deadline = setTimeout(end, deadlineMs, OUTCOME.DEADLINE);
    else end(outcome);
  };
  worker.postMessage({ saboteur, bytes, reports: port2 }, [port2]);
}
