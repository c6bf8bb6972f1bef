// Which rows a search may answer, as its caller decides.
#pragma once

#include <stdint.h>

namespace rvf {

/// Asked for live rows, any number of times and in any order; must always answer the same.
struct Admission {
    bool (*asked)(const void* context, uint32_t row) = nullptr; ///< nullptr: all rows
    const void* context = nullptr;
    /// Set where it is known which rows are admitted: a bit for each, from the lowest, none for
    /// dead ones; and how many there are.
    const uint8_t* bits = nullptr;
    uint32_t count = 0;

    explicit operator bool() const { return asked != nullptr; }
    bool admits(uint32_t row) const { return !asked || asked(context, row); }
};

inline bool has_bit(const uint8_t* bits, uint32_t row) { return bits[row / 8] >> row % 8 & 1; }

} // namespace rvf
