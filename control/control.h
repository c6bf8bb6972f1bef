// rvf_control.wasm: the control-plane store. This header is its manual.
//
// The module opens, searches, changes and writes .rvf files in its own memory. It imports nothing:
// bytes go in through buffers that the caller allocates with rvf_alloc, answers come out the same
// way. Names and signatures are those of the published @ruvector/rvf-wasm 0.1.9 where it has them,
// so that its callers can swap the module.
//
// Pointers are addresses in the module's memory; they need no alignment. A pointer or length
// outside memory answers kInvalidPointer. Memory may grow during rvf_alloc, rvf_store_create, the
// three _open and _ingest: views of it that the host holds are invalid afterwards.
//
// Failure. A negative answer is a Status (kernel/status.h). Every store is then as before the call.
//
// Handles are positive, carry a generation, and are never reused for another store until 2^20
// stores have passed through their slot; a stale one answers kStoreClosed. At most 1,024 stores at
// a time.
//
// Distances (docs/format.md, "Distances"): L2 is the sum of squared differences, inner product is
// minus the dot product, cosine is 1 - dot / (|a| |b|) and 1.0 when that denominator is below
// 2^-23. Answers ascend by distance, then by id (unsigned). NaN is never in an answer.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/status.h"

namespace rvf {

/// Distances a store can answer by; the metric byte of the manifest.
enum Metric : int32_t { kL2 = 0, kInnerProduct = 1, kCosine = 2 };

/// What opening a file had to pass over; the bits of rvf_store_warnings.
enum Warning : uint32_t {
    kTornTail = 1,         ///< bytes that no commit covers were ignored: an interrupted write
    kDamagedManifest = 2,  ///< no manifest passed the strict check; the last readable one was taken
    kForeignDimension = 4, ///< a VEC segment of another dimension was left out
    kMetricAssumed = 8,    ///< the stored metric is unknown or missing; L2 unless one was given
    kWasmLayout = 16,      ///< a file of the upstream wasm module, which stores no metric
    kNotFiniteRows = 32,   ///< the file holds vectors with NaN or infinities
    kSkippedManifest = 64, ///< a later manifest is damaged; the state before it was opened
};

/// A hit: id u64, distance f32.
constexpr uint32_t kHitBytes = 12;

constexpr uint32_t kMaxDimension = 65535;
constexpr uint32_t kStatusBytes = 20;
constexpr uint32_t kMemoryUsageBytes = 32;
constexpr uint32_t kHeaderInfoBytes = 24;
constexpr uint32_t kSegmentInfoBytes = 28;
constexpr uint32_t kFileIdBytes = 16;

extern "C" {

// --- Memory ---

/// Allocates `size` bytes, aligned to 16; 0 when memory cannot grow or `size` is 0.
uintptr_t rvf_alloc(size_t size);

/// Gives back what rvf_alloc answered, with the same size. Anything else is ignored.
void rvf_free(uintptr_t ptr, size_t size);

/// Sets the most bytes of memory that the module may grow to (default: 4 GiB). What is held already
/// stays. Answers 0.
int32_t rvf_memory_limit(size_t max_bytes);

// --- Stores ---

/// Creates an empty store of `dimension` (1 to 65,535) and `metric`; answers its handle.
/// kInvalidArgument, kMetricUnsupported, kOutOfMemory or kTooManyStores.
int32_t rvf_store_create(int32_t dimension, int32_t metric);

/// Opens a copy of the .rvf file in `buf`; the buffer stays the caller's. Answers a handle.
///
/// Reads what every upstream tool writes, by the open algorithm of docs/format.md: the last
/// complete commit decides, and rvf_store_warnings tells what was passed over. A damaged vector
/// segment that the commit lists fails the call.
///   kManifestNotFound     not an RVF file, or nothing was committed
///   kInvalidVersion       written by a version of the format that we do not know
///   kInvalidChecksum      a vector segment is damaged
///   kTruncatedSegment, kInvalidManifest, kSegmentTooLarge  counts, lengths or a dimension that lie
///   kParentNotFound       a branch, see rvf_store_open_branch
///   kOutOfMemory, kTooManyStores, kInvalidPointer
int32_t rvf_store_open(uintptr_t buf, size_t len);

/// The same, for a file whose metric byte is missing or wrong: `metric` overrules it; -1: as
/// stored. kMetricUnsupported.
int32_t rvf_store_open_as(uintptr_t buf, size_t len, int32_t metric);

/// The same for a branch, whose parent file lies at `parent`; other files ignore it. The store
/// holds the vectors that the branch shows, the parent's among them, and an export of it is a
/// complete file. kParentHashMismatch: not the parent, or changed since; kCowMapCorrupt: the branch
/// is damaged; kDimensionMismatch: the parent's is another; kParentNotFound: the parent is a branch
/// itself.
int32_t rvf_store_open_branch(uintptr_t buf, size_t len, uintptr_t parent, size_t parent_len,
                              int32_t metric);

/// Frees the store. Its handle is dead afterwards. Answers 0.
int32_t rvf_store_close(int32_t handle);

/// Adds or replaces `count` vectors (0 changes nothing): f32 rows at `vecs`, u64 ids at `ids`. The
/// last of equal ids wins. All or nothing; room that was made for the rows stays. Answers `count`;
/// kNotFinite when any element is NaN or infinite.
int32_t rvf_store_ingest(int32_t handle, uintptr_t vecs, uintptr_t ids, int32_t count);

/// Finds the `k` nearest vectors to the f32 query by an exact scan; `metric` -1 takes the store's.
/// Writes 12-byte hits (id u64, distance f32) to `out`, which must hold min(k, count) of them, and
/// answers how many: fewer than k when the store holds fewer. kInvalidArgument for k of 0 or less.
int32_t rvf_store_query(int32_t handle, uintptr_t query, int32_t k, int32_t metric, uintptr_t out);

/// Deletes by id; answers how many were there. Unknown and repeated ids are passed over.
int32_t rvf_store_delete(int32_t handle, uintptr_t ids, int32_t count);

/// Writes the f32 elements of the vector whose u64 id lies at `id` to `out`; answers 1, or 0 when
/// no such id is live.
int32_t rvf_store_vector(int32_t handle, uintptr_t id, uintptr_t out);

/// Live vectors.
int32_t rvf_store_count(int32_t handle);

int32_t rvf_store_dimension(int32_t handle);

/// Writes five u32: live vectors, dimension, metric, rows held (deleted ones included), deleted
/// rows.
int32_t rvf_store_status(int32_t handle, uintptr_t out);

/// What opening passed over: a set of Warning bits, 0 for a store that was created.
int32_t rvf_store_warnings(int32_t handle);

/// Sets the 16-byte file id that an export carries; the parent of an opened file stays. Upstream
/// wants an id that is not zero, and the module has no source of randomness. With an id of zero, as
/// a created store has it at first, an export carries no identity at all.
int32_t rvf_store_set_file_id(int32_t handle, uintptr_t id);

/// Bytes that rvf_store_export will write. kSegmentTooLarge from 2 GiB on.
int32_t rvf_store_export_size(int32_t handle);

/// Writes the store as a complete .rvf file: live vectors, then the committed segments of the
/// opened file of every kind that this module does not write itself, byte for byte, then the
/// manifest. The layout is what upstream's compaction writes. Left out: journals, indexes and the
/// records of a branch, whose effect is in the vectors. Answers the bytes written, or
/// kBufferTooSmall.
int32_t rvf_store_export(int32_t handle, uintptr_t out, size_t len);

/// Writes four u64: bytes of rows, bytes of ids and their map, bytes of kept segments, and bytes of
/// module memory in all.
int32_t rvf_store_memory_usage(int32_t handle, uintptr_t out);

// --- Segments of a file that need not be opened ---

/// Writes the first 24 bytes of the 64-byte header at `buf` to `out`: magic u32, version u8, type
/// u8, flags u16, segment id u64, payload length u64. Answers 0; kTruncatedSegment when `len` is
/// below 64, kInvalidMagic.
int32_t rvf_parse_header(uintptr_t buf, size_t len, uintptr_t out);

/// Complete segments found by walking the bytes; after damage the walk goes on at the next magic.
int32_t rvf_segment_count(uintptr_t buf, size_t len);

/// Writes 28 bytes on segment `index`: id u64, type u8, three zero bytes, payload length u64,
/// offset u64 (of the header). kInvalidArgument when there is no such segment.
int32_t rvf_segment_info(uintptr_t buf, size_t len, int32_t index, uintptr_t out);

} // extern "C"

} // namespace rvf
