// An endless loop for real, and its end. Three threads:
//
//   this one, which runs the hub and waits
//   a warden (endless-loop-warden.mjs), which starts the third and ends it at the deadline
//   a worker (endless-loop-worker.mjs), which loops
//
// The warden is there because a browser starts no Worker for a thread that waits. In a browser this
// thread must be a Worker itself, because pages may not wait, and the page needs the headers of
// cross-origin isolation.

/** What is in the memory that this thread and the warden share: this, or 1 + Outcome. */
const NOT_ENDED = 0;

/** A Worker takes tens of milliseconds to start, on a busy machine longer. */
const MOST_MS = 20_000;

/**
 * Answers the function that Tiles needs. `warden` is a new Worker that runs endless-loop-warden.mjs;
 * it stays the caller's, to terminate.
 */
export async function endlessLoop({ warden, saboteur, deadlineMs = 2 }) {
  const { port1, port2 } = new MessageChannel();
  const ready = new Promise((resolve) => {
    port1.onmessage = resolve;
  });
  warden.postMessage({ ready: port2 }, [port2]);
  await ready;
  port1.close();

  return (bytes) => {
    const ended = new Int32Array(new SharedArrayBuffer(4));
    warden.postMessage({ saboteur, bytes: bytes.slice(), deadlineMs, ended });
    if (Atomics.wait(ended, 0, NOT_ENDED, MOST_MS) === "timed-out") {
      throw new Error(`An endless loop was neither started nor stopped in ${MOST_MS} ms.`);
    }
    return Atomics.load(ended, 0) - 1;
  };
}
