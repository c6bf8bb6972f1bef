// HNSW navigation in pull mode: the host delivers neighbour lists and vectors, the tile decides
// where to go (docs/decisions.md, "The tile").
#pragma once

#include "kernel/distance.h"
#include "kernel/state.h"
#include "kernel/topk.h"

namespace rvf::tile {

constexpr int64_t kNowhere = -1;
constexpr int64_t kListUnfinished = -2;
constexpr uint32_t kMaxNeighbors = (kNeighborCacheBytes - sizeof(NeighborList)) / 8;
constexpr Address kNeighborIds = kNeighborCache + sizeof(NeighborList);

inline bool list_delivered(int64_t node, uint32_t layer) {
    const NeighborList& list = neighbor_list();
    return list.node == static_cast<uint64_t>(node) && list.layer == layer &&
           list.count <= kMaxNeighbors;
}

/// Entries of the top-K that a block is merged into: k, or 16 on a tile that was never started.
inline uint32_t beam_width() { return ((config().k - 1) & (kMaxTopK - 1)) + 1; }

/// CRC32C of everything that decides the distances of the block.
inline uint32_t operands_checksum() {
    const TileState& tile = state();
    uint32_t crc = crc32c(0, kQuery, kScratchEnd - kQuery);
    if (tile.tables) crc = crc32c(crc, kTables, kTableBytes);
    crc = crc32c(crc, kNeighborCache, sizeof(NeighborList) + 8 * neighbor_list().count);
    return crc32c(crc, tile.block, block_bytes());
}

/// Merges the distances of the block, which is used up, into the top-K under the next ids of the
/// neighbour list. The distances lie in the message buffer meanwhile: it holds one for each id.
inline int32_t merge_block() {
    static_assert(kMessagePayload + 4 * kMaxNeighbors == kNeighborCache);
    NeighborList& list = neighbor_list();
    uint32_t done = list.done + state().block_count;
    if (done > list.count || list.count > kMaxNeighbors) return kInvalidArgument;
    int32_t count = rvf_distances(config().metric, kMessagePayload);
    if (count < 0) return count;
    state().operands = operands_checksum();
    rvf_topk_merge(kMessagePayload, kNeighborIds + 8 * list.done, static_cast<uint32_t>(count),
                   beam_width());
    list.done = static_cast<uint16_t>(done);
    forget_block();
    return kOk;
}

/// The nearest candidate that has not been expanded; only layer 0 expands. A search moves to the
/// nearest node it has seen, so on an upper layer a nearer one than `here` came from its list.
inline int64_t next_node(uint64_t here, uint32_t layer) {
    Candidate* next = nullptr;
    for (Candidate* held = results() + state().result_count; held-- != results();) {
        if (layer == 0 && held->id == here) held->expanded = 1;
        if (!held->expanded) next = held;
    }
    return next && next->id != here ? static_cast<int64_t>(next->id) : kNowhere;
}

} // namespace rvf::tile
