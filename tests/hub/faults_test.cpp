// Each fault, alone: it happens, it is found out in a way that fits, and the answer stays the same.
#include <set>

#include "tests/hub/support.h"

namespace rvf::hub {
namespace {

struct Expectation {
    FaultKind kind;
    Direction direction;
    std::set<Finding> findings; ///< any of them
    double rate = 0.03;
};

FaultRule rule_of(FaultKind kind, double rate, Direction direction = Direction::kBoth) {
    FaultRule rule;
    rule.kind = kind;
    rule.rate = rate;
    rule.direction = direction;
    return rule;
}

class EachFault : public testing::TestWithParam<Expectation> {
protected:
    Scenario scenario_with(Mode mode) const {
        Scenario scenario;
        scenario.seed = 7;
        scenario.tiles = 6;
        scenario.mode = mode;
        scenario.quarantine_after = 5;
        scenario.faults = {rule_of(GetParam().kind, GetParam().rate, GetParam().direction)};
        return scenario;
    }

    void expect_found(const Report& report) const {
        EXPECT_GT(report.faults[static_cast<size_t>(GetParam().kind)], 0u);
        uint64_t found = 0;
        for (uint32_t i = 0; i < kFindings; ++i) {
            bool fits = GetParam().findings.count(static_cast<Finding>(i)) > 0;
            EXPECT_TRUE(fits || report.findings[i] == 0) << finding_name(static_cast<Finding>(i));
            if (fits) found += report.findings[i];
        }
        EXPECT_GT(found + report.late, 0u); // a late reply is found out, too: nobody waits for it
    }
};

TEST_P(EachFault, LeavesTheAnswersOfBlocksAsTheyAre) {
    Scenario scenario = scenario_with(Mode::kBlocks);
    Data data = random_data(1, 700, 96);
    auto queries = random_queries(2, 2, 96);

    Report report = run_watched(scenario, data, queries);

    ASSERT_EQ(report.error, "");
    expect_found(report);
    EXPECT_EQ(report.answers, expected(scenario, data, queries));
}

TEST_P(EachFault, LeavesTheAnswersOfSearchesAsTheyAre) {
    Scenario scenario = scenario_with(Mode::kGraph);
    Data data = random_data(3, 200, 48);
    auto queries = random_queries(4, 12, 48);
    Graph graph; // a ring with chords
    graph.lists.resize(200);
    for (uint32_t row = 0; row < 200; ++row) {
        graph.lists[row] = {{(row + 1) % 200, (row + 199) % 200, (row * 7 + 3) % 200}};
    }

    Report report = run_watched(scenario, data, queries, &graph);

    ASSERT_EQ(report.error, "");
    expect_found(report);
    EXPECT_EQ(report.answers, expected(scenario, data, queries, &graph));
}

const Expectation kExpectations[] = {
    {FaultKind::kOutOfBounds, Direction::kBoth, {Finding::kTrap}},
    {FaultKind::kUnreachable, Direction::kBoth, {Finding::kTrap}},
    {FaultKind::kExhaustStack, Direction::kBoth, {Finding::kTrap}},
    {FaultKind::kLoopForever, Direction::kBoth, {Finding::kDeadline}, 0.01},
    {FaultKind::kFlipBits,
     Direction::kBoth,
     {Finding::kStateChanged, Finding::kBadOperands, Finding::kTrap, Finding::kRefused},
     0.3},
    {FaultKind::kWriteRedZone, Direction::kBoth, {Finding::kRedZone}},
    {FaultKind::kLose, Direction::kToTile, {Finding::kNoReply}},
    {FaultKind::kLose,
     Direction::kToHub,
     {Finding::kNoReply, Finding::kStateChanged, Finding::kRefused}},
    {FaultKind::kDuplicate,
     Direction::kToTile,
     {Finding::kStateChanged, Finding::kRefused, Finding::kBadOperands}},
    {FaultKind::kDelay,
     Direction::kToTile,
     {Finding::kNoReply, Finding::kStateChanged, Finding::kRefused, Finding::kBadOperands}},
    {FaultKind::kDelay,
     Direction::kToHub,
     {Finding::kNoReply, Finding::kStateChanged, Finding::kRefused}},
    {FaultKind::kCorrupt,
     Direction::kToTile,
     {Finding::kRefused, Finding::kNoReply, Finding::kWrongId}},
    {FaultKind::kCorrupt,
     Direction::kToHub,
     {Finding::kBadReply, Finding::kStateChanged, Finding::kRefused}},
    {FaultKind::kWrongId, Direction::kBoth, {Finding::kWrongId}},
    {FaultKind::kTileDies, Direction::kBoth, {Finding::kNoReply}},
    {FaultKind::kAllTilesDie, Direction::kBoth, {Finding::kNoReply}},
};

std::string name_of(const testing::TestParamInfo<Expectation>& given) {
    const char* directions[] = {"ToTile", "ToHub", ""};
    std::string name = fault_name(given.param.kind);
    std::erase(name, '_');
    return name + directions[static_cast<size_t>(given.param.direction)];
}

INSTANTIATE_TEST_SUITE_P(Hub, EachFault, testing::ValuesIn(kExpectations), name_of);

TEST(Recovery, ADuplicatedReplyIsLateAndHarmless) {
    Scenario scenario;
    scenario.faults = {rule_of(FaultKind::kDuplicate, 0.2, Direction::kToHub)};
    Data data = random_data(1, 300, 32);
    auto queries = random_queries(2, 1, 32);
    Report report = run_sandboxed(scenario, data, queries);
    ASSERT_EQ(report.error, "");
    EXPECT_GT(report.late, 0u);
    EXPECT_EQ(report.reassigned, 0u);
    EXPECT_EQ(report.answers, expected(scenario, data, queries));
}

TEST(Recovery, ATileThatFailsAgainAndAgainIsQuarantinedAndTheOthersGoOn) {
    Scenario scenario;
    scenario.tiles = 4;
    scenario.faults = {rule_of(FaultKind::kUnreachable, 1)};
    scenario.faults[0].tile = 2;
    Data data = random_data(1, 2000, 96);
    auto queries = random_queries(2, 1, 96);
    Report report = run_sandboxed(scenario, data, queries);
    ASSERT_EQ(report.error, "");
    EXPECT_TRUE(report.tiles[2].quarantined);
    EXPECT_EQ(report.tiles[2].jobs, 0u);
    EXPECT_EQ(report.tiles_left, 3u);
    EXPECT_EQ(report.jobs_local, 0u);
    EXPECT_EQ(report.answers, expected(scenario, data, queries));
}

TEST(Recovery, WithNoTileLeftTheHubComputesAlone) {
    Scenario scenario;
    scenario.tiles = 3;
    scenario.faults = {rule_of(FaultKind::kAllTilesDie, 1)};
    Data data = random_data(1, 500, 16);
    auto queries = random_queries(2, 2, 16);
    Report report = run_sandboxed(scenario, data, queries);
    ASSERT_EQ(report.error, "");
    EXPECT_EQ(report.tiles_left, 0u);
    EXPECT_EQ(report.jobs_local, report.jobs);
    EXPECT_EQ(report.answers, expected(scenario, data, queries));
}

TEST(Recovery, ATileThatIsOutIsNotFoundAgain) {
    Scenario scenario;
    scenario.tiles = 4;
    scenario.timeout_ns = 20'000;
    scenario.resends = 0;
    scenario.quarantine_after = 1;
    scenario.faults = {rule_of(FaultKind::kLoopForever, 1)};
    scenario.faults[0].tile = 0;
    scenario.faults[0].count = 1;
    Data data = random_data(1, 500, 16);
    Report report = run_sandboxed(scenario, data, random_queries(2, 1, 16));
    ASSERT_EQ(report.error, "");
    EXPECT_EQ(report.tiles[0].faults, 1u);
}

TEST(Recovery, ARunWithoutASingleReplyEnds) {
    Scenario scenario;
    scenario.tiles = 2;
    scenario.timeout_ns = 20'000;
    scenario.resends = 100;
    scenario.quarantine_after = ~0u;
    scenario.attempts = 1000;
    scenario.faults = {rule_of(FaultKind::kLose, 1)};
    Data data = random_data(1, 20, 4);
    auto queries = random_queries(2, 1, 4);
    Report report = run_sandboxed(scenario, data, queries);
    ASSERT_EQ(report.error, "");
    EXPECT_EQ(report.jobs_local, report.jobs);
    EXPECT_EQ(report.answers, expected(scenario, data, queries));
}

TEST(Chip, GetsLayerAOfTheGraphOnce) {
    Data data = random_data(3, 200, 48);
    auto queries = random_queries(4, 6, 48);
    Graph graph; // a ring; every tenth row is on a second layer, a ring too
    graph.lists.resize(200);
    for (uint32_t row = 0; row < 200; ++row) {
        graph.lists[row] = {{(row + 1) % 200, (row + 199) % 200}};
        if (row % 10 == 0) graph.lists[row].push_back({(row + 10) % 200, (row + 190) % 200});
    }
    Scenario scenario;
    scenario.mode = Mode::kGraph;
    scenario.tiles = 4;
    Report report = run_sandboxed(scenario, data, queries, &graph);
    ASSERT_EQ(report.error, "");
    EXPECT_EQ(report.bytes_to_chips, 20u * (48 * 2 + 16 + 2 * 8)); // a vector and a list each
    EXPECT_GT(report.layer_a_hits, 0u);
    EXPECT_EQ(report.answers, expected(scenario, data, queries, &graph));
}

TEST(Chip, TilesReadWhatTheCodecGaveBack) {
    class Broken final : public BlockCodec {
    public:
        std::vector<uint8_t> compress(const std::vector<uint8_t>& block) override { return block; }
        bool expand(const std::vector<uint8_t>& sent, size_t,
                    std::vector<uint8_t>& block) override {
            block = sent;
            block[7] = static_cast<uint8_t>(block[7] ^ 1);
            return true;
        }
    } codec;
    Scenario scenario;
    Data data = random_data(1, 100, 16);
    auto queries = random_queries(2, 1, 16);
    sandbox::SandboxTiles tiles(scenario.tiles);
    Observer nobody;
    Report report = run(scenario, data, nullptr, queries, tiles, nobody, &codec);
    ASSERT_EQ(report.error, "");
    EXPECT_GT(report.findings[static_cast<size_t>(Finding::kBadOperands)], 0u);
    EXPECT_EQ(report.jobs_local, report.jobs);
    EXPECT_EQ(report.answers, expected(scenario, data, queries));
}

TEST(Chip, KeepsABlockForAllItsTilesAndQueries) {
    Data data = random_data(1, 600, 64);
    auto queries = random_queries(2, 5, 64);
    Scenario scenario;
    scenario.tiles = 8;
    scenario.tiles_per_chip = 8;
    Report one = run_sandboxed(scenario, data, queries);
    EXPECT_EQ(one.bytes_to_chips, 600u * 64 * 2);
    scenario.tiles_per_chip = 4;
    Report two = run_sandboxed(scenario, data, queries);
    EXPECT_GT(two.bytes_to_chips, one.bytes_to_chips);
    EXPECT_LE(two.bytes_to_chips, 2 * one.bytes_to_chips);
    EXPECT_EQ(one.answers, two.answers);
}

TEST(Determinism, TheSameSeedGivesTheSameLogAndAnotherSeedAnother) {
    Scenario scenario;
    for (FaultKind kind : {FaultKind::kFlipBits, FaultKind::kCorrupt, FaultKind::kDelay,
                           FaultKind::kOutOfBounds, FaultKind::kDuplicate}) {
        scenario.faults.push_back(rule_of(kind, 0.05));
    }
    Data data = random_data(1, 400, 64);
    auto queries = random_queries(2, 2, 64);
    auto log_of = [&](uint64_t seed) {
        scenario.seed = seed;
        sandbox::SandboxTiles tiles(scenario.tiles);
        Log log;
        EXPECT_EQ(run(scenario, data, nullptr, queries, tiles, log).error, "");
        return log.text;
    };
    std::string first = log_of(5);
    EXPECT_GT(first.size(), 10'000u);
    EXPECT_EQ(first, log_of(5));
    EXPECT_NE(first, log_of(6));
}

} // namespace
} // namespace rvf::hub
