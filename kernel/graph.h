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

inline bool list_delivered(int64_t node, uint32_t layer) {
    const NeighborList& list = neighbor_list();
    return list.node == static_cast<uint64_t>(node) && list.layer == layer &&
           list.count <= kMaxNeighbors;
}

/// Entries of the top-K that navigation keeps. A host may write to kConfig without rvf_init.
inline uint32_t beam_width() {
    uint32_t k = config().k;
    return k && k < kMaxTopK ? k : kMaxTopK;
}

/// Computes the distances of the loaded block and writes them to `result`, or with kMergeList
/// merges them into the top-K under the next ids of the neighbour list.
constexpr Address kMergeList = 0;
RVF_NOINLINE inline void compare_block(uint32_t metric, Address result) {
    const TileState& tile = state();
    NeighborList& list = neighbor_list();
    uint32_t bytes = row_bytes();
    Address row = tile.block;
    for (uint32_t i = 0; i < tile.block_count; ++i, row += bytes) {
        float distance = distance_to_row(metric, tile.block_dtype, row, kQuery, tile.dimension);
        if (result == kMergeList) {
            insert_candidate(distance, list.ids[list.done++], beam_width());
        } else {
            store(result + 4 * i, distance);
        }
    }
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
