// IEEE half precision to single and back, exact for every bit pattern.
#pragma once

#include <stdint.h>

#include "kernel/simd.h"

namespace rvf {

/// 2^112: the difference of the two exponent biases as a factor, so that one multiplication
/// rebiases normal numbers and normalizes subnormal ones.
constexpr float kHalfRebias = 0x1p112f;

/// Widens any half; NaN payloads are kept.
inline float half_to_float(uint16_t half) {
    uint32_t magnitude = half & 0x7FFFu;
    float rebiased = __builtin_bit_cast(float, magnitude << 13) * kHalfRebias;
    uint32_t bits = __builtin_bit_cast(uint32_t, rebiased);
    if (magnitude >= 0x7C00) bits |= 0x7F800000;
    return __builtin_bit_cast(float, bits | (half & 0x8000u) << 16);
}

/// Narrows a float, given by its bits, rounding to nearest even; overflow becomes infinity. Inverse
/// of half_to_float for every half.
inline uint32_t float_bits_to_half(uint32_t bits) {
    uint32_t sign = bits >> 16 & 0x8000;
    bits &= 0x7FFFFFFF;
    uint32_t half;
    if (bits > 0x7F800000) {
        uint32_t payload = bits >> 13 & 0x3FF;
        half = 0x7C00 | (payload ? payload : 0x200);
    } else if (bits >= 0x47800000) {
        half = 0x7C00;
    } else if (bits < 0x38800000) {
        // Below the smallest normal half the sum with 0.5 rounds at 2^-24, the step of subnormals.
        float sum = __builtin_bit_cast(float, bits) + 0.5f;
        half = __builtin_bit_cast(uint32_t, sum) - 0x3F000000;
    } else {
        half = (bits - 0x38000000 + 0xFFF + (bits >> 13 & 1)) >> 13;
    }
    return sign | half;
}

inline uint16_t float_to_half(float value) {
    return static_cast<uint16_t>(float_bits_to_half(__builtin_bit_cast(uint32_t, value)));
}

} // namespace rvf
