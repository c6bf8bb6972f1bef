// rvf_control.wasm: the control-plane store. This header is its manual.
//
// The module opens, searches, changes and writes .rvf files in its own memory. It imports nothing:
// bytes go in through buffers that the caller allocates with rvf_alloc, answers come out the same
// way. Names and signatures are those of the published @ruvector/rvf-wasm 0.1.9 where it has them,
// so that its callers can swap the module.
//
// Pointers are addresses in the module's memory; they need no alignment. A pointer or length
// outside memory answers kInvalidPointer. Memory may grow during rvf_alloc and every export that
// takes a handle or makes one: views of it that the host holds are invalid afterwards.
//
// Failure. A negative answer is a Status (kernel/status.h). Every store is then as before the call.
//
// A store and its file. A store knows what of it is in its file, the bytes it was opened from and
// what was acknowledged since. rvf_store_commit makes the bytes that bring the file up to date,
// mostly by appending; the host writes them. rvf_store_export makes another, complete file.
//
// Metadata is a list of entries, ascending by field: field u16, type u8, length u32, value
// (control/metadata.h). Field 0xFFFF is by convention the row's id as text, and 0xFFFE is not to be
// used. The store has entries of its own, where hosts keep the names of fields.
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
    kDamagedHeader = 128,  ///< a segment's header does not agree with the directory, which counts
    kDamagedRecord = 256,  ///< a REFCOUNT or DELTA that is not sound; it is carried on all the same
    kLosses = 512,         ///< salvage left something out: rvf_store_losses
};

/// Flags of rvf_store_open_with.
enum OpenFlag : uint32_t {
    kSalvage = 1,  ///< leave out what is damaged and list it, instead of failing
    kTakeFile = 2, ///< the store takes over the block with the file, and need not copy its vectors
};

/// Flags of rvf_store_commit.
enum CommitFlag : uint32_t {
    kCompact = 1, ///< the file anew, without what no longer counts
};

/// What rvf_store_embed and signatures call their kinds: control/segment.h, control/signature.h.

/// Bytes of a file in memory.
struct FileBytes {
    uintptr_t address;
    size_t size;
};

/// A hit: id u64, distance f32.
constexpr uint32_t kHitBytes = 12;

constexpr uint32_t kMaxDimension = 65535;
constexpr uint32_t kStatusBytes = 20;
constexpr uint32_t kMemoryUsageBytes = 32;
constexpr uint32_t kHeaderInfoBytes = 24;
constexpr uint32_t kSegmentInfoBytes = 28;
constexpr uint32_t kFileIdBytes = 16;
constexpr uint32_t kLineageBytes = 68;
constexpr uint32_t kLossBytes = 32;
constexpr uint32_t kCommitInfoBytes = 32;
constexpr uint32_t kStateBytes = 44;
constexpr uint32_t kKeptInfoBytes = 40;
constexpr uint32_t kInspectBytes = 48;
constexpr uint32_t kWitnessReportBytes = 24;
constexpr uint32_t kMaxParents = 16;

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

/// The same in general: `parents` are `parent_count` (0 to 16) FileBytes, the parent of a branch
/// first, then that one's parent, and so on; `flags` is a set of OpenFlag. The parent may have gone
/// on since the branch was made: the state it had then is looked for in it. kLineageBroken: another
/// file; kParentHashMismatch: that state is not in it any more (it was compacted).
///
/// With kSalvage, segments of vectors or metadata that are damaged are left out, a branch opens
/// without its parent, and a file without any manifest opens with every sound segment in it;
/// rvf_store_losses lists what is missing. Only then may an answer lack what the file held.
///
/// With kTakeFile, `buf` must be a block of rvf_alloc and `len` its size. When the store is opened
/// it owns the block: it frees it at once, or with the store when it leaves vectors where they are.
/// After an error the block is still the caller's; its bytes may have changed.
int32_t rvf_store_open_with(uintptr_t buf, size_t len, uintptr_t parents, int32_t parent_count,
                            int32_t metric, uint32_t flags);

/// What salvage left out: writes as many 32-byte records as fit `len`: offset u64, payload length
/// u64, id u64, type u32, status i32. Answers how many there are.
int32_t rvf_store_losses(int32_t handle, uintptr_t out, size_t len);

/// Frees the store. Its handle is dead afterwards. Answers 0.
int32_t rvf_store_close(int32_t handle);

/// Adds or replaces `count` vectors (0 changes nothing): f32 rows at `vecs`, u64 ids at `ids`. The
/// last of equal ids wins. Metadata that an id had is gone. All or nothing; room that was made for
/// the rows stays. Answers `count`; kNotFinite when any element is NaN or infinite;
/// kSnapshotFrozen.
int32_t rvf_store_ingest(int32_t handle, uintptr_t vecs, uintptr_t ids, int32_t count);

/// The same with metadata: `meta` holds for each vector a length (u32) and that many bytes of
/// entries. kInvalidArgument when they are not sound.
int32_t rvf_store_upsert(int32_t handle, uintptr_t vecs, uintptr_t ids, int32_t count,
                         uintptr_t meta, size_t meta_len);

/// Replaces the metadata of the vector whose u64 id lies at `id`, or with `id` 0 that of the store,
/// by the entries at `meta`. Answers 1, or 0 when no such id is live. kInvalidArgument,
/// kSnapshotFrozen, kOutOfMemory.
int32_t rvf_store_set_metadata(int32_t handle, uintptr_t id, uintptr_t meta, size_t meta_len);

/// Bytes of the metadata of an id, or with `id` 0 of the store; written to `out` when `len` is that
/// much at least. 0: it has none, or is not live.
int32_t rvf_store_metadata(int32_t handle, uintptr_t id, uintptr_t out, size_t len);

/// Finds the `k` nearest vectors to the f32 query by an exact scan; `metric` -1 takes the store's.
/// Writes 12-byte hits (id u64, distance f32) to `out`, which must hold min(k, count) of them, and
/// answers how many: fewer than k when the store holds fewer. kInvalidArgument for k of 0 or less.
int32_t rvf_store_query(int32_t handle, uintptr_t query, int32_t k, int32_t metric, uintptr_t out);

/// The same among the vectors that a filter admits (control/filter.h); of `filter_len` 0: all. k
/// are found when k are admitted. kFilterInvalid when the filter is not sound.
int32_t rvf_store_search(int32_t handle, uintptr_t query, int32_t k, int32_t metric,
                         uintptr_t filter, size_t filter_len, uintptr_t out);

/// Deletes what a filter admits; answers how many. kFilterInvalid, also for an empty one.
int32_t rvf_store_delete_where(int32_t handle, uintptr_t filter, size_t filter_len);

/// Writes the live u64 ids, as many as fit `len`, in the order of their rows; answers how many
/// there are.
int32_t rvf_store_ids(int32_t handle, uintptr_t out, size_t len);

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

// --- Commits ---

/// Makes the bytes that bring the file up to date with the store, and writes to `out`: offset u64
/// where they go in the file, address u32 and size u32 of the bytes in memory, size u32 of what
/// comes before the manifest, replaces u32, 8 zero bytes. Answers 1, or 0 when nothing has changed.
///
/// The host cuts the file at the offset (what is behind is of a write that was interrupted), writes
/// and flushes what comes before the manifest, writes and flushes the manifest, then calls
/// rvf_store_acknowledge. `replaces` is 1 after a compaction: the bytes are a new file, to be
/// written beside the old one and put in its place. Whatever fails: rvf_store_discard.
///
/// `time_ns` is Unix time, for witnesses. `signature` is the kind of signature for which every
/// segment gets a footer (control/signature.h), or -1; the host signs rvf_signing_input of each and
/// puts the result into its footer before it writes. `flags` is a set of CommitFlag.
///
/// kCommitPending when one is made already; kOutOfMemory: nothing is lost but, when vectors or
/// metadata have changed or with kCompact, an INDEX of the file; kInvalidArgument.
int32_t rvf_store_commit(int32_t handle, uint64_t time_ns, int32_t signature, uint32_t flags,
                         uintptr_t out);

/// The bytes of the last commit are in the file; they are freed. kCommitPending: there is none.
int32_t rvf_store_acknowledge(int32_t handle);

/// They are not. What they held belongs to the next commit. kCommitPending: there is none.
int32_t rvf_store_discard(int32_t handle);

/// Freezes the store: from the next commit on its file takes no more changes, here or wherever this
/// module opens it. Only rvf_store_commit, _derive and _branch go on. kSnapshotFrozen,
/// kCommitPending, kOutOfMemory.
int32_t rvf_store_freeze(int32_t handle);

/// Makes an empty child, whose lineage names this store; answers its handle. `file_id` is 16 bytes,
/// not all zero; `parent` is this store's committed file, or its last 64 KiB at least; `type` is
/// recorded in the child's first witness: 0 clone, 1 filter, 2 merge, 3 quantize, 4 reindex, 5
/// transform, 6 snapshot, 255 user. kCommitPending when the store has changes that are not in its
/// file; kInvalidArgument, kOutOfMemory, kTooManyStores.
int32_t rvf_store_derive(int32_t handle, int32_t type, uintptr_t file_id, uintptr_t parent,
                         size_t parent_len);

/// Makes a branch: a child that shows the vectors of this store and writes only what is changed.
/// `name` is the name of this store's file as seen from where the branch will be, not empty.
int32_t rvf_store_branch(int32_t handle, uintptr_t file_id, uintptr_t parent, size_t parent_len,
                         uintptr_t name, size_t name_len);

/// Writes the 68 bytes of the store's identity: file id 16, parent id 16, parent hash 32, depth
/// u32.
int32_t rvf_store_lineage(int32_t handle, uintptr_t out);

/// Writes eleven u32: size of the file (u64), epoch, 1 when frozen, 1 when a branch, 1 when there
/// are changes that no commit holds, 1 when a commit is pending, layers, deleted ids listed,
/// profile, bytes of metadata, the store's own included: 0 when there is none.
int32_t rvf_store_state(int32_t handle, uintptr_t out);

/// Adds a segment of a type that the module does not write itself: containers, which are checked
/// (control/container.h), chains of witnesses, profiles, keys, unknown types. Answers its id.
/// kInvalidArgument for other types; kSegmentTooLarge, kSnapshotFrozen, kCommitPending,
/// kOutOfMemory, and what is wrong with a container.
int32_t rvf_store_embed(int32_t handle, int32_t type, uintptr_t payload, size_t len);

/// Writes 40 bytes on carried segment `index`: id u64, offset u64 in the file (all ones: not yet),
/// type u32, address u32 and size u32 of the payload, status i32 of its content hash and container,
/// 8 zero bytes. Answers 1, or 0 when there is no such segment.
int32_t rvf_store_segment(int32_t handle, int32_t index, uintptr_t out);

// --- Exports ---

/// Bytes that rvf_store_export will write. kSegmentTooLarge from 2 GiB on.
int32_t rvf_store_export_size(int32_t handle);

/// Writes the store as a complete .rvf file: live vectors, then the committed segments of the
/// opened file of every kind that this module does not write itself, byte for byte, then the
/// manifest. The layout is what upstream's compaction writes. Left out: journals, indexes and the
/// records of a branch, whose effect is in the vectors. The store and its own file do not change.
/// Answers the bytes written, or kBufferTooSmall.
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

/// Writes 48 bytes on the first segment at or after `offset`: id u64, offset u64 of the header,
/// payload length u64, type u8, version u8, flags u16, state u32 of the content hash (0 absent, 1
/// good, 2 bad, 3: the payload is cut off), size u32 of its signature footer, 12 zero bytes.
/// Answers 1, or 0 when there is none.
int32_t rvf_segment_at(uintptr_t buf, size_t len, size_t offset, uintptr_t out);

/// Compares the content hash of the segment at `buf` with its payload, by every rule that any
/// writer follows: 1 good, 0 absent; kInvalidChecksum, kInvalidMagic, kTruncatedSegment.
int32_t rvf_verify_checksum(uintptr_t buf, size_t len);

/// Writes the 94 bytes that the signature of the segment at `buf` is made of.
int32_t rvf_signing_input(uintptr_t buf, size_t len, uintptr_t out);

/// Writes a 32-byte hash: `kind` 0 upstream's simple one, 1 SHAKE-256.
int32_t rvf_hash(int32_t kind, uintptr_t buf, size_t len, uintptr_t out);

// --- Witnesses ---

/// Verifies all witnesses of a file: writes checked u32, starts u32, foreign u32, broken u32,
/// offset u64 of the first broken one (control/witness.h). Answers 1 when none is broken, or 0.
int32_t rvf_witness_report(uintptr_t buf, size_t len, uintptr_t out);

/// Verifies a chain of 73-byte entries: answers how many, kTruncatedSegment when the length is no
/// multiple of 73, kInvalidChecksum when a link does not hold.
int32_t rvf_witness_verify(uintptr_t chain, size_t len);

/// Entries from the first on whose links hold: the number of the first bad one.
int32_t rvf_witness_count(uintptr_t chain, size_t len);

/// Writes the 73-byte entry that follows `chain` (which may be empty): the 32-byte hash of the
/// action at `action`, the time and the type.
int32_t rvf_witness_entry(uintptr_t chain, size_t len, uintptr_t action, uint64_t time_ns,
                          int32_t type, uintptr_t out);

} // extern "C"

} // namespace rvf
