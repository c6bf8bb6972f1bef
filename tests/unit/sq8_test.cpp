// Codes of rows: what they stand for, and the bounds that follow, against arithmetic in double and
// long double.
#include "control/sq8.h"

#include "control/search.h"
#include "tests/unit/codes.h"

namespace rvf {
namespace {

using namespace test;
using test::Buffer;

long double decoded(const Codes& codes, uint32_t row, uint32_t i) {
    long double low = codes.low[i], high = codes.high[i];
    return low + code_at(codes, row)[sizeof(CodeHead) + i] * (high - low) / 255;
}

/// Distances of all rows as search_exact computes them, by row. NaN is missing there.
std::map<uint64_t, float> computed_distances(Store& store, int32_t metric) {
    Buffer hits(size_t{live_count(store)} * kHitBytes);
    uint32_t found = search_exact(store, metric, live_count(store), hits.data());
    std::map<uint64_t, float> distances;
    for (const Answer& answer : answers_in(hits, found)) distances[answer.id] = answer.distance;
    return distances;
}

/// The weights of a query beside what else is prepared of it.
struct Prepared {
    std::vector<int16_t> memory;
    CodeQuery query;
    bool is_usable;

    Prepared(Store& store, const Codes& codes, int32_t metric, const std::vector<float>& point)
        : memory(weight_bytes(codes) / 2 + 8) {
        set_query(store, point);
        auto* weights = reinterpret_cast<int16_t*>(
            (reinterpret_cast<uintptr_t>(memory.data()) + 15) & ~uintptr_t{15});
        is_usable = prepare(codes, metric, store.query, weights, query);
    }
};

/// That no bound is above the computed distance, and that no filter leaves out what is within.
void expect_sound_bounds(Store& store, const Codes& codes, const std::vector<float>& point) {
    for (int32_t metric : kMetrics) {
        set_query(store, point);
        std::map<uint64_t, float> computed = computed_distances(store, metric);
        Prepared prepared(store, codes, metric, point);
        if (!prepared.is_usable) continue;
        const CodeQuery& query = prepared.query;
        std::vector<float> limits = {0, 1, HUGE_VALF, -HUGE_VALF, -1, 1e-40f};
        for (const auto& [row, distance] : computed) {
            float bound = code_bound(query, code_at(codes, static_cast<uint32_t>(row)));
            ASSERT_LE(bound, distance) << "metric " << metric << ", row " << row;
            if (row % 16 == 0) limits.push_back(distance);
        }
        for (float limit : limits) {
            CodeFilter filter = filter_for(query, limit);
            for (uint32_t row = 0; row + 4 <= codes.done; row += 4) {
                uint32_t some = within(query, filter, code_at(codes, row), codes.row_bytes);
                for (uint32_t i = 0; i < 4; ++i) {
                    auto found = computed.find(row + i);
                    if (found == computed.end() || found->second > limit) continue;
                    ASSERT_TRUE(some >> i & 1) << "metric " << metric << ", row " << row + i << ", "
                                               << found->second << " <= " << limit;
                }
            }
        }
    }
}

TEST(Sq8, ACodeIsTheNearestOfItsDimension) {
    Random random(200);
    StorePointer store = store_of(uniform_set(random, 300, 19), kL2);
    CodesPointer codes = coded(*store);
    for (uint32_t row = 0; row < 300; ++row) {
        auto* x = reinterpret_cast<const float*>(row_at(*store, row).vector);
        for (uint32_t i = 0; i < 19; ++i) {
            ASSERT_LE(codes->low[i], x[i]);
            ASSERT_GE(codes->high[i], x[i]);
            long double step = (static_cast<long double>(codes->high[i]) - codes->low[i]) / 255;
            ASSERT_LE(std::fabs(decoded(*codes, row, i) - x[i]), step * 0.500001L);
        }
    }
}

TEST(Sq8, TheErrorIsAtLeastThatOfTheCodeAndNotMuchMore) {
    for (const VectorSet& set : kVectorSets) {
        for (size_t dimension : kDimensions) {
            SCOPED_TRACE(set.name);
            Random random(201);
            StorePointer store = store_of(set.make(random, 100, dimension), kL2);
            CodesPointer codes = coded(*store);
            for (uint32_t row = 0; row < 100; ++row) {
                long double error = 0, length = 0, norm = 0, ends = 0;
                auto* x = reinterpret_cast<const float*>(row_at(*store, row).vector);
                for (uint32_t i = 0; i < dimension; ++i) {
                    long double y = decoded(*codes, row, i);
                    long double middle =
                        (static_cast<long double>(codes->low[i]) + codes->high[i]) / 2;
                    error += (x[i] - y) * (x[i] - y);
                    ends += std::pow(std::fabs(codes->low[i]) + std::fabs(codes->high[i]), 2.0L);
                    length += static_cast<long double>(x[i]) * x[i];
                    norm += (y - middle) * (y - middle);
                }
                auto head = load<CodeHead>(code_at(*codes, row));
                ASSERT_GE(head.error, std::sqrt(error));
                // Codes are made in f32, which is off by some 2^-21 of the ranges.
                ASSERT_LE(head.error, std::sqrt(error) * 1.001L + std::sqrt(length) * 1e-4L +
                                          std::sqrt(ends) * 1e-6L + 1e-9L);
                ASSERT_LE(head.norm, norm);
                ASSERT_GE(head.norm, norm * 0.9999L - 1e-9L);
                ASSERT_LE(head.share, norm - static_cast<long double>(head.error) * head.error);
            }
        }
    }
}

TEST(Sq8, NoBoundIsAboveTheDistance) {
    for (const VectorSet& set : kVectorSets) {
        for (size_t dimension : kDimensions) {
            SCOPED_TRACE(set.name + std::string(", dimension ") + std::to_string(dimension));
            Random random(202);
            Vectors vectors = set.make(random, dimension > 128 ? 100 : 300, dimension);
            StorePointer store = store_of(vectors, kL2);
            CodesPointer codes = coded(*store);
            for (const auto& point : points_near(random, vectors, 3)) {
                expect_sound_bounds(*store, *codes, point);
            }
            expect_sound_bounds(*store, *codes, vectors[1]);
        }
    }
}

// Lengths from those whose squares underflow to those whose squares overflow.
TEST(Sq8, NoBoundIsAboveTheDistanceAtAnyMagnitude) {
    for (size_t dimension : {1u, 5u, 33u}) {
        for (uint64_t seed = 0; seed < 40; ++seed) {
            SCOPED_TRACE(seed);
            Random random(seed);
            StorePointer store = store_of(extreme_set(random, 200, dimension), kL2);
            CodesPointer codes = coded(*store);
            for (const auto& point : extreme_set(random, 6, dimension)) {
                expect_sound_bounds(*store, *codes, point);
            }
        }
    }
}

TEST(Sq8, DistancesOfFourCodesAreThoseOfTheDecodedRows) {
    for (int32_t metric : kMetrics) {
        for (size_t dimension : kDimensions) {
            Random random(206);
            Vectors vectors = uniform_set(random, 33, dimension);
            std::vector<float> point = vectors.back();
            vectors.pop_back();
            StorePointer store = store_of(vectors, metric);
            CodesPointer codes = coded(*store);
            Prepared prepared(*store, *codes, metric, point);
            ASSERT_TRUE(prepared.is_usable);
            for (uint32_t row = 0; row < 32; row += 4) {
                const uint8_t* four[4];
                for (uint32_t i = 0; i < 4; ++i) four[i] = code_at(*codes, row + (i * 3) % 4);
                float distances[4], errors[4];
                v128_t error;
                wasm_v128_store(distances, code_distances(prepared.query, four, error));
                wasm_v128_store(errors, error);
                for (uint32_t i = 0; i < 4; ++i) {
                    uint32_t of = row + (i * 3) % 4;
                    EXPECT_EQ(errors[i], load<CodeHead>(four[i]).error);
                    std::vector<float> stands_for(dimension);
                    for (uint32_t d = 0; d < dimension; ++d) {
                        stands_for[d] = static_cast<float>(decoded(*codes, of, d));
                    }
                    bool is_l2 = metric == kL2;
                    double expected =
                        exact_distance(is_l2 ? kL2 : kInnerProduct, stands_for, point);
                    double most = 1e-4 * static_cast<double>(dimension);
                    if (metric == kCosine) { // with the length of the row itself
                        double squares = exact_distance(kInnerProduct, point, point) *
                                         exact_distance(kInnerProduct, vectors[of], vectors[of]);
                        expected = 1 + expected / std::sqrt(squares);
                        most /= std::sqrt(squares);
                    }
                    EXPECT_NEAR(distances[i], expected, most)
                        << "metric " << metric << ", dimension " << dimension;
                }
            }
        }
    }
}

TEST(Sq8, FarFromTheOriginTheCodesKeepTheirPrecision) {
    Random random(203);
    Vectors vectors = uniform_set(random, 400, 16);
    for (auto& vector : vectors) {
        for (float& value : vector) value += 1000;
    }
    StorePointer store = store_of(vectors, kL2);
    CodesPointer codes = coded(*store);
    expect_sound_bounds(*store, *codes, vectors[7]);
    for (uint32_t row = 0; row < 400; ++row) {
        // Half a step in 16 dimensions, and what f32 sums of such numbers are off by.
        ASSERT_LE(load<CodeHead>(code_at(*codes, row)).error, 4.0 / 255 / 2 * 2 + 4000 * 0x1p-19);
    }
}

// One row a million times as long leaves the others their codes.
TEST(Sq8, AnOutlierDoesNotSpoilTheRanges) {
    Random random(204);
    Vectors vectors = one_outlier_set(random, 300, 32);
    StorePointer store = store_of(vectors, kL2);
    CodesPointer codes = coded(*store);
    for (uint32_t i = 0; i < 32; ++i) {
        ASSERT_GE(codes->low[i], -1);
        ASSERT_LE(codes->high[i], 1);
    }
    ASSERT_GT(load<CodeHead>(code_at(*codes, 100)).error, 1e5f);
}

TEST(Sq8, ManyDimensionsDoNotOverflowTheSums) {
    Random random(205);
    StorePointer store = empty_store(65535, kL2);
    for (uint64_t id = 0; id < 9; ++id) {
        std::vector<float> row(65535, id % 2 ? 1.0f : -1.0f);
        row[id] = 3;
        put_row(*store, id, row);
    }
    CodesPointer codes = coded(*store);
    expect_sound_bounds(*store, *codes, std::vector<float>(65535, 1));
    expect_sound_bounds(*store, *codes, std::vector<float>(65535, -2));
    expect_sound_bounds(*store, *codes, random.vector(65535, -1, 1));
}

TEST(Sq8, TakesRangesFromElsewhere) {
    Random random(206);
    StorePointer store = store_of(uniform_set(random, 50, 5), kL2);
    CodesPointer codes = coded(*store);
    std::vector<float> low(5, -0.25f), high(5, 0.25f);
    auto set = [&] {
        return set_ranges(*codes, reinterpret_cast<uint8_t*>(low.data()),
                          reinterpret_cast<uint8_t*>(high.data()));
    };
    ASSERT_TRUE(set());
    ASSERT_EQ(codes->done, 0u);
    ASSERT_EQ(add_codes(*codes, *store, ~0u), kOk);
    expect_sound_bounds(*store, *codes, random.vector(5, -1, 1));
    high[3] = -0.5f;
    ASSERT_FALSE(set());
    high[3] = std::nanf("");
    ASSERT_FALSE(set());
    ASSERT_EQ(codes->high[3], 0.25f);
    ASSERT_EQ(codes->done, 50u);
    low.assign(5, -3e38f);
    high.assign(5, 3e38f);
    ASSERT_TRUE(set());
    ASSERT_EQ(add_codes(*codes, *store, ~0u), kOk);
    expect_sound_bounds(*store, *codes, random.vector(5, -1, 1));
}

TEST(Sq8, ACodeDependsOnNothingThatWasInItsPlace) {
    Random random(209);
    StorePointer store = store_of(uniform_set(random, 50, 21), kL2);
    CodesPointer codes = coded(*store);
    std::vector<float> padded = random.vector(21, -1, 1);
    padded.resize(24);
    for (float norm : {0.5f, HUGE_VALF}) { // the second is that of a row that cannot be coded
        Buffer zeros(codes->row_bytes, 0), ones(codes->row_bytes, 0xFF);
        for (Buffer* place : {&zeros, &ones}) {
            write_code(*codes, reinterpret_cast<uint8_t*>(padded.data()), norm, place->data());
        }
        EXPECT_EQ(zeros, ones);
    }
}

TEST(Sq8, IsTheSameInSlices) {
    Random random(207);
    StorePointer store = store_of(uniform_set(random, 9000, 300), kL2);
    CodesPointer whole = coded(*store), sliced = empty_codes(*store);
    train_codes(*sliced, *store);
    while (sliced->done < store->row_count) {
        uint32_t before = sliced->done;
        ASSERT_EQ(add_codes(*sliced, *store, 700), kOk);
        ASSERT_EQ(sliced->done, std::min(before + 700, 9000u));
    }
    for (uint32_t row = 0; row < 9000; ++row) {
        ASSERT_EQ(std::memcmp(code_at(*whole, row), code_at(*sliced, row), whole->row_bytes), 0);
    }
    ASSERT_GE(codes_bytes(*whole), 9000 * uint64_t{whole->row_bytes});
}

TEST(Sq8, IsAsItWasWhenMemoryEnds) {
    Random random(208);
    StorePointer store = store_of(uniform_set(random, 3000, 16), kL2);
    uint64_t used = memory_size();
    {
        CodesPointer codes = empty_codes(*store);
        train_codes(*codes, *store);
        ASSERT_EQ(add_codes(*codes, *store, 100), kOk);
        Buffer before(code_at(*codes, 0), code_at(*codes, 0) + 100 * codes->row_bytes);
        limit_memory(memory_size() + 4096);
        EXPECT_EQ(add_codes(*codes, *store, ~0u), kOutOfMemory);
        limit_memory(~size_t{0});
        ASSERT_EQ(codes->done, 100u);
        ASSERT_EQ(std::memcmp(code_at(*codes, 0), before.data(), before.size()), 0);
        ASSERT_EQ(add_codes(*codes, *store, ~0u), kOk);
        ASSERT_EQ(codes->done, 3000u);
    }
    ASSERT_EQ(memory_size(), used);
    for (size_t room : {size_t{0}, sizeof(Codes), sizeof(Codes) + 64}) {
        limit_memory(memory_size() + room);
        EXPECT_EQ(make_codes(*store), nullptr);
        limit_memory(~size_t{0});
        ASSERT_EQ(memory_size(), used);
    }
}

} // namespace
} // namespace rvf
