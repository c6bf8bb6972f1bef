// How stored elements become f32: decoders that fill the workspace with the next part of a row.
#pragma once

#include "kernel/half.h"
#include "kernel/state.h"
#include "kernel/sums.h"

namespace rvf::tile {

/// Elements of a part. Behind it the workspace holds two more steps.
constexpr uint32_t kPart = kWorkspaceBytes / 4 - 2 * kStep;

/// A vector constant that is built from 4 bytes of code; the compiler's own takes 16.
RVF_INLINE v128_t splat_constant(int32_t value) {
    __asm__("" : "+r"(value));
    return wasm_i32x4_splat(value);
}

/// Decodes `count` f16 at `from` to f32 at `to`, rounded up to a multiple of 8; every half exactly.
/// A half is moved to where f32 keeps sign and magnitude and rebiased by a multiplication. That
/// makes finite numbers of infinities and NaN; when there are any, they get back their exponent at
/// the end.
RVF_NOINLINE inline void decode_f16(Address from, Address to, uint32_t count) {
    const v128_t sign_and_magnitude = splat_constant(static_cast<int32_t>(0x8FFFFFFF));
    const v128_t rebias = splat_constant(__builtin_bit_cast(int32_t, kHalfRebias));
    v128_t largest = splat_constant(0); // magnitudes, shifted left by one
    Address end = to + 4 * count;
    Address out = to;
    do {
        v128_t halves = wasm_v128_load(at(from));
        v128_t low = wasm_i32x4_shl(wasm_i32x4_extend_low_i16x8(halves), 13);
        v128_t high = wasm_i32x4_shl(wasm_i32x4_extend_high_i16x8(halves), 13);
        largest = wasm_u16x8_max(largest, wasm_i16x8_shl(halves, 1));
        wasm_v128_store(at(out), wasm_f32x4_mul(wasm_v128_and(low, sign_and_magnitude), rebias));
        wasm_v128_store(at(out) + 16,
                        wasm_f32x4_mul(wasm_v128_and(high, sign_and_magnitude), rebias));
        from += 16;
        out += 32;
    } while (out < end);
    const v128_t finite = splat_constant(static_cast<int32_t>(0xF7FFF7FF));
    if (!wasm_v128_any_true(wasm_u16x8_gt(largest, finite))) return;
    for (; to < end; to += 4) {
        uint32_t bits = load<uint32_t>(to);
        if (bits << 1 >= 0x8F000000)
            store(to, bits | 0x7F800000); // from 65536 on, which no half is
    }
}

/// Decodes i8 as plain integers, or by the SQ tables from dimension `first` on; rounds `count` up
/// to a multiple of 4.
inline void decode_i8(Address row, uint32_t first, uint32_t count) {
    bool scaled = state().tables == kSqTables;
    for (uint32_t i = 0; i < count; i += 4) {
        v128_t codes = wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(at(row) + i));
        v128_t values = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(codes));
        if (scaled) {
            const uint8_t* table = at(kSqScales) + 4 * (first + i);
            values = wasm_f32x4_add(wasm_f32x4_mul(values, wasm_v128_load(table)),
                                    wasm_v128_load(table + (kSqOffsets - kSqScales)));
        }
        wasm_v128_store(at(kWorkspace) + 4 * i, values);
    }
}

} // namespace rvf::tile
