// The inner loops of every f32 distance: sixteen elements a step in four independent accumulators,
// so that additions overlap. Shared by the tile and the control store.
#pragma once

#include <stdint.h>

#include "kernel/simd.h"

namespace rvf {

/// Elements that one step takes.
constexpr uint32_t kStep = 16;

/// What is summed over a row x and a query q.
enum class Operation {
    kSquaredDifference, ///< (x - q)^2
    kDot,               ///< x q
};

/// Four partial sums.
struct Sums {
    v128_t products[4];
};

RVF_INLINE Sums no_sums() {
    const v128_t zero = wasm_f32x4_splat(0);
    return {{zero, zero, zero, zero}};
}

/// The four partial sums as one, in an order that never changes.
RVF_INLINE float total(const v128_t sums[4]) {
    v128_t v = wasm_f32x4_add(wasm_f32x4_add(sums[0], sums[1]), wasm_f32x4_add(sums[2], sums[3]));
    return (wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 1)) +
           (wasm_f32x4_extract_lane(v, 2) + wasm_f32x4_extract_lane(v, 3));
}

/// Adds four elements of row and query to one of the four partial sums.
template <Operation operation>
RVF_INLINE void add_lanes(Sums& sums, uint32_t quarter, v128_t x, v128_t q) {
    v128_t factor = x;
    if constexpr (operation == Operation::kSquaredDifference) factor = q = wasm_f32x4_sub(x, q);
    sums.products[quarter] = wasm_f32x4_add(sums.products[quarter], wasm_f32x4_mul(factor, q));
}

/// Adds the `bytes` bytes of f32, a multiple of 64, at two pointers.
template <Operation operation>
RVF_INLINE void add_steps(Sums& sums, const uint8_t* row, const uint8_t* query, uint32_t bytes) {
    for (const uint8_t* end = row + bytes; row != end; row += 4 * kStep, query += 4 * kStep) {
        RVF_UNROLL
        for (uint32_t quarter = 0; quarter < 4; ++quarter) {
            add_lanes<operation>(sums, quarter, wasm_v128_load(row + 16 * quarter),
                                 wasm_v128_load(query + 16 * quarter));
        }
    }
}

} // namespace rvf
