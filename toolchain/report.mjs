// node toolchain/report.mjs MODULE NAMED EXPORTS BUDGET [MAP]
//
// Compares the exports of MODULE with the list EXPORTS, prints its size (total, compressed, per section,
// per feature from the linker's MAP, and per function, whose names come from NAMED, the same module
// before stripping) and its sha256.
// Fails when an export differs, when there is any import, or above BUDGET bytes.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { featureSizes } from "./features.mjs";
import { readModule } from "./wasm-module.mjs";

const [modulePath, namedPath, exportsPath, budgetText, mapPath] = process.argv.slice(2);
const bytes = readFileSync(modulePath);
const module = readModule(bytes);
const functions = readModule(readFileSync(namedPath)).functions;
const budget = Number(budgetText);

const listed = new Map(
  readFileSync(exportsPath, "utf8")
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]),
);

const problems = module.imports.map((name) => `imports ${name}; it may import nothing`);
for (const [name, type] of listed) {
  const real = module.exports.get(name);
  if (real !== type) problems.push(`${name}: listed as ${type}, exported as ${real ?? "nothing"}`);
}
for (const name of module.exports.keys()) {
  if (!listed.has(name)) problems.push(`${name}: exported and not listed`);
}
if (bytes.length > budget) {
  problems.push(`${bytes.length} bytes are ${bytes.length - budget} over the budget of ${budget}`);
}

const number = (value) => value.toLocaleString("en-US").padStart(8);
const brotli = brotliCompressSync(bytes).length;
console.log(`\n${basename(modulePath)}`);
console.log(`${number(bytes.length)} bytes of ${number(budget).trim()}`);
console.log(
  `${number(gzipSync(bytes, { level: 9 }).length)} gzip, ${number(brotli).trim()} brotli`,
);
console.log(`         sha256 ${createHash("sha256").update(bytes).digest("hex")}`);
if (problems.length === 0)
  console.log(
    `         ${listed.size - 1} functions and the memory exported as listed, no imports`,
  );
for (const { name, size } of module.sections) console.log(`${number(size)} section ${name}`);
for (const { feature, size } of mapPath ? featureSizes(readFileSync(mapPath, "utf8")) : [])
  console.log(`${number(size)} feature ${feature}, before wasm-opt`);
for (const { name, size } of functions.sort((a, b) => b.size - a.size)) {
  console.log(`${number(size)} ${name}`);
}

if (problems.length > 0) {
  console.error(`\n${basename(modulePath)} is refused (${basename(exportsPath)}):`);
  for (const problem of problems) console.error(`  ${problem}`);
  process.exit(1);
}
