// HNSW navigation in pull mode: the host delivers neighbour lists and vectors, the tile decides where
// to go (docs/decisions.md, "The tile").
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

/// Merges the loaded block, the next part of the list, into the top-K.
inline void merge_block() {
    NeighborList& list = neighbor_list();
    uint32_t k = config().k ? config().k : kMaxTopK;
    limit_results(k);
    for (uint32_t row = 0; row < state().block_count; ++row) {
        insert_candidate(distance_in_block(config().metric, row), list.ids[list.done++], k);
    }
    forget_block();
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
