#include "control/exact_distance.h"

namespace rvf {

float exact_distance(int32_t metric, const uint8_t* query, float query_length, const uint8_t* row,
                     float row_norm, uint32_t bytes) {
    if (metric == kL2) return sum_of_squared_differences(row, query, bytes);
    float dot = sum_of_products(row, query, bytes);
    return metric == kInnerProduct ? -dot : cosine_distance(dot, query_length, row_norm);
}

float norm_of(const uint8_t* vector, uint32_t bytes) {
    return sum_of_products(vector, vector, bytes);
}

} // namespace rvf
