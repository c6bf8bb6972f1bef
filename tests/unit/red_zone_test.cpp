// No argument makes an export touch what is not on a tile, write where the manual does not allow
// it, or change anything when it refuses. Tile memory is poisoned around what exists (support.h),
// so that AddressSanitizer reports a stray read or write at once.
#include <gtest/gtest.h>

#include "tests/unit/tile_contract.h"

namespace rvf::test {
namespace {

using namespace tile;

const std::vector<uint32_t> kEdges = {
    0,          1,          2,          3,         4,          8,          15,         16,
    17,         63,         64,         0xFF,      0x100,      0x1FF,      0x200,      0x3C0,
    0x3FF,      0x400,      0x401,      0x7FF,     0x800,      0x1000,     0x100F,     0x1010,
    0x1FC1,     0x1FFE,     0x1FFF,     0x2000,    0x2001,     0xFFFF,     0x10000,    0x10001,
    0x17FFF,    0x18000,    0x18001,    0x1BFFF,   0x1C000,    0x1EFC1,    0x1EFFF,    0x1F000,
    0x1F001,    0x1FFFF,    0x20000,    0x20001,   0x3FFFFFFF, 0x40000000, 0x7FFFFFFF, 0x80000000,
    0xFFFEFFFF, 0xFFFFFFC0, 0xFFFFFFFE, 0xFFFFFFFF};

const std::vector<int64_t> kNodes = {0, 1, 77, -1, -2, -3, INT64_MAX, INT64_MIN, int64_t{1} << 32};

void fill(Tile& tile, uint64_t seed) {
    Random random(seed);
    Buffer bytes(kQuery - kBlock);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.bits());
    tile.write(kBlock, bytes);
    bytes.resize(kDataEnd - kMessage);
    tile.write(kMessage, bytes);
    bytes.resize(kWorkspace - kRouting);
    tile.write(kRouting, bytes);
}

/// Ids stay below 2^63, as the manual asks for: greater ones look like statuses.
void deliver_list(Tile& tile, uint16_t count) {
    tile.write(kNeighborCache, std::vector<uint64_t>{77});
    tile.write(kNeighborCache + 8, std::vector<uint32_t>{1});
    tile.write(kNeighborCache + 12, std::vector<uint16_t>{count, 0});
    for (uint32_t i = 0; i < count; ++i) {
        tile.write(kNeighborCache + 16 + 8 * i, std::vector<int64_t>{i % 2 ? i : INT64_MAX - i});
    }
}

void merge_some(Tile& tile) {
    tile.write(kMessage, std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    tile.write(kRouting, std::vector<uint64_t>{9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 100, 200});
    EXPECT_EQ(rvf_topk_merge(kMessage, kRouting, 12, 16), 0);
}

/// States in which different exports have something to do.
struct Situation {
    const char* name;
    void (*prepare)(Tile& tile);

    friend std::ostream& operator<<(std::ostream& out, const Situation& s) { return out << s.name; }
};

const Situation kSituations[] = {
    {"NeverStarted", [](Tile& tile) { deliver_list(tile, 510); }},
    {"HalfBlock",
     [](Tile& tile) {
         fill(tile, 1);
         ASSERT_EQ(rvf_load_query(kMessage, 97), 0);
         merge_some(tile);
         ASSERT_EQ(rvf_load_block(kHotCache + 1, 63, kF16), 0);
         deliver_list(tile, 100);
     }},
    {"ScaledBlock",
     [](Tile& tile) {
         fill(tile, 2);
         tile.write(kMessage, std::vector<float>(34, 1));
         ASSERT_EQ(rvf_load_sq_params(kMessage, 17), 0);
         ASSERT_EQ(rvf_load_query(kMessage, 17), 0);
         merge_some(tile);
         ASSERT_EQ(rvf_load_block(kTables - 17 * 510, 510, kI8), 0);
         deliver_list(tile, 510);
     }},
    {"PqTables",
     [](Tile& tile) {
         fill(tile, 3);
         ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
         ASSERT_EQ(rvf_load_pq_codebook(kBlock, 16, 64), 16);
         ASSERT_EQ(rvf_load_block(kQuery - 64, 1, kF32), 0);
         deliver_list(tile, 1);
     }},
    {"HalfACodebook",
     [](Tile& tile) {
         TileConfig config = {};
         config.profile = kHotProfile;
         config.k = 3;
         config.pq_subspaces = 16;
         tile.write(kRouting, std::vector{config});
         ASSERT_EQ(rvf_init(kRouting), 0);
         fill(tile, 4);
         ASSERT_EQ(rvf_load_query(kMessage, 16), 0);
         ASSERT_EQ(rvf_load_pq_codebook(kBlock, 8, 64), 8);
         deliver_list(tile, 0);
     }},
    {"Core",
     [](Tile& tile) {
         TileConfig config = {};
         config.profile = kCoreProfile;
         config.k = 3;
         tile.write(kRouting, std::vector{config});
         ASSERT_EQ(rvf_init(kRouting), 0);
         fill(tile, 5);
         ASSERT_EQ(rvf_load_query(kMessage, 384), 0);
         ASSERT_EQ(rvf_load_block(kBlock, 80, kF16), 0);
     }},
};

uint32_t argument(Random& random) {
    uint32_t edge = random.pick(kEdges);
    return random.below(4) == 0 ? edge + random.below(65) - 32 : edge;
}

/// All combinations of edges for one and two arguments, random ones for more.
std::vector<Call> hostile_calls(Export name) {
    std::vector<Call> calls;
    if (name == Export::kGreedyStep) {
        for (int64_t node : kNodes) {
            for (uint32_t layer : kEdges) calls.push_back({.name = name, .a = layer, .node = node});
        }
    } else if (arity(name) == 1) {
        for (uint32_t a : kEdges) calls.push_back({.name = name, .a = a});
    } else if (arity(name) == 2) {
        for (uint32_t a : kEdges) {
            for (uint32_t b : kEdges) calls.push_back({.name = name, .a = a, .b = b});
        }
    } else {
        Random random(static_cast<uint64_t>(name));
        for (int i = 0; i < 20'000; ++i) {
            calls.push_back({name, argument(random), argument(random), argument(random),
                             argument(random), random.pick(kNodes)});
            // Small counts and the delivered list, or almost nothing would be accepted.
            if (i % 2) calls.back().c = random.below(40);
            if (i % 4 == 1) calls.back().b = random.below(40);
            if (i % 4 == 3) calls.back().d = 1 + random.below(16);
            if (name == Export::kLoadNeighbors && i % 2) calls.back().node = 77;
            if (name == Export::kLoadNeighbors && i % 2) calls.back().a = 1;
        }
    }
    return calls;
}

class RedZone : public testing::TestWithParam<Situation> {
protected:
    void check(Export name) {
        Tile tile;
        GetParam().prepare(tile);
        Buffer before = tile.save();
        for (const Call& call : hostile_calls(name)) {
            int64_t answer = run(call);
            ASSERT_TRUE(kept_contract(tile, before, call, answer))
                << std::hex << call.a << " " << call.b << " " << call.c << " " << call.d << " "
                << call.node << " answered " << std::dec << answer;
            tile.restore(before);
        }
        ASSERT_TRUE(tile.red_zone_is_zero());
    }
};

TEST_P(RedZone, Init) { check(Export::kInit); }
TEST_P(RedZone, LoadQuery) { check(Export::kLoadQuery); }
TEST_P(RedZone, LoadBlock) { check(Export::kLoadBlock); }
TEST_P(RedZone, Distances) { check(Export::kDistances); }
TEST_P(RedZone, TopkMerge) { check(Export::kTopkMerge); }
TEST_P(RedZone, TopkRead) { check(Export::kTopkRead); }
TEST_P(RedZone, LoadSqParams) { check(Export::kLoadSqParams); }
TEST_P(RedZone, DequantI8) { check(Export::kDequantI8); }
TEST_P(RedZone, LoadPqCodebook) { check(Export::kLoadPqCodebook); }
TEST_P(RedZone, PqDistances) { check(Export::kPqDistances); }
TEST_P(RedZone, LoadNeighbors) { check(Export::kLoadNeighbors); }
TEST_P(RedZone, GreedyStep) { check(Export::kGreedyStep); }
TEST_P(RedZone, VerifyHeader) { check(Export::kVerifyHeader); }
TEST_P(RedZone, Crc32c) { check(Export::kCrc32c); }

INSTANTIATE_TEST_SUITE_P(All, RedZone, testing::ValuesIn(kSituations),
                         [](const auto& test) { return std::string(test.param.name); });

/// Regions where the manual lets nothing be handed in, each by its first and last byte.
TEST(Pointers, OutsideTheManualsRegionsAreRefused) {
    Tile tile;
    for (Address at : {0x0000u, 0x01FFu, 0x0400u, 0x07FFu, 0x2000u, 0xFFFFu, 0x1F000u, 0x1FFFFu,
                       0x20000u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu}) {
        EXPECT_EQ(rvf_load_query(at, 1), kInvalidPointer) << at;
        EXPECT_EQ(rvf_crc32c(at, 1), kInvalidPointer) << at;
        EXPECT_EQ(rvf_verify_header(at), kInvalidPointer) << at;
    }
}

/// The same regions from inside: the last byte that belongs to them, and one byte too many.
TEST(Pointers, MayReachTheLastByteOfARegion) {
    Tile tile;
    const std::pair<Address, Address> regions[] = {
        {kRouting, kWorkspace}, {kMessage, kDataEnd}, {kScratch, kQuery}};
    for (auto [begin, end] : regions) {
        EXPECT_NE(rvf_crc32c(begin, end - begin), kInvalidPointer) << begin;
        EXPECT_EQ(rvf_crc32c(begin, end - begin + 1), kInvalidPointer) << begin;
        EXPECT_EQ(rvf_crc32c(begin - 1, 2), kInvalidPointer) << begin;
        EXPECT_NE(rvf_crc32c(end - 1, 1), kInvalidPointer) << begin;
        EXPECT_EQ(rvf_crc32c(end - 1, 2), kInvalidPointer) << begin;
    }
}

} // namespace
} // namespace rvf::test
