// The exports that rvf_search.wasm has beside those of rvf_control.wasm (control.h): an HNSW graph
// and int8 codes for the searches of a store. This header is their manual; what control.h says of
// pointers, handles and failure holds here too.
//
// An index belongs to a store in memory. Rows are brought into it in slices by rvf_index_build, so
// that a page stays responsive; searches are right at any time, rows that are not in it yet are
// compared one by one. rvf_index_save puts it into the next commit, in upstream's layout;
// rvf_index_load takes it from the file that was opened.
#pragma once

#include "control/control.h"

namespace rvf {

/// Flags of rvf_index_create.
enum IndexFlag : uint32_t {
    kGraph = 1, ///< an HNSW graph, for about the nearest
    kCodes = 2, ///< a byte for each dimension, for exact answers and for the walk through the graph
};

constexpr uint32_t kIndexStateBytes = 48;

extern "C" {

/// Gives the store an empty index, in place of the one it has. `m` (2 to 64) links a row,
/// `ef_construction` (1 to 4,096) rows are compared for each; upstream's are 16 and 200. The same
/// seed and calls give the same graph. kInvalidArgument, kOutOfMemory.
int32_t rvf_index_create(int32_t handle, uint32_t flags, uint32_t m, uint32_t ef_construction,
                         uint64_t seed);

/// Takes the index away. Answers 0.
int32_t rvf_index_drop(int32_t handle);

/// Brings up to `max_rows` more rows into the index, first those that were written again. When the
/// store has four times the rows of which the ranges of the codes are, those are found anew, and
/// all codes with them. Answers how many are left. kInvalidArgument without an index; kOutOfMemory:
/// what was brought in stays.
int32_t rvf_index_build(int32_t handle, uint32_t max_rows);

/// Answers `count` queries, f32 vectors one after the other: for each min(k, live rows) hits of 12
/// bytes at `out`, and how many of them there are as u32 at `found`. With `ef` 0 exactly, by codes
/// if there are any, sharing the traffic of rows among the queries; the answers are those of
/// rvf_store_search, bit for bit. Otherwise by the graph, comparing the `ef` best at a time: more
/// of them, more of the true ones; and no more than `work` rows for each query (0: as many as it
/// takes): when that was too few, bit 31 of the number found is set, and nearer rows may be
/// missing. Otherwise k are found when the filter admits k. Where it admits few, they are all
/// compared, which is exact; so are all rows while many that were written again wait for their
/// links, of which each walk makes some. The rows that a filter admits are kept for the next query
/// with the same filter, until the store changes. Answers the hits of all queries together.
///
/// kInvalidArgument: no graph, or k or count below 1; kMetricUnsupported: the graph is of the
/// store's own metric; kNotFinite, kFilterInvalid, kOutOfMemory.
int32_t rvf_index_search(int32_t handle, uintptr_t queries, int32_t count, int32_t k,
                         int32_t metric, uint32_t ef, uint32_t work, uintptr_t filter,
                         size_t filter_len, uintptr_t out, uintptr_t found);

/// Puts the graph (an INDEX segment) and the ranges of the codes (QUANT) into the next commit, in
/// the place of those saved before. Deleted rows leave the graph, rows that were written again are
/// linked anew, and the ranges are those of the rows as they are; one that knows rows which change
/// after this call is not written. kInvalidArgument without an index or with nothing in it;
/// kSnapshotFrozen, kCommitPending, kOutOfMemory: what was saved before stays.
int32_t rvf_index_save(int32_t handle);

/// Gives the store the index of the file that it was opened from. Answers a set of IndexFlag: what
/// the store has then. A segment that is damaged or cannot be used is left; its fault is in
/// rvf_index_state. An index that the store has stays when the file has none, or a graph that
/// cannot be used. kOutOfMemory.
int32_t rvf_index_load(int32_t handle, uint64_t seed);

/// Writes eight u32: flags, m, ef_construction, rows in the graph, rows with codes, rows of the
/// store, vectors of rows that the last exact search by codes took, fault of the loaded
/// segments (control/index_segment.h, 0: none); then two u64: bytes of the graph and of the codes.
int32_t rvf_index_state(int32_t handle, uintptr_t out);

} // extern "C"

} // namespace rvf
