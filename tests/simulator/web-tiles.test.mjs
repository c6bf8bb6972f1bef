// Tiles in a JavaScript engine: real instances, broken for real.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { OUTCOME, outcomeOf, SABOTAGE } from "../../host/web/tiles.mjs";
import { MAP } from "../wasm/tile.mjs";
import { nodeTiles } from "./web.mjs";

const TILE = 5;

describe("tiles in this engine", () => {
  const tiles = nodeTiles();
  const memory = () => {
    const bytes = new Uint8Array(MAP.END);
    tiles.read(TILE, 0, bytes);
    return bytes;
  };
  beforeEach(() => tiles.start(TILE));

  test("a tile starts with zeros, also after it was used", () => {
    tiles.write(TILE, MAP.MESSAGE, Uint8Array.of(1, 2, 3));
    assert.equal(tiles.start(TILE), true);
    assert.ok(memory().every((byte) => byte === 0));
  });

  test("a rung tile answers a message that is none with ERROR", () => {
    tiles.write(TILE, MAP.MESSAGE, Uint8Array.of(0xee, 0xee, 0, 0, 9, 0, 0, 0));
    assert.equal(tiles.ring(TILE), OUTCOME.RETURNED);
    const reply = new Uint8Array(8);
    tiles.read(TILE, MAP.MESSAGE, reply);
    assert.notDeepEqual([...reply.subarray(0, 2)], [0xee, 0xee]);
    assert.equal(reply[4], 9, "the correlation id");
  });

  for (const [name, what, expected] of [
    ["an access outside memory", SABOTAGE.OUT_OF_BOUNDS, OUTCOME.OUT_OF_BOUNDS],
    ["an unreachable instruction", SABOTAGE.UNREACHABLE, OUTCOME.UNREACHABLE],
    ["endless recursion", SABOTAGE.EXHAUST_STACK, OUTCOME.STACK_EXHAUSTED],
    ["an endless loop", SABOTAGE.LOOP_FOREVER, OUTCOME.DEADLINE],
  ]) {
    test(`${name} is caught, and memory stays as it was`, () => {
      tiles.write(TILE, MAP.BLOCK, Uint8Array.of(7));
      const before = memory();
      assert.equal(tiles.sabotage(TILE, what), expected);
      assert.deepEqual(memory(), before);
    });
  }

  test("a tile that broke rings again", () => {
    tiles.sabotage(TILE, SABOTAGE.EXHAUST_STACK);
    assert.equal(tiles.ring(TILE), OUTCOME.RETURNED);
  });

  test("a write to the red zone is seen, to the first and to the last byte of it too", () => {
    assert.equal(tiles.redZoneIsZero(TILE), true);
    assert.equal(tiles.sabotage(TILE, SABOTAGE.WRITE_RED_ZONE), OUTCOME.RETURNED);
    assert.equal(tiles.redZoneIsZero(TILE), false);
    for (const [address, isZero] of [
      [MAP.DATA_END - 1, true],
      [MAP.DATA_END, false],
      [MAP.BLOCK - 1, false],
      [MAP.BLOCK, true],
    ]) {
      tiles.start(TILE);
      tiles.write(TILE, address, Uint8Array.of(1));
      assert.equal(tiles.redZoneIsZero(TILE), isZero, `0x${address.toString(16)}`);
    }
  });

  test("one tile's memory is not another's", () => {
    tiles.start(TILE + 1);
    tiles.write(TILE + 1, MAP.BLOCK, Uint8Array.of(1));
    assert.ok(memory().every((byte) => byte === 0));
  });

  test("a tile that is not started is a mistake that is named", () => {
    tiles.stop(TILE);
    assert.throws(() => tiles.ring(TILE), /Tile 5 is used but not started/);
  });
});

describe("what engines call a trap", () => {
  const trap = (words) => new WebAssembly.RuntimeError(words);
  const recursion = new Error("too much recursion");
  recursion.name = "InternalError";
  for (const [error, expected] of [
    [trap("memory access out of bounds"), OUTCOME.OUT_OF_BOUNDS],
    [trap("index out of bounds"), OUTCOME.OUT_OF_BOUNDS],
    [trap("Out of bounds memory access (evaluating 'call()')"), OUTCOME.OUT_OF_BOUNDS],
    [trap("unreachable"), OUTCOME.UNREACHABLE],
    [trap("unreachable executed"), OUTCOME.UNREACHABLE],
    [trap("Unreachable code should not be executed"), OUTCOME.UNREACHABLE],
    [new RangeError("Maximum call stack size exceeded"), OUTCOME.STACK_EXHAUSTED],
    [recursion, OUTCOME.STACK_EXHAUSTED],
  ]) {
    test(`${error.name}: ${error.message}`, () => assert.equal(outcomeOf(error), expected));
  }

  test("anything else is thrown on", () => {
    const mistake = new TypeError("x is not a function");
    assert.throws(() => outcomeOf(mistake), mistake);
    assert.throws(() => outcomeOf(trap("divide by zero")), /divide by zero/);
  });
});
