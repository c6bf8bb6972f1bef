// The engines that are compared, each in a process of its own.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";

const NATIVE_BUILD = process.env.RVF_NATIVE_BUILD ?? "../../build/native";
const serve = new URL("serve.mjs", import.meta.url).pathname;

const inNode = (adapter) => ({
  adapter,
  command: ({ folder }) => [process.execPath, "--expose-gc", serve, adapter, folder],
});

const hnswlib = (name, target) => ({
  adapter: target,
  name,
  command({ folder, dimension, rows }) {
    const program = new URL(`${NATIVE_BUILD}/${target}`, import.meta.url).pathname;
    if (!existsSync(program)) throw new Error("not built: libhnswlib-dev is not installed");
    const numbers = [dimension, rows].map(String);
    return [program, name, `${folder}/vectors.f32`, ...numbers, `${folder}/${target}.index`];
  },
});

export const ENGINES = [
  inNode("ours"),
  inNode("hnswlib-wasm"),
  inNode("rvf-wasm"),
  inNode("rvf-node"),
  inNode("usearch"),
  hnswlib("hnswlib C++, SSE", "bench_peer_hnswlib"),
  hnswlib("hnswlib C++, -march=native", "bench_peer_hnswlib_native"),
];

/** A running engine: `ask` sends a request and answers its reply. */
export class EngineProcess {
  #child;
  #lines;
  #ended;

  /** Starts an engine for a set; throws why it cannot be. */
  static async start(engine, set) {
    const started = new EngineProcess(engine.command(set));
    Object.assign(started, await started.ask("hello"));
    return started;
  }

  constructor([program, ...args]) {
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.stdin.on("error", () => {}); // it ended: `ask` says so
    let complaints = "";
    this.#child.stderr.on("data", (text) => {
      complaints = `${complaints}${text}`.slice(-500);
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", ({ message }) => resolve(message));
      this.#child.once("close", (code, signal) =>
        resolve(`the process ended (${signal ?? code}) ${complaints}`.trim()),
      );
    });
    // Some engines print lines of their own.
    const lines = createInterface({ input: this.#child.stdout });
    this.#lines = (async function* replies() {
      for await (const line of lines) if (line.startsWith("{")) yield line;
    })();
  }

  async ask(...request) {
    this.#child.stdin.write(`${request.join(" ")}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(await this.#ended);
    const reply = JSON.parse(value);
    if (reply.error) throw new Error(reply.error);
    return reply;
  }

  async stop() {
    this.#child.stdin.end();
    await this.#ended;
  }
}
