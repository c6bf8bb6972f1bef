// Scalar and product quantization: parameters in, tables out, codes decoded or summed.
#pragma once

#include "kernel/distance.h"
#include "kernel/half.h"
#include "kernel/state.h"

namespace rvf::tile {

/// Pairs (min, max) become scale and offset, so that a code costs one product and one sum: min +
/// (code + 128) / 255 * (max - min) = code * scale + offset.
inline int32_t make_sq_tables(Address pairs, uint32_t dimension) {
    for (uint32_t pass = 0; pass < 2; ++pass) { // checks all, then writes
        if (pass) replace_tables(kSqTables);
        for (uint32_t i = 0; i < dimension; ++i) {
            float min = load<float>(pairs + 8 * i);
            float scale = (load<float>(pairs + 8 * i + 4) - min) / 255;
            if (pass == 0) {
                if (scale - scale != 0) return kNotFinite; // and so when either end is
                continue;
            }
            store(kSqScales + 4 * i, scale);
            store(kSqOffsets + 4 * i, min + 128 * scale);
        }
    }
    state().sq_dimension = dimension;
    return kOk;
}

inline void dequantize(Address source, Address target, uint32_t count) {
    uint32_t dimension = state().sq_dimension;
    uint32_t d = 0;
    for (uint32_t i = 0; i < count; ++i) {
        float code = load<int8_t>(source + i);
        float value = code * load<float>(kSqScales + 4 * d) + load<float>(kSqOffsets + 4 * d);
        store(target + 2 * i, float_to_half(value));
        if (++d == dimension) d = 0;
    }
}

/// Appends the table rows of `subspaces` more subspaces.
inline void append_pq_tables(Address codebook, uint32_t subspaces, uint32_t centroids) {
    TileState& tile = state();
    uint32_t width = tile.dimension / tile.pq_subspaces;
    Address query = kQuery + 4 * width * tile.pq_loaded;
    Address table = kTables + 4 * centroids * tile.pq_loaded;
    for (uint32_t subspace = 0; subspace < subspaces; ++subspace) {
        distances_to_rows(config().metric, kF16, codebook, centroids, query, width, table);
        codebook += 2 * width * centroids;
        table += 4 * centroids;
        query += 4 * width;
    }
    tile.pq_loaded += subspaces;
}

inline bool codes_in_range(Address codes, uint32_t bytes, uint32_t centroids) {
    for (uint32_t i = 0; i < bytes; ++i) {
        if (load<uint8_t>(codes + i) >= centroids) return false;
    }
    return true;
}

inline float pq_distance(Address codes, uint32_t subspaces, uint32_t centroids) {
    float sum = 0;
    for (uint32_t subspace = 0; subspace < subspaces; ++subspace) {
        uint32_t code = load<uint8_t>(codes + subspace);
        sum += load<float>(kTables + 4 * (centroids * subspace + code));
    }
    return sum == sum ? sum : __builtin_nanf("");
}

} // namespace rvf::tile
