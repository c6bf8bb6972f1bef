// Navigation in pull mode: this file plays the host that delivers lists and vectors.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "kernel/kernel.h"
#include "tests/unit/support.h"

namespace rvf::tile {
namespace {

using test::Answer;
using test::half_value;
using test::nearest_half;
using test::Random;
using test::Tile;

using Ids = std::vector<uint64_t>;

constexpr uint8_t kBeams[] = {1, 2, 5, 16};

struct Graph {
    uint32_t dimension;
    std::map<uint64_t, std::vector<uint16_t>> vectors;
    std::vector<std::map<uint64_t, Ids>> layers; ///< layer, node, neighbours
    Ids entry_points;

    /// In double precision, in which sums of halves of few bits are exact.
    double distance(uint64_t node, const std::vector<uint16_t>& query) const {
        double sum = 0;
        for (uint32_t i = 0; i < dimension; ++i) {
            double difference = half_value(vectors.at(node)[i]) - half_value(query[i]);
            sum += difference * difference;
        }
        return sum;
    }
    uint64_t nearest(const std::vector<uint16_t>& query) const {
        return std::min_element(vectors.begin(), vectors.end(),
                                [&](auto& a, auto& b) {
                                    return distance(a.first, query) < distance(b.first, query);
                                })
            ->first;
    }
};

void start(Tile& tile, Metric metric, uint8_t beam) {
    TileConfig config = {};
    config.profile = kHotProfile;
    config.metric = static_cast<uint8_t>(metric);
    config.k = beam;
    tile.write(kRouting, std::vector{config});
    ASSERT_EQ(rvf_init(kRouting), 0);
}

void deliver_list(Tile& tile, uint64_t node, uint32_t layer, const Ids& ids) {
    tile.write(kNeighborCache, std::vector{node});
    tile.write(kNeighborCache + 8, std::vector{layer});
    tile.write(kNeighborCache + 12, std::vector{static_cast<uint16_t>(ids.size()), uint16_t{0}});
    tile.write(kNeighborCache + 16, ids);
}

void deliver_vectors(Tile& tile, const Graph& graph, const Ids& ids, size_t first, size_t count) {
    Address address = kHotCache;
    for (size_t i = first; i < first + count; ++i) {
        tile.write(address, graph.vectors.at(ids[i]));
        address += 2 * graph.dimension;
    }
    if (count == 0) return;
    ASSERT_EQ(rvf_load_block(kHotCache, static_cast<uint32_t>(count), kF16), 0);
}

/// One step with its list in parts of at most `part` vectors.
int64_t step(Tile& tile, const Graph& graph, int64_t node, uint32_t layer, size_t part) {
    const Ids& ids =
        node < 0 ? graph.entry_points : graph.layers[layer].at(static_cast<uint64_t>(node));
    deliver_list(tile, static_cast<uint64_t>(node), layer, ids);
    size_t first = 0;
    for (;;) {
        size_t count = std::min(part, ids.size() - first);
        deliver_vectors(tile, graph, ids, first, count);
        first += count;
        int64_t next = rvf_greedy_step(node, layer);
        if (next != -2) {
            EXPECT_EQ(first, ids.size());
            return next;
        }
        EXPECT_LT(first, ids.size());
    }
}

struct Walk {
    Ids visited; ///< per step, where the tile went
    std::vector<Answer> top;
};

/// A whole search: descent from the top layer to the bottom, then the beam.
Walk search(const Graph& graph, const std::vector<uint16_t>& query, uint8_t beam, size_t part) {
    Tile tile;
    start(tile, kL2, beam);
    tile.write(kMessage, query);
    EXPECT_EQ(rvf_load_query(kMessage, graph.dimension), 0);
    Walk walk;
    auto layer = static_cast<uint32_t>(graph.layers.size() - 1);
    int64_t here = -1;
    for (;;) {
        int64_t next = step(tile, graph, here, layer, part);
        if (next >= 0) {
            here = next;
            walk.visited.push_back(static_cast<uint64_t>(here));
            EXPECT_LT(walk.visited.size(), 10'000u);
        } else {
            EXPECT_EQ(next, -1);
            if (layer == 0) break;
            --layer;
        }
    }
    walk.top.resize(static_cast<size_t>(rvf_topk_read(kMessage)));
    for (size_t i = 0; i < walk.top.size(); ++i) {
        Address at = kMessage + static_cast<Address>(12 * i);
        walk.top[i] = {tile.read<uint64_t>(at, 1)[0], tile.read<float>(at + 8, 1)[0]};
    }
    return walk;
}

/// Points of a square grid, each linked to its four neighbours. The squared distance to any query
/// is convex over it, so that the best-first search must arrive at the nearest point. Upper layers
/// hold every third and every ninth row and column.
Graph grid(uint32_t side) {
    Graph graph;
    graph.dimension = 2;
    auto node = [side](uint32_t x, uint32_t y) { return uint64_t{1000} + y * side + x; };
    for (uint32_t y = 0; y < side; ++y) {
        for (uint32_t x = 0; x < side; ++x) {
            graph.vectors[node(x, y)] = {nearest_half(x), nearest_half(y)};
        }
    }
    for (uint32_t step : {1u, 3u, 9u}) {
        std::map<uint64_t, Ids> layer;
        for (uint32_t y = 0; y < side; y += step) {
            for (uint32_t x = 0; x < side; x += step) {
                Ids& links = layer[node(x, y)];
                if (x >= step) links.push_back(node(x - step, y));
                if (y >= step) links.push_back(node(x, y - step));
                if (x + step < side) links.push_back(node(x + step, y));
                if (y + step < side) links.push_back(node(x, y + step));
            }
        }
        graph.layers.push_back(layer);
    }
    graph.entry_points = {node(0, 0)};
    return graph;
}

std::vector<uint16_t> point(double x, double y) { return {nearest_half(x), nearest_half(y)}; }

TEST(Search, OnAGridFindsTheNearestPoint) {
    Graph graph = grid(20);
    Random random(20);
    for (int i = 0; i < 200; ++i) {
        auto query = point(random.below(200) * 0.1 + 0.03, random.below(200) * 0.1 + 0.01);
        for (uint8_t beam : kBeams) {
            Walk walk = search(graph, query, beam, 16);
            ASSERT_EQ(walk.top[0].id, graph.nearest(query));
        }
    }
}

TEST(Search, OnAGridFindsTheSixteenNearestPoints) {
    Graph graph = grid(20);
    auto query = point(7.3, 11.2);
    Walk walk = search(graph, query, 16, 16);
    std::vector<std::pair<double, uint64_t>> all;
    for (auto& [id, vector] : graph.vectors) all.push_back({graph.distance(id, query), id});
    std::sort(all.begin(), all.end());
    ASSERT_EQ(walk.top.size(), 16u);
    for (size_t i = 0; i < 16; ++i) EXPECT_EQ(walk.top[i].id, all[i].second) << i;
}

/// A best-first search with a beam, written from its description: descend to a layer's local
/// minimum, then expand the nearest entry of the beam that has not been expanded.
Ids reference_walk(const Graph& graph, const std::vector<uint16_t>& query, size_t beam) {
    using Ranked = std::pair<double, uint64_t>;
    std::set<Ranked> held;
    std::set<uint64_t> expanded;
    Ids visited;
    auto merge = [&](const Ids& ids) {
        for (uint64_t id : ids) held.insert({graph.distance(id, query), id});
        while (held.size() > beam) held.erase(std::prev(held.end()));
    };
    merge(graph.entry_points);
    uint64_t here = held.begin()->second;
    visited.push_back(here);
    for (size_t layer = graph.layers.size() - 1; layer > 0; --layer) {
        for (;;) {
            merge(graph.layers[layer].at(here));
            if (held.begin()->second == here) break;
            here = held.begin()->second;
            visited.push_back(here);
        }
    }
    for (;;) {
        merge(graph.layers[0].at(here));
        expanded.insert(here);
        auto next = std::find_if(held.begin(), held.end(), [&](const Ranked& entry) {
            return !expanded.count(entry.second);
        });
        if (next == held.end()) return visited;
        here = next->second;
        visited.push_back(here);
    }
}

/// Random points with small integer coordinates and random links; every node is on layer 0.
Graph random_graph(uint64_t seed) {
    Random random(seed);
    Graph graph;
    graph.dimension = 16;
    for (uint64_t id = 0; id < 300; ++id) {
        for (uint32_t i = 0; i < graph.dimension; ++i) {
            graph.vectors[id].push_back(nearest_half(static_cast<int>(random.below(16))));
        }
    }
    for (uint64_t step : {1u, 5u, 25u}) {
        std::map<uint64_t, Ids> layer;
        for (uint64_t id = 0; id < 300; id += step) {
            std::set<uint64_t> links;
            while (links.size() < 8)
                links.insert(random.below(static_cast<uint32_t>(300 / step)) * step);
            links.erase(id);
            layer[id] = {links.begin(), links.end()};
        }
        graph.layers.push_back(layer);
    }
    graph.entry_points = {0, 25, 50};
    return graph;
}

std::vector<uint16_t> random_query(Random& random, uint32_t dimension) {
    std::vector<uint16_t> query;
    for (uint32_t i = 0; i < dimension; ++i) {
        query.push_back(nearest_half(static_cast<int>(random.below(16))));
    }
    return query;
}

TEST(Search, GoesWhereTheDescribedAlgorithmGoes) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
        Graph graph = random_graph(seed);
        Random random(seed + 500);
        std::vector<uint16_t> query = random_query(random, graph.dimension);
        for (uint8_t beam : kBeams) {
            ASSERT_EQ(search(graph, query, beam, 16).visited, reference_walk(graph, query, beam))
                << seed;
        }
    }
}

// The hot cache takes few vectors of many dimensions, so that a list comes in parts.
TEST(Search, IsTheSameWhenListsComeInParts) {
    for (uint64_t seed = 0; seed < 5; ++seed) {
        Graph graph = random_graph(seed);
        Random random(seed + 900);
        std::vector<uint16_t> query = random_query(random, graph.dimension);
        Walk whole = search(graph, query, 16, 100);
        for (size_t part : {1u, 2u, 3u, 7u}) {
            Walk parts = search(graph, query, 16, part);
            ASSERT_EQ(parts.visited, whole.visited);
            ASSERT_EQ(parts.top, whole.top);
        }
    }
}

TEST(Step, LongestListHas510Ids) {
    Graph graph;
    graph.dimension = 1;
    Ids ids;
    for (uint64_t id = 0; id < 510; ++id) {
        ids.push_back(id);
        graph.vectors[id] = {nearest_half(static_cast<double>(509 - id))};
    }
    graph.entry_points = ids;
    graph.layers.resize(1);
    Tile tile;
    tile.write(kMessage, std::vector{nearest_half(0)});
    ASSERT_EQ(rvf_load_query(kMessage, 1), 0);
    EXPECT_EQ(step(tile, graph, -1, 0, 510), 509);
    deliver_list(tile, 1, 0, ids);
    tile.write(kNeighborCache + 12, std::vector<uint16_t>{511, 0});
    EXPECT_EQ(rvf_load_neighbors(1, 0, kMessage), kTileInvalidMessage);
    EXPECT_EQ(rvf_greedy_step(1, 0), kTileInvalidMessage);
}

// A host may write its configuration to 0x00000 and not have it checked. Only the low four bits of
// k - 1 count then.
TEST(Step, KeepsOneToSixteenWhateverTheConfigurationSays) {
    Graph graph = grid(6);
    const std::pair<uint32_t, int32_t> beams[] = {{0, 16}, {16, 16}, {17, 1}, {36, 4}, {255, 15}};
    for (auto [k, kept] : beams) {
        Tile tile;
        tile.write(kConfig, std::vector<uint8_t>{kHotProfile, kL2, static_cast<uint8_t>(k)});
        ASSERT_EQ(rvf_load_query(kMessage, 2), 0);
        graph.entry_points.clear();
        for (auto& [id, vector] : graph.vectors) graph.entry_points.push_back(id);
        EXPECT_EQ(step(tile, graph, -1, 0, 36), 1000);
        EXPECT_EQ(rvf_topk_read(kMessage), kept) << k;
    }
}

TEST(Step, WithAnEmptyListIsDone) {
    Tile tile;
    ASSERT_EQ(rvf_load_query(kMessage, 1), 0);
    deliver_list(tile, ~0ull, 0, {});
    EXPECT_EQ(rvf_greedy_step(-1, 0), -1);
}

TEST(Step, OnAnUpperLayerStaysAtALocalMinimum) {
    Graph graph = grid(4);
    Tile tile;
    tile.write(kMessage, point(1, 1));
    ASSERT_EQ(rvf_load_query(kMessage, 2), 0);
    graph.entry_points = {1000 + 5}; // (1, 1), the query itself
    ASSERT_EQ(step(tile, graph, -1, 0, 16), 1005);
    graph.layers.resize(2);
    graph.layers[1][1005] = {1000, 1006};
    EXPECT_EQ(step(tile, graph, 1005, 1, 16), -1);
}

struct OneStep : testing::Test {
    Tile tile;
    Graph graph = grid(3);
    const Ids ids = {1000, 1001, 1002};

    void SetUp() override {
        ASSERT_EQ(rvf_load_query(kMessage, 2), 0);
        deliver_list(tile, 77, 2, ids);
        deliver_vectors(tile, graph, ids, 0, 3);
    }
    void expect_refused(int64_t node, uint32_t layer, Status status) {
        test::Buffer before = tile.save();
        EXPECT_EQ(rvf_greedy_step(node, layer), status);
        EXPECT_TRUE(tile.equals(before));
    }
};

TEST_F(OneStep, RefusesTheListOfAnotherNode) {
    expect_refused(78, 2, kTileInvalidMessage);
    expect_refused(-1, 2, kTileInvalidMessage);
    expect_refused(77 + (int64_t{1} << 32), 2, kTileInvalidMessage);
}

TEST_F(OneStep, RefusesTheListOfAnotherLayer) {
    expect_refused(77, 1, kTileInvalidMessage);
    expect_refused(77, 0, kTileInvalidMessage);
}

TEST_F(OneStep, RefusesMoreVectorsThanIds) {
    tile.write(kNeighborCache + 12, std::vector<uint16_t>{2, 0});
    expect_refused(77, 2, kInvalidArgument);
    tile.write(kNeighborCache + 12, std::vector<uint16_t>{3, 1});
    expect_refused(77, 2, kInvalidArgument);
    tile.write(kNeighborCache + 12, std::vector<uint16_t>{3, 0xFFFF});
    expect_refused(77, 2, kInvalidArgument);
}

TEST_F(OneStep, WithoutVectorsAsksForThem) {
    EXPECT_EQ(rvf_greedy_step(77, 2), 1000);
    deliver_list(tile, 77, 2, ids);
    expect_refused(77, 2, kTileInvalidMessage);
}

TEST_F(OneStep, NavigatesByHamming) {
    start(tile, kHamming, 16);
    tile.write(kMessage, graph.vectors.at(1001));
    ASSERT_EQ(rvf_load_query(kMessage, 2), 0);
    deliver_vectors(tile, graph, ids, 0, 3);
    EXPECT_EQ(rvf_greedy_step(77, 2), 1001);
}

TEST_F(OneStep, NavigatesByPqCodes) {
    tile.write(kMessage, point(1, 2));
    ASSERT_EQ(rvf_load_query(kMessage, 2), 0);
    const std::vector<uint16_t> halves = {nearest_half(0), nearest_half(1), nearest_half(2)};
    tile.write(kBlock, halves); // both axes have the same three centroids
    tile.write(kBlock + 6, halves);
    ASSERT_EQ(rvf_load_pq_codebook(kBlock, 2, 3), 2);
    tile.write(kHotCache, test::Buffer{0, 0, 2, 2, 1, 2});
    ASSERT_EQ(rvf_load_block(kHotCache, 3, kPqCodes), 0);
    EXPECT_EQ(rvf_greedy_step(77, 2), 1002);
    ASSERT_EQ(rvf_topk_read(kMessage), 3);
    EXPECT_EQ(tile.read<float>(kMessage + 8, 1)[0], 0);
}

TEST_F(OneStep, RefusesAMetricThatInitWouldRefuse) {
    tile.write(kConfig + 1, test::Buffer{4});
    expect_refused(77, 2, kMetricUnsupported);
}

// It computes in the message buffer, whose header stays, and writes nothing behind its results.
TEST_F(OneStep, LeavesTheDistancesInTheMessageBuffer) {
    tile.write(kMessage, test::Buffer(0x800, 0xEE));
    test::Buffer before = tile.save();
    ASSERT_EQ(rvf_greedy_step(77, 2), 1000);
    EXPECT_EQ(tile.read<float>(kMessagePayload, 3), (std::vector<float>{0, 1, 4}));
    EXPECT_TRUE(tile.equals(before, kMessage, kMessagePayload));
    EXPECT_TRUE(tile.equals(before, kMessagePayload + 12, kNeighborCache));
}

TEST_F(OneStep, LoadNeighborsCopiesTheDeliveredIds) {
    EXPECT_EQ(rvf_load_neighbors(77, 2, kMessage + 5), 3);
    EXPECT_EQ(tile.read<uint64_t>(kMessage + 5, 3), ids);
    EXPECT_EQ(rvf_load_neighbors(78, 2, kMessage), kTileInvalidMessage);
    EXPECT_EQ(rvf_load_neighbors(77, 3, kMessage), kTileInvalidMessage);
}

TEST_F(OneStep, LoadNeighborsMayCopyOntoTheList) {
    for (Address out : {kNeighborCache - 23, kNeighborCache + 16, kNeighborCache + 20}) {
        deliver_list(tile, 77, 2, ids);
        EXPECT_EQ(rvf_load_neighbors(77, 2, out), 3);
        EXPECT_EQ(tile.read<uint64_t>(out, 3), ids);
    }
}

TEST_F(OneStep, LoadNeighborsCopiesNothingIntoLoadedTablesOrPastARegion) {
    EXPECT_EQ(rvf_load_neighbors(77, 2, kTables), 3);
    ASSERT_EQ(rvf_load_sq_params(kMessage, 2), 0);
    EXPECT_EQ(rvf_load_neighbors(77, 2, kTables), kInvalidPointer);
    EXPECT_EQ(rvf_load_neighbors(77, 2, kTables - 23), kInvalidPointer);
    EXPECT_EQ(rvf_load_neighbors(77, 2, kTables - 24), 3);
    EXPECT_EQ(rvf_load_neighbors(77, 2, kDataEnd - 23), kInvalidPointer);
    EXPECT_EQ(rvf_load_neighbors(77, 2, kDataEnd - 24), 3);
}

} // namespace
} // namespace rvf::tile
