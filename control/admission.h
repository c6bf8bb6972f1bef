// Which rows a search may answer, as its caller decides.
#pragma once

#include <stdint.h>

namespace rvf {

/// Asked for live rows, any number of times and in any order; must always answer the same.
struct Admission {
    bool (*asked)(const void* context, uint32_t row) = nullptr; ///< nullptr: all rows
    const void* context = nullptr;

    explicit operator bool() const { return asked != nullptr; }
    bool admits(uint32_t row) const { return !asked || asked(context, row); }
};

} // namespace rvf
