// Scalar and product quantization against double precision.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernel/kernel.h"
#include "tests/unit/support.h"

namespace rvf::tile {
namespace {

using test::Buffer;
using test::half_value;
using test::nearest_half;
using test::Random;
using test::Tile;

constexpr double kUnit = 0x1p-24;

std::vector<int8_t> all_codes() {
    std::vector<int8_t> codes;
    for (int code = -128; code < 128; ++code) codes.push_back(static_cast<int8_t>(code));
    return codes;
}

std::vector<uint16_t> dequantize(Tile& tile, const std::vector<float>& pairs,
                                 const std::vector<int8_t>& codes) {
    tile.write(kBlock, pairs);
    EXPECT_EQ(rvf_load_sq_params(kBlock, static_cast<uint32_t>(pairs.size() / 2)), 0);
    tile.write(kBlock, codes);
    auto count = static_cast<int32_t>(codes.size());
    EXPECT_EQ(rvf_dequant_i8(kBlock, kMessage, static_cast<uint32_t>(count)), count);
    return tile.read<uint16_t>(kMessage, codes.size());
}

TEST(Dequantize, IsExactWhenTheStepIsOne) {
    Tile tile;
    std::vector<uint16_t> halves = dequantize(tile, {-128, 127}, all_codes());
    for (int code = -128; code < 128; ++code) {
        EXPECT_EQ(halves[static_cast<size_t>(code + 128)], nearest_half(code));
    }
}

TEST(Dequantize, EndsAreMinimumAndMaximum) {
    Tile tile;
    EXPECT_EQ(dequantize(tile, {0, 255}, {-128, 127}),
              (std::vector{nearest_half(0), nearest_half(255)}));
    EXPECT_EQ(dequantize(tile, {3, 3}, {-128, 0, 127}), std::vector(3, nearest_half(3)));
}

TEST(Dequantize, MaximumMayBeBelowMinimum) {
    Tile tile;
    EXPECT_EQ(dequantize(tile, {255, 0}, {-128, 127}),
              (std::vector{nearest_half(255), nearest_half(0)}));
}

// The f32 value may be off by 6 u (|min| + |max|) and is then rounded to the nearest half.
TEST(Dequantize, GoesDimensionAfterDimensionWithinTolerance) {
    Random random(12);
    for (uint32_t dimension : {1u, 3u, 96u, 1024u}) {
        Tile tile;
        std::vector<float> pairs;
        for (uint32_t i = 0; i < dimension; ++i) {
            pairs.push_back(random.between(-50, 0));
            pairs.push_back(random.between(0, 50));
        }
        std::vector<int8_t> codes;
        for (int i = 0; i < 3000; ++i) codes.push_back(static_cast<int8_t>(random.bits()));
        std::vector<uint16_t> halves = dequantize(tile, pairs, codes);
        for (size_t i = 0; i < codes.size(); ++i) {
            double min = pairs[2 * (i % dimension)], max = pairs[2 * (i % dimension) + 1];
            double value = min + (codes[i] + 128) / 255.0 * (max - min);
            double slack = 6 * kUnit * (std::fabs(min) + std::fabs(max));
            double low = half_value(nearest_half(value - slack));
            double high = half_value(nearest_half(value + slack));
            ASSERT_GE(half_value(halves[i]), low) << i;
            ASSERT_LE(half_value(halves[i]), high) << i;
        }
    }
}

TEST(Dequantize, NeedsParameters) {
    Tile tile;
    EXPECT_EQ(rvf_dequant_i8(kBlock, kMessage, 1), kTileInvalidMessage);
}

TEST(Dequantize, RefusesSourcesAndTargetsInTheTables) {
    Tile tile;
    ASSERT_EQ(rvf_load_sq_params(kMessage, 1), 0);
    EXPECT_EQ(rvf_dequant_i8(kBlock, kTables - 100, 50), 50);
    EXPECT_EQ(rvf_dequant_i8(kBlock, kTables - 100, 51), kInvalidPointer);
    EXPECT_EQ(rvf_dequant_i8(kBlock, kHotCache - 1, 1), kInvalidPointer);
    EXPECT_EQ(rvf_dequant_i8(kTables - 50, kBlock, 50), 50);
    EXPECT_EQ(rvf_dequant_i8(kTables - 50, kBlock, 51), kInvalidPointer);
    EXPECT_EQ(rvf_dequant_i8(kHotCache - 1, kBlock, 1), kInvalidPointer);
}

TEST(SqParams, RefusePairsThatAreNotFiniteOrWhoseRangeIsNot) {
    Tile tile;
    const float infinity = HUGE_VALF;
    const std::pair<float, float> bad[] = {{NAN, 0},        {0, NAN},        {infinity, 0},
                                           {0, infinity},   {-infinity, 0},  {infinity, infinity},
                                           {-3e38f, 3e38f}, {3e38f, -3e38f}, {-infinity, infinity}};
    for (auto [min, max] : bad) {
        tile.write(kBlock, std::vector<float>{0, 1, min, max});
        EXPECT_EQ(rvf_load_sq_params(kBlock, 2), kNotFinite) << min << " " << max;
    }
    tile.write(kBlock, std::vector<float>{0, 1, -1.7e38f, 1.7e38f});
    EXPECT_EQ(rvf_load_sq_params(kBlock, 2), 0);
}

TEST(SqParams, MustHaveTheQuerysDimension) {
    Tile tile;
    ASSERT_EQ(rvf_load_sq_params(kBlock, 5), 0);
    ASSERT_EQ(rvf_load_query(kMessage, 4), 0);
    EXPECT_EQ(rvf_load_sq_params(kBlock, 5), kDimensionMismatch);
    EXPECT_EQ(rvf_load_sq_params(kBlock, 4), 0);
    EXPECT_EQ(rvf_load_sq_params(kBlock, 0), kDimensionMismatch);
}

TEST(SqParams, TakeAtMost1024Dimensions) {
    Tile tile;
    EXPECT_EQ(rvf_load_sq_params(kBlock, 1024), 0);
    EXPECT_EQ(rvf_load_sq_params(kBlock, 1025), kDimensionMismatch);
}

TEST(SqParams, StayWhenTheNextQueryHasTheirDimension) {
    Tile tile;
    ASSERT_EQ(rvf_load_sq_params(kBlock, 4), 0);
    ASSERT_EQ(rvf_load_query(kMessage, 4), 0);
    EXPECT_EQ(rvf_dequant_i8(kBlock, kMessage, 1), 1);
    ASSERT_EQ(rvf_load_query(kMessage, 4), 0);
    EXPECT_EQ(rvf_dequant_i8(kBlock, kMessage, 1), 1);
}

TEST(SqParams, CannotLieInTheTableAreaWhileItHoldsTables) {
    Tile tile;
    EXPECT_EQ(rvf_load_sq_params(kTables, 1), 0);
    EXPECT_EQ(rvf_load_sq_params(kTables - 8, 1), 0);
    EXPECT_EQ(rvf_load_sq_params(kTables - 7, 1), kInvalidPointer);
    EXPECT_EQ(rvf_load_sq_params(kHotCache - 1, 1), kInvalidPointer);
    EXPECT_EQ(rvf_load_sq_params(kHotCache, 1), 0);
}

// Offsets overwrite pairs that are still to be read, here so that the range of one is infinite. The
// pairs were checked; what is made of them afterwards must neither be refused halfway nor leave
// tables of no dimension.
TEST(SqParams, ThatAreOverwrittenWhileTheyAreReadDoNotLeaveHalfATable) {
    Tile tile;
    std::vector<float> pairs(2048);
    for (size_t i = 0; i < pairs.size(); i += 2) {
        pairs[i] = pairs[i + 1] = i % 4 ? 3e38f : -3e38f;
    }
    tile.write(kTables, pairs);
    ASSERT_EQ(rvf_load_sq_params(kTables, 1024), 0);
    EXPECT_EQ(rvf_dequant_i8(kBlock, kBlock, 16'000), 16'000);
    ASSERT_EQ(rvf_load_query(kBlock, 1024), 0);
    EXPECT_EQ(rvf_dequant_i8(kBlock, kBlock, 1024), 1024);
}

// --- Product quantization ---

struct Codebook {
    uint32_t subspaces, centroids, width;
    std::vector<uint16_t> halves; ///< [subspaces][centroids][width]

    Codebook(Random& random, uint32_t m, uint32_t k, uint32_t w)
        : subspaces(m), centroids(k), width(w), halves(m * k * w) {
        for (uint16_t& half : halves) half = nearest_half(random.between(-2, 2));
    }
    double value(uint32_t m, uint32_t k, uint32_t i) const {
        return half_value(halves[(m * centroids + k) * width + i]);
    }
};

void start(Tile& tile, Metric metric, uint16_t parts) {
    TileConfig config = {};
    config.profile = kHotProfile;
    config.metric = static_cast<uint8_t>(metric);
    config.k = 16;
    config.pq_subspaces = parts;
    tile.write(kRouting, std::vector{config});
    ASSERT_EQ(rvf_init(kRouting), 0);
}

std::vector<uint16_t> random_halves(Random& random, uint32_t count) {
    std::vector<uint16_t> halves(count);
    for (uint16_t& half : halves) half = nearest_half(random.between(-2, 2));
    return halves;
}

/// Delivers subspaces [from, from + count) of a codebook.
int32_t deliver(Tile& tile, const Codebook& book, uint32_t from, uint32_t count) {
    auto first = book.halves.begin() + from * book.centroids * book.width;
    tile.write(kBlock, std::vector<uint16_t>(first, first + count * book.centroids * book.width));
    return rvf_load_pq_codebook(kBlock, count, book.centroids);
}

constexpr uint32_t kVectors = 20;

Buffer random_codes(Random& random, const Codebook& book) {
    Buffer codes(kVectors * book.subspaces);
    for (uint8_t& code : codes) code = static_cast<uint8_t>(random.below(book.centroids));
    return codes;
}

std::vector<float> pq_distances(Tile& tile, const Buffer& codes) {
    tile.write(kBlock, codes);
    EXPECT_EQ(rvf_pq_distances(kBlock, kVectors, kMessage), static_cast<int32_t>(kVectors));
    return tile.read<float>(kMessage, kVectors);
}

TEST(Pq, DistancesAgreeWithDoublePrecision) {
    Random random(13);
    const uint32_t shapes[][3] = {{1, 1, 1}, {8, 16, 4},   {32, 64, 8}, {64, 64, 1},
                                  {3, 5, 7}, {1, 10, 300}, {2, 7, 512}};
    for (auto [subspaces, centroids, width] : shapes) {
        for (Metric metric : {kL2, kInnerProduct}) {
            Tile tile;
            start(tile, metric, 0);
            Codebook book(random, subspaces, centroids, width);
            std::vector<uint16_t> query = random_halves(random, subspaces * width);
            tile.write(kMessage, query);
            ASSERT_EQ(rvf_load_query(kMessage, subspaces * width), 0);
            ASSERT_EQ(deliver(tile, book, 0, subspaces), static_cast<int32_t>(subspaces));
            Buffer codes = random_codes(random, book);
            std::vector<float> distances = pq_distances(tile, codes);
            for (uint32_t v = 0; v < kVectors; ++v) {
                double expected = 0, magnitudes = 0;
                for (uint32_t i = 0; i < subspaces * width; ++i) {
                    uint32_t m = i / width;
                    double x = book.value(m, codes[v * subspaces + m], i % width);
                    double q = half_value(query[i]);
                    double term = metric == kL2 ? (x - q) * (x - q) : -x * q;
                    expected += term;
                    magnitudes += std::fabs(term);
                }
                double tolerance =
                    (std::max(width / 16.0 + 6, 16.0) + 2 + subspaces) * kUnit * magnitudes;
                ASSERT_NEAR(distances[v], expected, tolerance) << subspaces << " x " << centroids;
            }
        }
    }
}

TEST(Pq, CodebookInPartsGivesTheSameBitsAsInOne) {
    Random random(14);
    Codebook book(random, 24, 32, 16);
    std::vector<uint16_t> query = random_halves(random, 24 * 16);
    Buffer codes = random_codes(random, book);
    std::vector<float> whole, parts;
    {
        Tile tile;
        start(tile, kL2, 0);
        tile.write(kMessage, query);
        ASSERT_EQ(rvf_load_query(kMessage, 24 * 16), 0);
        ASSERT_EQ(deliver(tile, book, 0, 24), 24);
        whole = pq_distances(tile, codes);
    }
    {
        Tile tile;
        start(tile, kL2, 24);
        tile.write(kMessage, query);
        ASSERT_EQ(rvf_load_query(kMessage, 24 * 16), 0);
        ASSERT_EQ(deliver(tile, book, 0, 10), 10);
        ASSERT_EQ(deliver(tile, book, 10, 1), 11);
        ASSERT_EQ(deliver(tile, book, 11, 13), 24);
        parts = pq_distances(tile, codes);
    }
    EXPECT_EQ(whole, parts);
}

TEST(Pq, DistancesWaitForTheLastPart) {
    Random random(15);
    Codebook book(random, 4, 8, 4);
    Tile tile;
    start(tile, kL2, 4);
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    EXPECT_EQ(rvf_pq_distances(kBlock, 1, kMessage), kTileInvalidMessage);
    ASSERT_EQ(deliver(tile, book, 0, 3), 3);
    EXPECT_EQ(rvf_pq_distances(kBlock, 1, kMessage), kTileInvalidMessage);
    ASSERT_EQ(deliver(tile, book, 3, 1), 4);
    EXPECT_EQ(rvf_pq_distances(kMessage, 1, kRouting), 1);
}

TEST(Pq, PartsMustAgreeAndNotExceedTheWhole) {
    Random random(16);
    Codebook book(random, 4, 8, 4);
    Tile tile;
    start(tile, kL2, 4);
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    ASSERT_EQ(deliver(tile, book, 0, 3), 3);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 1, 7), kInvalidArgument);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 2, 8), kDimensionMismatch);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 1, 8), 4);
}

TEST(Pq, ACompleteCodebookIsReplacedByTheNext) {
    Random random(17);
    Tile tile;
    start(tile, kL2, 0);
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    ASSERT_EQ(deliver(tile, Codebook(random, 4, 8, 4), 0, 4), 4);
    EXPECT_EQ(deliver(tile, Codebook(random, 2, 16, 8), 0, 2), 2);
}

// A code may be any byte of a damaged vector; the call is refused before it writes.
TEST(Pq, CodeOfKOrMoreIsRefusedWithNothingWritten) {
    Random random(18);
    Codebook book(random, 4, 8, 4);
    Tile tile;
    start(tile, kL2, 0);
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    ASSERT_EQ(deliver(tile, book, 0, 4), 4);
    Buffer codes(4 * kVectors, 7);
    for (size_t at : {size_t{0}, size_t{41}, codes.size() - 1}) {
        for (uint32_t bad : {8u, 9u, 64u, 128u, 255u}) {
            Buffer damaged = codes;
            damaged[at] = static_cast<uint8_t>(bad);
            tile.write(kBlock, damaged);
            Buffer before = tile.save();
            EXPECT_EQ(rvf_pq_distances(kBlock, kVectors, kMessage), kInvalidArgument);
            EXPECT_TRUE(tile.equals(before));
        }
    }
    tile.write(kBlock, codes);
    EXPECT_EQ(rvf_pq_distances(kBlock, kVectors, kMessage), static_cast<int32_t>(kVectors));
}

TEST(Pq, TakesOneTo64Centroids) {
    Tile tile;
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 4, 0), kInvalidArgument);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 0, 4), kInvalidArgument);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 4, 65), kInvalidArgument);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 4, 64), 4);
}

TEST(Pq, SubspacesMustDivideTheDimension) {
    Tile tile;
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    for (uint32_t subspaces : {3u, 5u, 17u, 32u, ~0u}) {
        EXPECT_EQ(rvf_load_pq_codebook(kBlock, subspaces, 4), kDimensionMismatch);
    }
}

TEST(Pq, TablesMustFitTheirArea) {
    Tile tile;
    ASSERT_EQ(rvf_load_query(kMessage, 128), 0);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 64, 64), 64);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 128, 32), 128);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 128, 33), kTileOutOfMemory);
}

TEST(Pq, HasL2AndInnerProductOnly) {
    for (Metric metric : {kCosine, kHamming}) {
        Tile tile;
        start(tile, metric, 0);
        ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
        EXPECT_EQ(rvf_load_pq_codebook(kBlock, 4, 4), kMetricUnsupported);
    }
}

TEST(Pq, NewQueryForgetsTheTables) {
    Tile tile;
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    ASSERT_EQ(rvf_load_pq_codebook(kBlock, 4, 4), 4);
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    EXPECT_EQ(rvf_pq_distances(kBlock, 1, kMessage), kTileInvalidMessage);
}

// SQ parameters of the query's dimension were loaded before, and are gone too.
TEST(Pq, NewQueryForgetsTheTablesThatReplacedSqParameters) {
    Tile tile;
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    ASSERT_EQ(rvf_load_sq_params(kMessage, 16), 0);
    ASSERT_EQ(rvf_load_pq_codebook(kBlock, 4, 4), 4);
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    EXPECT_EQ(rvf_pq_distances(kBlock, 1, kMessage), kTileInvalidMessage);
    EXPECT_EQ(rvf_dequant_i8(kBlock, kMessage, 1), kTileInvalidMessage);
}

TEST(Pq, ReplacesSqParametersAndIsReplacedByThem) {
    Tile tile;
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    ASSERT_EQ(rvf_load_sq_params(kMessage, 16), 0);
    ASSERT_EQ(rvf_load_pq_codebook(kBlock, 4, 4), 4);
    EXPECT_EQ(rvf_dequant_i8(kBlock, kMessage, 1), kTileInvalidMessage);
    ASSERT_EQ(rvf_load_sq_params(kMessage, 16), 0);
    EXPECT_EQ(rvf_pq_distances(kBlock, 1, kMessage), kTileInvalidMessage);
}

// Four halves are decoded at a time; what lies behind the codebook must make no difference. That
// nothing further away is read is what poisoned memory shows (support.h).
TEST(Pq, CodebookMayEndWhereARegionEnds) {
    Random random(19);
    for (uint32_t width = 1; width <= 9; ++width) {
        std::vector<uint16_t> query = random_halves(random, width);
        std::vector<uint16_t> centroid = random_halves(random, width);
        std::vector<uint32_t> found;
        for (Address end : {kBlock + 0x1000, kWorkspace, kDataEnd, kQuery}) {
            Tile tile;
            tile.write(kBlock, Buffer(0x2000, 0xEE));
            tile.write(kMessage, query);
            ASSERT_EQ(rvf_load_query(kMessage, width), 0);
            tile.write(end - 2 * width, centroid);
            ASSERT_EQ(rvf_load_pq_codebook(end - 2 * width, 1, 1), 1);
            found.push_back(tile.read<uint32_t>(kTables, 1)[0]);
        }
        EXPECT_EQ(found, std::vector(4, found[0])) << width;
    }
}

// A host may write its configuration to 0x00000 and not have it checked.
TEST(Pq, FewerSubspacesThanLoadedInTheConfigurationAreRefused) {
    Random random(22);
    Tile tile;
    start(tile, kL2, 64);
    ASSERT_EQ(rvf_load_query(kMessage, 64), 0);
    ASSERT_EQ(deliver(tile, Codebook(random, 63, 64, 1), 0, 63), 63);
    tile.write(kConfig + 4, std::vector<uint16_t>{1});
    for (uint32_t subspaces : {1u, 3u, ~0u, ~0u - 62}) {
        EXPECT_EQ(rvf_load_pq_codebook(kBlock, subspaces, 64), kDimensionMismatch);
    }
}

TEST(Pq, BlockOfCodesGivesTheDistancesOfTheCodesForEveryMetric) {
    Random random(23);
    Codebook book(random, 4, 8, 4);
    Tile tile;
    start(tile, kL2, 0);
    tile.write(kMessage, random_halves(random, 16));
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    ASSERT_EQ(deliver(tile, book, 0, 4), 4);
    std::vector<float> expected = pq_distances(tile, random_codes(random, book));
    ASSERT_EQ(rvf_load_block(kBlock, kVectors, kPqCodes), 0);
    for (uint32_t metric : {kL2, kInnerProduct, kCosine, kHamming}) {
        ASSERT_EQ(rvf_distances(metric, kHotCache), static_cast<int32_t>(kVectors));
        EXPECT_EQ(tile.read<float>(kHotCache, kVectors), expected);
    }
    EXPECT_EQ(rvf_distances(4, kHotCache), kMetricUnsupported);
}

TEST(Pq, BlockOfCodesIsRefusedAsTheCodesAre) {
    Random random(24);
    Tile tile;
    start(tile, kL2, 4);
    ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
    Codebook book(random, 4, 8, 4);
    ASSERT_EQ(deliver(tile, book, 0, 3), 3);
    ASSERT_EQ(rvf_load_block(kHotCache, 1, kPqCodes), 0);
    EXPECT_EQ(rvf_distances(kL2, kMessage), kTileInvalidMessage);
    ASSERT_EQ(deliver(tile, book, 3, 1), 4);
    EXPECT_EQ(rvf_distances(kL2, kMessage), 1);
    tile.write(kHotCache, Buffer{0, 0, 0, 8});
    EXPECT_EQ(rvf_distances(kL2, kMessage), kInvalidArgument);
    ASSERT_EQ(rvf_load_sq_params(kMessage, 16), 0);
    EXPECT_EQ(rvf_distances(kL2, kMessage), kTileInvalidMessage);
}

TEST(Pq, NanInACodebookGivesTheOneNan) {
    Tile tile;
    ASSERT_EQ(rvf_load_query(kMessage, 2), 0);
    tile.write(kBlock, std::vector<uint16_t>{0xFE00, 0xFE01});
    ASSERT_EQ(rvf_load_pq_codebook(kBlock, 2, 1), 2);
    tile.write(kBlock, Buffer{0, 0});
    ASSERT_EQ(rvf_pq_distances(kBlock, 1, kMessage), 1);
    EXPECT_EQ(tile.read<uint32_t>(kMessage, 1)[0], test::kTheNan);
}

} // namespace
} // namespace rvf::tile
