// Segments that a store carries on byte for byte: every kind that the module does not write itself,
// and those that were added through it.
#pragma once

#include "control/segment.h"
#include "control/store.h"

namespace rvf {

struct Manifest;

/// The first of its bytes.
const uint8_t* kept_bytes(const Store& store, const Kept& kept);

Segment kept_segment(const Store& store, const Kept& kept);

/// Whether a host may add such a segment: one of a kind that the module carries on unread.
bool may_be_added(uint8_t type, Bytes payload);

/// Adds a segment that the next commit writes. kOutOfMemory leaves the store as it was.
Status add_segment(Store& store, uint8_t type, Bytes payload, uint64_t& id);

/// Forgets a kept segment, by its place in the list; those behind it move up.
void drop_segment(Store& store, uint32_t place);

/// Forgets the kept segments of a type, or those of them that a commit has written.
void drop_segments(Store& store, uint8_t type, bool only_in_file = false);

/// Takes over the kept segments of an opened file, what they say of the store (frozen, the last
/// witness), and where its next commit goes. kOutOfMemory; kCowMapCorrupt when the records of a
/// branch are not among them.
Status keep_segments(Store& store, Bytes file, const Manifest& manifest);

} // namespace rvf
