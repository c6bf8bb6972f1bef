// docs/format.md repeats numbers and bytes of the code; here they are compared.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { xxhash128 } from "hash-wasm";
import { crcRotated } from "../reference/checksum.mjs";
import { Control, METRIC } from "./control.mjs";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const DOCUMENT = read("docs/format.md");

/** The text under a heading of the second level, up to the next one. */
function sectionOf(heading) {
  const [, section] = DOCUMENT.split(`\n## ${heading}\n`);
  assert.ok(section !== undefined, `no section "${heading}"`);
  return section.split("\n## ")[0];
}

/** The cells of the table whose first row is `header`, without that row. */
function tableOf(section, header) {
  const lines = sectionOf(section).split("\n");
  const first = lines.indexOf(header);
  assert.notEqual(first, -1, `no table ${header}`);
  const rows = lines.slice(first + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return rows.slice(0, end).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The constants of a C++ enum, without their k. */
function enumOf(path, name) {
  const [, body] = read(path).match(new RegExp(`enum ${name} : \\w+ \\{(.*?)\\n\\};`, "s"));
  return Array.from(body.matchAll(/^ +k(\w+) = -?(\w+),/gm), ([, key, value]) => [
    key,
    Number(value),
  ]);
}

/** The bytes of the example; every line says at which offset it starts. */
function example() {
  const [, block] = sectionOf("Worked example").split("```");
  const bytes = [];
  for (const line of block.trim().split("\n")) {
    const [, offset, digits] = line.match(
      /^([0-9a-f]{4}) {2}((?:[0-9a-f]{2} )*[0-9a-f]{2})(?: |$)/,
    );
    assert.equal(Number.parseInt(offset, 16), bytes.length, `offset of "${line}"`);
    bytes.push(...digits.split(" ").map((byte) => Number.parseInt(byte, 16)));
  }
  return Uint8Array.from(bytes);
}

const IDS = [7n, 2n ** 63n + 1n];
const VECTORS = [1, -2, 0.5, 0];

describe("docs/format.md", () => {
  test("the example is what the module exports", () => {
    const control = new Control();
    const store = control.create(2, METRIC.L2);
    assert.equal(
      control.setFileId(
        store,
        Uint8Array.from({ length: 16 }, (_, i) => i),
      ),
      0,
    );
    assert.equal(control.ingest(store, VECTORS, IDS), 2);
    const { status, bytes } = control.export(store);
    assert.equal(status, bytes.length);
    assert.deepEqual(bytes, example());
  });

  test("the example opens, without a warning, to the vectors it names", () => {
    const control = new Control();
    const store = control.open(example());
    assert.ok(store > 0, `status ${store}`);
    assert.deepEqual([control.count(store), control.warnings(store)], [2, 0]);
    const vectors = IDS.flatMap((id) => control.vector(store, id).values);
    assert.deepEqual(vectors, VECTORS);
  });

  test("error codes are those of kernel/status.h", () => {
    const found = tableOf("Error codes", "| Code | Name | Meaning |");
    const listed = found.map(([code, name]) => [name, Number(code)]);
    assert.deepEqual(listed, enumOf("kernel/status.h", "Status"));
  });

  test("warnings are those of control/control.h", () => {
    const found = tableOf("Opening a file", "| Bit | Name | Meaning |");
    const listed = found.map(([bit, name]) => [name, Number(bit)]);
    assert.deepEqual(listed, enumOf("control/control.h", "Warning"));
  });

  test("content hashes are as other implementations give them", async () => {
    const payloads = {
      empty: Buffer.alloc(0),
      '"abc"': Buffer.from("abc"),
      '"123456789"': Buffer.from("123456789"),
      "`00..3F`": Buffer.from(Array.from({ length: 64 }, (_, i) => i)),
    };
    const digest = (algorithm, bytes, options) =>
      createHash(algorithm, options).update(bytes).digest("hex").slice(0, 32);
    const hashes = {
      "CRC-32": (bytes) => Buffer.from(crcRotated(bytes)).toString("hex"),
      "XXH3-128": async (bytes) =>
        Buffer.from(await xxhash128(bytes), "hex")
          .reverse()
          .toString("hex"),
      "SHAKE-256": (bytes) => digest("shake256", bytes, { outputLength: 16 }),
      "SHA-256": (bytes) => digest("sha256", bytes),
    };
    const vectors = tableOf("Content hash", "| Payload | Hash | Field |");
    assert.equal(vectors.length, 12);
    for (const [payload, hash, field] of vectors) {
      const computed = await hashes[hash](payloads[payload]);
      assert.equal(`\`${computed}\``, field, `${hash} of ${payload}`);
    }
  });

  test("sections that the headers name exist, and lines are short", () => {
    const headers = ["control.h", "manifest.h", "segment.h", "content_hash.h", "vec_segment.h"];
    const texts = [...headers, "branch.h"].map((name) => read(`control/${name}`));
    for (const text of [...texts, read("kernel/status.h")]) {
      const flat = text.replaceAll(/\n\/\/+ /g, " ");
      for (const [, list] of flat.matchAll(/docs\/format\.md,((?: (?:and )?"[^"]+")+)/g)) {
        for (const [, heading] of list.matchAll(/"([^"]+)"/g)) sectionOf(heading);
      }
    }
    for (const line of DOCUMENT.split("\n")) assert.ok(line.length <= 110, line);
  });
});
