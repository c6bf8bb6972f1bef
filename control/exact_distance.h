// The distance of a padded query from a padded row as every answer holds it, to the bit.
#pragma once

#include "control/control.h"
#include "control/row_sums.h"

namespace rvf {

/// Upstream's rule: below this the cosine of two norms is not defined and the distance is 1.
constexpr float kMinNorms = 0x1p-23f;

inline float cosine_distance(float dot, float query_length, float row_norm) {
    float norms = query_length * __builtin_sqrtf(row_norm);
    return norms < kMinNorms ? 1.0f : 1.0f - dot / norms;
}

/// `query_length` is the root of norm_of(query).
float exact_distance(int32_t metric, const uint8_t* query, float query_length, const uint8_t* row,
                     float row_norm, uint32_t bytes);

/// The sum of squares of a padded vector, as the store keeps it of its rows.
float norm_of(const uint8_t* vector, uint32_t bytes);

} // namespace rvf
