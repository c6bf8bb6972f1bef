// Files made from others: derived ones, which begin empty, and branches (docs/format.md,
// "Lineage").
#pragma once

#include "control/store.h"

namespace rvf {

/// Who the parent is, for a child.
struct Parent {
    const Store& store;
    Bytes file; ///< or its last 64 KiB at least, as committed
};

/// An empty child of `parent` with the given file id: its dimension, metric and profile, one
/// generation deeper. nullptr when memory cannot grow.
Store* make_child(const Parent& parent, const uint8_t* file_id);

} // namespace rvf
