// Graph searches that compare codes, and searches of which a filter decides what they may answer:
// against a brute force in double precision and the plain scan.
#include "control/search_codes.h"
#include "tests/unit/codes.h"

namespace rvf {
namespace {

using namespace test;
using test::Buffer;

/// A filter that admits what a table says.
struct Table {
    std::vector<char> admitted;

    Admission admission() const {
        return {[](const void* context, uint32_t row) {
                    return static_cast<const Table*>(context)->admitted[row] != 0;
                },
                this};
    }
};

Table table(Random& random, size_t rows, double share) {
    Table table;
    for (size_t i = 0; i < rows; ++i) table.admitted.push_back(random.between(0, 1) < share);
    return table;
}

std::vector<Answer> graph_answers(Graph& graph, Store& store, const std::vector<float>& point,
                                  uint32_t k, uint32_t ef, const SearchOptions& options) {
    set_query(store, point);
    Buffer hits(size_t{std::min(k, live_count(store))} * kHitBytes);
    uint32_t found = 0;
    EXPECT_EQ(hnsw_search(graph, store, k, ef, hits.data(), found, options), kOk);
    return answers_in(hits, found);
}

std::vector<Answer> scan_answers(Store& store, const std::vector<float>& point, uint32_t k,
                                 const Admission& admission = {}) {
    set_query(store, point);
    Buffer hits(size_t{std::min(k, live_count(store))} * kHitBytes);
    return answers_in(hits, search_exact(store, store.metric, k, hits.data(), admission));
}

/// The share of the k nearest admitted rows that were found, a row as near as the k-th counting as
/// one of them. Every answer must be admitted and have the distance that the scan computes.
double recall(Store& store, const Vectors& vectors, const std::vector<float>& point, uint32_t k,
              const std::vector<Answer>& answers, const Admission& admission = {}) {
    std::map<uint64_t, float> computed;
    for (const Answer& answer : scan_answers(store, point, store.row_count)) {
        computed[answer.id] = answer.distance;
    }
    std::vector<double> distances;
    for (uint32_t row = 0; row < store.row_count; ++row) {
        if (!is_live(store, row) || !admission.admits(row)) continue;
        distances.push_back(exact_distance(store.metric, vectors[row], point));
    }
    std::sort(distances.begin(), distances.end());
    size_t most = std::min<size_t>(k, distances.size());
    EXPECT_EQ(answers.size(), most);
    if (most == 0) return 1;
    double worst = distances[most - 1];
    worst += std::fabs(worst) * 1e-5 + (store.metric == kCosine ? 1e-6 : 1e-12);
    double found = 0;
    for (size_t i = 0; i < answers.size(); ++i) {
        const Answer& answer = answers[i];
        EXPECT_TRUE(admission.admits(static_cast<uint32_t>(answer.id)));
        EXPECT_EQ(bits_of(answer.distance), bits_of(computed.at(answer.id)));
        if (i > 0) EXPECT_LE(answers[i - 1].distance, answer.distance);
        found += exact_distance(store.metric, vectors[answer.id], point) <= worst;
    }
    return found / static_cast<double>(most);
}

TEST(HnswCodes, FindTheNearestOnEverySet) {
    for (const VectorSet& set : kVectorSets) {
        for (int32_t metric : kMetrics) {
            for (size_t dimension : kDimensions) {
                Random random(220);
                Vectors vectors = set.make(random, rows_for(dimension), dimension);
                StorePointer store = store_of(vectors, metric);
                GraphPointer graph = built(*store, 16, 60);
                CodesPointer codes = coded(*store);
                double sum = 0;
                for (const auto& point : points_near(random, vectors, 20)) {
                    auto answers = graph_answers(*graph, *store, point, 10, 100, {codes.get(), {}});
                    sum += recall(*store, vectors, point, 10, answers);
                }
                EXPECT_GE(sum / 20, 0.95)
                    << set.name << ", metric " << metric << ", dimension " << dimension;
            }
        }
    }
}

// With room for every row nothing is cut off: the answer is that of the scan to the bit.
TEST(HnswCodes, AnswerAsTheScanWhenTheyCompareAllRows) {
    Random random(221);
    for (int32_t metric : kMetrics) {
        Vectors vectors = clustered_set(random, 400, 20);
        StorePointer store = store_of(vectors, metric);
        GraphPointer graph = built(*store);
        CodesPointer codes = coded(*store);
        for (uint32_t k : {1u, 10u, 400u}) {
            std::vector<float> point = points_near(random, vectors, 1)[0];
            ASSERT_EQ(graph_answers(*graph, *store, point, k, 400, {codes.get(), {}}),
                      scan_answers(*store, point, k));
        }
    }
}

// Rows without a code, of a code that says nothing, and not linked yet.
TEST(HnswCodes, AnswerWhereCodesAreMissing) {
    Random random(222);
    Vectors vectors = clustered_set(random, 1200, 8);
    vectors[700] = std::vector<float>(8, 3e30f);
    vectors[10][3] = std::nanf("");
    StorePointer store = store_of(vectors, kL2);
    CodesPointer codes = empty_codes(*store);
    GraphPointer graph = empty_graph();
    for (uint32_t step = 0; step < 4; ++step) {
        if (step == 1) train_codes(*codes, *store);
        for (uint32_t row : {0u, 299u, 700u, 1199u}) {
            auto answers = graph_answers(*graph, *store, vectors[row], 1, 60, {codes.get(), {}});
            ASSERT_EQ(answers, scan_answers(*store, vectors[row], 1)) << step << " " << row;
        }
        ASSERT_EQ(hnsw_build(*graph, *store, 400), kOk);
        ASSERT_EQ(add_codes(*codes, *store, 350), kOk);
    }
}

// Their codes are all alike, those of the end of each range.
TEST(HnswCodes, RowsFarOutsideTheRangesAreFoundByTheirVectors) {
    Random random(224);
    Vectors vectors = clustered_set(random, 600, 16);
    for (uint32_t row = 0; row < 60; ++row) {
        for (float& value : vectors[row]) value = 100.0f + static_cast<float>(row) + value / 8;
    }
    for (int32_t metric : {kL2, kCosine}) {
        StorePointer store = store_of(vectors, metric);
        CodesPointer codes = coded(*store);
        GraphPointer graph = empty_graph();
        ASSERT_EQ(hnsw_build(*graph, *store, ~0u, codes.get()), kOk);
        for (uint32_t row = 0; row < 60; ++row) {
            auto answers = graph_answers(*graph, *store, vectors[row], 1, 10, {codes.get(), {}});
            ASSERT_EQ(answers, scan_answers(*store, vectors[row], 1)) << row << ", " << metric;
        }
    }
}

TEST(HnswCodes, AnswerWithoutThemWhenMemoryEnds) {
    Random random(223);
    Vectors vectors = clustered_set(random, 500, 8);
    StorePointer store = store_of(vectors, kL2);
    CodesPointer codes = coded(*store);
    GraphPointer graph = built(*store);
    auto expected = graph_answers(*graph, *store, vectors[5], 5, 50, {});
    limit_memory(memory_size());
    EXPECT_EQ(graph_answers(*graph, *store, vectors[5], 5, 50, {codes.get(), {}}), expected);
    limit_memory(~size_t{0});
}

TEST(FilteredSearch, ScansAnswerTheAdmittedOnly) {
    for (const VectorSet& set : kVectorSets) {
        for (int32_t metric : kMetrics) {
            Random random(230);
            Vectors vectors = set.make(random, 700, 10);
            StorePointer store = store_of(vectors, metric);
            CodesPointer codes = coded(*store);
            for (uint64_t id = 0; id < 700; id += 9) delete_id(*store, id);
            for (double share : {0.0, 0.01, 0.3, 1.0}) {
                Table admitted = table(random, 700, share);
                std::vector<float> point = points_near(random, vectors, 1)[0];
                std::vector<Answer> expected;
                for (const Answer& answer : scan_answers(*store, point, 700)) {
                    if (admitted.admitted[answer.id] && expected.size() < 10) {
                        expected.push_back(answer);
                    }
                }
                ASSERT_EQ(scan_answers(*store, point, 10, admitted.admission()), expected);
                Buffer hits(10 * kHitBytes);
                CodeAnswer answer =
                    search_codes(*store, *codes, metric, 10, hits.data(), admitted.admission());
                ASSERT_EQ(answers_in(hits, answer.found), expected) << set.name << " " << share;
            }
        }
    }
}

TEST(FilteredSearch, GraphsFindTheAdmittedOnEverySet) {
    for (const VectorSet& set : kVectorSets) {
        for (int32_t metric : kMetrics) {
            Random random(231);
            Vectors vectors = set.make(random, 3000, 16);
            StorePointer store = store_of(vectors, metric);
            GraphPointer graph = built(*store, 16, 60);
            CodesPointer codes = coded(*store);
            for (uint64_t id = 0; id < 3000; id += 7) delete_id(*store, id);
            for (double share : {0.9, 0.7, 0.5, 0.1, 0.01, 0.001, 0.0}) {
                Table admitted = table(random, 3000, share);
                double rows = 0, coded_rows = 0;
                for (const auto& point : points_near(random, vectors, 12)) {
                    SearchOptions options{nullptr, admitted.admission()};
                    auto answers = graph_answers(*graph, *store, point, 10, 100, options);
                    rows += recall(*store, vectors, point, 10, answers, options.admission);
                    options.codes = codes.get();
                    answers = graph_answers(*graph, *store, point, 10, 100, options);
                    coded_rows += recall(*store, vectors, point, 10, answers, options.admission);
                }
                EXPECT_GE(rows / 12, 0.95) << set.name << ", metric " << metric << ", " << share;
                EXPECT_GE(coded_rows / 12, 0.95)
                    << set.name << ", metric " << metric << ", " << share;
            }
        }
    }
}

// Only rows far away are admitted: the walk does not come by them, and the scan does.
TEST(FilteredSearch, FindsWhatIsFarFromTheQuery) {
    Random random(232);
    Vectors vectors = uniform_set(random, 6000, 6);
    Table admitted{std::vector<char>(6000)};
    for (uint32_t row = 0; row < 6000; row += 2) {
        for (float& value : vectors[row]) value += 50;
        admitted.admitted[row] = 1;
    }
    StorePointer store = store_of(vectors, kL2);
    GraphPointer graph = built(*store, 16, 60);
    for (uint32_t row = 1; row < 6000; row += 600) {
        SearchOptions options{nullptr, admitted.admission()};
        auto answers = graph_answers(*graph, *store, vectors[row], 10, 20, options);
        ASSERT_GE(recall(*store, vectors, vectors[row], 10, answers, options.admission), 0.95);
    }
}

} // namespace
} // namespace rvf
