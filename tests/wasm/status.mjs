/**
 * The statuses of kernel/status.h, pinned here because callers depend on the numbers;
 * exports.test.mjs compares both.
 */
export const STATUS = Object.freeze({
  kOk: 0,
  kInvalidMagic: -0x0100,
  kInvalidVersion: -0x0101,
  kInvalidChecksum: -0x0102,
  kTruncatedSegment: -0x0104,
  kInvalidManifest: -0x0105,
  kManifestNotFound: -0x0106,
  kDimensionMismatch: -0x0200,
  kMetricUnsupported: -0x0202,
  kFilterInvalid: -0x0203,
  kKTooLarge: -0x0204,
  kSegmentTooLarge: -0x0304,
  kTileOutOfMemory: -0x0401,
  kTileInvalidMessage: -0x0403,
  kTileUnsupported: -0x0404,
  kParentNotFound: -0x0600,
  kParentHashMismatch: -0x0601,
  kLineageBroken: -0x0602,
  kCowMapCorrupt: -0x0700,
  kSnapshotFrozen: -0x0704,
  kInvalidPointer: -0xfe00,
  kOutOfMemory: -0xfe01,
  kNotFinite: -0xfe02,
  kBufferTooSmall: -0xfe03,
  kInvalidArgument: -0xfe04,
  kTooManyStores: -0xfe05,
  kCommitPending: -0xfe06,
  kStoreClosed: -0xff02,
});
