// The exports of rvf_search.wasm for stores whose vectors stay with the host. Of each row the
// module holds the id, the metadata, the code and the links; a search finds rows by codes, and the
// host hands over the vectors of those few to be compared as they are. This header is their manual;
// what control.h says of pointers, handles and failure holds here too.
//
// The host opens a file without its vectors: it gives rvf_store_open a file whose VEC segments are
// empty, then, in the order of the directory, the payloads of the true ones in pieces of any size,
// the META segments, and the ids that the manifest lists as deleted (rvf_store_delete). From
// rvf_rows_begin on, only the calls here, rvf_store_delete, rvf_store_close, rvf_index_state and
// those that read ids, metadata and numbers take the handle; for all others it is closed.
#pragma once

#include "control/control.h"

namespace rvf {

/// What rvf_rows_find writes of a row, aligned to 4: its number, and how many records came before
/// its own, u32 each.
constexpr uint32_t kFoundRowBytes = 8;

extern "C" {

/// Makes a store without rows one whose vectors stay outside, with codes by the ranges of its QUANT
/// segment. Memory grows once, for about `rows` of them and `more` bytes that the caller and the
/// graph will take. kInvalidArgument: it has rows, or no sound ranges; kOutOfMemory.
int32_t rvf_rows_begin(int32_t handle, uint32_t rows, size_t more);

/// Takes whole records of a VEC payload: they begin `skip` bytes behind `piece`. With `hash` other
/// than 0 the piece is the payload's last, and all of them are compared with the 16-byte content
/// hash there: kInvalidChecksum, and the store is of no use any more. Answers how many records were
/// taken. kInvalidArgument; kOutOfMemory, after some of them.
int32_t rvf_rows_take(int32_t handle, uintptr_t piece, size_t len, size_t skip, uintptr_t hash);

/// Takes the payload of a META segment; one that is not ours changes nothing. Its hash must have
/// been checked. kInvalidVersion, kTruncatedSegment, kOutOfMemory.
int32_t rvf_rows_metadata(int32_t handle, uintptr_t payload, size_t len);

/// Takes the graph of an INDEX segment, given with its header, if it is sound and fits the rows:
/// answers whether it did. Comes before the deletions. kOutOfMemory.
int32_t rvf_rows_link(int32_t handle, uintptr_t segment, size_t len, uint64_t seed);

/// Finds the `ef` rows whose codes are about the nearest to the query, by the graph, or where there
/// is none, the filter admits few, or a walk finds fewer than there are, by a scan of the codes.
/// `work` as in rvf_index_search; then no scan follows a walk. Writes them in that order,
/// kFoundRowBytes each, and answers how many, with bit 30 set when there may be others because of
/// `work`. kNotFinite, kFilterInvalid, kOutOfMemory.
int32_t rvf_rows_find(int32_t handle, uintptr_t query, int32_t ef, uint32_t work, uintptr_t filter,
                      size_t filter_len, uintptr_t out);

/// Compares the query with vectors, f32 one after the other, of rows whose u32 numbers are at
/// `rows`: the nearest `k` become hits at `out`, with the distances that rvf_store_search answers,
/// bit for bit. Answers how many.
int32_t rvf_rows_compare(int32_t handle, uintptr_t query, uintptr_t rows, uintptr_t vectors,
                         int32_t count, int32_t k, uintptr_t out);

} // extern "C"

} // namespace rvf
