// Upstream's acceptance test of a tile array: 1,000 blocks through the hub protocol.
#include "tests/hub/support.h"

namespace rvf::hub {
namespace {

struct Run {
    uint32_t dtype;
    uint32_t metric;
    bool faults;
};

class ThousandBlocks : public testing::TestWithParam<Run> {};

/// Distances match the double-precision reference over the same f16 or i8 values within the
/// tolerance of the kernel's f32 sums (kernel.h, "Numerics"; verify.cpp has the formula), the top-K
/// is that of brute force, and no tile touched memory that it does not have.
TEST_P(ThousandBlocks, AreAnsweredRightWhateverFails) {
    Scenario scenario;
    scenario.tiles = 64;
    scenario.profile = tile::kCoreProfile;
    scenario.dtype = GetParam().dtype;
    scenario.metric = GetParam().metric;
    scenario.k = 16;
    if (GetParam().faults) {
        for (uint32_t kind = 0; kind < kFaultKinds; ++kind) {
            FaultRule rule;
            rule.kind = static_cast<FaultKind>(kind);
            rule.rate = 0.0005;
            if (rule.kind == FaultKind::kAllTilesDie) rule.rate = 0;
            if (rule.kind == FaultKind::kTileDies) rule.count = 5;
            scenario.faults.push_back(rule);
        }
    }
    // 384 dimensions: 80 f16 vectors a block, or 85 of i8.
    uint32_t rows = GetParam().dtype == tile::kF16 ? 80 * 100 : 85 * 100;
    Data data = random_data(11, rows, 384);
    auto queries = random_queries(12, 10, 384);

    Report report = run_sandboxed(scenario, data, queries);

    ASSERT_EQ(report.error, "");
    EXPECT_EQ(report.jobs, 1000u);
    EXPECT_EQ(report.jobs_on_tiles + report.jobs_local, 1000u);
    if (!GetParam().faults) {
        EXPECT_EQ(report.jobs_on_tiles, 1000u);
        for (uint64_t findings : report.findings) EXPECT_EQ(findings, 0u);
    }
    Verdict verdict = verify(scenario, data, queries, report.answers, true);
    EXPECT_EQ(verdict.error, "");
    EXPECT_EQ(verdict.recall, 1.0);
}

INSTANTIATE_TEST_SUITE_P(Hub, ThousandBlocks,
                         testing::Values(Run{tile::kF16, tile::kL2, false},
                                         Run{tile::kI8, tile::kL2, false},
                                         Run{tile::kF16, tile::kL2, true},
                                         Run{tile::kI8, tile::kCosine, true},
                                         Run{tile::kF16, tile::kInnerProduct, true}));

TEST(Scale, AThousandAndTwentyFourTilesWorkAtOnce) {
    Scenario scenario;
    scenario.tiles = 1024;
    scenario.k = 3;
    Data data = random_data(1, 16384, 512);
    auto queries = random_queries(2, 4, 512);
    Report report = run_sandboxed(scenario, data, queries);
    ASSERT_EQ(report.error, "");
    EXPECT_EQ(report.tiles_left, 1024u);
    for (const TileReport& tile : report.tiles) EXPECT_GT(tile.jobs, 0u);
    EXPECT_EQ(report.answers, expected(scenario, data, queries));
}

} // namespace
} // namespace rvf::hub
