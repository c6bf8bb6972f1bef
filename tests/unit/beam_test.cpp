// A beam against a plain sorted list of all that it was offered.
#include "control/beam.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "tests/unit/support.h"

namespace rvf::test {
namespace {

bool is_admitted(const void*, uint32_t row) { return row % 3 != 0; }

/// The nearest up to the `width`-th admitted one; of equal ones those that came first.
std::vector<uint32_t> rows_kept(std::vector<Candidate> offered, uint32_t width, bool all_admitted) {
    std::sort(offered.begin(), offered.end()); // by distance, then by row, which is their order
    std::vector<uint32_t> rows;
    for (Candidate one : offered) {
        if (width == 0) break;
        rows.push_back(row_of(one));
        width -= all_admitted || is_admitted(nullptr, row_of(one));
    }
    return rows;
}

std::vector<uint32_t> rows_of(const Beam& beam) {
    std::vector<uint32_t> rows;
    for (uint32_t i = 0; i < beam.count; ++i) rows.push_back(row_of(beam.entries[i]));
    return rows;
}

TEST(Beam, HoldsTheNearestOfAllThatItWasOfferedNotNumbersToo) {
    Random random(1);
    const std::vector<float> distances = {
        -2, -1, 0, 0.5f, 1, 7, std::numeric_limits<float>::infinity(), std::nanf("")};
    for (int round = 0; round < 400; ++round) {
        bool all_admitted = round % 2;
        Candidate entries[301];
        Beam beam{entries, 301, 1 + random.below(40), 301};
        if (!all_admitted) beam.admission.asked = is_admitted;
        std::vector<Candidate> offered;
        uint32_t most = 1 + random.below(300);
        while (offered.size() < most) {
            Candidate some[8];
            uint32_t wanted = 1 + random.below(8);
            for (uint32_t i = 0; i < wanted; ++i) {
                float distance = round % 3 ? random.between(-1, 1) : random.pick(distances);
                some[i] = candidate(distance, static_cast<uint32_t>(offered.size()));
                offered.push_back(some[i]);
            }
            uint32_t kept = beam.keep_nearer(some, wanted);
            for (uint32_t i = 0; i < kept; ++i) beam.offer(some[i]);
            ASSERT_EQ(rows_of(beam), rows_kept(offered, beam.width, all_admitted));
        }
    }
}

TEST(Beam, HoldsNoMoreAtOneDistanceThanItMay) {
    Candidate entries[20];
    Beam beam{entries, 20, 10, 3};
    for (uint32_t row = 0; row < 6; ++row) beam.offer(candidate(2, row));
    for (uint32_t row = 6; row < 12; ++row) beam.offer(candidate(1, row));
    beam.offer(candidate(3, 12));
    EXPECT_EQ(rows_of(beam), (std::vector<uint32_t>{6, 7, 8, 0, 1, 2, 12}));
}

} // namespace
} // namespace rvf::test
