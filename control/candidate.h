// A row and its distance from something, as one number.
#pragma once

#include <stdint.h>

namespace rvf {

/// Distance in bits 32 to 63, row in bits 2 to 31, flags in bits 0 and 1. Sorts by distance, NaN
/// last. Memory of 4 GiB holds fewer than 2^30 rows.
using Candidate = uint64_t;

constexpr Candidate kFlag = 1;
constexpr Candidate kSecondFlag = 2;

inline Candidate candidate(float distance, uint32_t row) {
    uint32_t bits = __builtin_bit_cast(uint32_t, distance);
    uint32_t rank = bits >> 31 ? ~bits : bits | 1u << 31;
    if (distance != distance) rank = ~0u;
    return uint64_t{rank} << 32 | uint64_t{row} << 2;
}

/// The distance as a number that sorts like it.
inline uint32_t rank_of(Candidate one) { return static_cast<uint32_t>(one >> 32); }

inline float distance_of(Candidate one) {
    uint32_t rank = rank_of(one);
    return __builtin_bit_cast(float, rank >> 31 ? rank & ~(1u << 31) : ~rank);
}

inline uint32_t row_of(Candidate one) { return static_cast<uint32_t>(one) >> 2; }

} // namespace rvf
