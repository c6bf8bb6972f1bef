// What the hub does not begin, and what it says instead.
#include "tests/hub/support.h"

namespace rvf::hub {
namespace {

std::string error_of(const Scenario& scenario, const Data& data, size_t query_dimension,
                     const Graph* graph = nullptr) {
    return run_sandboxed(scenario, data,
                         random_queries(1, 1, static_cast<uint32_t>(query_dimension)), graph)
        .error;
}

TEST(Refusal, OfZeroTiles) {
    Scenario scenario;
    scenario.tiles = 0;
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 4), 4), "tiles is 0; it must be 1 to 4096");
}

TEST(Refusal, OfDimensionsThatTheProfileDoesNotTake) {
    Scenario scenario;
    scenario.profile = tile::kCoreProfile;
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 385), 385),
              "the vectors have 385 dimensions; a tile of profile core takes at most 384 (768 with "
              "dtype i8, 1024 with profile hot)");
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 384), 384), "");
    scenario.dtype = tile::kI8;
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 768), 768), "");
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 769), 769),
              "the vectors have 769 dimensions; a tile of profile core takes at most 768 as i8");
    scenario.profile = tile::kHotProfile;
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 1024), 1024), "");
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 1025), 1025),
              "the vectors have 1025 dimensions; a tile of profile hot takes at most 1024");
}

TEST(Refusal, OfAQueryOfAnotherDimension) {
    EXPECT_EQ(error_of({}, random_data(1, 10, 4), 5),
              "query 0 has 5 dimensions, the vectors have 4");
}

TEST(Refusal, OfNumbersThatF16DoesNotHold) {
    Data data = random_data(1, 10, 4);
    data.rows[5] = 65505;
    EXPECT_EQ(error_of({}, data, 4),
              "vector 1003 holds a number above 65504, the largest of f16; take dtype i8 or f32");
    Scenario scenario;
    scenario.dtype = tile::kF32;
    EXPECT_EQ(error_of(scenario, data, 4), "");
}

TEST(Refusal, OfVectorsThatAreTooLongForSumsInF32) {
    Data data = random_data(1, 10, 4);
    data.rows[5] = 2e19f;
    Scenario scenario;
    scenario.dtype = tile::kF32;
    EXPECT_EQ(error_of(scenario, data, 4),
              "vector 1003 is too large for distances in f32; scale the vectors");
}

TEST(Refusal, OfAnIdThatIsThereTwice) {
    Data data = random_data(1, 10, 4);
    data.ids[7] = data.ids[2];
    EXPECT_EQ(error_of({}, data, 4), "id 1006 is there twice");
}

TEST(Refusal, OfWaitsAndAttemptsWithoutEnd) {
    Scenario scenario;
    scenario.attempts = 1001;
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 4), 4),
              "attempts is 1001; it must be 1 to 1000");
    scenario.attempts = 8;
    scenario.resends = 101;
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 4), 4), "resends is 101; it must be 0 to 100");
}

TEST(Refusal, OfNaN) {
    Data data = random_data(1, 10, 4);
    data.rows[0] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(error_of({}, data, 4), "vector 1000 holds NaN or an infinity");
}

TEST(Refusal, OfAGraphOnCoreTiles) {
    Scenario scenario;
    scenario.mode = Mode::kGraph;
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 4), 4),
              "mode graph needs a graph, and there is none");
    scenario.profile = tile::kCoreProfile;
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 4), 4),
              "mode graph needs profile hot: a core tile does not navigate");
}

TEST(Refusal, OfAGraphThatNamesRowsThatAreNotThere) {
    Scenario scenario;
    scenario.mode = Mode::kGraph;
    Graph graph;
    graph.lists.resize(10, {{1, 2}});
    graph.lists[4][0].push_back(10);
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 4), 4, &graph),
              "the graph names row 10, which is not there");
}

TEST(Refusal, OfRatesAndBitsOutsideTheirRange) {
    Scenario scenario;
    FaultRule rule;
    rule.rate = 1.5;
    scenario.faults = {rule};
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 4), 4),
              "rate of fault lose is 1.500000; it must be 0 to 1");
    scenario.faults[0].rate = 0;
    scenario.faults[0].bits = 0;
    EXPECT_EQ(error_of(scenario, random_data(1, 10, 4), 4),
              "bits of fault lose is 0; it must be 1 to 64");
}

TEST(Refusal, OfTilesThatTheSystemDoesNotStart) {
    class NoTiles final : public sim::Tiles {
    public:
        bool start(uint32_t) override { return false; }
        void stop(uint32_t) override {}
        sim::Outcome ring(uint32_t) override { return sim::Outcome::kReturned; }
        sim::Outcome sabotage(uint32_t, sim::Sabotage) override { return sim::Outcome::kReturned; }
        void read(uint32_t, uint32_t, void*, uint32_t) override {}
        void write(uint32_t, uint32_t, const void*, uint32_t) override {}
        bool red_zone_is_zero(uint32_t) override { return true; }
    } tiles;
    Observer nobody;
    Report report = run({}, random_data(1, 10, 4), nullptr, random_queries(1, 1, 4), tiles, nobody);
    EXPECT_EQ(report.error,
              "tile 0 could not be started: the system gives no memory for it; take fewer tiles");
}

TEST(Nothing, OfNoVectorsAndNoQueriesIsAnAnswer) {
    Data none;
    none.dimension = 4;
    Report report = run_sandboxed({}, none, random_queries(1, 2, 4));
    EXPECT_EQ(report.error, "");
    EXPECT_EQ(report.answers, std::vector<std::vector<Answer>>(2));
    report = run_sandboxed({}, random_data(1, 10, 4), {});
    EXPECT_EQ(report.error, "");
    EXPECT_EQ(report.jobs, 0u);
}

} // namespace
} // namespace rvf::hub
