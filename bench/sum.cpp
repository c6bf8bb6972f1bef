// The yardstick of bench/: a plain SIMD sum over bytes that lie in the store's own memory.
// A module of its own, so that the control module carries no bench code.
#include <stddef.h>
#include <stdint.h>

#include "kernel/simd.h"

extern "C" {

/// Sum of `bytes` bytes of f32, a multiple of 64, in four independent accumulators.
float sum_f32(const uint8_t* values, size_t bytes) {
    v128_t sums[4];
    for (v128_t& sum : sums) sum = wasm_f32x4_splat(0);
    for (const uint8_t* end = values + bytes; values != end; values += 64) {
        RVF_UNROLL
        for (uint32_t i = 0; i < 4; ++i) {
            sums[i] = wasm_f32x4_add(sums[i], wasm_v128_load(values + 16 * i));
        }
    }
    for (uint32_t i = 1; i < 4; ++i) sums[0] = wasm_f32x4_add(sums[0], sums[i]);
    return wasm_f32x4_extract_lane(sums[0], 0) + wasm_f32x4_extract_lane(sums[0], 1) +
           wasm_f32x4_extract_lane(sums[0], 2) + wasm_f32x4_extract_lane(sums[0], 3);
}
}
