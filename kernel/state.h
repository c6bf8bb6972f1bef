// What a tile remembers between calls. It lives in tile memory like everything else, so that a host
// can save, inspect or wipe a tile as plain bytes.
#pragma once

#include "kernel/kernel.h"
#include "kernel/memory.h"

namespace rvf::tile {

enum Tables : uint32_t { kNoTables = 0, kSqTables = 1, kPqTables = 2 };

struct TileState {
    uint32_t dimension;  ///< of the loaded query; 0: none
    float negative_norm; ///< minus the sum of its squares; NaN is the one NaN

    Address block;        ///< first row
    uint32_t block_count; ///< rows; 0: no block
    uint32_t block_dtype;

    uint32_t tables;       ///< what the table area holds
    uint32_t sq_dimension; ///< SQ: how many pairs
    uint32_t pq_subspaces; ///< PQ: in all
    uint32_t pq_loaded;    ///< PQ: so far
    uint32_t pq_centroids;

    uint32_t result_count; ///< entries in the top-K

    uint32_t operands; ///< CRC32C of what the last distances in a search or block were made from
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

inline uint32_t row_bytes(uint32_t dtype) {
    return dtype == kPqCodes ? state().pq_subspaces : state().dimension * element_bytes(dtype);
}
inline uint32_t row_bytes() { return row_bytes(state().block_dtype); }
inline uint32_t block_bytes() { return row_bytes() * state().block_count; }

/// Whether a result of `bytes` bytes would overwrite quantizer tables.
inline bool hits_tables(Address address, uint32_t bytes) {
    return overlap(address, bytes, kTables, kTableBytes);
}

/// Whether `count` elements of `bytes` bytes at `address` lie where operands and results may lie:
/// not where the kernel keeps something of its own.
RVF_NOINLINE inline bool usable(Address address, uint32_t count, uint32_t bytes) {
    uint64_t end = uint64_t{count} * bytes + address;
    Address limit = address >= kScratch   ? kQuery
                    : address >= kMessage ? kDataEnd
                    : address >= kRouting ? kWorkspace
                                          : 0;
    return end <= limit && !(state().tables && hits_tables(address, count * bytes));
}

/// Tables overwrite a block that reaches into their area.
inline void replace_tables(Tables tables) {
    if (hits_tables(state().block, block_bytes())) forget_block();
    state().tables = tables;
}

} // namespace rvf::tile
