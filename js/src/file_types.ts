// The types of files: commits, lineage, segments, signatures, witnesses.

import type { RvfErrorName } from "./errors.js";
import type { NumericId } from "./types.js";

// --- Commits ---

export interface ChangesOptions {
  /** When it happened, in milliseconds since 1970, for witnesses; default `Date.now()`. */
  time?: number;
  /** Writes the file anew, without what no longer counts; also when nothing has changed. */
  compact?: boolean;
}

/**
 * A commit, to be written: cut the file at `offset`; write and flush `bytes` up to `manifestOffset`;
 * write and flush the rest; then call `acknowledge`, or `discard` when anything failed.
 */
export interface Changes {
  /** Where the bytes go in the file. What is there is of a write that was interrupted. */
  offset: number;
  /** A copy; it is yours. */
  bytes: Uint8Array<ArrayBuffer>;
  /** Where the manifest begins in `bytes`, which makes all before it count. */
  manifestOffset: number;
  /** The bytes are a whole new file: write them beside the old one, then put them in its place. */
  replaces: boolean;
}

/** What is known of a store's file. */
export interface StoreState {
  /** Bytes of the committed file; 0 before the first commit. */
  fileSize: number;
  /** Commits so far, in the life of the file. */
  epoch: number;
  /** It takes no changes. */
  frozen: boolean;
  /** It shows the vectors of a parent file. */
  isBranch: boolean;
  /** There are changes that no commit holds. */
  uncommitted: boolean;
  /** A commit was made and is neither acknowledged nor discarded. */
  pending: boolean;
  /** Pairs of vector and metadata segments that the directory lists. */
  layers: number;
  /** Deleted ids that the file still holds vectors of. */
  deletedIds: number;
  /** The hardware profile that the file names; nothing here depends on it. */
  profile: number;
  /** Of memory for metadata, the store's own and replaced ones included; 0 when there is none. */
  metadataBytes: number;
}

/** Something that salvage left out. */
export interface Loss {
  /** Where it begins in the file. */
  offset: number;
  /** Bytes of its payload. */
  size: number;
  /** The segment's id. */
  id: NumericId;
  /** Its type, and the name of that. */
  type: number;
  typeName: string;
  /** What is wrong with it. */
  reason: RvfErrorName;
}

// --- Lineage ---

/** Who a file is, in hexadecimal digits. */
export interface Lineage {
  /** 32 digits. */
  fileId: string;
  /** 32 digits; zeros when it has no parent. */
  parentId: string;
  /** 64 digits: upstream's simple hash of the parent's end when the child was made; zeros without one. */
  parentHash: string;
  /** Parents above it. */
  depth: number;
}

/** How a child was made. */
export type Derivation =
  | "clone"
  | "filter"
  | "merge"
  | "quantize"
  | "reindex"
  | "transform"
  | "snapshot"
  | "user";

export interface DeriveOptions {
  /** This store's file as it is committed, or its last 64 KiB at least. */
  parent: Uint8Array | ArrayBuffer;
  /** Recorded in the child's first witness; default "filter", as upstream's. */
  type?: Derivation;
}

export interface BranchOptions {
  /** This store's file as it is committed, or its last 64 KiB at least. */
  parent: Uint8Array | ArrayBuffer;
  /** The name of that file as the branch's folder has it, for tools that look for it there. */
  parentName: string;
}

// --- Segments ---

/** Upstream's names of segment types. */
export type SegmentTypeName =
  | "invalid"
  | "vec"
  | "index"
  | "overlay"
  | "journal"
  | "manifest"
  | "quant"
  | "meta"
  | "hot"
  | "sketch"
  | "witness"
  | "profile"
  | "crypto"
  | "meta_idx"
  | "kernel"
  | "ebpf"
  | "wasm"
  | "dashboard"
  | "cow_map"
  | "refcount"
  | "membership"
  | "delta"
  | "transfer_prior"
  | "policy_kernel"
  | "cost_curve"
  | "federated_manifest"
  | "diff_privacy_proof"
  | "redaction_log"
  | "aggregate_weights";

/** How a payload fits the hash in its segment's header. */
export type ChecksumState = "good" | "bad" | "absent";

/** A segment as it lies in a file. */
export interface SegmentInfo {
  /** Where its header begins. */
  offset: number;
  type: number;
  /** One of {@link SegmentTypeName}, or "unknown(0xNN)". */
  typeName: string;
  /** Not unique: upstream gives ids out again. The offset is. */
  id: NumericId;
  /** Bytes of its payload, as the header says. */
  size: number;
  /** Of the format; 1. */
  version: number;
  flags: number;
  /** Of its content; "cut" when the bytes end before the payload does. */
  hash: ChecksumState | "cut";
  /** The signature behind it, if there is one. */
  signature?: SegmentSignature;
}

/** A segment that a store carries on unread. */
export interface CarriedSegment {
  id: NumericId;
  /** Where its header begins in the file; absent before a commit holds it. */
  offset?: number;
  payload: Uint8Array<ArrayBuffer>;
  /** What is wrong with its content; absent when it is sound. */
  problem?: RvfErrorName;
}

// --- Signatures ---

/** Signatures have 64, 3,309 and 7,856 bytes. */
export type SignatureAlgorithm = "ed25519" | "ml-dsa-65" | "slh-dsa-128s";

/** A signature as it lies behind a segment. Whether it is good, verifySignatures tells. */
export interface SegmentSignature {
  algorithm: SignatureAlgorithm;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Makes signatures. Keys stay with you. */
export interface Signer {
  readonly algorithm: SignatureAlgorithm;
  /** The signature of the 94 bytes of `message`. */
  sign(message: Uint8Array<ArrayBuffer>): Uint8Array | Promise<Uint8Array>;
}

/** Checks signatures by one public key. */
export interface SignatureVerifier {
  readonly algorithm: SignatureAlgorithm;
  verify(
    signature: Uint8Array<ArrayBuffer>,
    message: Uint8Array<ArrayBuffer>,
  ): boolean | Promise<boolean>;
}

/** What verifying the signature of a segment found. */
export interface SignatureCheck {
  offset: number;
  type: number;
  typeName: string;
  id: NumericId;
  /** Absent without a signature. */
  algorithm?: SignatureAlgorithm;
  /** "absent": there is none; "unchecked": no verifier of its algorithm was given. */
  signature: "good" | "bad" | "absent" | "unchecked";
}

// --- Witnesses ---

/** What verifying the witnesses of a file found. */
export interface WitnessReport {
  /** Witnesses of the runtime's kind, and entries of chains. */
  checked: number;
  /** Of them, those that begin a chain. */
  starts: number;
  /** Witness segments of other layouts, of which nothing can be said. */
  foreign: number;
  /** Witnesses that do not follow from the one before, and damaged segments. */
  broken: number;
  /** Where the segment of the first broken one begins; absent when none is. */
  firstBroken?: number;
}

/** An entry of a chain to be made. */
export interface WitnessEntry {
  /** What happened. The chain holds its SHAKE-256 hash only. */
  action: string | Uint8Array;
  /**
   * Upstream's code: 1 provenance, 2 computation, 3 search, 4 deletion, 5 platform attestation, 6 key
   * binding, 7 computation proof, 8 data provenance, 9 derivation, 10 merge, 11 snapshot, 12 transform,
   * 13 verification.
   */
  type: number;
  /** Milliseconds since 1970; default `Date.now()`. */
  time?: number;
}

export interface WitnessChainReport {
  entries: number;
  /** Every entry follows from the one before. */
  valid: boolean;
  /** The first entry that does not, from 0; absent when all do. */
  firstBroken?: number;
}
