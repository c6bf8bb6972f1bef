// The frontier and the answer of a graph search in one ascending array: every row seen that is not
// farther than the `width`-th admitted one. Rows that are not admitted (deleted ones) are walked
// through without taking the place of an answer.
#pragma once

#include <stdint.h>

#include "control/row_distance.h"

namespace rvf {

/// Flag of a candidate in a beam.
constexpr Candidate kExpanded = kFlag;

/// Which rows may be answered.
struct Admission {
    const Space* live_in = nullptr; ///< nullptr: all of them

    bool admits(Candidate one) const { return !live_in || !is_dead(*live_in, row_of(one)); }
};

struct Beam {
    Candidate* entries;
    uint32_t capacity;
    uint32_t width;
    uint32_t most_equal; ///< entries at one distance, so that copies of a row do not fill it
    Admission admission = {};
    uint32_t count = 0;
    uint32_t admitted = 0;
    uint32_t next = 0; ///< every entry before it is expanded

    void offer(Candidate one) {
        if (admitted == width && rank_of(one) >= rank_of(entries[count - 1])) return;
        uint32_t at = count;
        while (at > 0 && rank_of(entries[at - 1]) > rank_of(one)) --at;
        if (at >= most_equal && rank_of(entries[at - most_equal]) == rank_of(one)) return;
        if (count == capacity) {
            if (at == count) return;
            drop_last();
        }
        for (uint32_t i = count++; i > at; --i) entries[i] = entries[i - 1];
        entries[at] = one;
        if (at < next) next = at;
        admitted += admission.admits(one);
        while (admitted > width || (admitted == width && !admission.admits(entries[count - 1]))) {
            drop_last();
        }
    }

    void drop_last() { admitted -= admission.admits(entries[--count]); }
};

} // namespace rvf
