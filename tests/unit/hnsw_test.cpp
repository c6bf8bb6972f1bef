// The HNSW graph: its structure after every kind of change, and what its searches find, against a
// brute force in double precision.
#include <fstream>

#include "tests/unit/graph_store.h"

namespace rvf {
namespace {

using test::Answer;
using test::built;
using test::empty_graph;
using test::expect_sound;
using test::GraphPointer;
using test::is_live;
using test::lists_of;
using test::put_row;
using test::Random;
using test::search_graph;
using test::search_rows;
using test::store_of;
using test::StorePointer;
using test::Vectors;

constexpr int32_t kMetrics[] = {kL2, kInnerProduct, kCosine};

// --- Data ---

double normal(Random& random) {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += random.between(0, 1);
    return sum - 6;
}

Vectors uniform(Random& random, size_t count, size_t dimension) {
    Vectors vectors(count);
    for (auto& vector : vectors) vector = random.vector(dimension, -1, 1);
    return vectors;
}

Vectors clustered(Random& random, size_t count, size_t dimension) {
    Vectors centres = uniform(random, 30, dimension);
    Vectors vectors(count);
    for (auto& vector : vectors) {
        vector = random.pick(centres);
        for (float& value : vector) value += 0.1f * static_cast<float>(normal(random));
    }
    return vectors;
}

/// A hundred different vectors, each many times.
Vectors duplicates(Random& random, size_t count, size_t dimension) {
    Vectors originals = uniform(random, 100, dimension);
    Vectors vectors(count);
    for (auto& vector : vectors) vector = random.pick(originals);
    return vectors;
}

Vectors all_equal(Random& random, size_t count, size_t dimension) {
    return Vectors(count, random.vector(dimension, -1, 1));
}

Vectors one_outlier(Random& random, size_t count, size_t dimension) {
    Vectors vectors = uniform(random, count, dimension);
    for (float& value : vectors[count / 3]) value *= 1e6f;
    return vectors;
}

/// Far from the origin: |q|^2 + |x|^2 - 2 q x keeps no digit of the distances.
Vectors shifted(Random& random, size_t count, size_t dimension) {
    Vectors vectors = uniform(random, count, dimension);
    for (auto& vector : vectors) {
        for (float& value : vector) value += 1000;
    }
    return vectors;
}

struct Distribution {
    const char* name;
    Vectors (*make)(Random&, size_t, size_t);
};
constexpr Distribution kDistributions[] = {
    {"uniform", uniform},     {"clustered", clustered},     {"duplicates", duplicates},
    {"all equal", all_equal}, {"one outlier", one_outlier}, {"shifted", shifted},
};

/// Points like those of the vectors, none of them a vector but by chance.
Vectors queries_for(Random& random, const Vectors& vectors, size_t count) {
    Vectors queries(count);
    for (auto& query : queries) {
        const auto &a = random.pick(vectors), &b = random.pick(vectors);
        query = a;
        for (size_t i = 0; i < a.size(); ++i) query[i] += 0.2f * (b[i] - a[i]);
    }
    return queries;
}

/// The share of the k nearest that were found. A row as near as the k-th counts as one of them; the
/// slack is what a sum in f32 may be off by.
double recall(Store& store, Graph& graph, const Vectors& vectors, const Vectors& queries,
              uint32_t k, uint32_t ef) {
    double found = 0, all = 0;
    for (const auto& query : queries) {
        std::vector<double> distances;
        for (uint32_t row = 0; row < store.row_count; ++row) {
            if (!is_live(store, row)) continue;
            distances.push_back(test::exact_distance(store.metric, vectors[row], query));
        }
        size_t most = std::min<size_t>(k, distances.size());
        std::sort(distances.begin(), distances.end());
        double worst = distances[most - 1];
        worst += std::fabs(worst) * 1e-5 + (store.metric == kCosine ? 1e-6 : 1e-12);
        all += static_cast<double>(most);
        for (const Answer& answer : search_graph(graph, store, query, k, ef)) {
            found += test::exact_distance(store.metric, vectors[answer.id], query) <= worst;
        }
    }
    return found / all;
}

std::vector<float> distances(const std::vector<Answer>& answers) {
    std::vector<float> values;
    for (const Answer& answer : answers) values.push_back(answer.distance);
    return values;
}

// --- Structure ---

TEST(Hnsw, DrawsLayersWithTheShareOfTheirM) {
    for (uint32_t m : {2u, 5u, 16u, 64u}) {
        GraphPointer graph = empty_graph(m);
        double rows = 200000, share = rows;
        std::vector<double> at_least(kMaxLayers + 1);
        for (uint32_t row = 0; row < 200000; ++row) {
            for (uint32_t layer = 0; layer < drawn_layers(*graph, row); ++layer) ++at_least[layer];
        }
        for (size_t layer = 0; layer < 4; ++layer, share /= m) {
            // Five standard deviations of a binomial distribution.
            ASSERT_NEAR(at_least[layer], share, 5 * std::sqrt(share) + 1) << m << " " << layer;
        }
    }
}

TEST(Hnsw, IsSoundOnEveryDistributionAndMetric) {
    for (const Distribution& distribution : kDistributions) {
        for (int32_t metric : kMetrics) {
            SCOPED_TRACE(distribution.name);
            Random random(100);
            StorePointer store = store_of(distribution.make(random, 1500, 12), metric);
            expect_sound(*built(*store), *store);
            expect_sound(*built(*store, 2, 10), *store);
        }
    }
}

// Links are made in both directions, and a list loses one only when it is full.
TEST(Hnsw, LinksGoBothWaysWhereTheListHasRoom) {
    Random random(101);
    StorePointer store = store_of(uniform(random, 1500, 12), kL2);
    GraphPointer graph = built(*store);
    size_t links = 0, both = 0;
    for (const auto& [key, list] : lists_of(*graph, store->row_count)) {
        for (uint32_t neighbor : list) {
            std::vector<uint32_t> back = test::neighbors(*graph, neighbor, key.second);
            ++links;
            both += std::find(back.begin(), back.end(), key.first) != back.end();
        }
    }
    ASSERT_GT(both, links * 6 / 10);
}

TEST(Hnsw, IsTheSameForASeedHoweverItIsBuilt) {
    Random random(102);
    StorePointer store = store_of(clustered(random, 800, 10), kL2);
    auto lists = lists_of(*built(*store, 8, 60, 7), 800);
    for (uint32_t slice : {1u, 7u, 100u}) {
        GraphPointer graph = empty_graph(8, 60, 7);
        while (graph->done < store->row_count) {
            uint32_t before = graph->done;
            ASSERT_EQ(hnsw_build(*graph, *store, slice), kOk);
            ASSERT_EQ(graph->done, std::min(before + slice, store->row_count));
        }
        ASSERT_EQ(lists_of(*graph, 800), lists) << slice;
    }
    ASSERT_NE(lists_of(*built(*store, 8, 60, 8), 800), lists);
}

// --- Answers ---

TEST(Hnsw, FindsTheNearestOnEveryDistributionAndMetric) {
    for (const Distribution& distribution : kDistributions) {
        for (int32_t metric : kMetrics) {
            Random random(110);
            Vectors vectors = distribution.make(random, 2500, 16);
            StorePointer store = store_of(vectors, metric);
            GraphPointer graph = built(*store);
            Vectors queries = queries_for(random, vectors, 40);
            EXPECT_GE(recall(*store, *graph, vectors, queries, 10, 100), 0.95)
                << distribution.name << ", metric " << metric;
        }
    }
}

TEST(Hnsw, FindsTheNearestSiftDescriptors) {
    constexpr size_t kDimension = 128, kRows = 3000, kQueries = 60;
    std::ifstream file(RVF_FIXTURES "/../sift10k/base.bvecs", std::ios::binary);
    Vectors vectors(kRows + kQueries);
    for (auto& vector : vectors) {
        uint8_t record[4 + kDimension]; // dimension u32, then elements
        ASSERT_TRUE(file.read(reinterpret_cast<char*>(record), sizeof(record)));
        vector.assign(record + 4, record + sizeof(record));
    }
    Vectors queries(vectors.end() - kQueries, vectors.end());
    vectors.resize(kRows);
    StorePointer store = store_of(vectors, kL2);
    GraphPointer graph = built(*store);
    expect_sound(*graph, *store);
    EXPECT_GE(recall(*store, *graph, vectors, queries, 10, 100), 0.95);
}

TEST(Hnsw, FindsTheNearestInEveryDimension) {
    for (size_t dimension : {1u, 2u, 3u, 5u, 17u, 100u, 384u, 1536u}) {
        Random random(111);
        Vectors vectors = clustered(random, dimension > 200 ? 300 : 1500, dimension);
        StorePointer store = store_of(vectors, kCosine);
        GraphPointer graph = built(*store);
        Vectors queries = queries_for(random, vectors, 20);
        EXPECT_GE(recall(*store, *graph, vectors, queries, 10, 100), 0.95) << dimension;
    }
}

// With room for every row nothing is cut off: all rows are reached, and the answer is that of the
// exact search to the bit. Of copies any may be answered.
TEST(Hnsw, AnswersAsTheExactSearchWhenItComparesAllRows) {
    for (const Distribution& distribution : kDistributions) {
        for (int32_t metric : kMetrics) {
            SCOPED_TRACE(distribution.name);
            Random random(112);
            Vectors vectors = distribution.make(random, 400, 20);
            StorePointer store = store_of(vectors, metric);
            GraphPointer graph = built(*store);
            for (uint32_t k : {1u, 10u, 400u, 1000u}) {
                std::vector<float> query = queries_for(random, vectors, 1)[0];
                std::vector<Answer> answers = search_graph(*graph, *store, query, k, 400);
                std::vector<Answer> expected = search_rows(*store, query, k);
                ASSERT_EQ(distances(answers), distances(expected));
                bool copies = distribution.make == duplicates || distribution.make == all_equal;
                if (!copies) ASSERT_EQ(answers, expected);
            }
        }
    }
}

TEST(Hnsw, AnswersFromNoneAndOneRow) {
    StorePointer store = test::empty_store(3, kL2);
    GraphPointer graph = built(*store);
    ASSERT_TRUE(search_graph(*graph, *store, {1, 2, 3}, 5, 10).empty());
    put_row(*store, 77, {1, 2, 4});
    ASSERT_EQ(hnsw_build(*graph, *store, ~0u), kOk);
    expect_sound(*graph, *store);
    ASSERT_EQ(search_graph(*graph, *store, {1, 2, 3}, 5, 10), (std::vector<Answer>{{77, 1}}));
}

// Some of the rows are linked, the others only compared.
TEST(Hnsw, AnswersWhileItIsBuilt) {
    Random random(113);
    Vectors vectors = uniform(random, 900, 8);
    StorePointer store = store_of(vectors, kL2);
    GraphPointer graph = empty_graph();
    for (int slice = 0; slice < 4; ++slice) {
        for (uint32_t row : {0u, 299u, 300u, 899u}) {
            std::vector<Answer> answers = search_graph(*graph, *store, vectors[row], 1, 30);
            ASSERT_EQ(answers, (std::vector<Answer>{{row, 0}}));
        }
        ASSERT_EQ(hnsw_build(*graph, *store, 300), kOk);
    }
}

TEST(Hnsw, NeverAnswersRowsWithNan) {
    Random random(114);
    Vectors vectors = uniform(random, 300, 4);
    for (size_t i = 0; i < 300; i += 3) vectors[i][i % 4] = std::nanf("");
    vectors[4][0] = HUGE_VALF;
    for (int32_t metric : kMetrics) {
        StorePointer store = store_of(vectors, metric);
        GraphPointer graph = built(*store);
        expect_sound(*graph, *store);
        for (const Answer& answer : search_graph(*graph, *store, vectors[1], 300, 300)) {
            ASSERT_FALSE(std::isnan(answer.distance));
            ASSERT_NE(answer.id % 3, 0u);
        }
    }
}

// --- Changes ---

TEST(Hnsw, PassesOverDeletedRows) {
    Random random(120);
    Vectors vectors = clustered(random, 2000, 12);
    for (int32_t metric : kMetrics) {
        StorePointer store = store_of(vectors, metric);
        GraphPointer graph = built(*store);
        for (uint32_t row = 0; row < 2000; ++row) {
            if (row % 10) ASSERT_TRUE(delete_id(*store, row));
        }
        Vectors queries = queries_for(random, vectors, 30);
        EXPECT_GE(recall(*store, *graph, vectors, queries, 10, 100), 0.95);
        ASSERT_EQ(search_graph(*graph, *store, queries[0], 200, 200),
                  search_rows(*store, queries[0], 200));

        ASSERT_EQ(hnsw_unlink_dead(*graph, *store), kOk);
        ASSERT_EQ(graph->node_count, 200u);
        expect_sound(*graph, *store);
        EXPECT_GE(recall(*store, *graph, vectors, queries, 10, 100), 0.95);
    }
}

TEST(Hnsw, SurvivesTheDeathOfEveryRow) {
    Random random(121);
    Vectors vectors = uniform(random, 100, 4);
    StorePointer store = store_of(vectors, kL2);
    GraphPointer graph = built(*store);
    for (uint32_t row = 0; row < 100; ++row) delete_id(*store, row);
    ASSERT_TRUE(search_graph(*graph, *store, vectors[0], 3, 10).empty());
    ASSERT_EQ(hnsw_unlink_dead(*graph, *store), kOk);
    ASSERT_EQ(graph->node_count, 0u);
    uint32_t row = put_row(*store, 5, vectors[5]);
    ASSERT_EQ(hnsw_update(*graph, *store, row), kOk);
    ASSERT_EQ(search_graph(*graph, *store, vectors[5], 3, 10), (std::vector<Answer>{{5, 0}}));
}

TEST(Hnsw, FindsARowWhereItWasMovedTo) {
    Random random(122);
    Vectors vectors = clustered(random, 1000, 8);
    StorePointer store = store_of(vectors, kL2);
    GraphPointer graph = built(*store);
    for (uint32_t row = 0; row < 1000; row += 2) {
        vectors[row] = random.vector(8, 2, 4);
        put_row(*store, row, vectors[row]);
        ASSERT_EQ(hnsw_update(*graph, *store, row), kOk);
    }
    expect_sound(*graph, *store);
    EXPECT_GE(recall(*store, *graph, vectors, queries_for(random, vectors, 60), 10, 100), 0.95);
    for (uint32_t row = 0; row < 1000; row += 2) {
        ASSERT_EQ(search_graph(*graph, *store, vectors[row], 1, 100)[0].id, row);
    }
}

// Inserts, replacements, deletions, rows used again, slices and repairs in any order.
TEST(Hnsw, IsSoundAfterAnySequenceOfChanges) {
    for (uint64_t seed = 0; seed < 12; ++seed) {
        Random random(seed);
        int32_t metric = kMetrics[seed % 3];
        StorePointer store = test::empty_store(6, metric);
        GraphPointer graph = empty_graph(4, 30, seed);
        std::map<uint64_t, std::vector<float>> live;
        for (int step = 0; step < 600; ++step) {
            uint64_t id = random.below(300);
            switch (random.below(8)) {
                case 0:
                case 1:
                    if (live.erase(id)) delete_id(*store, id);
                    break;
                case 2:
                    ASSERT_EQ(hnsw_build(*graph, *store, random.below(40)), kOk);
                    break;
                case 3:
                    if (random.below(20) == 0) ASSERT_EQ(hnsw_unlink_dead(*graph, *store), kOk);
                    break;
                default:
                    live[id] = random.vector(6, -1, 1);
                    uint32_t row = put_row(*store, id, live[id]);
                    if (row < graph->done) ASSERT_EQ(hnsw_update(*graph, *store, row), kOk);
            }
            if (step % 50 == 49) {
                expect_sound(*graph, *store);
                std::vector<float> query = random.vector(6, -1, 1);
                ASSERT_EQ(search_graph(*graph, *store, query, 10, 300),
                          search_rows(*store, query, 10));
            }
        }
    }
}

// --- Memory ---

/// Lets memory grow by so many bytes more as long as it lives.
class Limit {
public:
    explicit Limit(uint64_t more) { limit_memory(static_cast<size_t>(memory_size() + more)); }
    ~Limit() { limit_memory(~size_t{0}); }
};

TEST(Hnsw, AnswersAndGoesOnAfterMemoryWasRefusedInABuild) {
    Random random(130);
    Vectors vectors = uniform(random, 3000, 4);
    StorePointer store = store_of(vectors, kL2);
    GraphPointer whole = built(*store, 4, 20);
    GraphPointer graph = empty_graph(4, 20);
    int refused = 0;
    for (uint64_t more = 0; graph->done < store->row_count; more += 700, ++refused) {
        {
            Limit limit(more);
            Status status = hnsw_build(*graph, *store, ~0u);
            ASSERT_EQ(status, graph->done < store->row_count ? kOutOfMemory : kOk);
        }
        expect_sound(*graph, *store);
        ASSERT_EQ(search_graph(*graph, *store, vectors[2999], 1, 30)[0].id, 2999u);
    }
    ASSERT_GT(refused, 10);
    ASSERT_EQ(lists_of(*graph, 3000), lists_of(*whole, 3000));
}

TEST(Hnsw, ChangesNothingWhenMemoryIsRefused) {
    Random random(131);
    Vectors vectors = uniform(random, 500, 4);
    StorePointer store = store_of(vectors, kL2);
    GraphPointer graph = built(*store);
    for (uint32_t row = 0; row < 500; row += 2) delete_id(*store, row);
    auto lists = lists_of(*graph, 500);
    {
        Limit limit(0);
        ASSERT_EQ(hnsw_unlink_dead(*graph, *store), kOutOfMemory);
        uint32_t found = 9;
        test::Buffer hits(250 * kHitBytes);
        ASSERT_EQ(hnsw_search(*graph, *store, 250, 250, hits.data(), found), kOutOfMemory);
        ASSERT_EQ(make_graph(16, 100, 1), nullptr);
    }
    ASSERT_EQ(lists_of(*graph, 500), lists);
}

TEST(Hnsw, GivesBackAllMemory) {
    Random random(132);
    uint64_t before = memory_size();
    {
        StorePointer store = store_of(uniform(random, 1500, 4), kL2);
        uint64_t without = memory_size();
        GraphPointer graph = built(*store);
        ASSERT_EQ(memory_size() - without, graph_bytes(*graph));
    }
    ASSERT_EQ(memory_size(), before);
}

} // namespace
} // namespace rvf
