// The frontier and the answer of a graph search in one ascending array: every row seen that is not
// farther than the `width`-th admitted one. Rows that are not admitted (deleted ones, and those
// that a filter keeps out) are walked through without taking the place of an answer.
#pragma once

#include <stdint.h>

#include "control/admission.h"
#include "control/marks.h"
#include "control/row_distance.h"
#include "kernel/simd.h"

namespace rvf {

/// Flags of a candidate in a beam.
constexpr Candidate kExpanded = kFlag;
constexpr Candidate kBarred = kSecondFlag; ///< it is not admitted

struct Beam {
    Candidate* entries = nullptr;
    uint32_t capacity = 0;
    uint32_t width = 0;
    uint32_t most_equal = 0; ///< entries at one distance, so that copies of a row do not fill it
    const Store* live_in = nullptr; ///< set: dead rows are barred
    Admission admission = {};
    uint32_t count = 0;
    uint32_t admitted = 0;
    uint32_t next = 0;   ///< every entry before it is expanded
    uint32_t work = ~0u; ///< rows that may still be compared
    bool cut = false;    ///< more of them would have been

    /// How many of `wanted` rows may be compared.
    uint32_t take_work(uint32_t wanted) {
        cut |= wanted > work;
        if (wanted > work) wanted = work;
        work -= wanted;
        return wanted;
    }

    /// The entry with its flag and counted, on its way in.
    RVF_INLINE Candidate admit(Candidate one) {
        uint32_t row = row_of(one);
        bool barred = (live_in && is_dead(*live_in, row)) || !admission.admits(row);
        admitted += !barred;
        return barred ? one | kBarred : one;
    }

    /// Moves those that may enter to the front; no branch foresees which. Answers how many.
    RVF_INLINE uint32_t keep_nearer(Candidate* candidates, uint32_t wanted) const {
        uint64_t worst = admitted < width ? 1ull << 32 : rank_of(entries[count - 1]);
        uint32_t kept = 0;
        for (uint32_t i = 0; i < wanted; ++i) {
            candidates[kept] = candidates[i];
            kept += rank_of(candidates[i]) < worst;
        }
        return kept;
    }

    RVF_INLINE void offer(Candidate one) {
        if (admitted < width || rank_of(one) < rank_of(entries[count - 1])) insert(one);
    }

    void insert(Candidate one);
};

} // namespace rvf
