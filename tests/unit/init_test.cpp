// rvf_init, what the profiles take, and how many vectors fit a block.
#include <gtest/gtest.h>

#include "kernel/kernel.h"
#include "tests/unit/support.h"

namespace rvf::tile {
namespace {

using test::Buffer;
using test::Tile;

constexpr Address kHere = kRouting;

Buffer config_bytes(uint32_t profile, uint32_t metric, uint32_t k) {
    Buffer bytes(sizeof(TileConfig));
    bytes[0] = static_cast<uint8_t>(profile);
    bytes[1] = static_cast<uint8_t>(metric);
    bytes[2] = static_cast<uint8_t>(k);
    return bytes;
}

int32_t init(Tile& tile, const Buffer& bytes, Address address = kHere) {
    tile.write(address, bytes);
    return rvf_init(address);
}

void start(Tile& tile, Profile profile) {
    ASSERT_EQ(init(tile, config_bytes(profile, kL2, 16)), 0);
}

int32_t load_zero_query(uint32_t dimension) { return rvf_load_query(kBlock, dimension); }

TEST(Init, TakesEveryKnownConfiguration) {
    Tile tile;
    for (uint32_t profile : {kCoreProfile, kHotProfile}) {
        for (uint32_t metric = kL2; metric <= kHamming; ++metric) {
            for (uint32_t k = 1; k <= kMaxTopK; ++k) {
                EXPECT_EQ(init(tile, config_bytes(profile, metric, k)), 0);
            }
        }
    }
}

TEST(Init, RefusesUnknownProfiles) {
    Tile tile;
    for (uint32_t profile = 0; profile < 256; ++profile) {
        bool known = profile == kCoreProfile || profile == kHotProfile;
        EXPECT_EQ(init(tile, config_bytes(profile, kL2, 1)), known ? kOk : kTileUnsupported);
    }
}

TEST(Init, RefusesUnknownMetrics) {
    Tile tile;
    for (uint32_t metric : {4u, 5u, 128u, 255u}) {
        EXPECT_EQ(init(tile, config_bytes(kHotProfile, metric, 1)), kMetricUnsupported);
    }
}

TEST(Init, RefusesKOutsideOneToSixteen) {
    Tile tile;
    for (uint32_t k : {0u, 17u, 128u, 255u}) {
        EXPECT_EQ(init(tile, config_bytes(kHotProfile, kL2, k)), kKTooLarge);
    }
}

TEST(Init, RefusesAReservedByteThatIsNotZero) {
    Tile tile;
    for (uint32_t value : {1u, 0x80u, 0xFFu}) {
        Buffer bytes = config_bytes(kHotProfile, kL2, 1);
        bytes[3] = static_cast<uint8_t>(value);
        EXPECT_EQ(init(tile, bytes), kInvalidArgument) << value;
    }
}

TEST(Init, KeepsTheHostsBytes) {
    Tile tile;
    Buffer bytes = config_bytes(kHotProfile, kL2, 1);
    for (size_t at = 6; at < bytes.size(); ++at) bytes[at] = static_cast<uint8_t>(0xA0 + at);
    EXPECT_EQ(init(tile, bytes), 0);
    EXPECT_EQ(tile.read<uint8_t>(kConfig, 64), bytes);
}

TEST(Init, TakesPqSubspacesInBothBytes) {
    Tile tile;
    for (size_t at : {4u, 5u}) {
        Buffer bytes = config_bytes(kHotProfile, kL2, 1);
        bytes[at] = 0xFF;
        EXPECT_EQ(init(tile, bytes), 0) << at;
    }
}

TEST(Init, ReadsTheConfigurationFromItsHomeAndFromAnyAlignment) {
    Tile tile;
    Buffer bytes = config_bytes(kCoreProfile, kL2, 1);
    for (Address address :
         {kConfig, kHere + 1, kMessage + 7, kDataEnd - 64, kBlock + 3, kQuery - 64}) {
        EXPECT_EQ(init(tile, bytes, address), 0) << address;
        EXPECT_EQ(tile.read<uint8_t>(kConfig, 64), bytes) << address;
    }
}

TEST(Init, ForgetsQueryBlockTablesAndResults) {
    Tile tile;
    start(tile, kHotProfile);
    ASSERT_EQ(rvf_load_sq_params(kBlock, 4), 0);
    ASSERT_EQ(load_zero_query(4), 0);
    ASSERT_EQ(rvf_load_block(kBlock, 1, kF16), 0);
    ASSERT_EQ(rvf_topk_merge(kBlock, kBlock, 1, 16), 0);
    ASSERT_EQ(rvf_topk_read(kMessage), 1);
    start(tile, kHotProfile);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kF16), kTileInvalidMessage);
    EXPECT_EQ(rvf_distances(kL2, kMessage), kTileInvalidMessage);
    EXPECT_EQ(rvf_dequant_i8(kBlock, kMessage, 1), kTileInvalidMessage);
    EXPECT_EQ(rvf_topk_read(kMessage), 0);
}

TEST(NeverStarted, WorksAsAHotTileWithL2) {
    Tile tile;
    ASSERT_EQ(load_zero_query(kMaxDimension), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kF32), 0);
    EXPECT_EQ(rvf_distances(kL2, kMessage), 1);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 1, 1), 1);
}

TEST(NeverStarted, HasNothingLoaded) {
    Tile tile;
    EXPECT_EQ(rvf_load_block(kBlock, 1, kF16), kTileInvalidMessage);
    EXPECT_EQ(rvf_distances(kL2, kMessage), kTileInvalidMessage);
    EXPECT_EQ(rvf_dequant_i8(kBlock, kMessage, 1), kTileInvalidMessage);
    EXPECT_EQ(rvf_pq_distances(kBlock, 1, kMessage), kTileInvalidMessage);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 1, 1), kTileInvalidMessage);
    EXPECT_EQ(rvf_topk_read(kMessage), 0);
}

TEST(Profile, CoreTakes384DimensionsOfFloatsAnd768OfI8) {
    Tile tile;
    start(tile, kCoreProfile);
    ASSERT_EQ(load_zero_query(384), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kF16), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kF32), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kI8), 0);
    ASSERT_EQ(load_zero_query(385), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kF16), kDimensionMismatch);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kF32), kDimensionMismatch);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kI8), 0);
    ASSERT_EQ(load_zero_query(768), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kI8), 0);
    EXPECT_EQ(load_zero_query(769), kDimensionMismatch);
}

TEST(Profile, HotTakes1024DimensionsOfEverything) {
    Tile tile;
    start(tile, kHotProfile);
    ASSERT_EQ(load_zero_query(1024), 0);
    for (uint32_t dtype : {kF16, kI8, kF32}) EXPECT_EQ(rvf_load_block(kBlock, 1, dtype), 0);
    EXPECT_EQ(load_zero_query(1025), kDimensionMismatch);
    EXPECT_EQ(load_zero_query(0), kDimensionMismatch);
}

TEST(Profile, CoreHasNeitherPqNorNavigation) {
    Tile tile;
    start(tile, kCoreProfile);
    ASSERT_EQ(load_zero_query(4), 0);
    EXPECT_EQ(rvf_load_pq_codebook(kBlock, 1, 1), kTileUnsupported);
    EXPECT_EQ(rvf_greedy_step(0, 0), kTileUnsupported);
}

// The counts of the tile document: 80 rows of f16 without tables, 85 rows of i8 beside SQ
// parameters.
TEST(Block, HoldsAsManyRowsAsTheDocumentSays) {
    Tile tile;
    start(tile, kCoreProfile);
    ASSERT_EQ(load_zero_query(384), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 80, kF16), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 81, kF16), kTileOutOfMemory);
    ASSERT_EQ(rvf_load_sq_params(kMessage, 384), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 85, kI8), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 86, kI8), kTileOutOfMemory);
    EXPECT_EQ(rvf_load_block(kBlock, 42, kF16), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 43, kF16), kTileOutOfMemory);
}

TEST(Block, LiesInTheHotCacheWithOrWithoutTables) {
    Tile tile;
    ASSERT_EQ(load_zero_query(384), 0);
    EXPECT_EQ(rvf_load_block(kHotCache, 16, kF16), 0);
    EXPECT_EQ(rvf_load_block(kHotCache, 17, kF16), kTileOutOfMemory);
    ASSERT_EQ(rvf_load_sq_params(kMessage, 384), 0);
    EXPECT_EQ(rvf_load_block(kHotCache, 16, kF16), 0);
    EXPECT_EQ(rvf_load_block(kHotCache, 17, kF16), kTileOutOfMemory);
}

TEST(Block, IsRefusedInTheTableAreaWhileTablesAreLoaded) {
    Tile tile;
    ASSERT_EQ(load_zero_query(16), 0);
    EXPECT_EQ(rvf_load_block(kTables, 1, kI8), 0);
    ASSERT_EQ(rvf_load_sq_params(kMessage, 16), 0);
    EXPECT_EQ(rvf_load_block(kTables, 1, kI8), kTileOutOfMemory);
    EXPECT_EQ(rvf_load_block(kTables - 16, 1, kI8), 0);
    EXPECT_EQ(rvf_load_block(kTables - 15, 1, kI8), kTileOutOfMemory);
    EXPECT_EQ(rvf_load_block(kHotCache - 1, 1, kI8), kTileOutOfMemory);
}

TEST(Block, ThatReachesIntoTheTableAreaIsForgottenByNewTables) {
    Tile tile;
    ASSERT_EQ(load_zero_query(16), 0);
    ASSERT_EQ(rvf_load_block(kTables - 15, 1, kI8), 0);
    ASSERT_EQ(rvf_load_sq_params(kMessage, 16), 0);
    EXPECT_EQ(rvf_distances(kL2, kMessage), kTileInvalidMessage);
}

TEST(Block, BesideTheTableAreaOutlivesNewTables) {
    Tile tile;
    ASSERT_EQ(load_zero_query(16), 0);
    for (Address block : {kTables - 16, kHotCache}) {
        ASSERT_EQ(rvf_load_block(block, 1, kI8), 0);
        ASSERT_EQ(rvf_load_sq_params(kMessage, 16), 0);
        EXPECT_EQ(rvf_distances(kL2, kMessage), 1) << block;
        ASSERT_EQ(load_zero_query(16), 0);
    }
}

TEST(Block, RefusesUnknownTypesAndNoRows) {
    Tile tile;
    ASSERT_EQ(load_zero_query(16), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 1, 4), kTileUnsupported);
    EXPECT_EQ(rvf_load_block(kBlock, 1, ~0u), kTileUnsupported);
    EXPECT_EQ(rvf_load_block(kBlock, 0, kF16), kInvalidArgument);
}

TEST(Block, LiesInOneUsableRange) {
    Tile tile;
    ASSERT_EQ(load_zero_query(16), 0);
    for (Address block : {kRouting, kWorkspace - 16, kMessage, kNeighborCache, kDataEnd - 16,
                          kBlock, kQuery - 16}) {
        EXPECT_EQ(rvf_load_block(block, 1, kI8), kOk) << block;
    }
    for (Address block : {0u, kRouting - 1, kWorkspace - 15, kMessage - 1, kDataEnd - 15, kDataEnd,
                          kBlock - 1, kQuery - 15, kQuery, kScratchEnd, ~0u}) {
        EXPECT_EQ(rvf_load_block(block, 1, kI8), kTileOutOfMemory) << block;
    }
}

TEST(Block, OfPqCodesNeedsPqTables) {
    Tile tile;
    ASSERT_EQ(load_zero_query(16), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kPqCodes), kTileInvalidMessage);
    ASSERT_EQ(rvf_load_sq_params(kMessage, 16), 0);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kPqCodes), kTileInvalidMessage);
    ASSERT_EQ(rvf_load_pq_codebook(kBlock, 4, 4), 4);
    EXPECT_EQ(rvf_load_block(kBlock, 1, kPqCodes), kOk);
}

// A row of codes has one byte per subspace, whatever the dimension.
TEST(Block, HoldsAsManyRowsOfPqCodesAsBytesAllow) {
    Tile tile;
    ASSERT_EQ(load_zero_query(1024), 0);
    ASSERT_EQ(rvf_load_pq_codebook(kBlock, 64, 4), 64);
    EXPECT_EQ(rvf_load_block(kBlock, 512, kPqCodes), kOk);
    EXPECT_EQ(rvf_load_block(kBlock, 513, kPqCodes), kTileOutOfMemory);
    EXPECT_EQ(rvf_load_block(kHotCache, 192, kPqCodes), kOk);
    EXPECT_EQ(rvf_load_block(kHotCache, 193, kPqCodes), kTileOutOfMemory);
}

TEST(Query, NewOneEmptiesTheTopKAndForgetsTheBlock) {
    Tile tile;
    ASSERT_EQ(load_zero_query(4), 0);
    ASSERT_EQ(rvf_load_block(kBlock, 1, kF16), 0);
    ASSERT_EQ(rvf_topk_merge(kBlock, kBlock, 1, 16), 0);
    ASSERT_EQ(load_zero_query(4), 0);
    EXPECT_EQ(rvf_topk_read(kMessage), 0);
    EXPECT_EQ(rvf_distances(kL2, kMessage), kTileInvalidMessage);
}

TEST(Query, RefusedOneKeepsTheLast) {
    Tile tile;
    ASSERT_EQ(load_zero_query(4), 0);
    ASSERT_EQ(rvf_load_block(kBlock, 1, kF16), 0);
    EXPECT_EQ(rvf_load_query(kDataEnd - 8, 5), kInvalidPointer);
    EXPECT_EQ(rvf_load_query(kBlock, 2000), kDimensionMismatch);
    EXPECT_EQ(rvf_distances(kL2, kMessage), 1);
}

Buffer header_bytes() {
    Buffer header(64);
    const uint8_t start[] = {0x53, 0x46, 0x56, 0x52, 1, 0x0A};
    std::memcpy(header.data(), start, sizeof(start));
    return header;
}

int32_t verify(Tile& tile, const Buffer& header) {
    tile.write(kMessage, header);
    return rvf_verify_header(kMessage);
}

TEST(VerifyHeader, TakesAGoodOne) {
    Tile tile;
    EXPECT_EQ(verify(tile, header_bytes()), 0);
}

TEST(VerifyHeader, RefusesEveryWrongMagicByte) {
    Tile tile;
    for (size_t at = 0; at < 4; ++at) {
        Buffer header = header_bytes();
        header[at] ^= 1;
        EXPECT_EQ(verify(tile, header), kInvalidMagic);
    }
}

TEST(VerifyHeader, RefusesEveryVersionButOne) {
    Tile tile;
    for (uint32_t version : {0u, 2u, 3u, 255u}) {
        Buffer header = header_bytes();
        header[4] = static_cast<uint8_t>(version);
        EXPECT_EQ(verify(tile, header), kInvalidVersion);
    }
}

TEST(VerifyHeader, KnowsHashAndCompressionCodesZeroToThree) {
    Tile tile;
    for (size_t at : {0x20u, 0x21u}) {
        for (uint32_t code = 0; code < 256; ++code) {
            Buffer header = header_bytes();
            header[at] = static_cast<uint8_t>(code);
            EXPECT_EQ(verify(tile, header), code <= 3 ? kOk : kInvalidArgument) << at;
        }
    }
}

TEST(VerifyHeader, RefusesReservedFieldsThatAreNotZero) {
    Tile tile;
    for (size_t at = 0x22; at < 0x28; ++at) {
        Buffer header = header_bytes();
        header[at] = 0x80;
        EXPECT_EQ(verify(tile, header), kInvalidArgument) << at;
    }
}

TEST(VerifyHeader, LimitsThePayloadTo256MiB) {
    Tile tile;
    const std::pair<uint64_t, int32_t> lengths[] = {{0, kOk},
                                                    {256u << 20, kOk},
                                                    {(256u << 20) + 1, kSegmentTooLarge},
                                                    {uint64_t{1} << 32, kSegmentTooLarge},
                                                    {~uint64_t{0}, kSegmentTooLarge}};
    for (auto [length, status] : lengths) {
        Buffer header = header_bytes();
        std::memcpy(header.data() + 16, &length, 8);
        EXPECT_EQ(verify(tile, header), status) << length;
    }
}

TEST(VerifyHeader, IgnoresTypeFlagsIdTimestampAndHash) {
    Tile tile;
    Buffer header = header_bytes();
    for (size_t at = 5; at < 64; ++at) {
        if (at < 16 || (at >= 0x18 && at < 0x20) || at >= 0x28) header[at] = 0xEE;
    }
    EXPECT_EQ(verify(tile, header), 0);
}

} // namespace
} // namespace rvf::tile
