// A tile that breaks is caught, whatever it does, and starts again as new.
#include <atomic>
#include <barrier>
#include <thread>

#include "tests/sandbox/support.h"

namespace rvf::test {
namespace {

class Trap : public testing::TestWithParam<SabotageCase> {};

TEST_P(Trap, IsCaughtAndSaysWhichItWas) {
    SandboxTiles tiles(1);
    ASSERT_TRUE(tiles.start(0)) << tiles.error(0);
    EXPECT_EQ(tiles.sabotage(0, GetParam().what), GetParam().outcome);
}

TEST_P(Trap, LeavesTheMemoryAsItWas) {
    SandboxTiles tiles(1);
    ASSERT_TRUE(tiles.start(0));
    fill(tiles, 0, 0xA5);
    auto before = memory_of(tiles, 0);
    tiles.sabotage(0, GetParam().what);
    EXPECT_EQ(memory_of(tiles, 0), before);
}

TEST_P(Trap, DoesNotTouchTheNeighbours) {
    SandboxTiles tiles(3);
    for (uint32_t tile = 0; tile < 3; ++tile) {
        ASSERT_TRUE(tiles.start(tile));
        fill(tiles, tile, static_cast<uint8_t>(0x11 * (tile + 1)));
    }
    auto left = memory_of(tiles, 0);
    auto right = memory_of(tiles, 2);
    tiles.sabotage(1, GetParam().what);
    EXPECT_EQ(memory_of(tiles, 0), left);
    EXPECT_EQ(memory_of(tiles, 2), right);
}

TEST_P(Trap, IsForgottenByAStart) {
    SandboxTiles tiles(1);
    ASSERT_TRUE(tiles.start(0));
    fill(tiles, 0, 0xA5);
    tiles.sabotage(0, GetParam().what);
    ASSERT_TRUE(tiles.start(0));
    EXPECT_EQ(memory_of(tiles, 0), std::vector<uint8_t>(kMemoryBytes));
    expect_it_computes(tiles, 0);
}

TEST_P(Trap, IsCaughtOnTwoThreadsAtOnce) {
    constexpr int kRounds = 20;
    SandboxTiles tiles(2, std::chrono::milliseconds(4));
    std::atomic<int> caught = 0;
    std::barrier together(2);
    auto break_often = [&](uint32_t tile) {
        for (int round = 0; round < kRounds; ++round) {
            together.arrive_and_wait();
            if (tiles.start(tile) && tiles.sabotage(tile, GetParam().what) == GetParam().outcome) {
                ++caught;
            }
        }
    };
    std::thread other(break_often, 1);
    break_often(0);
    other.join();
    EXPECT_EQ(caught, 2 * kRounds);
}

INSTANTIATE_TEST_SUITE_P(Every, Trap, testing::ValuesIn(kTraps),
                         [](const auto& test) { return test.param.name; });

TEST(Ring, AnswersAMessageThatIsNone) {
    SandboxTiles tiles(1);
    ASSERT_TRUE(tiles.start(0));
    ASSERT_EQ(tiles.ring(0), Outcome::kReturned);
    tile::MessageHeader reply;
    tiles.read(0, tile::kMessage, &reply, sizeof(reply));
    EXPECT_EQ(reply.type, tile::kError);
}

TEST(RedZone, IsZeroInAFreshTileAndAfterItHasComputed) {
    SandboxTiles tiles(1);
    ASSERT_TRUE(tiles.start(0));
    EXPECT_TRUE(tiles.red_zone_is_zero(0));
    expect_it_computes(tiles, 0);
    EXPECT_TRUE(tiles.red_zone_is_zero(0));
}

TEST(RedZone, ShowsASingleByteAtEitherEnd) {
    for (uint32_t address : {tile::kDataEnd, tile::kScratch - 1}) {
        SandboxTiles tiles(1);
        ASSERT_TRUE(tiles.start(0));
        uint8_t byte = 1;
        tiles.write(0, address, &byte, 1);
        EXPECT_FALSE(tiles.red_zone_is_zero(0)) << address;
    }
}

TEST(RedZone, ShowsTheSabotageUntilTheNextStart) {
    SandboxTiles tiles(2);
    ASSERT_TRUE(tiles.start(0));
    ASSERT_TRUE(tiles.start(1));
    EXPECT_EQ(tiles.sabotage(0, Sabotage::kWriteRedZone), Outcome::kReturned);
    EXPECT_FALSE(tiles.red_zone_is_zero(0));
    EXPECT_TRUE(tiles.red_zone_is_zero(1));
    ASSERT_TRUE(tiles.start(0));
    EXPECT_TRUE(tiles.red_zone_is_zero(0));
}

} // namespace
} // namespace rvf::test
