// Which rows a search may answer, as its caller decides.
#pragma once

#include <stdint.h>

#include "kernel/simd.h"

namespace rvf {

/// Asked for live rows, any number of times and in any order; must always answer the same. All rows
/// are admitted when there is neither a function nor a set.
struct Admission {
    bool (*asked)(const void* context, uint32_t row) = nullptr;
    const void* context = nullptr;
    const uint8_t* bits = nullptr; ///< a bit for each row, from the lowest; dead rows have none
    uint32_t count = 0;            ///< of bits that are set

    explicit operator bool() const { return asked || bits; }
    RVF_INLINE bool admits(uint32_t row) const {
        if (bits) return bits[row / 8] >> row % 8 & 1;
        return !asked || asked(context, row);
    }
};

} // namespace rvf
