import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readModule } from "../../toolchain/wasm-module.mjs";
import { CONTROL_URL } from "./control.mjs";
import { STATUS } from "./status.mjs";
import { KERNEL_URL } from "./tile.mjs";

const SEARCH_URL = new URL("../../build/wasm/rvf_search.wasm", import.meta.url);
const TOOLCHAIN = new URL("../../toolchain/", import.meta.url);

/** What callers rely on, written out: neither the build's lists nor the modules decide it. */
const KERNEL_EXPORTS = `
memory 2 2
rvf_init (i32) -> i32
rvf_load_query (i32 i32) -> i32
rvf_load_block (i32 i32 i32) -> i32
rvf_distances (i32 i32) -> i32
rvf_topk_merge (i32 i32 i32 i32) -> i32
rvf_topk_read (i32) -> i32
rvf_load_sq_params (i32 i32) -> i32
rvf_dequant_i8 (i32 i32 i32) -> i32
rvf_load_pq_codebook (i32 i32 i32) -> i32
rvf_pq_distances (i32 i32 i32) -> i32
rvf_load_neighbors (i64 i32 i32) -> i32
rvf_greedy_step (i64 i32) -> i64
rvf_verify_header (i32) -> i32
rvf_crc32c (i32 i32) -> i32
_start () -> none
`;

const CONTROL_EXPORTS = `
memory 1 65536
rvf_alloc (i32) -> i32
rvf_free (i32 i32) -> none
rvf_memory_limit (i32) -> i32
rvf_store_create (i32 i32) -> i32
rvf_store_open (i32 i32) -> i32
rvf_store_open_as (i32 i32 i32) -> i32
rvf_store_open_branch (i32 i32 i32 i32 i32) -> i32
rvf_store_open_with (i32 i32 i32 i32 i32 i32) -> i32
rvf_store_losses (i32 i32 i32) -> i32
rvf_store_close (i32) -> i32
rvf_store_ingest (i32 i32 i32 i32) -> i32
rvf_store_upsert (i32 i32 i32 i32 i32 i32) -> i32
rvf_store_set_metadata (i32 i32 i32 i32) -> i32
rvf_store_metadata (i32 i32 i32 i32) -> i32
rvf_store_query (i32 i32 i32 i32 i32) -> i32
rvf_store_search (i32 i32 i32 i32 i32 i32 i32) -> i32
rvf_store_delete_where (i32 i32 i32) -> i32
rvf_store_ids (i32 i32 i32) -> i32
rvf_store_delete (i32 i32 i32) -> i32
rvf_store_vector (i32 i32 i32) -> i32
rvf_store_count (i32) -> i32
rvf_store_dimension (i32) -> i32
rvf_store_status (i32 i32) -> i32
rvf_store_warnings (i32) -> i32
rvf_store_set_file_id (i32 i32) -> i32
rvf_store_commit (i32 i64 i32 i32 i32) -> i32
rvf_store_acknowledge (i32) -> i32
rvf_store_discard (i32) -> i32
rvf_store_freeze (i32) -> i32
rvf_store_derive (i32 i32 i32 i32 i32) -> i32
rvf_store_branch (i32 i32 i32 i32 i32 i32) -> i32
rvf_store_lineage (i32 i32) -> i32
rvf_store_state (i32 i32) -> i32
rvf_store_embed (i32 i32 i32 i32) -> i32
rvf_store_segment (i32 i32 i32) -> i32
rvf_store_export_size (i32) -> i32
rvf_store_export (i32 i32 i32) -> i32
rvf_store_memory_usage (i32 i32) -> i32
rvf_parse_header (i32 i32 i32) -> i32
rvf_segment_count (i32 i32) -> i32
rvf_segment_info (i32 i32 i32 i32) -> i32
rvf_segment_at (i32 i32 i32 i32) -> i32
rvf_verify_checksum (i32 i32) -> i32
rvf_signing_input (i32 i32 i32) -> i32
rvf_hash (i32 i32 i32 i32) -> i32
rvf_witness_report (i32 i32 i32) -> i32
rvf_witness_verify (i32 i32) -> i32
rvf_witness_count (i32 i32) -> i32
rvf_witness_entry (i32 i32 i32 i64 i32 i32) -> i32
`;

const SEARCH_EXPORTS = `${CONTROL_EXPORTS}rvf_index_create (i32 i32 i32 i32 i64) -> i32
rvf_index_drop (i32) -> i32
rvf_index_build (i32 i32) -> i32
rvf_index_search (i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) -> i32
rvf_index_save (i32) -> i32
rvf_index_load (i32 i64) -> i32
rvf_index_state (i32 i32) -> i32
rvf_rows_begin (i32 i32 i32) -> i32
rvf_rows_take (i32 i32 i32 i32 i32) -> i32
rvf_rows_metadata (i32 i32 i32) -> i32
rvf_rows_link (i32 i32 i32 i64) -> i32
rvf_rows_find (i32 i32 i32 i32 i32 i32 i32) -> i32
rvf_rows_compare (i32 i32 i32 i32 i32 i32 i32) -> i32
`;

describe("the modules", () => {
  for (const [name, url, golden] of [
    ["kernel", KERNEL_URL, KERNEL_EXPORTS],
    ["control", CONTROL_URL, CONTROL_EXPORTS],
    ["search", SEARCH_URL, SEARCH_EXPORTS],
  ]) {
    const bytes = readFileSync(url);
    const parsed = readModule(bytes);

    test(`${name}: exports and their types are the golden list`, () => {
      const found = Array.from(parsed.exports, ([key, type]) => `${key} ${type}`);
      assert.deepEqual(found.sort(), golden.trim().split("\n").sort());
    });

    test(`${name}: the build checks against the same list`, () => {
      const listed = readFileSync(new URL(`exports/${name}.txt`, TOOLCHAIN), "utf8")
        .split("\n")
        .filter((line) => line && !line.startsWith("#"));
      assert.deepEqual(listed.sort(), golden.trim().split("\n").sort());
    });

    test(`${name}: the engine sees these exports and not one import`, () => {
      const module = new WebAssembly.Module(bytes);
      assert.deepEqual(WebAssembly.Module.imports(module), []);
      const names = WebAssembly.Module.exports(module).map((entry) => entry.name);
      assert.deepEqual(names.sort(), [...parsed.exports.keys()].sort());
    });

    test(`${name}: nothing runs when it is instantiated`, () => {
      const sections = parsed.sections.map((section) => section.name);
      assert.ok(!sections.includes("start"), "there is a start function");
    });
  }

  test("kernel: all state is in memory, which starts as zeros", () => {
    const bytes = readFileSync(KERNEL_URL);
    const sections = readModule(bytes).sections.map((section) => section.name);
    for (const name of ["global", "data", "data count", "element", "table"]) {
      assert.ok(!sections.includes(name), `there is a ${name} section`);
    }
    const { memory } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    assert.ok(new Uint8Array(memory.buffer).every((byte) => byte === 0));
  });

  test("kernel: memory is 2 pages and cannot grow", () => {
    const module = new WebAssembly.Module(readFileSync(KERNEL_URL));
    const { memory } = new WebAssembly.Instance(module).exports;
    assert.equal(memory.buffer.byteLength, 0x20000);
    assert.throws(() => memory.grow(1), RangeError);
  });

  test("the statuses are those of kernel/status.h", () => {
    const header = readFileSync(new URL("../../kernel/status.h", import.meta.url), "utf8");
    const found = [...header.matchAll(/^ {4}(k\w+) = (-?\w+),/gm)];
    const number = (text) => (text.startsWith("-") ? -Number(text.slice(1)) : Number(text));
    const statuses = Object.fromEntries(found.map(([, name, text]) => [name, number(text)]));
    assert.deepEqual(statuses, STATUS);
  });
});

/** A section: id, size, body. All numbers here are below 128, so each is one byte of LEB128. */
const section = (id, ...body) => [id, body.length, ...body];
const text = (word) => [word.length, ...new TextEncoder().encode(word)];
const I32 = 0x7f;
const F32 = 0x7d;

/** A module with a memory of one page and functions (i32) -> i32 that answer their argument. */
function assemble({ names = ["one"], imported = false, result = I32, padding = 0 } = {}) {
  const body = result === I32 ? [0, 0x20, 0, 0x0b] : [0, 0x43, 0, 0, 0, 0, 0x0b];
  const first = imported ? 1 : 0;
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 1, I32, 1, result),
    ...(imported ? section(2, 1, ...text("env"), ...text("f"), 0, 0) : []),
    ...section(3, names.length, ...names.map(() => 0)),
    ...section(5, 1, 1, 1, 1),
    ...section(
      7,
      names.length + 1,
      ...text("memory"),
      ...[2, 0],
      ...names.flatMap((name, index) => [...text(name), 0, first + index]),
    ),
    ...section(10, names.length, ...names.flatMap(() => [body.length, ...body])),
    ...(padding ? section(0, ...text("pad"), ...new Array(padding).fill(0)) : []),
  ]);
}

describe("the build's check", () => {
  const folder = mkdtempSync(join(tmpdir(), "rvf-exports-"));
  after(() => rmSync(folder, { recursive: true }));

  const list = "# comment\n\nmemory 1 1\none (i32) -> i32\n";
  const check = (bytes, { exports = list, budget = bytes.length } = {}) => {
    assert.ok(WebAssembly.validate(bytes), "the hand-made module is not valid");
    const path = join(folder, "module.wasm");
    const listPath = join(folder, "list.txt");
    writeFileSync(path, bytes);
    writeFileSync(listPath, exports);
    const script = fileURLToPath(new URL("report.mjs", TOOLCHAIN));
    const args = [script, path, path, listPath, String(budget)];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    return { status, stderr };
  };
  const refused = ({ status, stderr }, reason) => {
    assert.match(stderr, reason);
    assert.equal(status, 1);
  };

  test("passes a module that is exactly as listed and of exactly the budget", () => {
    assert.deepEqual(check(assemble()), { status: 0, stderr: "" });
  });

  test("refuses an export that is not listed", () => {
    refused(check(assemble({ names: ["one", "two"] })), /two: exported and not listed/);
  });

  test("refuses when a listed export is missing", () => {
    refused(check(assemble({ names: [] })), /one: .*exported as nothing/);
  });

  test("refuses another type", () => {
    refused(check(assemble({ result: F32 })), /one: .*exported as \(i32\) -> f32/);
  });

  test("refuses another size of memory", () => {
    const exports = list.replace("memory 1 1", "memory 1 2");
    refused(check(assemble(), { exports }), /memory: listed as 1 2, exported as 1 1/);
  });

  test("refuses an import", () => {
    refused(check(assemble({ imported: true })), /imports env\.f function/);
  });

  test("refuses one byte over the budget", () => {
    const bytes = assemble({ padding: 9 });
    refused(check(bytes, { budget: bytes.length - 1 }), /1 over the budget/);
  });
});
