// How stored elements become f32: decoders that fill the workspace with the next part of a row.
#pragma once

#include "kernel/half.h"
#include "kernel/state.h"
#include "kernel/sums.h"

namespace rvf::tile {

/// Elements that the workspace holds as f32.
constexpr uint32_t kPart = kWorkspaceBytes / 4;

/// A vector constant that is built from 4 bytes of code; the compiler's own takes 16.
RVF_INLINE v128_t splat_constant(int32_t value) {
    __asm__("" : "+r"(value));
    return wasm_i32x4_splat(value);
}

/// Decodes f16, rounding `count` up to a multiple of 8. Every half is moved to where f32 keeps sign
/// and magnitude and rebiased by a multiplication, which is exact but for infinities and NaN; a
/// part that holds one is decoded again, one by one.
inline void decode_f16(Address row, uint32_t count) {
    const v128_t sign_and_magnitude = splat_constant(static_cast<int32_t>(0x8FFFFFFF));
    const v128_t rebias = splat_constant(__builtin_bit_cast(int32_t, kHalfRebias));
    const v128_t exponent = splat_constant(0x7C007C00);
    v128_t special = splat_constant(0);
    const uint8_t* source = at(row);
    uint8_t* target = at(kWorkspace);
    uint8_t* end = target + 4 * count;
    do {
        v128_t halves = wasm_v128_load(source);
        v128_t low = wasm_i32x4_shl(wasm_i32x4_extend_low_i16x8(halves), 13);
        v128_t high = wasm_i32x4_shl(wasm_i32x4_extend_high_i16x8(halves), 13);
        special = wasm_v128_or(special, wasm_i16x8_eq(wasm_v128_and(halves, exponent), exponent));
        wasm_v128_store(target, wasm_f32x4_mul(wasm_v128_and(low, sign_and_magnitude), rebias));
        wasm_v128_store(target + 16,
                        wasm_f32x4_mul(wasm_v128_and(high, sign_and_magnitude), rebias));
        source += 16;
        target += 32;
    } while (target < end);
    if (!wasm_v128_any_true(special)) return;
    for (uint32_t i = 0; i < count; ++i) {
        store(kWorkspace + 4 * i, half_to_float(load<uint16_t>(row + 2 * i)));
    }
}

/// Decodes i8 as plain integers, or by the SQ tables from dimension `first` on; rounds `count` up
/// to a multiple of 4.
inline void decode_i8(Address row, uint32_t first, uint32_t count) {
    bool scaled = state().tables == kSqTables;
    const uint8_t* source = at(row);
    const uint8_t* table = at(kSqScales + 4 * first);
    uint8_t* target = at(kWorkspace);
    uint8_t* end = target + 4 * count;
    do {
        v128_t codes = wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(source));
        v128_t values = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(codes));
        if (scaled) {
            values = wasm_f32x4_add(wasm_f32x4_mul(values, wasm_v128_load(table)),
                                    wasm_v128_load(table + (kSqOffsets - kSqScales)));
        }
        wasm_v128_store(target, values);
        source += 4;
        table += 16;
        target += 16;
    } while (target < end);
}

} // namespace rvf::tile
