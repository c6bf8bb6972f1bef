// Real vectors: 9,000 SIFT descriptors, and the last 1,000 of the file as queries.
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "host/sim/read_graph.h"
#include "tests/hub/support.h"

namespace rvf::hub {
namespace {

constexpr uint32_t kBase = 9000;
constexpr uint32_t kRowBytes = 4 + 128;

/// The first 9,000 as a file of their own.
const sim::File& base() {
    static const sim::File file = [] {
        std::ifstream source(RVF_SIFT, std::ios::binary);
        std::string bytes(size_t{kBase} * kRowBytes, '\0');
        source.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        // Tests run side by side, each in a process of its own.
        std::string path = testing::TempDir() + "sift9k-" + std::to_string(getpid()) + ".bvecs";
        std::ofstream(path, std::ios::binary) << bytes;
        sim::File read;
        EXPECT_EQ(sim::read_file(path, {}, read), "");
        std::remove(path.c_str());
        return read;
    }();
    return file;
}

std::vector<std::vector<float>> queries(size_t count) {
    sim::File all;
    EXPECT_EQ(sim::read_file(RVF_SIFT, {}, all), "");
    std::vector<std::vector<float>> made;
    for (size_t i = 0; i < count; ++i) {
        auto from = all.data.rows.begin() + static_cast<ptrdiff_t>((kBase + i) * 128);
        made.emplace_back(from, from + 128);
    }
    return made;
}

TEST(Sift, BlocksFindEveryNeighbour) {
    Scenario scenario;
    scenario.tiles = 64;
    scenario.profile = tile::kCoreProfile;
    auto asked = queries(100);
    Report report = run_sandboxed(scenario, base().data, asked);
    ASSERT_EQ(report.error, "");
    Verdict verdict = verify(scenario, base().data, asked, report.answers, true);
    EXPECT_EQ(verdict.error, "");
    EXPECT_EQ(verdict.recall, 1.0);
    EXPECT_EQ(verdict.worst, 0.0); // integers below 2^24 are exact in f32
    std::printf("SIFT-10k in blocks: recall@10 %.3f\n", verdict.recall);
}

TEST(Sift, PullModeWithSixteenEntriesFindsMostOfThem) {
    Graph graph;
    sim::GraphReport built;
    ASSERT_EQ(sim::read_graph(base(), {}, graph, built), "");
    ASSERT_EQ(built.m, 16u);
    Scenario scenario;
    scenario.mode = Mode::kGraph;
    auto asked = queries(200);
    Report report = run_sandboxed(scenario, base().data, asked, &graph);
    ASSERT_EQ(report.error, "");
    Verdict verdict = verify(scenario, base().data, asked, report.answers, false);
    EXPECT_EQ(verdict.error, "");
    EXPECT_GE(verdict.recall, 0.85);
    std::printf("SIFT-10k by graph, M = 16: recall@10 %.3f, %.1f messages per query\n",
                verdict.recall, static_cast<double>(report.messages_to_tiles) / 200);
}

} // namespace
} // namespace rvf::hub
