// LZ4 blocks on their way to a chip.
#include <gtest/gtest.h>
#include <lz4.h>
#include <lz4hc.h>

#include "host/sim/lz4_codec.h"
#include "tests/unit/support.h"

namespace rvf {
namespace {

using sim::Lz4Codec;
using test::Buffer;
using test::Random;

Buffer random_bytes(size_t size, uint32_t values) {
    Random random(size + values);
    Buffer bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.below(values));
    return bytes;
}

/// False also when what is not a block left something behind.
bool expands(const Buffer& compressed, size_t size) {
    Lz4Codec codec;
    Buffer block(7, 1);
    auto copy = test::exact_copy(compressed); // reading behind it is an error
    bool done = codec.expand(compressed, size, block);
    EXPECT_EQ(block.size(), done ? size : 0);
    Buffer target(size);
    EXPECT_EQ(sim::expand_lz4(copy.get(), compressed.size(), target.data(), size), done);
    return done;
}

TEST(Lz4, GivesBackWhatItWasGiven) {
    Lz4Codec codec;
    for (size_t size : {0u, 1u, 12u, 13u, 2048u, 61440u, 65536u}) {
        for (uint32_t values : {1u, 4u, 256u}) {
            Buffer block = random_bytes(size, values);
            Buffer expanded;
            Buffer compressed = codec.compress(block);
            ASSERT_TRUE(codec.expand(compressed, size, expanded)) << size << ' ' << values;
            EXPECT_EQ(expanded, block);
        }
    }
}

// Bytes from the description of the block format: one literal, a match 1 byte back of 4 + 10 bytes,
// five last literals.
TEST(Lz4, ReadsABlockWrittenByHand) {
    Lz4Codec codec;
    Buffer block;
    ASSERT_TRUE(codec.expand({0x1A, 'a', 0x01, 0x00, 0x50, 'a', 'a', 'a', 'a', 'b'}, 20, block));
    EXPECT_EQ(std::string(block.begin(), block.end()), "aaaaaaaaaaaaaaaaaaab");
}

TEST(Lz4, ReadsWhatTheStrongCompressorOfTheLibraryWrites) {
    Buffer block = random_bytes(50000, 5);
    Buffer compressed(static_cast<size_t>(LZ4_compressBound(50000)));
    compressed.resize(static_cast<size_t>(LZ4_compress_HC(
        reinterpret_cast<const char*>(block.data()), reinterpret_cast<char*>(compressed.data()),
        50000, static_cast<int>(compressed.size()), 12)));
    Buffer expanded;
    Lz4Codec codec;
    ASSERT_TRUE(codec.expand(compressed, block.size(), expanded));
    EXPECT_EQ(expanded, block);
}

TEST(Lz4, TheLibraryReadsWhatItWrites) {
    Lz4Codec codec;
    Buffer block = random_bytes(50000, 3);
    Buffer compressed = codec.compress(block);
    EXPECT_LT(compressed.size(), block.size());
    Buffer expanded(block.size());
    EXPECT_EQ(LZ4_decompress_safe(reinterpret_cast<const char*>(compressed.data()),
                                  reinterpret_cast<char*>(expanded.data()),
                                  static_cast<int>(compressed.size()), 50000),
              50000);
    EXPECT_EQ(expanded, block);
}

TEST(Lz4, RefusesABlockOfAnotherSize) {
    Lz4Codec codec;
    Buffer compressed = codec.compress(random_bytes(1000, 4));
    EXPECT_TRUE(expands(compressed, 1000));
    EXPECT_FALSE(expands(compressed, 999));
    EXPECT_FALSE(expands(compressed, 1001));
    EXPECT_FALSE(expands(compressed, 0));
}

TEST(Lz4, RefusesABlockThatIsCutOff) {
    Lz4Codec codec;
    Buffer compressed = codec.compress(random_bytes(1000, 4));
    while (!compressed.empty()) {
        compressed.pop_back();
        EXPECT_FALSE(expands(compressed, 1000)) << compressed.size();
    }
}

TEST(Lz4, RefusesMatchesFromBeforeTheBlock) {
    EXPECT_FALSE(expands({0x1A, 'a', 0x02, 0x00, 0x50, 'a', 'a', 'a', 'a', 'a'}, 20));
    EXPECT_FALSE(expands({0x1A, 'a', 0xFF, 0xFF, 0x50, 'a', 'a', 'a', 'a', 'a'}, 20));
}

// An address space's worth of memory is not even asked for.
TEST(Lz4, RefusesSizesThatNoBlockCanHave) {
    Lz4Codec codec;
    Buffer block;
    Buffer compressed = codec.compress(random_bytes(1000, 1));
    EXPECT_FALSE(codec.expand(compressed, size_t{1} << 60, block));
    EXPECT_FALSE(codec.expand(compressed, compressed.size() * 255 + 1, block));
    EXPECT_FALSE(codec.expand({}, 0, block));
}

TEST(Lz4, SurvivesDamage) {
    Lz4Codec codec;
    Random random(1);
    Buffer original = codec.compress(random_bytes(3000, 6));
    for (int round = 0; round < 20000; ++round) {
        Buffer compressed = original;
        for (uint32_t i = 0; i <= random.below(4); ++i) {
            compressed[random.bits() % compressed.size()] = static_cast<uint8_t>(random.bits());
        }
        expands(compressed, 2900 + random.below(200));
    }
}

} // namespace
} // namespace rvf
