// rvf_topk_merge and rvf_topk_read against sorting everything that was ever offered.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernel/kernel.h"
#include "tests/unit/support.h"

namespace rvf::tile {
namespace {

using test::Answer;
using test::Tile;

constexpr Address kDistances = kBlock;
constexpr Address kIds = kHotCache;
constexpr Address kOut = kMessage;

int32_t merge(Tile& tile, const std::vector<Answer>& pairs, uint32_t k) {
    std::vector<float> distances;
    std::vector<uint64_t> ids;
    for (const Answer& pair : pairs) {
        distances.push_back(pair.distance);
        ids.push_back(pair.id);
    }
    tile.write(kDistances, distances);
    tile.write(kIds, ids);
    return rvf_topk_merge(kDistances, kIds, static_cast<uint32_t>(pairs.size()), k);
}

std::vector<Answer> top(Tile& tile) {
    std::vector<Answer> answers(static_cast<size_t>(rvf_topk_read(kOut)));
    for (size_t i = 0; i < answers.size(); ++i) {
        auto at = kOut + static_cast<Address>(12 * i);
        answers[i] = {tile.read<uint64_t>(at, 1)[0], tile.read<float>(at + 8, 1)[0]};
    }
    return answers;
}

/// The nearest distance of every id, sorted by (distance, id), the first k.
std::vector<Answer> expected_top(const std::vector<Answer>& offered, size_t k) {
    std::map<uint64_t, float> nearest;
    for (const Answer& pair : offered) {
        if (std::isnan(pair.distance)) continue;
        auto [held, added] = nearest.emplace(pair.id, pair.distance);
        if (!added && pair.distance < held->second) held->second = pair.distance;
    }
    std::vector<std::pair<float, uint64_t>> sorted;
    for (auto [id, distance] : nearest) sorted.push_back({distance, id});
    std::sort(sorted.begin(), sorted.end());
    std::vector<Answer> answers;
    for (auto [distance, id] : sorted) answers.push_back({id, distance});
    if (answers.size() > k) answers.resize(k);
    return answers;
}

TEST(TopK, KeepsTheNearestOfManyMergesForEveryK) {
    for (uint32_t k = 1; k <= kMaxTopK; ++k) {
        for (uint64_t seed = 0; seed < 20; ++seed) {
            Tile tile;
            test::Random random(seed * 100 + k);
            std::vector<Answer> offered;
            for (int round = 0; round < 6; ++round) {
                std::vector<Answer> pairs(random.below(40));
                // Few ids and few distances: many repetitions and ties.
                for (Answer& pair : pairs) {
                    pair = {random.below(30), static_cast<float>(random.below(12))};
                }
                ASSERT_EQ(merge(tile, pairs, k), 0);
                offered.insert(offered.end(), pairs.begin(), pairs.end());
                ASSERT_EQ(top(tile), expected_top(offered, k));
            }
        }
    }
}

TEST(TopK, TiesGoToTheSmallerUnsignedId) {
    Tile tile;
    ASSERT_EQ(merge(tile, {{~0ull, 1}, {1ull << 63, 1}, {7, 1}, {0, 1}, {1ull << 32, 1}}, 4), 0);
    EXPECT_EQ(top(tile), (std::vector<Answer>{{0, 1}, {7, 1}, {1ull << 32, 1}, {1ull << 63, 1}}));
}

TEST(TopK, HeldIdKeepsItsNearerDistance) {
    Tile tile;
    ASSERT_EQ(merge(tile, {{1, 5}, {2, 6}, {1, 9}}, 4), 0);
    EXPECT_EQ(top(tile), (std::vector<Answer>{{1, 5}, {2, 6}}));
    ASSERT_EQ(merge(tile, {{2, 1}}, 4), 0);
    EXPECT_EQ(top(tile), (std::vector<Answer>{{2, 1}, {1, 5}}));
}

TEST(TopK, MergingABlockTwiceChangesNothing) {
    Tile tile;
    std::vector<Answer> pairs = {{9, 3}, {8, 3}, {7, 1}, {6, 2}, {5, 9}};
    ASSERT_EQ(merge(tile, pairs, 3), 0);
    std::vector<Answer> once = top(tile);
    ASSERT_EQ(merge(tile, pairs, 3), 0);
    EXPECT_EQ(top(tile), once);
}

TEST(TopK, NanNeverEntersAndInfinityDoes) {
    Tile tile;
    ASSERT_EQ(merge(tile, {{1, NAN}, {2, HUGE_VALF}, {3, -NAN}, {4, -HUGE_VALF}}, 16), 0);
    EXPECT_EQ(top(tile), (std::vector<Answer>{{4, -HUGE_VALF}, {2, HUGE_VALF}}));
}

TEST(TopK, SmallerKDropsTheSurplus) {
    Tile tile;
    ASSERT_EQ(merge(tile, {{1, 1}, {2, 2}, {3, 3}, {4, 4}}, 4), 0);
    ASSERT_EQ(merge(tile, {{5, 2.5f}}, 2), 0);
    EXPECT_EQ(top(tile), (std::vector<Answer>{{1, 1}, {2, 2}}));
}

TEST(TopK, ReadingKeepsTheEntries) {
    Tile tile;
    ASSERT_EQ(merge(tile, {{1, 1}, {2, 2}}, 4), 0);
    EXPECT_EQ(top(tile), top(tile));
}

TEST(TopK, IsNotReadIntoLoadedTables) {
    Tile tile;
    ASSERT_EQ(merge(tile, {{1, 1}, {2, 2}}, 4), 0);
    EXPECT_EQ(rvf_topk_read(kTables), 2);
    ASSERT_EQ(rvf_load_sq_params(kMessage, 1), 0);
    EXPECT_EQ(rvf_topk_read(kTables - 24), 2);
    for (Address out : {kTables - 23, kTables, kHotCache - 1}) {
        EXPECT_EQ(rvf_topk_read(out), kInvalidPointer) << out;
    }
    EXPECT_EQ(rvf_topk_read(kHotCache), 2);
}

TEST(TopK, RefusesKOutsideOneToSixteen) {
    Tile tile;
    ASSERT_EQ(merge(tile, {{1, 1}}, 1), 0);
    for (uint32_t k : {0u, 17u, 256u, ~0u}) EXPECT_EQ(merge(tile, {{2, 0}}, k), kKTooLarge);
    EXPECT_EQ(top(tile), (std::vector<Answer>{{1, 1}}));
}

TEST(TopK, MergingNothingIsFine) {
    Tile tile;
    EXPECT_EQ(merge(tile, {}, 16), 0);
    EXPECT_TRUE(top(tile).empty());
}

} // namespace
} // namespace rvf::tile
