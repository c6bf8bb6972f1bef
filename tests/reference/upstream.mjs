import { readFileSync } from "node:fs";

const FOLDER = new URL("../fixtures/upstream/", import.meta.url);

/** Upstream's recorded answers: the object of expected.json. */
export const EXPECTED = JSON.parse(readFileSync(new URL("expected.json", FOLDER), "utf8"));

/** Names of all recorded fixture files. */
export const NAMES = Object.keys(EXPECTED.files);

/**
 * The bytes of a fixture.
 * @param {string} name file name in the upstream folder
 * @returns {Uint8Array}
 */
export function fixture(name) {
  return new Uint8Array(readFileSync(new URL(name, FOLDER)));
}
