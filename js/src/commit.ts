// Commits: the bytes that bring a store's file up to date.

import { invalid, shown } from "./bytes.js";
import { check } from "./errors.js";
import { copyOut, readRecord } from "./memory.js";
import type { Pending, Session, StoreRef } from "./session.js";
import type { Changes, ChangesOptions, StoreState } from "./types.js";

const commitInfoBytes = 32;
const stateBytes = 44;
const compactFlag = 1;
/** No signature. */
export const unsigned = -1;

/** Milliseconds of Unix time as the nanoseconds that files hold. */
export function toNanoseconds(time: unknown): bigint {
  if (typeof time === "number" && time >= 0 && time < 2 ** 44) {
    return BigInt(Math.floor(time)) * BigInt(1_000_000);
  }
  throw invalid(`The time is ${shown(time)}; give milliseconds since 1970, as Date.now() does.`);
}

/** Makes a commit; undefined when nothing has changed. */
export function makeCommit(
  session: Session,
  options: ChangesOptions,
  signature: number,
): Pending | undefined {
  const { wasm, handle } = session;
  const time = toNanoseconds(options.time ?? Date.now());
  const flags = options.compact ? compactFlag : 0;
  let made = 0;
  const info = readRecord(wasm, commitInfoBytes, (out) => {
    made = check(wasm.rvf_store_commit(handle, time, signature, flags, out));
  });
  if (made === 0) return undefined;
  session.pending = {
    offset: Number(info.getBigUint64(0, true)),
    address: info.getUint32(8, true),
    size: info.getUint32(12, true),
    manifestOffset: info.getUint32(16, true),
    replaces: info.getUint32(20, true) === 1,
  };
  return session.pending;
}

/** A copy of the bytes that were made, and what to do with them. Discards them when that fails. */
export function toChanges(session: Session, pending: Pending): Changes {
  const { offset, manifestOffset, replaces, address, size } = pending;
  try {
    return { offset, bytes: copyOut(session.wasm, address, size), manifestOffset, replaces };
  } catch (error) {
    discard(session);
    throw error;
  }
}

/** What RvfStore.acknowledge does. */
export function acknowledge(session: Session): void {
  check(session.wasm.rvf_store_acknowledge(session.handle));
  session.pending = undefined;
}

/** What RvfStore.discard does. */
export function discard(session: Session): void {
  check(session.wasm.rvf_store_discard(session.handle));
  session.pending = undefined;
}

/** What RvfStore.state does. */
export function stateOf({ wasm, handle }: StoreRef): StoreState {
  const view = readRecord(wasm, stateBytes, (out) => check(wasm.rvf_store_state(handle, out)));
  const field = (i: number) => view.getUint32(i * 4, true);
  return {
    fileSize: Number(view.getBigUint64(0, true)),
    epoch: field(2),
    frozen: field(3) === 1,
    isBranch: field(4) === 1,
    uncommitted: field(5) === 1,
    pending: field(6) === 1,
    layers: field(7),
    deletedIds: field(8),
    profile: field(9),
    metadataBytes: field(10),
  };
}
