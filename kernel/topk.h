// The top-K: at most 16 candidates, kept in ascending order of (distance, id).
#pragma once

#include "kernel/state.h"

namespace rvf::tile {

inline bool nearer(float distance, uint64_t id, const Candidate& other) {
    return distance < other.distance || (distance == other.distance && id < other.id);
}

/// Drops what a top-K of `k` entries does not hold.
inline void limit_results(uint32_t k) {
    if (state().result_count > k) state().result_count = k;
}

/// Inserts unless `k` nearer ones are held. NaN compares false with everything and stays out; an id
/// that is held already keeps the nearer of its two distances.
inline void insert_candidate(float distance, uint64_t id, uint32_t k) {
    if (distance != distance) return;
    Candidate* held = results();
    uint32_t count = state().result_count;
    uint32_t place = 0; // of the entry that has to go: the same id, or the last
    while (place < count && held[place].id != id) ++place;
    if (place == k) --place;
    if (place == count) {
        state().result_count = count + 1;
    } else if (!nearer(distance, id, held[place])) {
        return;
    }
    for (; place > 0 && nearer(distance, id, held[place - 1]); --place) {
        held[place] = held[place - 1];
    }
    held[place] = {id, distance, 0};
}

} // namespace rvf::tile
