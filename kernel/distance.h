// Distances between the query and stored rows, for every data type and metric but Hamming.
#pragma once

#include "kernel/rows.h"
#include "kernel/state.h"

namespace rvf::tile {

/// Where the last, incomplete step of a row lies, filled up with zeros, and behind it the query's.
constexpr Address kLastStep = kWorkspace + 4 * kPart;

/// Sum over `count` f32 at `x` and `y` of their products, or with kL2 of their squared differences.
RVF_NOINLINE inline float sum_of_products(uint32_t metric, Address x, Address y, uint32_t count) {
    Sums sums = no_sums();
    for (;;) {
        uint32_t bytes = 4 * (count & ~(kStep - 1));
        if (metric == kL2) {
            add_steps<Operation::kSquaredDifference>(sums, at(x), at(y), bytes);
        } else {
            add_steps<Operation::kDot>(sums, at(x), at(y), bytes);
        }
        count = 4 * count - bytes;
        if (count == 0) return total(sums.products);
        __builtin_memset(at(kLastStep), 0, 8 * kStep);
        __builtin_memcpy(at(kLastStep), at(x + bytes), count);
        __builtin_memcpy(at(kLastStep + 4 * kStep), at(y + bytes), count);
        x = kLastStep;
        y = kLastStep + 4 * kStep;
        count = kStep;
    }
}

constexpr Address kNegativeNorm = kState + __builtin_offsetof(TileState, negative_norm);

/// Writes to `out` the distances of `count` rows, one after the other at `row`, from the f32 at
/// `query`; smaller is nearer, NaN is always the same NaN. A row is summed part by part; f32 rows
/// are one part and are read where they lie. A cosine sums each part twice: times the query, and
/// times itself.
RVF_NOINLINE inline void distances_to_rows(uint32_t metric, uint32_t dtype, Address row,
                                           uint32_t count, Address query, uint32_t dimension,
                                           Address out) {
    for (Address end = out + 4 * count; out != end; out += 4) {
        float distance = 0;
        float squares = 0;
        for (uint32_t done = 0; done < dimension;) {
            uint32_t elements = dimension - done;
            Address part = row;
            if (dtype != kF32) {
                if (elements > kPart) elements = kPart;
                part = kWorkspace;
                if (dtype == kF16) {
                    decode_f16(row, part, elements);
                } else {
                    decode_i8(row, done, elements);
                }
            }
            distance += sum_of_products(metric, part, query + 4 * done, elements);
            if (metric == kCosine) squares += sum_of_products(metric, part, part, elements);
            row += elements * element_bytes(dtype);
            done += elements;
        }
        if (metric == kInnerProduct) distance = -distance;
        if (metric == kCosine) {
            float norms = __builtin_sqrtf(-state().negative_norm) * __builtin_sqrtf(squares);
            distance = norms == 0 ? 1.0f : 1.0f - distance / norms;
        }
        store(out, distance == distance ? distance : __builtin_nanf(""));
    }
}

} // namespace rvf::tile
