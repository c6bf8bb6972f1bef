// Lineage: who a store's file is, and children of it.

import { encodeText, invalid, shown, toBytes, toHex } from "./bytes.js";
import { check } from "./errors.js";
import { readRecord, withCopies } from "./memory.js";
import type { StoreRef } from "./session.js";
import type { BranchOptions, DeriveOptions, Lineage } from "./types.js";

const lineageBytes = 68;

/** By code. */
const derivations = [
  "clone",
  "filter",
  "merge",
  "quantize",
  "reindex",
  "transform",
  "snapshot",
] as const;
const userDerivation = 255;

/** A new file id. */
export function newFileId(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(16));
}

/** What RvfStore.lineage does. */
export function lineageOf({ wasm, handle }: StoreRef): Lineage {
  const view = readRecord(wasm, lineageBytes, (out) => check(wasm.rvf_store_lineage(handle, out)));
  const hex = (at: number, size: number) => toHex(new Uint8Array(view.buffer, at, size));
  return {
    fileId: hex(0, 16),
    parentId: hex(16, 16),
    parentHash: hex(32, 32),
    depth: view.getUint32(64, true),
  };
}

function derivationCode(type: unknown): number {
  if (type === "user") return userDerivation;
  const code = derivations.indexOf(type as (typeof derivations)[number]);
  if (code >= 0) return code;
  throw invalid(`There is no derivation ${shown(type)}; use ${derivations.join(", ")} or user.`);
}

/** Makes a child without vectors; answers its handle. */
export function derive({ wasm, handle }: StoreRef, options: DeriveOptions): number {
  const type = derivationCode(options?.type ?? "filter");
  const parent = toBytes(options?.parent, "bytes of this store's file");
  return withCopies(wasm, [newFileId(), parent], [], (idPtr, parentPtr) =>
    check(wasm.rvf_store_derive(handle, type, idPtr, parentPtr, parent.length)),
  );
}

/** Makes a branch; answers its handle. */
export function branch({ wasm, handle }: StoreRef, options: BranchOptions): number {
  const parent = toBytes(options?.parent, "bytes of this store's file");
  const name = typeof options.parentName === "string" ? encodeText(options.parentName) : undefined;
  if (!name || name.length === 0) {
    throw invalid(
      `The parentName is ${shown(options.parentName)}; give the name of this store's file, as the ` +
        "branch's folder has it.",
    );
  }
  return withCopies(wasm, [newFileId(), parent, name], [], (idPtr, parentPtr, namePtr) =>
    check(wasm.rvf_store_branch(handle, idPtr, parentPtr, parent.length, namePtr, name.length)),
  );
}
