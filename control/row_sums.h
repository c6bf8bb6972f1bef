// Sums over a padded row of the store: whole steps of sixteen elements, then groups of four.
#pragma once

#include "kernel/sums.h"

namespace rvf {

/// `bytes` is a multiple of 16; both pointers are padded with zeros up to it.
template <Operation operation>
RVF_INLINE float sum_row(const uint8_t* row, const uint8_t* query, uint32_t bytes) {
    Sums sums = no_sums();
    uint32_t steps = bytes & ~(4 * kStep - 1);
    add_steps<operation>(sums, row, query, steps);
    for (uint32_t i = steps; i < bytes; i += 16) {
        add_lanes<operation>(sums, 0, wasm_v128_load(row + i), wasm_v128_load(query + i));
    }
    return total(sums.products);
}

inline float sum_of_products(const uint8_t* row, const uint8_t* query, uint32_t bytes) {
    return sum_row<Operation::kDot>(row, query, bytes);
}

inline float sum_of_squared_differences(const uint8_t* row, const uint8_t* query, uint32_t bytes) {
    return sum_row<Operation::kSquaredDifference>(row, query, bytes);
}

} // namespace rvf
