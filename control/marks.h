// The marks of rows, for loops over many of them.
#pragma once

#include "control/store.h"

namespace rvf {

/// The marks of `row` and those that follow it in its chunk.
inline const uint8_t* marks_from(const Store& store, uint32_t row) {
    return row_at(store, row).mark;
}

inline bool is_dead(const Store& store, uint32_t row) { return *marks_from(store, row) & kDead; }

} // namespace rvf
