// Search by codes: the answer of the plain scan to the bit, whatever the rows.
#include "control/search_codes.h"

#include "control/search.h"

#include "tests/unit/codes.h"

namespace rvf {
namespace {

using namespace test;
using test::Buffer;

/// Compares bits, so that -0 and 0 differ; answers how many rows were read.
uint32_t expect_same(Store& store, const Codes& codes, const std::vector<float>& point,
                     uint32_t k) {
    set_query(store, point);
    uint32_t most = 0;
    for (int32_t metric : kMetrics) {
        Buffer hits(size_t{std::min(k, live_count(store))} * kHitBytes, 0xEE), expected = hits;
        CodeAnswer answer = search_codes(store, codes, metric, k, hits.data());
        uint32_t found = search_exact(store, metric, k, expected.data());
        EXPECT_EQ(answer.found, found) << "metric " << metric << ", k " << k;
        hits.resize(size_t{found} * kHitBytes);
        expected.resize(hits.size());
        EXPECT_EQ(hits, expected) << "metric " << metric << ", k " << k;
        EXPECT_GE(answer.read, found);
        EXPECT_LE(answer.read, live_count(store));
        most = std::max(most, answer.read);
    }
    return most;
}

TEST(SearchCodes, AnswersAsTheScanOnEverySet) {
    for (const VectorSet& set : kVectorSets) {
        for (size_t dimension : kDimensions) {
            SCOPED_TRACE(set.name + std::string(", dimension ") + std::to_string(dimension));
            Random random(210);
            Vectors vectors = set.make(random, rows_for(dimension), dimension);
            StorePointer store = store_of(vectors, kL2);
            CodesPointer codes = coded(*store);
            for (uint32_t k : {1u, 10u, 100u, 2000u}) {
                expect_same(*store, *codes, points_near(random, vectors, 1)[0], k);
                expect_same(*store, *codes, random.pick(vectors), k);
            }
        }
    }
}

TEST(SearchCodes, AnswersAsTheScanAtAnyMagnitude) {
    for (uint64_t seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        size_t dimension = 1 + random.below(20);
        Vectors vectors = extreme_set(random, 500, dimension);
        StorePointer store = store_of(vectors, kL2);
        CodesPointer codes = coded(*store);
        for (const auto& point : extreme_set(random, 8, dimension)) {
            expect_same(*store, *codes, point, 1 + random.below(40));
        }
    }
}

// Ranges that suit other rows cost reads and nothing else.
TEST(SearchCodes, AnswersAsTheScanWhateverTheRanges) {
    Random random(211);
    Vectors vectors = clustered_set(random, 700, 12);
    StorePointer store = store_of(vectors, kL2);
    for (float width : {0.0f, 1e-30f, 1e-3f, 1e3f, 1e18f, 3e38f}) {
        CodesPointer codes = empty_codes(*store);
        std::vector<float> low(12, -width), high(12, width / 2);
        ASSERT_TRUE(set_ranges(*codes, reinterpret_cast<uint8_t*>(low.data()),
                               reinterpret_cast<uint8_t*>(high.data())));
        ASSERT_EQ(add_codes(*codes, *store, ~0u), kOk);
        expect_same(*store, *codes, vectors[3], 10);
        expect_same(*store, *codes, random.vector(12, -1, 1), 10);
    }
}

TEST(SearchCodes, AnswersWhileRowsComeAndGo) {
    Random random(212);
    StorePointer store = empty_store(9, kL2);
    CodesPointer codes = empty_codes(*store);
    for (int step = 0; step < 300; ++step) {
        for (int i = 0; i < 12; ++i) {
            uint64_t id = random.below(900);
            uint32_t row = put_row(*store, id, random.vector(9, -1, 1));
            if (row < codes->done) update_code(*codes, *store, row);
            if (random.below(3) == 0) delete_id(*store, random.below(900));
        }
        if (step == 20) train_codes(*codes, *store);
        if (step % 3 == 0) ASSERT_EQ(add_codes(*codes, *store, random.below(60)), kOk);
        expect_same(*store, *codes, random.vector(9, -1, 1), 1 + random.below(20));
    }
}

TEST(SearchCodes, AnswersFromNoneAndOneRow) {
    StorePointer store = empty_store(3, kL2);
    CodesPointer codes = coded(*store);
    expect_same(*store, *codes, {1, 2, 3}, 5);
    put_row(*store, 77, {1, 2, 4});
    expect_same(*store, *codes, {1, 2, 3}, 5);
    ASSERT_EQ(add_codes(*codes, *store, ~0u), kOk);
    expect_same(*store, *codes, {1, 2, 3}, 5);
    delete_id(*store, 77);
    expect_same(*store, *codes, {1, 2, 3}, 5);
}

// Rows nearer and nearer: each is a candidate when it is passed.
TEST(SearchCodes, AnswersAsTheScanInTheWorstOrder) {
    Vectors vectors;
    for (int i = 0; i < 3000; ++i) vectors.push_back({static_cast<float>(3000 - i), 1, -2, 0.5f});
    StorePointer store = store_of(vectors, kL2);
    CodesPointer codes = coded(*store);
    expect_same(*store, *codes, {0, 0, 0, 0}, 10);
    expect_same(*store, *codes, {-1, 0, 0, 0}, 1);
}

TEST(SearchCodes, ReadsFewRows) {
    Random random(213);
    Vectors vectors = clustered_set(random, 4000, 96);
    StorePointer store = store_of(vectors, kL2);
    CodesPointer codes = coded(*store);
    for (const auto& point : points_near(random, vectors, 10)) {
        ASSERT_LE(expect_same(*store, *codes, point, 10), 200u);
    }
}

// Every query of a batch, those that codes say nothing about among them.
TEST(SearchCodes, BatchesAnswerAsSingleSearches) {
    for (const VectorSet& set : kVectorSets) {
        for (size_t dimension : kDimensions) {
            SCOPED_TRACE(set.name + std::string(", dimension ") + std::to_string(dimension));
            Random random(215);
            Vectors vectors = set.make(random, rows_for(dimension), dimension);
            StorePointer store = store_of(vectors, kL2);
            CodesPointer codes = coded(*store);
            for (uint64_t id = 0; id < vectors.size(); id += 5) delete_id(*store, id);
            for (uint64_t id = 0; id < vectors.size() / 4; ++id) { // more than were deleted
                uint32_t row = put_row(*store, 5000 + id, vectors[id]);
                if (row < codes->done) update_code(*codes, *store, row);
            }
            Vectors points = points_near(random, vectors, 7);
            points.push_back(std::vector<float>(dimension, 3e30f));
            auto count = static_cast<uint32_t>(points.size());
            Buffer queries(size_t{count} * store->row_bytes);
            for (uint32_t i = 0; i < count; ++i) {
                std::memcpy(queries.data() + size_t{i} * store->row_bytes, points[i].data(),
                            dimension * 4);
            }
            constexpr uint32_t kK = 9, kBytes = kK * kHitBytes;
            for (int32_t metric : kMetrics) {
                Buffer scanned(count * kBytes), by_codes = scanned, single(kBytes);
                std::vector<uint32_t> found(count);
                std::vector<CodeAnswer> answers(count);
                search_batch(*store, metric, kK, queries.data(), count, scanned.data(),
                             found.data());
                search_codes_batch(*store, *codes, metric, kK, queries.data(), count,
                                   by_codes.data(), answers.data());
                for (uint32_t i = 0; i < count; ++i) {
                    set_query(*store, points[i]);
                    uint32_t expected = search_exact(*store, metric, kK, single.data());
                    ASSERT_EQ(found[i], expected);
                    ASSERT_EQ(answers[i].found, expected);
                    size_t used = size_t{expected} * kHitBytes;
                    ASSERT_EQ(std::memcmp(&scanned[i * kBytes], single.data(), used), 0);
                    ASSERT_EQ(std::memcmp(&by_codes[i * kBytes], single.data(), used), 0);
                }
            }
        }
    }
}

TEST(SearchCodes, IsTheScanWhenMemoryEnds) {
    Random random(214);
    Vectors vectors = uniform_set(random, 300, 6);
    StorePointer store = store_of(vectors, kL2);
    CodesPointer codes = coded(*store);
    limit_memory(memory_size());
    expect_same(*store, *codes, vectors[0], 7);
    limit_memory(~size_t{0});
}

} // namespace
} // namespace rvf
