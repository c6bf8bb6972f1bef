// Writing: what a commit appends to the file, and the file anew.
//
// A commit is layers (VEC and META segments of the rows that changed), segments that were added, a
// JOURNAL of deleted ids, WITNESS segments, and the MANIFEST that makes all of it count. Small
// layers are merged into later ones, so that the directory stays small (docs/format.md, "Commits").
//
// A commit is made, then acknowledged or discarded. Until then rows may change; they are the next
// commit's.
#pragma once

#include "control/store.h"

namespace rvf {

/// How a commit is made.
struct CommitRequest {
    uint64_t time_ns = 0;   ///< for witnesses; Unix time
    int32_t signature = -1; ///< kind of footer that room is left for; -1: none
    bool replaces = false;  ///< compaction: the file anew
};

/// Makes store.pending; leaves it empty when nothing has changed. kOutOfMemory leaves the store as
/// it was.
Status make_commit(Store& store, const CommitRequest& request);

/// The bytes of store.pending are in the file.
void acknowledge(Store& store);

/// They are not, and never will be: what changed belongs to the next commit again.
void discard(Store& store);

/// The store as a file of its own: bytes that write_image writes.
uint64_t image_size(const Store& store);

/// Writes image_size(store) bytes. The store does not change.
void write_image(const Store& store, uint8_t* target);

} // namespace rvf
