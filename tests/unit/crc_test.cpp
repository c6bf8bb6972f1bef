// Both checksums against published vectors and a byte-by-byte computation.
#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "control/crc32.h"
#include "kernel/kernel.h"
#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::Buffer;
using test::crc_of;

constexpr tile::Address kHere = 0x0800;

Buffer text(const std::string& characters) { return {characters.begin(), characters.end()}; }

Buffer ascending() {
    Buffer bytes(32);
    std::iota(bytes.begin(), bytes.end(), uint8_t{0});
    return bytes;
}

uint32_t crc32c(const Buffer& bytes) {
    test::Tile tile;
    tile.write(kHere, bytes);
    return static_cast<uint32_t>(tile::rvf_crc32c(kHere, static_cast<uint32_t>(bytes.size())));
}

TEST(Crc32c, CheckValue) { EXPECT_EQ(crc32c(text("123456789")), 0xE3069283); }

// RFC 3720, appendix B.4.
TEST(Crc32c, IscsiVectors) {
    EXPECT_EQ(crc32c(Buffer(32, 0x00)), 0x8A9136AA);
    EXPECT_EQ(crc32c(Buffer(32, 0xFF)), 0x62A8AB43);
    EXPECT_EQ(crc32c(ascending()), 0x46DD794E);
    Buffer descending = ascending();
    std::reverse(descending.begin(), descending.end());
    EXPECT_EQ(crc32c(descending), 0x113FDB5C);
}

TEST(Crc32c, NothingGivesZero) { EXPECT_EQ(crc32c({}), 0u); }

TEST(Crc32c, AnyAddressAndLength) {
    test::Tile tile;
    test::Random random(2);
    Buffer bytes(0xF000);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.bits());
    tile.write(tile::kBlock, bytes);
    for (uint32_t size : {1u, 2u, 3u, 7u, 64u, 1000u, 0xEFF0u}) {
        for (uint32_t offset = 0; offset < 16; ++offset) {
            auto crc = static_cast<uint32_t>(tile::rvf_crc32c(tile::kBlock + offset, size));
            ASSERT_EQ(crc, crc_of(bytes.data() + offset, size, 0x82F63B78))
                << size << " " << offset;
        }
    }
}

// The answer for a pointer is a number that a checksum may have too; these bytes have another.
TEST(Crc32c, RefusesTheTableAreaWhileItHoldsTables) {
    test::Tile tile;
    EXPECT_EQ(tile::rvf_crc32c(tile::kTables, 0), 0);
    EXPECT_NE(tile::rvf_crc32c(tile::kTables, 1), kInvalidPointer);
    ASSERT_EQ(tile::rvf_load_sq_params(kHere, 1), 0);
    EXPECT_EQ(tile::rvf_crc32c(tile::kTables, 1), kInvalidPointer);
    EXPECT_EQ(tile::rvf_crc32c(tile::kTables - 1, 2), kInvalidPointer);
    EXPECT_NE(tile::rvf_crc32c(tile::kTables - 1, 1), kInvalidPointer);
    EXPECT_NE(tile::rvf_crc32c(tile::kHotCache, 1), kInvalidPointer);
}

uint32_t crc32_of(const Buffer& bytes) { return crc32({bytes.data(), bytes.size()}); }

TEST(Crc32, CheckValue) { EXPECT_EQ(crc32_of(text("123456789")), 0xCBF43926); }

TEST(Crc32, NothingGivesZero) { EXPECT_EQ(crc32_of({}), 0u); }

// Those that go through the table alone.
TEST(Crc32, EveryLengthAndAlignment) {
    test::Random random(3);
    Buffer bytes(200);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.bits());
    for (size_t offset = 0; offset < 17; ++offset) {
        for (size_t size = 0; size <= 150; ++size) {
            ASSERT_EQ(crc32({bytes.data() + offset, size}),
                      crc_of(bytes.data() + offset, size, 0xEDB88320))
                << offset << " " << size;
        }
    }
}

// From two spans of 4,800 bytes on blocks are taken out, up to 14,400 bytes at a time.
TEST(Crc32, LengthsAtWhichTheWayChanges) {
    test::Random random(4);
    Buffer bytes(60'000);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.bits());
    for (size_t edge : {4'800u, 9'600u, 14'400u, 19'200u, 33'600u, 48'000u}) {
        for (size_t size = edge - 17; size <= edge + 17; ++size) {
            size_t offset = size % 16;
            ASSERT_EQ(crc32({bytes.data() + offset, size}),
                      crc_of(bytes.data() + offset, size, 0xEDB88320))
                << size;
        }
    }
}

} // namespace
} // namespace rvf
