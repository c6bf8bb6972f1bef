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

constexpr uint32_t kFewEntries = 24; ///< among which a place is found faster one by one

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
    Candidate admit(Candidate one) {
        uint32_t row = row_of(one);
        bool barred = (live_in && is_dead(*live_in, row)) || !admission.admits(row);
        admitted += !barred;
        return barred ? one | kBarred : one;
    }

    void offer(Candidate one) {
        if (admitted == width && rank_of(one) >= rank_of(entries[count - 1])) return;
        uint32_t at = place_of(rank_of(one));
        if (at >= most_equal && rank_of(entries[at - most_equal]) == rank_of(one)) return;
        if (count == capacity) {
            if (at == count) return;
            drop_last();
        }
        move_up(at);
        entries[at] = admit(one);
        if (at < next) next = at;
        while (admitted > width || (admitted == width && entries[count - 1] & kBarred)) drop_last();
    }

    /// Makes room for one entry at `at`, two of those behind it at a time.
    void move_up(uint32_t at) {
        uint32_t i = count++;
        for (; i > at + 1; i -= 2) {
            wasm_v128_store(entries + i - 1, wasm_v128_load(entries + i - 2));
        }
        if (i > at) entries[i] = entries[i - 1];
    }

    /// Behind all entries that are not farther.
    uint32_t place_of(uint32_t rank) const {
        uint32_t at = count;
        if (count <= kFewEntries) {
            while (at > 0 && rank_of(entries[at - 1]) > rank) --at;
            return at;
        }
        at = 0;
        for (uint32_t left = count; left > 0;) {
            uint32_t half = (left + 1) / 2;
            bool behind = rank_of(entries[at + half - 1]) <= rank;
            at = behind ? at + half : at;
            left = behind ? left - half : half - 1;
        }
        return at;
    }

    void drop_last() { admitted -= !(entries[--count] & kBarred); }
};

} // namespace rvf
