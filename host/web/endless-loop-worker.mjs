// See endless-loop.mjs. Runs the saboteur's loop on a memory with the given bytes.
import { outcome } from "./tiles.mjs";

const port = globalThis.self ?? (await import("node:worker_threads")).parentPort;

port.onmessage = ({ data: { saboteur, bytes, reports } }) => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
  new Uint8Array(memory.buffer).set(bytes);
  const { exports } = new WebAssembly.Instance(saboteur, { env: { memory } });
  reports.postMessage({});
  reports.postMessage({ outcome: outcome(exports.loop_forever) });
};
