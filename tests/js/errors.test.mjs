// The error table and the warning names of js/ are those of the C++ headers.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { errorTexts, hostCodes, RvfErrorCode, statusCodes } from "../../js/dist/errors.js";

const read = (path) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

/** Where the package uses upstream's name and the header another. */
const upstreamNames = { FilterInvalid: "FilterParseError" };

test("every status of kernel/status.h has its name and code, and no other has", async () => {
  const header = await read("kernel/status.h");
  const inHeader = Object.fromEntries(
    [...header.matchAll(/^ {4}k(\w+) = -(0x\w+),/gm)].map(([, name, code]) => [
      upstreamNames[name] ?? name,
      Number(code),
    ]),
  );
  assert.ok(Object.keys(inHeader).length > 10, "the enum was found");
  assert.deepEqual(statusCodes, inHeader);
});

test("every code has a text that says what is wrong and what to do next", () => {
  assert.deepEqual(RvfErrorCode, { ...statusCodes, ...hostCodes });
  assert.deepEqual(Object.keys(errorTexts).sort(), Object.keys(RvfErrorCode).sort());
  for (const [name, text] of Object.entries(errorTexts)) {
    assert.match(text, /^[A-Z`0-9].{15,}[;,] .{10,}\.$/, name);
  }
  const codes = Object.values(RvfErrorCode);
  assert.equal(new Set(codes).size, codes.length, "codes are unique");
});

test("the warnings are those of control/control.h, bit by bit", async () => {
  const header = await read("control/control.h");
  const block = header.match(/enum Warning[^{]*\{([^}]*)\}/)[1];
  const inHeader = [...block.matchAll(/k(\w+) = (\d+),/g)].map(([, name, bit], i) => {
    assert.equal(Number(bit), 1 << i);
    return name;
  });
  const source = await read("js/src/store.ts");
  const list = source.match(/warningNames[^=]*= \[([^\]]*)\]/)[1];
  assert.deepEqual(
    [...list.matchAll(/"(\w+)"/g)].map(([, name]) => name),
    inHeader,
  );
});
