// Every status that an export of either module can return: one enum, one sentence each.
//
// An export that can fail returns a negative number: minus the RVF error code (docs/format.md,
// "Error codes"). Zero and positive numbers are successes whose meaning the export documents.
// Codes 0x01xx to 0x07xx are the format's own, 0xFFxx are those of upstream's SDK, and 0xFExx are
// ours for what neither names. js/src/errors.ts holds the texts; a test compares both lists.
#pragma once

#include <stdint.h>

namespace rvf {

enum Status : int32_t {
    kOk = 0,

    kInvalidMagic = -0x0100,       ///< no RVF segment starts where one must start
    kInvalidVersion = -0x0101,     ///< written by a format version that we do not know
    kInvalidChecksum = -0x0102,    ///< stored content hash and payload disagree
    kTruncatedSegment = -0x0104,   ///< a length or count points past the end of its container
    kInvalidManifest = -0x0105,    ///< the manifest contradicts itself or the file
    kManifestNotFound = -0x0106,   ///< no manifest: not an RVF file, or nothing was committed
    kDimensionMismatch = -0x0200,  ///< a dimension that the call, tile or branch cannot take
    kMetricUnsupported = -0x0202,  ///< no such metric, or not for this data
    kFilterInvalid = -0x0203,      ///< a filter that is no sound program
    kKTooLarge = -0x0204,          ///< more results asked for than the result buffer holds
    kSegmentTooLarge = -0x0304,    ///< above the size limit of a segment or an export
    kTileOutOfMemory = -0x0401,    ///< the data does not fit its region of tile memory
    kTileInvalidMessage = -0x0403, ///< not possible in this state: something must be loaded first
    kTileUnsupported = -0x0404,    ///< a data type or operation the tile does not have
    kParentNotFound = -0x0600,     ///< a branch that needs the file it was branched from
    kParentHashMismatch = -0x0601, ///< the parent has changed since the branch was made
    kLineageBroken = -0x0602,      ///< not the file that the branch was made from
    kCowMapCorrupt = -0x0700,      ///< a branch whose record of its parent is damaged
    kSnapshotFrozen = -0x0704,     ///< a frozen store takes no changes; derive or branch from it

    kInvalidPointer = -0xFE00,  ///< pointer or length outside the memory the call may touch
    kOutOfMemory = -0xFE01,     ///< memory could not grow; the state is as before the call
    kNotFinite = -0xFE02,       ///< a vector or query holds NaN or an infinity
    kBufferTooSmall = -0xFE03,  ///< the answer does not fit the caller's buffer
    kInvalidArgument = -0xFE04, ///< a zero or negative count, or a value outside its range
    kTooManyStores = -0xFE05,   ///< every store handle is taken
    kCommitPending = -0xFE06,   ///< a commit must be acknowledged or discarded first, or made
    kStoreClosed = -0xFF02,     ///< the handle names no open store
};

} // namespace rvf
