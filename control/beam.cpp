#include "control/beam.h"

namespace rvf {
namespace {

constexpr uint32_t kStride = 8; ///< about the root of a usual count

/// Makes room for one entry at `at`, four or two of those behind it at a time.
RVF_INLINE void move_up(Beam& beam, uint32_t at) {
    Candidate* entries = beam.entries;
    uint32_t i = beam.count++;
    for (; i > at + 3; i -= 4) {
        v128_t last = wasm_v128_load(entries + i - 2), first = wasm_v128_load(entries + i - 4);
        wasm_v128_store(entries + i - 1, last);
        wasm_v128_store(entries + i - 3, first);
    }
    for (; i > at + 1; i -= 2) {
        wasm_v128_store(entries + i - 1, wasm_v128_load(entries + i - 2));
    }
    if (i > at) entries[i] = entries[i - 1];
}

/// Behind all entries that are not farther: back in strides first, because a step of halving is one
/// that no processor foresees.
RVF_INLINE uint32_t place_of(const Beam& beam, uint32_t rank) {
    uint32_t at = beam.count;
    while (at >= kStride && rank_of(beam.entries[at - kStride]) > rank) at -= kStride;
    while (at > 0 && rank_of(beam.entries[at - 1]) > rank) --at;
    return at;
}

RVF_INLINE void drop_last(Beam& beam) { beam.admitted -= !(beam.entries[--beam.count] & kBarred); }

} // namespace

void Beam::insert(Candidate one) {
    uint32_t at = place_of(*this, rank_of(one));
    if (at >= most_equal && rank_of(entries[at - most_equal]) == rank_of(one)) return;
    if (count == capacity) {
        if (at == count) return;
        drop_last(*this);
    }
    move_up(*this, at);
    entries[at] = admit(one);
    if (at < next) next = at;
    while (admitted > width || (admitted == width && entries[count - 1] & kBarred)) {
        drop_last(*this);
    }
}

} // namespace rvf
