import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { endlessLoop } from "../../host/web/endless-loop.mjs";
import { loadHub } from "../../host/web/hub.mjs";
import { Tiles } from "../../host/web/tiles.mjs";

const BUILD = new URL("../../build/", import.meta.url);
const module = (name) => new WebAssembly.Module(readFileSync(new URL(`wasm/${name}`, BUILD)));

const kernel = module("rvf_kernel.wasm");
const saboteur = module("saboteur.wasm");
const warden = new Worker(new URL("../../host/web/endless-loop-warden.mjs", import.meta.url));
const loopForever = await endlessLoop({ warden, saboteur });
warden.unref();

/** Tiles as Node has them, none started. */
export function nodeTiles() {
  return new Tiles({ kernel, saboteur, loopForever });
}

/** The hub as Emscripten built it. */
export async function builtHub() {
  const { default: create } = await import(new URL("web/rvf_hub.mjs", BUILD));
  return loadHub({ create, wasm: readFileSync(new URL("web/rvf_hub.wasm", BUILD)) });
}
