// Exact search against a brute force in double precision.
//
// Tolerances: u = 2^-24. A sum of n products may be off by (n / 16 + 9) u of the sum of their
// absolute values (control/search.cpp derives it). Numbers so small that they underflow may lose
// 1e-36 in all.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::Answer;
using test::bits_of;
using test::ingest;
using test::query;
using test::Random;
using test::StoreHandle;

constexpr double kUnit = 0x1p-24;

using Vectors = std::vector<std::vector<float>>;

struct Exact {
    double distance;
    double tolerance;
};

Exact exact_distance(int32_t metric, const std::vector<float>& a, const std::vector<float>& b) {
    double error = (static_cast<double>(a.size()) / 16 + 9) * kUnit;
    double squares = 0, dot = 0, magnitudes = 0, a_norm = 0, b_norm = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        double x = a[i], y = b[i];
        squares += (x - y) * (x - y);
        dot += x * y;
        magnitudes += std::fabs(x * y);
        a_norm += x * x;
        b_norm += y * y;
    }
    if (metric == kL2) return {squares, squares * error + 1e-36};
    if (metric == kInnerProduct) return {-dot, magnitudes * error + 1e-36};
    double norms = std::sqrt(a_norm) * std::sqrt(b_norm);
    if (norms < 0x1p-23) return {1, 0};
    return {1 - dot / norms, magnitudes / norms * error + error + 6 * kUnit};
}

enum class Order { kLastFirst, kFirstFirst, kMixed };

/// A store of the vectors; ids are their indexes.
void fill(int32_t store, const Vectors& vectors, Order order = Order::kLastFirst) {
    std::vector<uint64_t> ids(vectors.size());
    std::iota(ids.begin(), ids.end(), uint64_t{0});
    if (order == Order::kLastFirst) std::reverse(ids.begin(), ids.end());
    Random random(1);
    for (size_t i = ids.size(); order == Order::kMixed && i > 1; --i) {
        std::swap(ids[i - 1], ids[random.below(static_cast<uint32_t>(i))]);
    }
    std::vector<float> values;
    for (uint64_t id : ids) values.insert(values.end(), vectors[id].begin(), vectors[id].end());
    ASSERT_EQ(ingest(store, ids, values), static_cast<int32_t>(ids.size()));
}

/// Every answer has its vector's distance, and no vector that is left out is certainly nearer.
void expect_exact(const Vectors& vectors, const std::vector<float>& point, int32_t metric,
                  const std::vector<Answer>& answers) {
    std::vector<bool> answered(vectors.size());
    for (const Answer& answer : answers) {
        ASSERT_LT(answer.id, vectors.size());
        ASSERT_FALSE(answered[answer.id]);
        answered[answer.id] = true;
        Exact exact = exact_distance(metric, vectors[answer.id], point);
        ASSERT_NEAR(answer.distance, exact.distance, exact.tolerance) << answer.id;
    }
    for (size_t id = 0; id < vectors.size(); ++id) {
        if (answered[id]) continue;
        Exact exact = exact_distance(metric, vectors[id], point);
        ASSERT_GE(exact.distance + exact.tolerance, answers.back().distance) << id;
    }
}

void expect_sorted(const std::vector<Answer>& answers) {
    for (size_t i = 1; i < answers.size(); ++i) {
        const Answer &a = answers[i - 1], &b = answers[i];
        ASSERT_TRUE(a.distance < b.distance || (a.distance == b.distance && a.id < b.id)) << i;
    }
}

// While fewer than k hits are held nothing is excluded, so that the answer for k = n owes nothing
// to the L2 bound. The answer for any smaller k must be its beginning, bit for bit.
void expect_prefixes(int32_t store, const Vectors& vectors, const std::vector<float>& point) {
    auto n = static_cast<int32_t>(vectors.size());
    std::vector<Answer> all = query(store, point, n);
    for (int32_t k : {1, 2, 3, 10, n / 2, n - 1}) {
        if (k < 1) continue;
        std::vector<Answer> some = query(store, point, k);
        ASSERT_EQ(some, std::vector<Answer>(all.begin(), all.begin() + std::min(k, n))) << k;
    }
}

Vectors random_vectors(Random& random, size_t count, size_t dimension, float scale) {
    Vectors vectors(count);
    for (auto& vector : vectors) vector = random.vector(dimension, -scale, scale);
    return vectors;
}

TEST(Query, AgreesWithBruteForceInEveryDimensionAndMetric) {
    Random random(60);
    for (size_t dimension :
         {1u, 2u, 3u, 4u, 5u, 7u, 15u, 16u, 17u, 31u, 33u, 96u, 97u, 384u, 1000u}) {
        Vectors vectors = random_vectors(random, 120, dimension, 1);
        for (int32_t metric : {kL2, kInnerProduct, kCosine}) {
            StoreHandle store(static_cast<int32_t>(dimension), metric);
            fill(store, vectors);
            for (int32_t k : {1, 10, 120}) {
                std::vector<float> point = random.vector(dimension, -1, 1);
                std::vector<Answer> answers = query(store, point, k);
                ASSERT_EQ(answers.size(), static_cast<size_t>(k));
                expect_sorted(answers);
                expect_exact(vectors, point, metric, answers);
            }
        }
    }
}

// Small integers: f32 sums are exact, and so the ranking with all its ties must be, too.
TEST(Query, RanksIntegersExactlyWithTiesById) {
    Random random(61);
    for (size_t dimension : {1u, 3u, 16u, 50u}) {
        Vectors vectors(400);
        for (auto& vector : vectors) {
            for (size_t i = 0; i < dimension; ++i) {
                vector.push_back(static_cast<float>(random.below(5)) - 2);
            }
        }
        for (int32_t metric : {kL2, kInnerProduct}) {
            std::vector<std::pair<double, uint64_t>> ranking;
            for (uint64_t id = 0; id < vectors.size(); ++id) {
                ranking.push_back({exact_distance(metric, vectors[id], vectors[0]).distance, id});
            }
            std::sort(ranking.begin(), ranking.end());
            for (Order order : {Order::kLastFirst, Order::kFirstFirst, Order::kMixed}) {
                StoreHandle store(static_cast<int32_t>(dimension), metric);
                fill(store, vectors, order);
                for (int32_t k : {1, 2, 17, 399, 400}) {
                    std::vector<Answer> answers = query(store, vectors[0], k);
                    ASSERT_EQ(answers.size(), static_cast<size_t>(k));
                    for (size_t i = 0; i < answers.size(); ++i) {
                        ASSERT_EQ(answers[i].id, ranking[i].second) << dimension << " " << i;
                        ASSERT_EQ(answers[i].distance, ranking[i].first);
                    }
                }
            }
        }
    }
}

TEST(Query, TiesGoToTheSmallerUnsignedId) {
    for (int32_t metric : {kL2, kInnerProduct, kCosine}) {
        StoreHandle store(3, metric);
        const std::vector<uint64_t> ids = {~0ull, 5, 1ull << 63, 0, 1ull << 32, 7};
        ASSERT_EQ(ingest(store, ids, std::vector<float>(18, 1.0f)), 6);
        std::vector<uint64_t> found;
        for (const Answer& answer : query(store, {1, 1, 1}, 4)) found.push_back(answer.id);
        EXPECT_EQ(found, (std::vector<uint64_t>{0, 5, 7, 1ull << 32}));
    }
}

TEST(Query, AnswersAllWhenKExceedsTheCount) {
    StoreHandle store(1, kL2);
    ASSERT_EQ(ingest(store, {1, 2, 3}, {1, 2, 3}), 3);
    for (int32_t k : {3, 4, 1000, INT32_MAX}) EXPECT_EQ(query(store, {0}, k).size(), 3u);
}

TEST(Query, OfAnEmptyStoreNeedsNoBuffer) {
    StoreHandle store(1, kL2);
    float point = 1;
    EXPECT_EQ(rvf_store_query(store, test::address(&point), 5, -1, 0), 0);
}

TEST(Query, RefusesBadArguments) {
    StoreHandle store(2, kL2);
    ASSERT_EQ(ingest(store, {1}, {1, 2}), 1);
    const float point[] = {1, 2}, bad[] = {1, NAN};
    uint8_t out[kHitBytes];
    auto ask = [&](const float* q, int32_t k, int32_t metric, const uint8_t* to) {
        return rvf_store_query(store, test::address(q), k, metric, test::address(to));
    };
    EXPECT_EQ(ask(point, 1, -1, out), 1);
    EXPECT_EQ(ask(point, 0, -1, out), kInvalidArgument);
    EXPECT_EQ(ask(point, -1, -1, out), kInvalidArgument);
    EXPECT_EQ(ask(point, INT32_MIN, -1, out), kInvalidArgument);
    EXPECT_EQ(ask(point, 1, 3, out), kMetricUnsupported);
    EXPECT_EQ(ask(point, 1, -2, out), kMetricUnsupported);
    EXPECT_EQ(ask(nullptr, 1, -1, out), kInvalidPointer);
    EXPECT_EQ(ask(point, 1, -1, nullptr), kInvalidPointer);
    EXPECT_EQ(ask(bad, 1, -1, out), kNotFinite);
}

TEST(Query, MetricArgumentOverrulesTheStores) {
    Random random(62);
    Vectors vectors = random_vectors(random, 50, 8, 1);
    StoreHandle store(8, kL2);
    fill(store, vectors);
    std::vector<float> point = random.vector(8, -1, 1);
    for (int32_t metric : {kL2, kInnerProduct, kCosine}) {
        expect_exact(vectors, point, metric, query(store, point, 10, metric));
    }
    EXPECT_EQ(query(store, point, 10, -1), query(store, point, 10, kL2));
}

TEST(Query, SeesReplacedRowsAndNoDeletedOnes) {
    Random random(63);
    Vectors vectors = random_vectors(random, 300, 20, 1);
    StoreHandle store(20, kL2);
    fill(store, random_vectors(random, 300, 20, 1));
    fill(store, vectors);
    for (uint64_t id = 0; id < 300; id += 3) {
        ASSERT_EQ(test::remove_ids(store, {id}), 1);
        for (float& value : vectors[id]) value = 1000; // too far to be missed
    }
    std::vector<float> point = random.vector(20, -1, 1);
    std::vector<Answer> answers = query(store, point, 100);
    for (const Answer& answer : answers) EXPECT_NE(answer.id % 3, 0u);
    expect_exact(vectors, point, kL2, answers);
}

TEST(Cosine, IsOneBelowTheSmallestProductOfNorms) {
    StoreHandle store(2, kCosine);
    ASSERT_EQ(ingest(store, {1, 2, 3}, {0, 0, 0x1p-24f, 0, 0x1p-22f, 0}), 3);
    std::vector<Answer> answers = query(store, {1, 0}, 3);
    EXPECT_EQ(answers, (std::vector<Answer>{{3, 0}, {1, 1}, {2, 1}}));
}

// --- The L2 bound must never cost a true neighbour ---

/// Copies of one vector of the given length with differences around the rounding error of its norm,
/// where |q|^2 + |x|^2 - 2 q x is nothing but error.
Vectors near_duplicates(Random& random, size_t count, size_t dimension, float length) {
    std::vector<float> base = random.vector(dimension, -length, length);
    Vectors vectors(count, base);
    for (auto& vector : vectors) {
        float spread = length * std::ldexp(1.0f, -static_cast<int>(random.below(26)));
        for (float& value : vector) value += random.between(-spread, spread);
    }
    return vectors;
}

class L2Bound : public testing::TestWithParam<uint32_t> {
protected:
    size_t dimension = GetParam();
    Random random{70 + GetParam()};

    void check(const Vectors& vectors, const std::vector<float>& point) {
        StoreHandle store(static_cast<int32_t>(dimension), kL2);
        fill(store, vectors);
        expect_prefixes(store, vectors, point);
    }
};

TEST_P(L2Bound, KeepsNearDuplicatesOfAnyLength) {
    for (float length : {1e-20f, 1e-10f, 1e-3f, 1.0f, 1e3f, 1e8f, 1e15f, 1e17f}) {
        Vectors vectors = near_duplicates(random, 100, dimension, length);
        check(vectors, vectors[random.below(100)]);
        std::vector<float> point = vectors[0];
        for (float& value : point) value *= 1 + random.between(-0x1p-20f, 0x1p-20f);
        check(vectors, point);
    }
}

TEST_P(L2Bound, KeepsRowsThatComeNearerAndNearer) {
    std::vector<float> point = random.vector(dimension, -1e4f, 1e4f);
    Vectors vectors;
    for (int i = 0; i < 200; ++i) {
        vectors.push_back(point);
        for (float& value : vectors.back()) {
            value += random.between(-1, 1) * std::ldexp(1.0f, i / 8 - 14);
        }
    }
    check(vectors, point); // ingested last first: every row may enter
}

// Norms beyond 1e37 and distances beyond f32 are the range where the dot form is infinite or NaN.
TEST_P(L2Bound, KeepsHugeVectors) {
    for (float length : {1e18f, 3e18f, 1e19f, 1.3e19f, 1e30f, 3e38f}) {
        Vectors vectors = near_duplicates(random, 60, dimension, length / 2);
        vectors.push_back(std::vector<float>(dimension, 0.0f));
        check(vectors, vectors[7]);
        check(vectors, std::vector<float>(dimension, 0.0f));
    }
}

TEST_P(L2Bound, KeepsTinyVectors) {
    for (float length : {1e-18f, 1e-19f, 1e-20f, 1e-22f, 1e-30f, 1e-38f, 1e-42f, 0x1p-149f}) {
        Vectors vectors = random_vectors(random, 100, dimension, length);
        vectors.push_back(std::vector<float>(dimension, 0.0f));
        check(vectors, vectors[3]);
        check(vectors, std::vector<float>(dimension, length));
    }
}

TEST_P(L2Bound, KeepsMixedMagnitudes) {
    Vectors vectors;
    for (int i = 0; i < 200; ++i) {
        float length = std::ldexp(1.0f, static_cast<int>(random.below(200)) - 100);
        vectors.push_back(random.vector(dimension, -length, length));
    }
    for (size_t i = 0; i < 10; ++i) check(vectors, vectors[random.below(200)]);
}

TEST_P(L2Bound, KeepsEqualRowsInOrderOfIds) {
    Vectors vectors(150, random.vector(dimension, -1e6f, 1e6f));
    check(vectors, vectors[0]);
    std::vector<float> point = random.vector(dimension, -1e6f, 1e6f);
    check(vectors, point);
    StoreHandle store(static_cast<int32_t>(dimension), kL2);
    fill(store, vectors);
    std::vector<Answer> answers = query(store, point, 20);
    for (size_t i = 0; i < answers.size(); ++i) EXPECT_EQ(answers[i].id, i);
}

// Norms with all their weight in one element and the rest at its rounding error.
TEST_P(L2Bound, KeepsRowsWhoseErrorsAllPointOneWay) {
    std::vector<float> point(dimension, 1 + 0x1p-12f);
    point[0] = 4097;
    Vectors vectors;
    for (int i = 0; i < 150; ++i) {
        vectors.push_back(point);
        vectors.back()[random.below(static_cast<uint32_t>(dimension))] +=
            0x1p-11f * static_cast<float>(i);
    }
    check(vectors, point);
}

/// The last twelve bits of a number. A sum of some 4,096 equal ones from [1, 2) loses them half of
/// the time: more than 2,048 is rounded up at every addition, less is rounded down.
uint32_t lost_bits(float value) { return bits_of(value) & 0xFFF; }

// Vectors of one number repeated, chosen so that every late addition rounds the norm of the query
// up and its product with the row down: the dot form is off by far more than random vectors make
// it. The first row is at a distance of 1; the second is nearer and must not be excluded.
TEST(L2BoundWorstCase, KeepsNeighboursWhenAllRoundingGoesOneWay) {
    Random random(99);
    constexpr size_t kDimension = 65535;
    StoreHandle store(kDimension, kL2);
    for (int found = 0; found < 50;) {
        float q = random.between(1.3f, 1.41f);
        float x = q - 0x1p-23f * static_cast<float>(1 + random.below(4));
        if (lost_bits(q * q) <= 2048 || lost_bits(q * q) > 2056 || lost_bits(q * x) >= 2048)
            continue;
        ++found;
        std::vector<float> point(kDimension, q), rows(2 * kDimension, x);
        std::copy(point.begin(), point.end(), rows.begin());
        rows[0] += 1;
        ASSERT_EQ(ingest(store, {1, 2}, rows), 2);
        ASSERT_EQ(query(store, point, 1)[0].id, 2u) << q << " " << x;
    }
}

INSTANTIATE_TEST_SUITE_P(Dimension, L2Bound, testing::Values(1, 3, 4, 16, 97, 1024, 5000),
                         testing::PrintToStringParamName());

} // namespace
} // namespace rvf
