// From a store to the bytes of a file, in the layout that upstream's compaction writes: vectors,
// kept segments, manifest.
#pragma once

#include "control/store.h"

namespace rvf {

/// Exact size of the file in bytes.
uint64_t export_size(const Store& store);

/// Writes export_size(store) bytes.
void export_store(const Store& store, uint8_t* target);

} // namespace rvf
