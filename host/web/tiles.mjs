// The tiles of a hub that runs in a JavaScript engine: instances of the real rvf_kernel.wasm.

/** How a run of a tile ended (Outcome of host/hub/tiles.h). */
export const OUTCOME = Object.freeze({
  RETURNED: 0,
  OUT_OF_BOUNDS: 1,
  UNREACHABLE: 2,
  STACK_EXHAUSTED: 3,
  DEADLINE: 4,
});

/** What a broken tile does (Sabotage of host/hub/tiles.h) and the export of saboteur.wasm that does it. */
export const SABOTAGE = Object.freeze({
  OUT_OF_BOUNDS: 0,
  UNREACHABLE: 1,
  EXHAUST_STACK: 2,
  LOOP_FOREVER: 3,
  WRITE_RED_ZONE: 4,
});
const SABOTEURS = [
  "out_of_bounds",
  "unreachable",
  "exhaust_stack",
  "loop_forever",
  "write_red_zone",
];

/** What a tile does not have, in the 32-bit words of its memory: 0x2000 to 0xFFFF. */
const RED_ZONE = Object.freeze({ begin: 0x2000 / 4, end: 0x10000 / 4 });

/**
 * The Outcome of what an engine threw; throws it again when it is no trap of these. The words are
 * those of V8, SpiderMonkey and JavaScriptCore:
 *   memory access out of bounds | index out of bounds | Out of bounds memory access
 *   unreachable | unreachable executed | Unreachable code should not be executed
 *   Maximum call stack size exceeded (RangeError) | too much recursion (InternalError)
 */
export function outcomeOf(error) {
  const words = String(error?.message);
  if (error instanceof WebAssembly.RuntimeError) {
    if (/unreachable/i.test(words)) return OUTCOME.UNREACHABLE;
    if (/out of bounds/i.test(words)) return OUTCOME.OUT_OF_BOUNDS;
  }
  if (/call stack|recursion/i.test(words)) return OUTCOME.STACK_EXHAUSTED;
  throw error;
}

/** Runs an export of wasm; answers its Outcome. */
export function outcome(call) {
  try {
    call();
    return OUTCOME.RETURNED;
  } catch (error) {
    return outcomeOf(error);
  }
}

/**
 * The object that the hub calls. `kernel` and `saboteur` are modules, compiled once.
 *
 * An endless loop cannot be stopped on the thread that runs it. `loopForever(memory)` runs the
 * saboteur's on another one, on a copy of the tile's bytes, and answers its Outcome (endless-loop.mjs).
 */
export class Tiles {
  #kernel;
  #saboteur;
  #loopForever;
  #tiles = new Map();

  constructor({ kernel, saboteur, loopForever }) {
    this.#kernel = kernel;
    this.#saboteur = saboteur;
    this.#loopForever = loopForever;
  }

  /** A fresh instance. False when the engine has no memory for it. */
  start(tile) {
    let instance;
    try {
      instance = new WebAssembly.Instance(this.#kernel);
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
    const { memory, _start: ring } = instance.exports;
    // The memory cannot grow, so these views stay valid.
    const bytes = new Uint8Array(memory.buffer);
    const words = new Uint32Array(memory.buffer);
    this.#tiles.set(tile, { memory, ring, bytes, words });
    return true;
  }

  stop(tile) {
    this.#tiles.delete(tile);
  }

  ring(tile) {
    return outcome(this.#started(tile).ring);
  }

  sabotage(tile, what) {
    const { memory, bytes } = this.#started(tile);
    if (what === SABOTAGE.LOOP_FOREVER) return this.#loopForever(bytes);
    const { exports } = new WebAssembly.Instance(this.#saboteur, { env: { memory } });
    return outcome(exports[SABOTEURS[what]]);
  }

  /** Copies tile memory from `address` on to `out`, a Uint8Array. */
  read(tile, address, out) {
    out.set(this.#started(tile).bytes.subarray(address, address + out.length));
  }

  write(tile, address, from) {
    this.#started(tile).bytes.set(from, address);
  }

  redZoneIsZero(tile) {
    const { words } = this.#started(tile);
    let bits = 0;
    for (let at = RED_ZONE.begin; at < RED_ZONE.end; at++) bits |= words[at];
    return bits === 0;
  }

  #started(tile) {
    const found = this.#tiles.get(tile);
    if (!found) throw new Error(`Tile ${tile} is used but not started.`);
    return found;
  }
}
