// Ingest, replace and delete against a std::map that does the same.
#include "control/store.h"

#include <gtest/gtest.h>

#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::address;
using test::bits_of;
using test::ingest;
using test::Random;
using test::remove_ids;
using test::Rows;
using test::rows_of;
using test::StoreHandle;

std::vector<uint32_t> status_of(int32_t store) {
    std::vector<uint32_t> words(kStatusBytes / 4);
    EXPECT_EQ(rvf_store_status(store, address(words.data())), 0);
    return words;
}

TEST(Create, TakesDimensionsOneTo65535) {
    for (int32_t dimension : {1, 2, 3, 4, 5, 1024, 65535}) {
        StoreHandle store(dimension, kL2);
        ASSERT_GT(store, 0) << dimension;
        EXPECT_EQ(rvf_store_dimension(store), dimension);
        EXPECT_EQ(rvf_store_count(store), 0);
        EXPECT_EQ(rvf_store_warnings(store), 0);
    }
    for (int32_t dimension : {0, -1, 65536, INT32_MAX, INT32_MIN}) {
        EXPECT_EQ(rvf_store_create(dimension, kL2), kInvalidArgument) << dimension;
    }
}

TEST(Create, TakesTheThreeMetrics) {
    for (int32_t metric : {kL2, kInnerProduct, kCosine}) {
        StoreHandle store(3, metric);
        EXPECT_EQ(status_of(store)[2], static_cast<uint32_t>(metric));
    }
    for (int32_t metric : {-2, -1, 3, 255, INT32_MIN, INT32_MAX}) {
        EXPECT_EQ(rvf_store_create(3, metric), kMetricUnsupported) << metric;
    }
}

/// Random operations on few ids, so that rows die and are used again all the time.
void compare_with_map(int32_t dimension, uint32_t id_count, int operations, uint64_t seed,
                      uint64_t (*id_of)(uint64_t)) {
    StoreHandle store(dimension, kL2);
    Random random(seed);
    Rows model;
    auto random_id = [&] { return id_of(random.below(id_count)); };
    for (int i = 0; i < operations; ++i) {
        std::vector<uint64_t> ids(1 + random.below(12));
        for (uint64_t& id : ids) id = random_id();
        if (random.below(3)) {
            auto size = static_cast<size_t>(dimension);
            std::vector<float> vectors = random.vector(ids.size() * size, -1, 1);
            ASSERT_EQ(ingest(store, ids, vectors), static_cast<int32_t>(ids.size()));
            for (size_t row = 0; row < ids.size(); ++row) {
                auto first = vectors.begin() + static_cast<std::ptrdiff_t>(row * size);
                model[ids[row]].assign(first, first + dimension);
            }
        } else {
            int32_t deleted = 0;
            for (uint64_t id : ids) deleted += static_cast<int32_t>(model.erase(id));
            ASSERT_EQ(remove_ids(store, ids), deleted);
        }
        ASSERT_EQ(rvf_store_count(store), static_cast<int32_t>(model.size()));
        if (i % 16 == 0) ASSERT_EQ(rows_of(store), model) << "operation " << i;
    }
    ASSERT_EQ(rows_of(store), model);
}

uint64_t small_id(uint64_t n) { return n; }

/// Both ends of the range and the middle, where signed and 32-bit readings go wrong.
uint64_t edge_id(uint64_t n) {
    const uint64_t edges[] = {0, ~0ull, 1ull << 63, 1ull << 32, 1ull << 31, 0xFFFFFFFF};
    return edges[n % 6] + n / 6 - 3;
}

/// Ids that one multiplicative hash by the golden ratio sends to neighbouring numbers, and so to
/// one slot of any small table. The inverse of the multiplier comes from Newton's iteration.
uint64_t colliding_id(uint64_t n) {
    const uint64_t golden = 0x9E3779B97F4A7C15;
    uint64_t inverse = golden;
    for (int i = 0; i < 6; ++i) inverse *= 2 - golden * inverse;
    return inverse * n;
}

/// The same at the end of the table, so that probing wraps around.
uint64_t wrapping_id(uint64_t n) { return colliding_id(~uint64_t{0} - n); }

TEST(Store, EqualsAMapAfterAnyOperations) {
    for (int32_t dimension : {1, 2, 3, 4, 5, 17}) {
        compare_with_map(dimension, 60, 500, static_cast<uint64_t>(dimension), small_id);
    }
}

TEST(Store, EqualsAMapWithManyIds) { compare_with_map(2, 5000, 3000, 50, small_id); }

TEST(Store, EqualsAMapWithIdsAtTheEdgesOf64Bits) { compare_with_map(3, 40, 500, 51, edge_id); }

TEST(Store, EqualsAMapWhenIdsCollide) {
    compare_with_map(2, 300, 1000, 52, colliding_id);
    compare_with_map(2, 300, 1000, 53, wrapping_id);
}

// Chunks hold a few MB, and so 16 rows of the most dimensions.
TEST(Store, EqualsAMapAcrossChunkBorders) { compare_with_map(65535, 40, 30, 54, small_id); }

TEST(Ingest, LastOfEqualIdsInOneCallWins) {
    StoreHandle store(1, kL2);
    ASSERT_EQ(ingest(store, {7, 8, 7, 7}, {1, 2, 3, 4}), 4);
    EXPECT_EQ(rows_of(store), (Rows{{7, {4}}, {8, {2}}}));
}

TEST(Ingest, AnswersTheCountGivenEvenWhenAllIdsAreOld) {
    StoreHandle store(1, kL2);
    ASSERT_EQ(ingest(store, {1, 2}, {1, 2}), 2);
    EXPECT_EQ(ingest(store, {1, 2}, {3, 4}), 2);
    EXPECT_EQ(rvf_store_count(store), 2);
}

TEST(Ingest, NothingIsFineAndChangesNothing) {
    StoreHandle store(1, kL2);
    EXPECT_EQ(rvf_store_ingest(store, 0, 0, 0), 0);
    EXPECT_EQ(rvf_store_count(store), 0);
}

TEST(Ingest, RefusesNegativeCountsAndNullPointers) {
    StoreHandle store(1, kL2);
    float value = 1;
    uint64_t id = 1;
    EXPECT_EQ(rvf_store_ingest(store, address(&value), address(&id), -1), kInvalidArgument);
    EXPECT_EQ(rvf_store_ingest(store, address(&value), address(&id), INT32_MIN), kInvalidArgument);
    EXPECT_EQ(rvf_store_ingest(store, 0, address(&id), 1), kInvalidPointer);
    EXPECT_EQ(rvf_store_ingest(store, address(&value), 0, 1), kInvalidPointer);
    EXPECT_EQ(rvf_store_count(store), 0);
}

// One bad element among 51 refuses the whole batch, wherever it is.
TEST(Ingest, IsAllOrNothingWhenAnElementIsNotFinite) {
    StoreHandle store(3, kL2);
    ASSERT_EQ(ingest(store, {1}, {9, 9, 9}), 1);
    std::vector<uint64_t> ids(17);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    for (size_t at = 0; at < 51; ++at) {
        for (float bad : {NAN, -NAN, HUGE_VALF, -HUGE_VALF}) {
            std::vector<float> vectors(51, 1.0f);
            vectors[at] = bad;
            ASSERT_EQ(ingest(store, ids, vectors), kNotFinite);
        }
    }
    EXPECT_EQ(rows_of(store), (Rows{{1, {9, 9, 9}}}));
}

TEST(Ingest, TakesEveryFiniteNumberBitForBit) {
    std::vector<float> odd = {0.0f,       -0.0f,           0x1p-149f,
                              -0x1p-149f, 0x1.fffffep127f, -0x1.fffffep127f};
    StoreHandle store(6, kL2);
    ASSERT_EQ(ingest(store, {5}, odd), 1);
    std::vector<float> kept = rows_of(store).at(5);
    for (size_t i = 0; i < odd.size(); ++i) EXPECT_EQ(bits_of(kept[i]), bits_of(odd[i]));
}

TEST(Ingest, ReadsFromAnyAlignment) {
    StoreHandle store(2, kL2);
    alignas(8) uint8_t memory[64] = {};
    const float values[] = {1.5f, -2.5f};
    const uint64_t id = 0x0123456789ABCDEF;
    std::memcpy(memory + 3, values, 8);
    std::memcpy(memory + 21, &id, 8);
    ASSERT_EQ(rvf_store_ingest(store, address(memory + 3), address(memory + 21), 1), 1);
    EXPECT_EQ(rows_of(store), (Rows{{id, {1.5f, -2.5f}}}));
}

TEST(Delete, CountsOnlyIdsThatWereThere) {
    StoreHandle store(1, kL2);
    ASSERT_EQ(ingest(store, {1, 2, 3}, {1, 2, 3}), 3);
    EXPECT_EQ(remove_ids(store, {2, 2, 9, 3}), 2);
    EXPECT_EQ(remove_ids(store, {2}), 0);
    EXPECT_EQ(rows_of(store), (Rows{{1, {1}}}));
}

TEST(Delete, RefusesNegativeCountsAndNullPointers) {
    StoreHandle store(1, kL2);
    uint64_t id = 1;
    EXPECT_EQ(rvf_store_delete(store, address(&id), -1), kInvalidArgument);
    EXPECT_EQ(rvf_store_delete(store, 0, 1), kInvalidPointer);
    EXPECT_EQ(rvf_store_delete(store, 0, 0), 0);
}

TEST(Delete, RowsAreUsedAgainBeforeNewOnesAreTaken) {
    StoreHandle store(4, kL2);
    std::vector<uint64_t> ids(100);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    ASSERT_EQ(ingest(store, ids, std::vector<float>(400, 1.0f)), 100);
    ASSERT_EQ(remove_ids(store, ids), 100);
    EXPECT_EQ(status_of(store), (std::vector<uint32_t>{0, 4, 0, 100, 100}));
    for (uint64_t& id : ids) id += 1000;
    ASSERT_EQ(ingest(store, ids, std::vector<float>(400, 2.0f)), 100);
    EXPECT_EQ(status_of(store), (std::vector<uint32_t>{100, 4, 0, 100, 0}));
}

TEST(Delete, ADeletedIdIsNeverFound) {
    StoreHandle store(1, kL2);
    ASSERT_EQ(ingest(store, {1, 2, 3}, {1, 2, 3}), 3);
    ASSERT_EQ(remove_ids(store, {2}), 1);
    for (const test::Answer& answer : test::query(store, {2}, 10)) EXPECT_NE(answer.id, 2u);
}

TEST(Vector, IsTheOneThatWasIngestedLast) {
    StoreHandle store(3, kL2);
    ASSERT_EQ(ingest(store, {5, ~0ull, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9}), 3);
    for (auto [id, expected] : Rows{{5, {7, 8, 9}}, {~0ull, {4, 5, 6}}}) {
        std::vector<float> out(3);
        EXPECT_EQ(rvf_store_vector(store, address(&id), address(out.data())), 1);
        EXPECT_EQ(out, expected);
    }
}

TEST(Vector, OfAnUnknownOrDeletedIdWritesNothing) {
    StoreHandle store(3, kL2);
    ASSERT_EQ(ingest(store, {5}, {1, 2, 3}), 1);
    ASSERT_EQ(remove_ids(store, {5}), 1);
    for (uint64_t id : {5u, 6u}) {
        std::vector<float> out(3, 77);
        EXPECT_EQ(rvf_store_vector(store, address(&id), address(out.data())), 0);
        EXPECT_EQ(out, std::vector<float>(3, 77));
    }
}

TEST(MemoryUsage, CoversRowsIdsAndKeptSegments) {
    StoreHandle store(64, kL2);
    std::vector<uint64_t> ids(1000);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    ASSERT_EQ(ingest(store, ids, std::vector<float>(64'000, 1.0f)), 1000);
    uint64_t usage[4] = {};
    ASSERT_EQ(rvf_store_memory_usage(store, address(usage)), 0);
    EXPECT_GE(usage[0], 64'000u * 4);
    EXPECT_GE(usage[1], 1000u * 12);
    EXPECT_EQ(usage[2], 0u);
    EXPECT_GE(usage[3], usage[0] + usage[1]);
}

TEST(AllFinite, LooksAtEveryElementAtAnyAlignment) {
    std::vector<uint8_t> memory(4 * 40 + 4);
    for (size_t offset = 0; offset < 4; ++offset) {
        EXPECT_TRUE(all_finite(memory.data() + offset, 40));
        for (size_t at = 0; at < 40; ++at) {
            std::vector<uint8_t> bad = memory;
            const float nan = NAN;
            std::memcpy(bad.data() + offset + 4 * at, &nan, 4);
            EXPECT_FALSE(all_finite(bad.data() + offset, 40));
            EXPECT_TRUE(all_finite(bad.data() + offset, at));
        }
    }
}

TEST(AllFinite, TellsTheLargestNumberFromInfinity) {
    for (uint32_t bits : {0x7F7FFFFFu, 0xFF7FFFFFu, 0u, 0x80000000u, 1u}) {
        EXPECT_TRUE(all_finite(reinterpret_cast<const uint8_t*>(&bits), 1)) << bits;
    }
    for (uint32_t bits : {0x7F800000u, 0xFF800000u, 0x7F800001u, 0xFFFFFFFFu}) {
        EXPECT_FALSE(all_finite(reinterpret_cast<const uint8_t*>(&bits), 1)) << bits;
    }
}

} // namespace
} // namespace rvf
