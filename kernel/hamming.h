// Hamming distance over raw bytes.
#pragma once

#include "kernel/half.h"
#include "kernel/state.h"

namespace rvf::tile {

/// Differing bits of `bytes` bytes at two addresses. May read up to 7 bytes past either.
inline uint32_t differing_bits(Address a, Address b, uint32_t bytes) {
    uint64_t total = 0;
    for (uint32_t i = 0; i < bytes; i += 8) {
        uint64_t bits = load<uint64_t>(a + i) ^ load<uint64_t>(b + i);
        if (bytes - i < 8) bits <<= 64 - 8 * (bytes - i);
        total += static_cast<uint64_t>(__builtin_popcountll(bits));
    }
    return static_cast<uint32_t>(total);
}

/// Distances of the whole block. The query is kept as f32, so its f16 bytes are made again, as many
/// at a time as the workspace takes.
inline void hamming_distances(Address result) {
    const TileState& tile = state();
    for (uint32_t done = 0; done < row_bytes(); done += kWorkspaceBytes) {
        uint32_t part = row_bytes() - done;
        if (part > kWorkspaceBytes) part = kWorkspaceBytes;
        Address raw_query = kQuery + done;
        if (tile.block_dtype != kF32) {
            raw_query = kWorkspace;
            for (uint32_t i = 0; i < part; i += 2) {
                store(kWorkspace + i, float_to_half(load<float>(kQuery + 2 * (done + i))));
            }
        }
        for (uint32_t row = 0; row < tile.block_count; ++row) {
            Address out = result + 4 * row;
            uint32_t bits = differing_bits(tile.block + row * row_bytes() + done, raw_query, part);
            if (done) bits += static_cast<uint32_t>(load<float>(out));
            store(out, static_cast<float>(bits));
        }
    }
}

} // namespace rvf::tile
