// As many tiles as a chip has, and more; they come and go and leave nothing behind.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/sandbox/support.h"

namespace rvf::test {
namespace {

constexpr uint32_t kChip = 1024;

/// By how many pages a process may grow that keeps nothing; by some mappings too. AddressSanitizer
/// keeps 256 MiB of what was freed, and allocates for every trap; a tile lost per cycle would
/// be 1.2 GiB.
#if RVF_SANITIZED
constexpr size_t kSlackPages = 0x18000;
#else
constexpr size_t kSlackPages = 256;
#endif

/// How many mappings this process has.
size_t mappings() {
    std::ifstream maps("/proc/self/maps");
    return static_cast<size_t>(std::count(std::istreambuf_iterator<char>(maps), {}, '\n'));
}

/// Pages of this process that are in memory.
size_t resident_pages() {
    std::ifstream statm("/proc/self/statm");
    size_t total = 0;
    size_t resident = 0;
    statm >> total >> resident;
    return resident;
}

TEST(ManyTiles, AWholeChipComputesWhileOneOfThemBreaks) {
    SandboxTiles tiles(kChip);
    for (uint32_t tile = 0; tile < kChip; ++tile) ASSERT_TRUE(tiles.start(tile));
    EXPECT_EQ(tiles.sabotage(kChip / 2, Sabotage::kOutOfBounds), Outcome::kOutOfBounds);
    for (uint32_t tile = 0; tile < kChip; ++tile) {
        if (tile != kChip / 2) expect_it_computes(tiles, tile);
    }
}

TEST(ManyTiles, EachHasAMemoryOfItsOwn) {
    SandboxTiles tiles(kChip);
    for (uint32_t tile = 0; tile < kChip; ++tile) {
        ASSERT_TRUE(tiles.start(tile));
        tiles.write(tile, tile::kMessage, &tile, sizeof(tile));
    }
    for (uint32_t tile = 0; tile < kChip; ++tile) {
        uint32_t found;
        tiles.read(tile, tile::kMessage, &found, sizeof(found));
        EXPECT_EQ(found, tile);
    }
}

TEST(ManyTiles, BreakingAndStartingAnewTenThousandTimesLeavesNothingBehind) {
    SandboxTiles tiles(2);
    const Sabotage kinds[] = {Sabotage::kOutOfBounds, Sabotage::kUnreachable,
                              Sabotage::kExhaustStack};
    size_t mappings_before = 0;
    size_t pages_before = 0;
    for (uint32_t cycle = 0; cycle < 10'000; ++cycle) {
        if (cycle == 10) {
            mappings_before = mappings();
            pages_before = resident_pages();
        }
        uint32_t tile = cycle % 2;
        if (cycle % 4 == 1) tiles.stop(tile);
        ASSERT_TRUE(tiles.start(tile));
        fill(tiles, tile, 0xA5);
        ASSERT_NE(tiles.sabotage(tile, kinds[cycle % 3]), Outcome::kReturned);
    }
    EXPECT_LT(mappings(), mappings_before + 64);
    EXPECT_LT(resident_pages(), pages_before + kSlackPages);
}

TEST(ManyTiles, GiveTheirAddressSpaceBack) {
    {
        SandboxTiles warm(1);
    } // The first one also starts what stays: threads, handlers.
    size_t before = mappings();
    {
        SandboxTiles tiles(100);
        for (uint32_t tile = 0; tile < 100; ++tile) ASSERT_TRUE(tiles.start(tile));
        EXPECT_GE(mappings(), before + 100);
        for (uint32_t tile = 0; tile < 50; ++tile) tiles.stop(tile);
    }
    EXPECT_LE(mappings(), before + 5);
}

TEST(ManyTiles, MoreThanTheSystemHasRoomForAreRefusedWithAReason) {
    constexpr uint32_t kTooMany = 40'000;
    SandboxTiles tiles(kTooMany);
    uint32_t started = 0;
    while (started < kTooMany && tiles.start(started)) ++started;
    ASSERT_LT(started, kTooMany);
    EXPECT_GT(started, kChip);
    std::string error = tiles.error(started);
    for (const char* part : {"tile", "Cannot allocate memory", "320000 GiB",
                             "80000 memory mappings", "ulimit -v", "vm.max_map_count"}) {
        EXPECT_NE(error.find(part), std::string::npos) << error;
    }
    expect_it_computes(tiles, started - 1);
    tiles.stop(0);
    EXPECT_TRUE(tiles.start(started)) << "there is room for one again";
}

} // namespace
} // namespace rvf::test
