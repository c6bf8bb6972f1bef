// Witnesses: verifying those of a file, and making and verifying chains of 73-byte entries
// (control/witness.h).

import { encodeText, invalid, toBytes } from "./bytes.js";
import { toNanoseconds } from "./commit.js";
import { check } from "./errors.js";
import { copyOut, readRecord, withCopies } from "./memory.js";
import { control } from "./module.js";
import type { WitnessChainReport, WitnessEntry, WitnessReport } from "./types.js";

const reportBytes = 24;
const entryBytes = 73;
const hashBytes = 32;
const shake256 = 1;

/**
 * Verifies every witness of a file: that each names the one before it by its hash, and that its
 * segment is sound. A chain may begin anew anywhere (upstream's does whenever a file is opened), so a
 * file from which whole chains were cut passes too; `starts` counts them.
 *
 * @throws {RvfError} InvalidArgument, OutOfMemory, BackendInitFailed
 */
export function verifyWitnesses(bytes: Uint8Array | ArrayBuffer): WitnessReport {
  const file = toBytes(bytes, "bytes to verify");
  const wasm = control();
  const view = withCopies(wasm, [file], [], (address) =>
    readRecord(wasm, reportBytes, (out) =>
      check(wasm.rvf_witness_report(address, file.length, out)),
    ),
  );
  const broken = view.getUint32(12, true);
  return {
    checked: view.getUint32(0, true),
    starts: view.getUint32(4, true),
    foreign: view.getUint32(8, true),
    broken,
    ...(broken > 0 ? { firstBroken: Number(view.getBigUint64(16, true)) } : {}),
  };
}

function chainBytes(chain: Uint8Array | ArrayBuffer): Uint8Array {
  const bytes = toBytes(chain, "bytes of a chain");
  if (bytes.length % entryBytes === 0) return bytes;
  throw invalid(`The chain has ${bytes.length} bytes; entries have ${entryBytes} each.`);
}

/**
 * Makes a chain of upstream's 73-byte entries, or appends to one; to be embedded as a WITNESS segment
 * with RvfStore.embedSegment. Each entry holds the SHAKE-256 hash of the one before, and that of its
 * action.
 *
 * @param before an earlier chain, which the answer begins with
 * @throws {RvfError} InvalidArgument for an entry; OutOfMemory, BackendInitFailed
 */
export function createWitnessChain(
  entries: readonly WitnessEntry[],
  before: Uint8Array | ArrayBuffer = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const wasm = control();
  const start = chainBytes(before);
  const chain = new Uint8Array(start.length + entries.length * entryBytes);
  chain.set(start);
  let size = start.length;
  for (const { action, time = Date.now(), type } of entries) {
    const text =
      typeof action === "string" ? encodeText(action) : toBytes(action, "bytes of an action");
    if (!text) throw invalid("An action is no valid Unicode; give other text, or bytes.");
    if (!Number.isInteger(type) || type < 0 || type > 255) {
      throw invalid(`The type of a witness is ${type}; give a number from 0 to 255.`);
    }
    const last = chain.subarray(Math.max(0, size - entryBytes), size);
    const entry = withCopies(
      wasm,
      [last, text],
      [hashBytes, entryBytes],
      (chainPtr, textPtr, hash, out) => {
        check(wasm.rvf_hash(shake256, textPtr, text.length, hash));
        const now = toNanoseconds(time);
        check(wasm.rvf_witness_entry(chainPtr, last.length, hash, now, type, out));
        return copyOut(wasm, out, entryBytes);
      },
    );
    chain.set(entry, size);
    size += entryBytes;
  }
  return chain;
}

/**
 * Verifies the links of a chain of 73-byte entries. What the actions were it cannot tell: a chain
 * holds their hashes only.
 *
 * @throws {RvfError} InvalidArgument when the length is no multiple of 73; OutOfMemory,
 *   BackendInitFailed
 */
export function verifyWitnessChain(chain: Uint8Array | ArrayBuffer): WitnessChainReport {
  const bytes = chainBytes(chain);
  const wasm = control();
  const sound = withCopies(wasm, [bytes], [], (address) =>
    check(wasm.rvf_witness_count(address, bytes.length)),
  );
  const entries = bytes.length / entryBytes;
  return { entries, valid: sound === entries, ...(sound < entries ? { firstBroken: sound } : {}) };
}
