// Runs the real rvf-sim of the native build.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROGRAM =
  process.env.RVF_SIM ?? fileURLToPath(new URL("../../build/native/rvf-sim", import.meta.url));

/** The path of a file of the project, from its root. */
export const inProject = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const fixture = (name) => inProject(`tests/fixtures/upstream/${name}`);

/** 800 vectors of 512 dimensions; its profile byte says Full. */
export const LARGE = fixture("security_hardened.rvf");

/**
 * Runs the program to its end.
 * @param {string[]} args
 * @returns {{status: number, stdout: string, stderr: string}}
 */
export function sim(...args) {
  const { status, signal, stdout, stderr, error } = spawnSync(PROGRAM, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8" },
  });
  if (error) throw error;
  if (signal) throw new Error(`rvf-sim ended by ${signal}: ${stderr}`);
  return { status, stdout, stderr };
}

/**
 * Runs the program on a terminal of 80 columns.
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @returns {string} everything that the terminal gets
 */
export function simOnTerminal(args, env = {}) {
  const command = [PROGRAM, ...args].map((word) => `'${word}'`).join(" ");
  const { stdout, error } = spawnSync("script", ["-qec", `stty cols 80; ${command}`, "/dev/null"], {
    encoding: "utf8",
    env: { PATH: process.env.PATH, LC_ALL: "C.UTF-8", TERM: "xterm", ...env },
  });
  if (error) throw error;
  return stdout;
}

/** What a successful run writes as JSON. */
export function simJson(...args) {
  const { status, stdout, stderr } = sim(...args, "--json");
  if (status !== 0) throw new Error(`rvf-sim ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

const folder = mkdtempSync(join(tmpdir(), "rvf-sim-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** The path of a new temporary file; empty until somebody writes it. */
export const temporary = (name) => join(folder, name);

/** Writes a temporary file and answers its path. */
export function written(name, content) {
  const path = temporary(name);
  writeFileSync(path, content);
  return path;
}

/** Writes rows of numbers as .fvecs: each with its dimension before it. */
export function writtenVectors(name, rows) {
  const parts = rows.flatMap((row) => [
    Buffer.from(Int32Array.of(row.length).buffer),
    Buffer.from(Float32Array.from(row).buffer),
  ]);
  return written(name, Buffer.concat(parts));
}
