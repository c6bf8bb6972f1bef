// One distance between the query and a stored row, for every data type and metric but Hamming.
#pragma once

#include "kernel/rows.h"
#include "kernel/state.h"

namespace rvf::tile {

/// Distance of the row at `row` from the f32 at `query`; smaller is nearer, NaN is always the same
/// NaN. A row is summed part by part; f32 rows are one part and are read where they lie.
RVF_NOINLINE inline float distance_to_row(uint32_t metric, uint32_t dtype, Address row,
                                          Address query, uint32_t dimension) {
    Sums sums = no_sums();
    float products = 0; // of the elements after the last whole step
    float squares = 0;
    for (uint32_t done = 0; done < dimension;) {
        uint32_t count = dimension - done;
        Address part = row;
        if (dtype != kF32) {
            if (count > kPart) count = kPart;
            part = kWorkspace;
            if (dtype == kF16) {
                decode_f16(row + 2 * done, count);
            } else {
                decode_i8(row + done, done, count);
            }
        }
        uint32_t bytes = 4 * (count & ~(kStep - 1));
        if (metric == kL2) {
            add_steps<Operation::kSquaredDifference>(sums, at(part), at(query), bytes);
        } else if (metric == kInnerProduct) {
            add_steps<Operation::kDot>(sums, at(part), at(query), bytes);
        } else {
            add_steps<Operation::kDotAndNorm>(sums, at(part), at(query), bytes);
        }
        for (; bytes < 4 * count; bytes += 4) {
            float x = load<float>(part + bytes);
            float q = load<float>(query + bytes);
            squares += x * x;
            if (metric == kL2) x = q = x - q;
            products += x * q;
        }
        query += bytes;
        done += count;
    }
    float distance = total(sums.products) + products;
    if (metric == kInnerProduct) distance = -distance;
    if (metric == kCosine) {
        squares = __builtin_sqrtf(total(sums.squares) + squares);
        float norms = __builtin_sqrtf(state().query_norm) * squares;
        distance = norms == 0 ? 1.0f : 1.0f - distance / norms;
    }
    return distance == distance ? distance : __builtin_nanf("");
}

} // namespace rvf::tile
