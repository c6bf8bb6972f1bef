// RvfError and the texts of every error: the one place where a status becomes words.
// The codes of `statusCodes` are those of kernel/status.h; tests/js/errors.test.mjs compares the two.

/** The failures that the wasm modules report, by name. */
export const statusCodes = {
  InvalidMagic: 0x0100,
  InvalidVersion: 0x0101,
  InvalidChecksum: 0x0102,
  TruncatedSegment: 0x0104,
  InvalidManifest: 0x0105,
  ManifestNotFound: 0x0106,
  DimensionMismatch: 0x0200,
  MetricUnsupported: 0x0202,
  FilterParseError: 0x0203,
  KTooLarge: 0x0204,
  SegmentTooLarge: 0x0304,
  TileOutOfMemory: 0x0401,
  TileInvalidMessage: 0x0403,
  TileUnsupported: 0x0404,
  ParentNotFound: 0x0600,
  ParentHashMismatch: 0x0601,
  LineageBroken: 0x0602,
  CowMapCorrupt: 0x0700,
  SnapshotFrozen: 0x0704,
  InvalidPointer: 0xfe00,
  OutOfMemory: 0xfe01,
  NotFinite: 0xfe02,
  BufferTooSmall: 0xfe03,
  InvalidArgument: 0xfe04,
  TooManyStores: 0xfe05,
  CommitPending: 0xfe06,
  StoreClosed: 0xff02,
} as const;

/** The failures that only this package can have. */
export const hostCodes = {
  BackendInitFailed: 0xff01,
} as const;

/** Every error code by name, to compare with {@link RvfError.code}. */
export const RvfErrorCode = { ...statusCodes, ...hostCodes } as const;

/** The symbolic name of an error code, for example "DimensionMismatch". */
export type RvfErrorName = keyof typeof RvfErrorCode;

/** What is wrong, and what to do next. */
export const errorTexts: Record<RvfErrorName, string> = {
  InvalidMagic:
    "No RVF segment starts here; check that these bytes are an .rvf file from its start.",
  InvalidVersion:
    "The file was written by a version of the format that is not known here; update rvf-wasm.",
  InvalidChecksum:
    "A segment does not match its stored hash, so the file is damaged; fetch or restore it again.",
  TruncatedSegment:
    "A length or count points past the end of the data; fetch the file again, it seems cut or damaged.",
  InvalidManifest:
    "The manifest contradicts the file, which is damaged; fetch or restore it again.",
  ManifestNotFound:
    "There is no committed manifest; check that this is an .rvf file and that all of it is here.",
  DimensionMismatch:
    "The number of elements does not fit; give vectors of exactly the store's (or tile's) dimension.",
  MetricUnsupported: "This metric does not exist here; use l2, inner_product or cosine.",
  FilterParseError: "The filter cannot be read; see the documentation of Filter for its grammar.",
  KTooLarge: "More results were asked for than the result buffer holds; ask for a smaller k.",
  SegmentTooLarge:
    "A segment or export is above the format's size limit; split the data over files.",
  TileOutOfMemory: "The data does not fit its region of tile memory; send smaller blocks.",
  TileInvalidMessage: "The tile cannot do this yet; load its query, block or neighbours first.",
  TileUnsupported:
    "The tile does not have this data type or operation; use f16, i8 or f32, and what its profile allows.",
  ParentNotFound:
    "This file is a branch; pass the bytes of the file that it was branched from as `parent`.",
  ParentHashMismatch:
    "The parent does not hold what the branch was made from any more; pass it as it was then, from " +
    "before it was compacted.",
  LineageBroken:
    "This is not the file that the branch was made from; pass the bytes of that file as `parent`.",
  CowMapCorrupt: "The branch's record of its parent is damaged; fetch or restore the branch again.",
  SnapshotFrozen:
    "The store is frozen and takes no changes; derive or branch from it, and change the child.",
  InvalidPointer:
    "A pointer or length lies outside the memory this call may touch; pass an address inside it.",
  OutOfMemory: "Memory cannot grow; close a store, store less, or raise maxMemoryBytes.",
  NotFinite: "A vector holds NaN or an infinity; give finite 32-bit floats.",
  BufferTooSmall: "The answer does not fit the buffer; give a larger one.",
  InvalidArgument: "An argument is outside its range; see the documentation of the call.",
  TooManyStores: "1,024 stores are open already; close one first.",
  CommitPending:
    "A commit is in the way or missing; acknowledge or discard the one that was made, or make one first.",
  StoreClosed: "This store is closed; open or create another one.",
  BackendInitFailed: "The WebAssembly module is not ready; `await init()` first.",
};

const names = new Map<number, RvfErrorName>(
  Object.entries(RvfErrorCode).map(([name, code]) => [code, name as RvfErrorName]),
);

/**
 * The only error that this package throws on purpose.
 *
 * The message reads `RVF error 0x0200: DimensionMismatch. <what is wrong and what to do next>`.
 * Whatever the call was, the store is as before it.
 */
export class RvfError extends Error {
  override readonly name = "RvfError";
  /** The error code of the format, for example 0x0200; see {@link RvfErrorCode}. */
  readonly code: number;
  /** The name of {@link code}, for example "DimensionMismatch". */
  readonly codeName: RvfErrorName | "Unknown";

  /** `detail` replaces the general text of the code. */
  constructor(code: number, detail?: string, options?: ErrorOptions) {
    const codeName = names.get(code) ?? "Unknown";
    const text =
      detail ??
      (codeName === "Unknown" ? "Update rvf-wasm to learn its meaning." : errorTexts[codeName]);
    super(
      `RVF error 0x${code.toString(16).toUpperCase().padStart(4, "0")}: ${codeName}. ${text}`,
      options,
    );
    this.code = code;
    this.codeName = codeName;
  }
}

/** Passes a success (zero or positive) on and throws a negative status as an {@link RvfError}. */
export function check(status: number): number {
  if (status < 0) throw new RvfError(-status);
  return status;
}
