// Replays the golden conversations on the module. tests/unit/protocol_test.cpp replays the same
// files on the native build.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { Tile } from "../wasm/tile.mjs";
import { CONVERSATIONS, record } from "./conversations.mjs";
import { format, goldenNames, goldenPath, readGolden } from "./golden.mjs";
import { MAX_PAYLOAD, parse, TYPE } from "./messages.mjs";
import { Model } from "./model.mjs";
import { ring } from "./wire.mjs";

describe("golden conversations", () => {
  test("are those of the model, and there are no others", () => {
    assert.deepEqual(goldenNames(), Object.keys(CONVERSATIONS).sort());
    for (const [name, { about }] of Object.entries(CONVERSATIONS)) {
      const model = new Model();
      const turns = record(name, (bytes) => model.ring(bytes));
      assert.equal(readFileSync(goldenPath(name), "utf8"), format(about, turns), name);
    }
  });

  for (const name of goldenNames()) {
    test(`${name}: the module answers byte for byte`, () => {
      const tile = new Tile();
      readGolden(name).forEach(([sent, reply], turn) => {
        const found = ring(tile, sent);
        const hex = (bytes) => Buffer.from(bytes).toString("hex");
        assert.equal(hex(found), hex(reply), `turn ${turn}, message type ${sent[0]}`);
      });
    });
  }

  test("hold every message, every reply, every part size and every reason to refuse", () => {
    const turns = goldenNames().flatMap(readGolden);
    const types = new Set(turns.flatMap(([sent, reply]) => [sent[0], reply[0]]));
    for (const type of Object.values(TYPE)) assert.ok(types.has(type), `no message ${type}`);
    const longest = Math.max(...turns.map(([sent]) => sent.length));
    assert.equal(longest, 8 + MAX_PAYLOAD);
    const codes = new Set(turns.map(([, reply]) => parse(reply).code));
    codes.delete(undefined);
    const expected = [...[0x0200, 0x0202, 0x0204, 0x0401, 0x0403, 0x0404, 0xfe00, 0xfe02, 0xfe04]];
    assert.deepEqual(
      [...codes].sort((a, b) => a - b),
      expected,
    );
  });
});
