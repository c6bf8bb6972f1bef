// Graphs: those that upstream wrote, as their bytes say, and those built here.
#include <map>
#include <set>

#include "host/sim/read_graph.h"
#include "tests/simulator/read_support.h"

namespace rvf {
namespace {

using namespace test;
using sim::File;
using sim::GraphOptions;
using sim::GraphReport;
using test::Buffer;

hub::Graph graph_of(const File& file, GraphReport& report, const GraphOptions& options = {}) {
    hub::Graph graph;
    EXPECT_EQ(sim::read_graph(file, options, graph, report), "");
    return graph;
}

/// Every list holds rows that are on its layer, different ones, and not its own.
void expect_sound(const hub::Graph& graph, const File& file, uint32_t m) {
    ASSERT_EQ(graph.lists.size(), file.data.ids.size());
    ASSERT_LT(graph.entry, graph.lists.size());
    for (uint32_t row = 0; row < graph.lists.size(); ++row) {
        ASSERT_GE(graph.lists[row].size(), 1u);
        EXPECT_LE(graph.lists[row].size(), graph.lists[graph.entry].size());
        for (size_t layer = 0; layer < graph.lists[row].size(); ++layer) {
            const auto& list = graph.lists[row][layer];
            EXPECT_LE(list.size(), layer ? m : 2 * m);
            EXPECT_EQ(std::set<uint32_t>(list.begin(), list.end()).size(), list.size());
            for (uint32_t other : list) {
                ASSERT_LT(other, graph.lists.size());
                EXPECT_NE(other, row);
                EXPECT_GT(graph.lists[other].size(), layer);
            }
        }
    }
}

size_t reachable(const hub::Graph& graph) {
    std::set<uint32_t> seen = {graph.entry};
    std::vector<uint32_t> open = {graph.entry};
    while (!open.empty()) {
        uint32_t row = open.back();
        open.pop_back();
        for (uint32_t other : graph.lists[row][0]) {
            if (seen.insert(other).second) open.push_back(other);
        }
    }
    return seen.size();
}

uint64_t number(const Buffer& bytes, size_t& at) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        value |= uint64_t{bytes[at] & 127u} << shift;
        if (bytes[at++] < 128) return value;
    }
}

// The segment is decoded here by docs/format.md; node k has the k-th smallest id.
TEST(ReadGraph, IsTheOneThatUpstreamWrote) {
    for (const char* name : {"made_index_l2.rvf", "made_index_cosine_sparse_ids.rvf"}) {
        SCOPED_TRACE(name);
        Reading reading = read_path(fixture_path(name));
        GraphReport report;
        hub::Graph graph = graph_of(reading.file, report);
        EXPECT_TRUE(report.from_index);
        EXPECT_EQ(report.why, "");
        EXPECT_EQ(report.m, 16u);
        EXPECT_EQ(report.ef_construction, 200u);
        expect_sound(graph, reading.file, 16);

        std::map<uint64_t, uint32_t> row_of_id;
        for (uint32_t i = 0; i < reading.file.data.ids.size(); ++i) {
            row_of_id[reading.file.data.ids[i]] = i;
        }
        std::vector<uint32_t> rows;
        for (const auto& [id, row] : row_of_id) rows.push_back(row);
        const Buffer& payload = reading.file.index;
        ASSERT_EQ(get<uint64_t>(payload, 8), rows.size());
        size_t at = (72 + 4 * get<uint32_t>(payload, 68) + 63) / 64 * 64;
        for (size_t node = 0; node < rows.size(); ++node) {
            const auto& lists = graph.lists[rows[node]];
            ASSERT_EQ(lists.size(), number(payload, at));
            for (const auto& list : lists) {
                std::vector<uint32_t> written(number(payload, at));
                uint64_t last = 0;
                for (uint32_t& neighbor : written) {
                    uint64_t other = last + number(payload, at);
                    if (node % 64) last = other;
                    neighbor = rows[other];
                }
                EXPECT_EQ(list, written);
            }
        }
        EXPECT_EQ(graph.entry, rows[get<uint64_t>(payload, (at + 63) / 64 * 64 + 8)]);
    }
}

TEST(ReadGraph, DeletedVectorsAreTakenOut) {
    Reading reading = read_path(fixture_path("made_index_then_deletes.rvf"));
    EXPECT_EQ(reading.file.data.ids.size(), 1080u);
    GraphReport report;
    hub::Graph graph = graph_of(reading.file, report);
    EXPECT_TRUE(report.from_index);
    expect_sound(graph, reading.file, 16);
    EXPECT_EQ(reachable(graph), 1080u);
}

TEST(ReadGraph, VectorsThatTheIndexLacksAreAdded) {
    Buffer bytes = fixture_bytes("made_index_l2.rvf");
    size_t manifest = last_manifest(bytes);
    Buffer payload(bytes.begin() + static_cast<long>(manifest + kHeaderBytes), bytes.end());
    Buffer vec =
        segment(kVec, 50, vec_payload(8, {1u << 20, 1u << 21}, std::vector<float>(16, 0.5f)));
    bytes.resize(manifest);
    // One more entry, behind those that are there.
    uint32_t count = get<uint32_t>(payload, 14);
    Buffer entry;
    put_entry(entry, {50, manifest, vec.size() - kHeaderBytes, kVec});
    payload.insert(payload.begin() + 22 + 25 * count, entry.begin(), entry.end());
    set(payload, 14, count + 1);
    append(bytes, vec);
    append(bytes, segment(kManifest, 51, payload));
    Reading reading = read_bytes_as_file(bytes);
    ASSERT_EQ(reading.error, "");
    GraphReport report;
    hub::Graph graph = graph_of(reading.file, report);
    EXPECT_TRUE(report.from_index);
    EXPECT_SAYS(report.why, "2 vectors that were not in the index were added");
    expect_sound(graph, reading.file, 16);
    EXPECT_EQ(reachable(graph), reading.file.data.ids.size());
}

TEST(ReadGraph, ACompressedIndexGivesTheSameGraph) {
    Reading plain = read_path(fixture_path("made_index_l2.rvf"));
    GraphReport report;
    hub::Graph expected_graph = graph_of(plain.file, report);
    Reading reading = read_bytes_as_file(
        compressed_file(fixture_bytes("made_index_l2.rvf"), 2, HashOf::kExpanded));
    hub::Graph graph = graph_of(reading.file, report);
    EXPECT_TRUE(report.from_index);
    EXPECT_EQ(graph.lists, expected_graph.lists);
    EXPECT_EQ(graph.entry, expected_graph.entry);
}

TEST(ReadGraph, IsBuiltWhereThereIsNoSoundIndex) {
    GraphReport report;
    Reading damaged = read_path(fixture_path("damaged_index_payload.rvf"));
    expect_sound(graph_of(damaged.file, report), damaged.file, 16);
    EXPECT_FALSE(report.from_index);
    EXPECT_EQ(report.why, "its index is damaged");

    Reading none = read_path(fixture_path("made_1024_never_queried.rvf"));
    GraphOptions options;
    options.m = 4;
    hub::Graph graph = graph_of(none.file, report, options);
    EXPECT_EQ(report.why, "the file has no index");
    EXPECT_EQ(report.m, 4u);
    expect_sound(graph, none.file, 4);
    EXPECT_EQ(reachable(graph), 1024u);

    Reading indexed = read_path(fixture_path("made_index_l2.rvf"));
    options.use_index = false;
    graph_of(indexed.file, report, options);
    EXPECT_EQ(report.why, "the index was not asked for");
}

TEST(ReadGraph, AnIndexWithAGoodHashThatLiesIsToldAndBuilt) {
    Buffer bytes = fixture_bytes("made_index_l2.rvf");
    for (size_t at = 0; at + kHeaderBytes < bytes.size();) {
        if (bytes[at + 5] == kIndex) {
            set(bytes, at + kHeaderBytes + 2, uint16_t{1}); // M
            rehash(bytes, at);
        }
        at += kHeaderBytes + get<uint64_t>(bytes, at + 16);
    }
    Reading reading = read_bytes_as_file(bytes);
    GraphReport report;
    graph_of(reading.file, report);
    EXPECT_FALSE(report.from_index);
    EXPECT_SAYS(report.why, "parameters outside their ranges");
}

TEST(ReadGraph, DependsOnTheSeedAndNothingElse) {
    Reading reading = read_path(fixture_path("made_metric_l2.rvf"));
    GraphReport report;
    GraphOptions options;
    hub::Graph first = graph_of(reading.file, report, options);
    EXPECT_EQ(graph_of(reading.file, report, options).lists, first.lists);
    options.seed = 2;
    EXPECT_NE(graph_of(reading.file, report, options).lists, first.lists);
}

TEST(ReadGraph, ProgressEndsAtAllRows) {
    Reading reading = read_path(fixture_path("made_1024_never_queried.rvf"));
    GraphReport report;
    GraphOptions options;
    std::vector<uint64_t> seen;
    options.progress = [&](uint64_t linked, uint64_t rows) {
        EXPECT_EQ(rows, 1024u);
        seen.push_back(linked);
    };
    graph_of(reading.file, report, options);
    EXPECT_EQ(seen, (std::vector<uint64_t>{256, 512, 768, 1024}));
}

TEST(ReadGraph, BadOptionsAreNamed) {
    Reading reading = read_path(fixture_path("made_metric_l2.rvf"));
    hub::Graph graph;
    GraphReport report;
    for (uint32_t m : {0u, 1u, 65u, ~0u}) {
        GraphOptions options;
        options.m = m;
        EXPECT_SAYS(sim::read_graph(reading.file, options, graph, report), "it goes from 2 to 64");
    }
    for (uint32_t ef : {0u, 4097u}) {
        GraphOptions options;
        options.ef_construction = ef;
        EXPECT_SAYS(sim::read_graph(reading.file, options, graph, report),
                    "it goes from 1 to 4096");
    }
    Reading empty = read_path(fixture_path("made_empty.rvf"));
    EXPECT_SAYS(sim::read_graph(empty.file, {}, graph, report), "holds no vectors");
}

} // namespace
} // namespace rvf
