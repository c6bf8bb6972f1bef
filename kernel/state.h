// What a tile remembers between calls. It lives in tile memory like everything else, so that a host
// can save, inspect or wipe a tile as plain bytes.
#pragma once

#include "kernel/kernel.h"
#include "kernel/memory.h"

namespace rvf::tile {

enum Tables : uint32_t { kNoTables = 0, kSqTables = 1, kPqTables = 2 };

struct TileState {
    uint32_t dimension; ///< of the loaded query; 0: none
    float query_norm;   ///< sum of its squares

    Address block;        ///< first row
    uint32_t block_count; ///< rows; 0: no block
    uint32_t block_dtype;

    uint32_t tables;       ///< what the table area holds
    uint32_t sq_dimension; ///< SQ: how many pairs
    uint32_t pq_subspaces; ///< PQ: in all
    uint32_t pq_loaded;    ///< PQ: so far
    uint32_t pq_centroids;

    uint32_t result_count; ///< entries in the top-K
};
static_assert(sizeof(TileState) <= kResults - kState);

/// One entry of the top-K at kResults.
struct Candidate {
    uint64_t id;
    float distance;
    uint32_t expanded; ///< rvf_greedy_step has been at this node on layer 0
};
static_assert(sizeof(Candidate) * kMaxTopK == kRouting - kResults);

RVF_INLINE TileState& state() { return *reinterpret_cast<TileState*>(at(kState)); }
RVF_INLINE TileConfig& config() { return *reinterpret_cast<TileConfig*>(at(kConfig)); }
RVF_INLINE Candidate* results() { return reinterpret_cast<Candidate*>(at(kResults)); }
RVF_INLINE NeighborList& neighbor_list() {
    return *reinterpret_cast<NeighborList*>(at(kNeighborCache));
}

inline void forget_block() { state().block_count = 0; }

inline uint32_t element_bytes(uint32_t dtype) { return dtype == kF16 ? 2 : dtype == kI8 ? 1 : 4; }

inline uint32_t row_bytes() { return state().dimension * element_bytes(state().block_dtype); }
inline uint32_t block_bytes() { return row_bytes() * state().block_count; }

/// Whether a result of `bytes` bytes would overwrite quantizer tables.
inline bool hits_tables(Address address, uint32_t bytes) {
    return overlap(address, bytes, kTables, kTableBytes);
}

/// Tables overwrite a block that reaches into their area.
inline void replace_tables(Tables tables) {
    if (hits_tables(state().block, block_bytes())) forget_block();
    state().tables = tables;
}

} // namespace rvf::tile
