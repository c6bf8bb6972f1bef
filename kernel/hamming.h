// Hamming distance over raw bytes.
#pragma once

#include "kernel/half.h"
#include "kernel/state.h"

namespace rvf::tile {

/// Distances of the whole block, four bytes of every row at a time. The query is kept as f32, so
/// its f16 bytes are made again. May read up to three bytes past the last row.
inline void hamming_distances(Address result) {
    const TileState& tile = state();
    uint32_t bytes = row_bytes();
    for (uint32_t i = 0; i < bytes; i += 4) {
        uint32_t query = load<uint32_t>(kQuery + i);
        if (tile.block_dtype != kF32) {
            query = float_bits_to_half(load<uint32_t>(kQuery + 2 * i)) |
                    float_bits_to_half(load<uint32_t>(kQuery + 2 * i + 4)) << 16;
        }
        uint32_t surplus = bytes - i < 4 ? 32 - 8 * (bytes - i) : 0;
        Address row = tile.block + i;
        for (Address out = result; out != result + 4 * tile.block_count; out += 4, row += bytes) {
            auto bits = __builtin_popcount((load<uint32_t>(row) ^ query) << surplus);
            auto differing = static_cast<float>(bits);
            store(out, i ? load<float>(out) + differing : differing);
        }
    }
}

} // namespace rvf::tile
