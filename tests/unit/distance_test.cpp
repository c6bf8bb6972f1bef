// rvf_distances against double precision, for every data type, metric and awkward dimension.
//
// Tolerances, from kernel.h: u = 2^-24 is half a unit in the last place of f32. A sum of n products
// may be off by max(n / 16 + 6, 16) u of the sum of their absolute values, an L2 distance by 2 u
// more. A decoded SQ value may be off by 6 u of |min| + |max|.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernel/kernel.h"
#include "tests/unit/support.h"

namespace rvf::tile {
namespace {

using test::bits_of;
using test::half_value;
using test::nearest_half;
using test::Random;
using test::Tile;

constexpr double kUnit = 0x1p-24;
constexpr uint32_t kDimensions[] = {1, 3, 5, 7, 15, 17, 96, 97, 384, 1024};

/// A vector as the tile decodes it, and by how much each element may be off.
struct Decoded {
    std::vector<double> values;
    std::vector<double> errors;
};

struct Expected {
    double distance;
    double tolerance;
};

double bound_of(size_t dimension) {
    return std::max(static_cast<double>(dimension) / 16 + 6, 16.0) * kUnit;
}

Expected expected_distance(uint32_t metric, const Decoded& row, const std::vector<double>& query) {
    size_t n = query.size();
    double sum_error = bound_of(n);
    double squares = 0, squares_slack = 0;
    double dot = 0, magnitudes = 0, dot_slack = 0;
    double row_norm = 0, query_norm = 0, error_norm = 0;
    for (size_t i = 0; i < n; ++i) {
        double x = row.values[i], q = query[i], error = row.errors[i];
        squares += (x - q) * (x - q);
        squares_slack += 2 * std::fabs(x - q) * error + error * error;
        dot += x * q;
        magnitudes += std::fabs(x * q);
        dot_slack += std::fabs(q) * error;
        row_norm += x * x;
        query_norm += q * q;
        error_norm += error * error;
    }
    if (metric == kL2) return {squares, squares * (sum_error + 2 * kUnit) + squares_slack};
    if (metric == kInnerProduct) return {-dot, magnitudes * sum_error + dot_slack};
    double norms = std::sqrt(row_norm) * std::sqrt(query_norm);
    double dot_error = (magnitudes * sum_error + dot_slack) / norms;
    double norm_error = sum_error + 4 * kUnit + std::sqrt(error_norm / row_norm);
    return {1 - dot / norms, dot_error + norm_error + 2 * kUnit};
}

std::vector<double> load_random_query(Tile& tile, Random& random, uint32_t dimension) {
    std::vector<uint16_t> halves(dimension);
    std::vector<double> values;
    for (uint16_t& half : halves) {
        half = nearest_half(random.between(-2, 2));
        values.push_back(half_value(half));
    }
    tile.write(kMessage, halves);
    EXPECT_EQ(rvf_load_query(kMessage, dimension), 0);
    return values;
}

/// One row of `dimension` random elements at `address`.
Decoded write_random_row(Tile& tile, Random& random, uint32_t dtype, Address address,
                         uint32_t dimension, const std::vector<float>& sq_pairs) {
    Decoded row;
    row.errors.resize(dimension);
    for (uint32_t i = 0; i < dimension; ++i) {
        if (dtype == kF16) {
            uint16_t half = nearest_half(random.between(-2, 2));
            tile.write(address + 2 * i, std::vector{half});
            row.values.push_back(half_value(half));
        } else if (dtype == kF32) {
            float value = random.between(-2, 2);
            tile.write(address + 4 * i, std::vector{value});
            row.values.push_back(value);
        } else {
            auto code = static_cast<int8_t>(random.bits());
            tile.write(address + i, std::vector{code});
            row.values.push_back(code);
            if (sq_pairs.empty()) continue;
            double min = sq_pairs[2 * i], max = sq_pairs[2 * i + 1];
            row.values.back() = min + (code + 128) / 255.0 * (max - min);
            row.errors[i] = 6 * kUnit * (std::fabs(min) + std::fabs(max));
        }
    }
    return row;
}

struct Kind {
    const char* name;
    uint32_t dtype;
    bool scaled;

    friend std::ostream& operator<<(std::ostream& out, const Kind& kind) {
        return out << kind.name;
    }
};

class Distances : public testing::TestWithParam<std::tuple<Kind, uint32_t>> {};

TEST_P(Distances, AgreeWithDoublePrecision) {
    auto [kind, metric] = GetParam();
    Random random(42);
    for (uint32_t dimension : kDimensions) {
        Tile tile;
        std::vector<double> query = load_random_query(tile, random, dimension);
        std::vector<float> sq_pairs;
        if (kind.scaled) {
            for (uint32_t i = 0; i < dimension; ++i) {
                float min = random.between(-2, 1);
                sq_pairs.push_back(min);
                sq_pairs.push_back(min + random.between(0.01f, 2));
            }
            tile.write(kBlock, sq_pairs);
            ASSERT_EQ(rvf_load_sq_params(kBlock, dimension), 0);
        }
        constexpr Address kOdd = kBlock + 1;
        const uint32_t row_bytes = dimension * (kind.dtype == kF16 ? 2 : kind.dtype == kI8 ? 1 : 4);
        std::vector<Decoded> rows;
        for (uint32_t row = 0; row < 5; ++row) {
            rows.push_back(write_random_row(tile, random, kind.dtype, kOdd + row * row_bytes,
                                            dimension, sq_pairs));
        }
        ASSERT_EQ(rvf_load_block(kOdd, 5, kind.dtype), 0);
        ASSERT_EQ(rvf_distances(metric, kRouting + 3), 5);
        std::vector<float> distances = tile.read<float>(kRouting + 3, 5);
        for (size_t row = 0; row < 5; ++row) {
            Expected expected = expected_distance(metric, rows[row], query);
            ASSERT_NEAR(distances[row], expected.distance, expected.tolerance)
                << dimension << " dimensions, row " << row;
        }
    }
}

constexpr Kind kKinds[] = {
    {"F16", kF16, false}, {"F32", kF32, false}, {"PlainI8", kI8, false}, {"ScaledI8", kI8, true}};

std::string name_of(const testing::TestParamInfo<std::tuple<Kind, uint32_t>>& test) {
    const char* metrics[] = {"L2", "InnerProduct", "Cosine"};
    auto [kind, metric] = test.param;
    return std::string(kind.name) + metrics[metric];
}

INSTANTIATE_TEST_SUITE_P(All, Distances,
                         testing::Combine(testing::ValuesIn(kKinds),
                                          testing::Values(kL2, kInnerProduct, kCosine)),
                         name_of);

/// The distance of one row of halves from a query of halves, as bits.
uint32_t half_distance(uint32_t metric, const std::vector<uint16_t>& row,
                       const std::vector<uint16_t>& query) {
    Tile tile;
    tile.write(kMessage, query);
    tile.write(kBlock, row);
    EXPECT_EQ(rvf_load_query(kMessage, static_cast<uint32_t>(query.size())), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kF16), 0);
    EXPECT_EQ(rvf_distances(metric, kMessage), 1);
    return tile.read<uint32_t>(kMessage, 1)[0];
}

TEST(Distance, IsExactForSmallIntegers) {
    std::vector<uint16_t> row = {nearest_half(1), nearest_half(-2), nearest_half(3)};
    std::vector<uint16_t> query = {nearest_half(4), nearest_half(5), nearest_half(-6)};
    EXPECT_EQ(half_distance(kL2, row, query), bits_of(9.0f + 49.0f + 81.0f));
    EXPECT_EQ(half_distance(kInnerProduct, row, query), bits_of(-(4.0f - 10.0f - 18.0f)));
}

TEST(Distance, IsTheSameAtEveryAlignment) {
    for (uint32_t dtype : {kF16, kI8, kF32}) {
        std::vector<uint32_t> first;
        for (uint32_t offset = 0; offset < 16; ++offset) {
            Tile tile;
            Random random(7);
            load_random_query(tile, random, 97);
            write_random_row(tile, random, dtype, kBlock + offset, 97, {});
            ASSERT_EQ(rvf_load_block(kBlock + offset, 1, dtype), 0);
            std::vector<uint32_t> bits;
            for (uint32_t metric : {kL2, kInnerProduct, kCosine}) {
                ASSERT_EQ(rvf_distances(metric, kMessage + offset), 1);
                bits.push_back(tile.read<uint32_t>(kMessage + offset, 1)[0]);
            }
            if (offset == 0) first = bits;
            ASSERT_EQ(bits, first) << offset;
        }
    }
}

TEST(Distance, ReadsNothingOfTheNextRow) {
    for (uint32_t dimension : {1u, 3u, 5u, 7u, 15u, 17u}) {
        std::vector<uint16_t> query(dimension, nearest_half(1));
        std::vector<uint16_t> row(dimension, nearest_half(2));
        std::vector<uint16_t> two_rows = row;
        two_rows.resize(2 * dimension, 0x7E00);
        for (uint32_t metric : {kL2, kInnerProduct, kCosine}) {
            EXPECT_EQ(half_distance(metric, two_rows, query), half_distance(metric, row, query));
        }
    }
}

TEST(Distance, LastRowMayEndWhereTheBlockAreaEnds) {
    for (uint32_t dtype : {kF16, kI8, kF32}) {
        Tile tile;
        Random random(8);
        std::vector<double> query = load_random_query(tile, random, 17);
        Address block = kQuery - 17 * (dtype == kF16 ? 2 : dtype == kI8 ? 1 : 4);
        Decoded row = write_random_row(tile, random, dtype, block, 17, {});
        ASSERT_EQ(rvf_load_block(block, 1, dtype), 0);
        ASSERT_EQ(rvf_distances(kL2, kMessage), 1);
        Expected expected = expected_distance(kL2, row, query);
        EXPECT_NEAR(tile.read<float>(kMessage, 1)[0], expected.distance, expected.tolerance);
    }
}

TEST(Cosine, OfAZeroNormIsOne) {
    std::vector<uint16_t> zero(17), other(17, nearest_half(3));
    EXPECT_EQ(half_distance(kCosine, zero, other), bits_of(1.0f));
    EXPECT_EQ(half_distance(kCosine, other, zero), bits_of(1.0f));
    EXPECT_EQ(half_distance(kCosine, zero, zero), bits_of(1.0f));
}

TEST(Cosine, OfAZeroRowIsOneInEveryDataType) {
    for (uint32_t dtype : {kF16, kI8, kF32}) {
        Tile tile;
        Random random(9);
        load_random_query(tile, random, 5);
        ASSERT_EQ(rvf_load_block(kBlock, 1, dtype), 0);
        ASSERT_EQ(rvf_distances(kCosine, kMessage), 1);
        EXPECT_EQ(tile.read<float>(kMessage, 1)[0], 1.0f);
    }
}

TEST(Infinity, GivesTheInfiniteDistanceThatArithmeticGives) {
    const uint16_t one = nearest_half(1), infinity = 0x7C00;
    for (size_t at : {0u, 3u, 16u, 18u}) {
        std::vector<uint16_t> query(19, one), row(19, one);
        row[at] = infinity;
        EXPECT_EQ(half_distance(kL2, row, query), bits_of(HUGE_VALF)) << at;
        EXPECT_EQ(half_distance(kInnerProduct, row, query), bits_of(-HUGE_VALF)) << at;
    }
}

// The hardware makes NaN with either sign and any payload; a tile answers with one.
TEST(Nan, IsAlwaysTheSameBits) {
    const uint16_t one = nearest_half(1), infinity = 0x7C00;
    for (uint16_t nan : {uint16_t{0x7E00}, uint16_t{0xFE00}, uint16_t{0x7C01}, uint16_t{0xFFFF}}) {
        for (size_t at : {0u, 3u, 16u, 18u}) {
            std::vector<uint16_t> query(19, one), row(19, one);
            row[at] = nan;
            for (uint32_t metric : {kL2, kInnerProduct, kCosine}) {
                EXPECT_EQ(half_distance(metric, row, query), test::kTheNan);
                EXPECT_EQ(half_distance(metric, query, row), test::kTheNan);
            }
        }
    }
    std::vector<uint16_t> infinite(3, infinity);
    EXPECT_EQ(half_distance(kL2, infinite, infinite), test::kTheNan);
    EXPECT_EQ(half_distance(kInnerProduct, infinite, {infinity, 0, 0}), test::kTheNan);
    EXPECT_EQ(half_distance(kCosine, infinite, {one, one, one}), test::kTheNan);
}

TEST(Nan, IsAlwaysTheSameBitsForF32Rows) {
    for (uint32_t nan : {0x7FC00000u, 0xFFC00000u, 0x7F800001u, 0xFFFFFFFFu, 0x7FC12345u}) {
        Tile tile;
        Random random(10);
        load_random_query(tile, random, 7);
        tile.write(kBlock + 4 * 6, std::vector{nan});
        ASSERT_EQ(rvf_load_block(kBlock, 1, kF32), 0);
        for (uint32_t metric : {kL2, kInnerProduct, kCosine}) {
            ASSERT_EQ(rvf_distances(metric, kMessage), 1);
            EXPECT_EQ(tile.read<uint32_t>(kMessage, 1)[0], test::kTheNan);
        }
    }
}

TEST(Subnormal, HalvesCountWithTheirFullValue) {
    std::vector<uint16_t> row = {0x0001, 0x8001, 0x03FF}, zero(3);
    EXPECT_EQ(half_distance(kL2, row, zero),
              bits_of(0x1p-48f + 0x1p-48f + 1023.0f * 1023.0f * 0x1p-48f));
}

// The worst case of a tail, which one running sum adds up: 1, and then products of 2^-24, each of
// which rounds away.
TEST(Numerics, ErrorOfATailStaysInTheBound) {
    for (uint32_t dimension : {7u, 15u, 31u, 47u}) {
        std::vector<uint16_t> small(dimension, nearest_half(0x1p-12));
        small[dimension - dimension % 16] = nearest_half(1);
        uint32_t bits = half_distance(kInnerProduct, small, small);
        float distance;
        std::memcpy(&distance, &bits, 4);
        double exact = 1 + (dimension - 1) * 0x1p-24;
        EXPECT_NEAR(-distance, exact, bound_of(dimension) * exact) << dimension;
    }
}

TEST(Distances, RefuseUnknownMetrics) {
    Tile tile;
    ASSERT_EQ(rvf_load_query(kMessage, 1), 0);
    ASSERT_EQ(rvf_load_block(kBlock, 1, kF16), 0);
    for (uint32_t metric : {4u, 255u, ~0u}) {
        EXPECT_EQ(rvf_distances(metric, kMessage), kMetricUnsupported);
    }
}

// Row after row is read and answered, so a result in front of what is still to be read is right.
TEST(Distances, MayReplaceTheRowsTheyWereMadeFrom) {
    Tile tile;
    Random random(21);
    load_random_query(tile, random, 17);
    for (uint32_t row = 0; row < 20; ++row) {
        write_random_row(tile, random, kF16, kBlock + 34 * row, 17, {});
    }
    ASSERT_EQ(rvf_load_block(kBlock, 20, kF16), 0);
    for (uint32_t metric : {kL2, kInnerProduct, kCosine}) {
        test::Buffer before = tile.save();
        ASSERT_EQ(rvf_distances(metric, kHotCache), 20);
        std::vector<uint32_t> apart = tile.read<uint32_t>(kHotCache, 20);
        ASSERT_EQ(rvf_distances(metric, kBlock), 20);
        EXPECT_EQ(tile.read<uint32_t>(kBlock, 20), apart);
        tile.restore(before);
    }
}

TEST(Distances, RefuseAResultOverLoadedTables) {
    Tile tile;
    ASSERT_EQ(rvf_load_sq_params(kMessage, 16), 0);
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    ASSERT_EQ(rvf_load_block(kBlock, 4, kI8), 0);
    EXPECT_EQ(rvf_distances(kL2, kTables - 16), 4);
    EXPECT_EQ(rvf_distances(kL2, kTables - 15), kInvalidPointer);
    EXPECT_EQ(rvf_distances(kL2, kHotCache - 1), kInvalidPointer);
    EXPECT_EQ(rvf_distances(kL2, kHotCache), 4);
}

} // namespace
} // namespace rvf::tile
