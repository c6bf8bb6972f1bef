// Hamming distances against counting differing bits one by one.
#include <gtest/gtest.h>

#include "kernel/kernel.h"
#include "tests/unit/support.h"

namespace rvf::tile {
namespace {

using test::Buffer;
using test::Random;
using test::Tile;

uint32_t differing_bits_of(const Buffer& a, const Buffer& b, size_t bytes) {
    uint32_t bits = 0;
    for (size_t i = 0; i < 8 * bytes; ++i) bits += ((a[i / 8] ^ b[i / 8]) >> i % 8) & 1;
    return bits;
}

Buffer random_bytes(Random& random, size_t size) {
    Buffer bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.bits());
    return bytes;
}

/// What a block is compared with: the f16 bytes, or those of the widened f32 for f32 blocks.
Buffer comparable(const Buffer& halves, uint32_t dtype) {
    if (dtype != kF32) return halves;
    Buffer bytes(2 * halves.size());
    for (size_t i = 0; i < halves.size(); i += 2) {
        auto half = static_cast<uint16_t>(halves[i] | halves[i + 1] << 8);
        auto value = static_cast<float>(test::half_value(half));
        std::memcpy(bytes.data() + 2 * i, &value, 4);
    }
    return bytes;
}

class Hamming : public testing::TestWithParam<uint32_t> {};

// Query bytes are any bits, NaN included, except that f32 rows take numbers (NaN payloads are
// tested in half_test.cpp).
TEST_P(Hamming, CountsDifferingBitsOfRawBytes) {
    const uint32_t dtype = GetParam();
    Random random(11);
    for (uint32_t dimension :
         {1u, 3u, 5u, 7u, 15u, 17u, 96u, 97u, 384u, 511u, 513u, 1023u, 1024u}) {
        Tile tile;
        Buffer query = random_bytes(random, 2 * dimension);
        for (size_t i = 1; dtype == kF32 && i < query.size(); i += 2) query[i] &= 0xBF;
        tile.write(kMessage, query);
        ASSERT_EQ(rvf_load_query(kMessage, dimension), 0);
        size_t row_bytes = dimension * (dtype == kF16 ? 2 : dtype == kI8 ? 1 : 4);
        std::vector<Buffer> rows;
        for (uint32_t row = 0; row < 6; ++row) {
            rows.push_back(random_bytes(random, row_bytes));
            tile.write(kBlock + 5 + static_cast<Address>(row * row_bytes), rows.back());
        }
        ASSERT_EQ(rvf_load_block(kBlock + 5, 6, dtype), 0);
        ASSERT_EQ(rvf_distances(kHamming, kMessage), 6);
        std::vector<float> distances = tile.read<float>(kMessage, 6);
        Buffer against = comparable(query, dtype);
        for (size_t row = 0; row < 6; ++row) {
            auto expected = static_cast<float>(differing_bits_of(rows[row], against, row_bytes));
            ASSERT_EQ(distances[row], expected) << dimension;
        }
    }
}

TEST_P(Hamming, OfEqualBytesIsZeroAndOfOppositeOnesEveryBit) {
    const uint32_t dtype = GetParam();
    Tile tile;
    const uint32_t dimension = 97;
    Buffer query(2 * dimension, 0);
    tile.write(kMessage, query);
    ASSERT_EQ(rvf_load_query(kMessage, dimension), 0);
    Buffer equal = comparable(query, dtype);
    equal.resize(dimension * (dtype == kF16 ? 2 : dtype == kI8 ? 1 : 4));
    Buffer opposite(equal.size(), 0xFF);
    tile.write(kBlock, equal);
    tile.write(kBlock + static_cast<Address>(equal.size()), opposite);
    ASSERT_EQ(rvf_load_block(kBlock, 2, dtype), 0);
    ASSERT_EQ(rvf_distances(kHamming, kMessage), 2);
    std::vector<float> expected = {0, static_cast<float>(8 * equal.size())};
    EXPECT_EQ(tile.read<float>(kMessage, 2), expected);
}

// Eight bytes of a row are read at a time; the last may reach past a region, and counts for
// nothing.
TEST_P(Hamming, LastRowMayEndWhereARegionEnds) {
    const uint32_t dtype = GetParam();
    Random random(25);
    for (uint32_t dimension : {1u, 2u, 3u, 5u, 9u}) {
        auto bytes = static_cast<Address>(dimension * (dtype == kF16 ? 2 : dtype == kI8 ? 1 : 4));
        Buffer query = random_bytes(random, 2 * dimension);
        for (size_t i = 1; i < query.size(); i += 2) query[i] &= 0xBF;
        Buffer row = random_bytes(random, bytes);
        uint32_t expected = differing_bits_of(row, comparable(query, dtype), bytes);
        for (Address end : {kWorkspace, kDataEnd, kQuery}) {
            Tile tile;
            tile.write(kMessage, query);
            ASSERT_EQ(rvf_load_query(kMessage, dimension), 0);
            tile.write(end - bytes, row);
            ASSERT_EQ(rvf_load_block(end - bytes, 1, dtype), 0);
            ASSERT_EQ(rvf_distances(kHamming, kMessage), 1);
            EXPECT_EQ(tile.read<float>(kMessage, 1)[0], static_cast<float>(expected));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(All, Hamming, testing::Values(kF16, kI8, kF32), [](const auto& test) {
    return test.param == kF16 ? "F16" : test.param == kI8 ? "I8" : "F32";
});

} // namespace
} // namespace rvf::tile
