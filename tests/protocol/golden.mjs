// The golden files: conversations of a hub with a tile that was never started, byte for byte. Lines
// with > are messages of the hub, lines with < the tile's replies, in hexadecimal; indented lines go
// on with the line before.
import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("golden/", import.meta.url);
const LINE = 96; // digits

export const goldenPath = (name) => new URL(`${name}.txt`, FOLDER);

export const goldenNames = () =>
  readdirSync(FOLDER)
    .map((file) => file.replace(/\.txt$/, ""))
    .sort();

/** The text of a conversation: what it shows, then its messages and replies. */
export function format(about, turns) {
  const line = (sign, bytes) => {
    const digits = Buffer.from(bytes).toString("hex");
    return digits
      .match(new RegExp(`.{1,${LINE}}`, "g"))
      .map((some, i) => `${i ? " " : sign} ${some}`);
  };
  const lines = turns.flatMap(([sent, reply]) => [...line(">", sent), ...line("<", reply)]);
  return [...about.map((words) => `# ${words}`), ...lines, ""].join("\n");
}

/** The turns of a golden file: pairs of message and reply. */
export function readGolden(name) {
  const turns = [];
  for (const line of readFileSync(goldenPath(name), "utf8").split("\n")) {
    const [sign, digits] = [line[0], line.slice(2)];
    if (sign === ">") turns.push([digits, ""]);
    if (sign === "<") turns.at(-1)[1] = digits;
    if (sign === " ") turns.at(-1)[turns.at(-1)[1] ? 1 : 0] += digits;
  }
  return turns.map((turn) => turn.map((digits) => Uint8Array.from(Buffer.from(digits, "hex"))));
}
