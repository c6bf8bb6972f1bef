// kernel/PROTOCOL.md repeats numbers and bytes of the code; here they are compared, with
// kernel/protocol.h and with what the module does.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { crc32c } from "../reference/checksum.mjs";
import { STATUS } from "../wasm/status.mjs";
import { DTYPE, halfBytes, MAP, Tile } from "../wasm/tile.mjs";
import { Hub } from "./conversations.mjs";
import * as messages from "./messages.mjs";
import { ring } from "./wire.mjs";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const DOCUMENT = read("kernel/PROTOCOL.md");
const HEADER = read("kernel/protocol.h");

/** The text under a heading, up to the next heading of any level. */
function sectionOf(heading) {
  const [, section] = DOCUMENT.split(new RegExp(`\n#+ ${heading}\n`));
  assert.ok(section !== undefined, `no section "${heading}"`);
  return section.split(/\n#+ /)[0];
}

/** The cells of a section's table. */
function tableOf(heading) {
  const rows = sectionOf(heading)
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
  assert.ok(rows.length > 2, `no table in "${heading}"`);
  return rows.slice(2);
}

/** The constants of a C++ enum, without their k and in capitals. */
function enumOf(text, name) {
  const [, body] = text.match(new RegExp(`enum ${name} : \\w+ \\{(.*?)\\n\\};`, "s"));
  return Array.from(body.matchAll(/^ +k(\w+) = (\w+),/gm), ([, key, value]) => [
    key.replaceAll(/([a-z])(?=[A-Z])/g, "$1_").toUpperCase(),
    Number(value),
  ]);
}

/** The members of a packed C++ struct: name, offset, size. */
function membersOf(text, name) {
  const [, body] = text.match(new RegExp(`struct ${name} \\{(.*?)\\n\\};`, "s"));
  let at = 0;
  return Array.from(body.matchAll(/^ +uint(\d+)_t (\w+);/gm), ([, bits, member]) => {
    const size = Number(bits) / 8;
    at += size;
    return [member, at - size, size];
  });
}

/** Rows of a table of offsets: name, offset, size. */
const layoutOf = (heading) =>
  tableOf(heading).map(([offset, size, name]) => [name, Number(offset), Number(size)]);

const bytesIn = (text) =>
  Uint8Array.from(text.trim().split(/\s+/), (two) => Number.parseInt(two, 16));

describe("kernel/PROTOCOL.md", () => {
  test("messages and replies have the numbers of protocol.h and of the tests", () => {
    const rows = [...tableOf("Hub to tile"), ...tableOf("Tile to hub").slice(0, 5)];
    const listed = rows.map(([type, name]) => [name, Number(type)]);
    const pattern = (name) => name.replaceAll("_", "");
    const declared = enumOf(HEADER, "MessageType").map(([name, type]) => [pattern(name), type]);
    assert.deepEqual(
      listed.map(([name, type]) => [pattern(name), type]),
      declared,
    );
    assert.deepEqual(Object.fromEntries(listed), messages.TYPE);
  });

  test("the header of a message is that of protocol.h", () => {
    const rows = layoutOf("Message").slice(0, 3);
    assert.deepEqual(rows, membersOf(HEADER, "MessageHeader"));
  });

  test("the load header is that of protocol.h", () => {
    assert.deepEqual(layoutOf("Load header"), membersOf(HEADER, "LoadHeader"));
  });

  test("the reply header is that of protocol.h", () => {
    const rows = layoutOf("Tile to hub").filter(([name]) => !/^[A-Z]/.test(name));
    assert.deepEqual(rows.slice(-3), membersOf(HEADER, "ReplyHeader"));
  });

  test("kinds of blocks and parameters are those of the headers", () => {
    const [, kinds] = sectionOf("Load header").match(/\| kind \| (.*) \|/);
    const [blocks, parameters] = kinds.split(";");
    const numbers = (text) =>
      Array.from(text.matchAll(/(\d) (?:\(.*?\) )?(\w+)/g), ([, n, name]) => [name, Number(n)]);
    assert.deepEqual(numbers(blocks), [
      ["f16", DTYPE.F16],
      ["i8", DTYPE.I8],
      ["f32", DTYPE.F32],
      ["PQ", DTYPE.PQ],
    ]);
    const upper = numbers(parameters).map(([name, n]) => [name.toUpperCase(), n]);
    assert.deepEqual(Object.fromEntries(upper), messages.PARAMS);
    const declared = enumOf(HEADER, "ParamsKind").map(([, value]) => value);
    assert.deepEqual(declared, Object.values(messages.PARAMS));
  });

  test("the limits are those of the message buffer", () => {
    assert.match(DOCUMENT, new RegExp(`of the payload, 4 to ${messages.MAX_PAYLOAD} `));
    assert.match(DOCUMENT, new RegExp(`at most ${messages.MAX_PART} bytes`));
    assert.equal(messages.MAX_PAYLOAD, MAP.NEIGHBORS - MAP.MESSAGE - 8);
    assert.match(
      DOCUMENT,
      new RegExp(`at most ${(MAP.DATA_END - MAP.NEIGHBORS - 16) / 8} vectors`),
    );
  });

  test("the residue is that of every message, and of protocol.h", () => {
    const [, residue] = DOCUMENT.match(/always (0x[0-9A-F]{8})\./);
    const [, declared] = HEADER.match(/kChecksumResidue = (0x[0-9A-F]{8})/);
    assert.equal(residue, declared);
    assert.equal(Number(residue), messages.CHECKSUM_RESIDUE);
    for (const length of [0, 1, 77]) {
      assert.equal(crc32c(messages.message(3, 4, new Uint8Array(length))), Number(residue));
    }
  });

  test("a fresh tile begins with the state it names", () => {
    const [, state] = DOCUMENT.match(/A fresh tile begins with (0x[0-9A-F]{8})\b/);
    assert.equal(Number(state), messages.FRESH_STATE);
    assert.equal(Number(state), crc32c(new Uint8Array(MAP.ROUTING)));
  });

  test("its codes are those of status.h", () => {
    const [, message, part] = DOCUMENT.match(
      /checksum or type: (0x\w+); a part\n.*?fit: (0x\w+)\./s,
    );
    assert.deepEqual(
      [Number(message), Number(part)],
      [messages.BAD_MESSAGE, messages.DOES_NOT_FIT],
    );
    assert.equal(-messages.BAD_MESSAGE, STATUS.kTileInvalidMessage);
    assert.equal(-messages.DOES_NOT_FIT, STATUS.kTileOutOfMemory);
    const [, core] = DOCUMENT.match(/A Core tile refuses to navigate, with (0x\w+)/);
    assert.equal(-Number(core), STATUS.kTileUnsupported);
  });

  test("its addresses are those of memory_map.h", () => {
    const map = Object.values(MAP);
    const named = [...DOCUMENT.matchAll(/\b0x[01][0-9A-F]{4}\b/g)].map(([text]) => Number(text));
    assert.ok(named.length >= 8);
    assert.equal(Number(DOCUMENT.match(/message buffer, 2 KB at (0x\w+)/)[1]), MAP.MESSAGE);
    for (const address of named) {
      assert.ok(map.includes(address) || map.includes(address + 1), `0x${address.toString(16)}`);
    }
  });

  test("its example is what the module answers", () => {
    const [, example] = sectionOf("Message").split("```");
    const [first, ...rest] = example.trim().split("\n");
    const sent = bytesIn(first);
    assert.deepEqual(sent, messages.message(messages.TYPE.RESET, 1));
    assert.deepEqual(ring(new Tile(), sent), bytesIn(rest.join(" ")));
  });

  test("60 KB of f16 rows take as many messages as it says", () => {
    const [, said] = DOCUMENT.match(/pass through the buffer in (\d+) messages/);
    const tile = new Tile();
    let count = 0;
    const hub = new Hub((bytes) => {
      count++;
      return ring(tile, bytes);
    });
    const ids = Array.from({ length: 80 }, (_, i) => BigInt(i));
    hub.query(new Array(384).fill(1));
    count = 0;
    // Rows first, as full as messages go; then the ids, which go with the last rows.
    const rows = halfBytes(new Array(80 * 384).fill(1));
    const list = messages.neighborList(-1n, 0, ids);
    const load = messages.TYPE.LOAD_BLOCK;
    const fields = { base: MAP.BLOCK, count: 80, kind: DTYPE.F16 };
    const whole = Math.floor(rows.length / messages.MAX_PART) * messages.MAX_PART;
    hub.collect(load, rows.subarray(0, whole), { ...fields, last: 0 });
    const end = { ...fields, to: MAP.BLOCK + whole, list, listTo: MAP.NEIGHBORS, last: 1 };
    assert.equal(hub.part(load, { ...end, bytes: rows.subarray(whole) }).type, messages.TYPE.DONE);
    assert.equal(hub.compute().done, 80);
    assert.equal(count - 1, Number(said));
  });

  test("files and sections that it names exist, and lines are short", () => {
    for (const [, path] of DOCUMENT.matchAll(/`([a-z_]+\.h)`/g)) read(`kernel/${path}`);
    for (const [, export_] of DOCUMENT.matchAll(/`?(rvf_\w+)\(?/g)) {
      assert.ok(read("kernel/kernel.h").includes(` ${export_}(`), export_);
    }
    const text = DOCUMENT.split("\n").filter((line) => !line.startsWith("|"));
    for (const line of text) assert.ok(line.length <= 130, line);
  });
});
