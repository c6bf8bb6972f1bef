// Only a fault of the tile that runs is a trap. Every other one ends the process as if there were
// no sandbox: by SIGSEGV, or by AddressSanitizer's report of it.
#include <unistd.h>

#include <csignal>

#include "host/sandbox/guard.h"
#include "host/sandbox/reservation.h"
#include "tests/sandbox/support.h"

namespace rvf::test {
namespace {

#if RVF_SANITIZED
#define EXPECT_SEGMENTATION_FAULT(statement) EXPECT_DEATH(statement, "AddressSanitizer.*SEGV")
#else
#define EXPECT_SEGMENTATION_FAULT(statement) \
    EXPECT_EXIT(statement, testing::KilledBySignal(SIGSEGV), "")
#endif

/// Two tiles, and a call that writes a byte to an address while tile 0 runs.
class ForeignFault : public testing::Test {
protected:
    void SetUp() override {
        testing::GTEST_FLAG(death_test_style) = "threadsafe";
        ASSERT_TRUE(tiles_.start(0));
        ASSERT_TRUE(tiles_.start(1));
    }

    sandbox::Outcome write_while_running(void* address) {
        return sandbox::guarded(
            watchdog_, own_->data, [](void* to) { *static_cast<volatile char*>(to) = 1; }, address);
    }

    SandboxTiles tiles_{2};
    sandbox::Watchdog watchdog_{std::chrono::milliseconds(20)};
    wasm_rt_memory_t* own_ = sandbox::reserve();
    wasm_rt_memory_t* other_ = sandbox::reserve();
};

TEST_F(ForeignFault, InTheHostEndsTheProcess) {
    EXPECT_SEGMENTATION_FAULT(*reinterpret_cast<volatile char*>(8) = 1);
}

TEST_F(ForeignFault, AfterATrapEndsTheProcessStill) {
    tiles_.sabotage(0, Sabotage::kOutOfBounds);
    EXPECT_SEGMENTATION_FAULT({
        tiles_.sabotage(0, Sabotage::kOutOfBounds);
        *reinterpret_cast<volatile char*>(8) = 1;
    });
}

TEST_F(ForeignFault, OfAHubThatReadsPastATileEndsTheProcess) {
    EXPECT_SEGMENTATION_FAULT({
        tiles_.ring(0);
        uint16_t value;
        tiles_.read(0, kMemoryBytes, &value, sizeof(value));
    });
}

TEST_F(ForeignFault, IsWhatUsingATileThatIsNotStartedMustNotBecome) {
    tiles_.stop(1);
    EXPECT_DEATH(tiles_.ring(1), "Tile 1 of 2 is used but not started");
    EXPECT_DEATH(tiles_.ring(2), "Tile 2 of 2 is used but not started");
}

TEST_F(ForeignFault, OutsideOfEveryTileWhileOneRunsEndsTheProcess) {
    EXPECT_SEGMENTATION_FAULT(write_while_running(reinterpret_cast<void*>(8)));
}

TEST_F(ForeignFault, BehindAnotherTileWhileOneRunsEndsTheProcess) {
    EXPECT_SEGMENTATION_FAULT(write_while_running(other_->data + kMemoryBytes));
}

TEST_F(ForeignFault, IsNoneWhereverAWasmAddressReaches) {
    constexpr uint64_t kLast = uint64_t{0xFFFFFFFF} + 0xFFFFFFFF + 15; // address, offset, v128
    for (uint64_t reached : {uint64_t{kMemoryBytes}, kLast}) {
        EXPECT_EQ(write_while_running(own_->data + reached), Outcome::kOutOfBounds);
    }
}

TEST_F(ForeignFault, ThatWasSentEndsTheProcess) {
    EXPECT_SEGMENTATION_FAULT(kill(getpid(), SIGSEGV));
}

TEST(ForeignFaultHandler, InstalledBeforeGetsWhatIsNotOurs) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    EXPECT_EXIT(
        {
            signal(SIGSEGV, [](int) { _exit(7); });
            SandboxTiles tiles(1);
            if (!tiles.start(0)) _exit(1);
            if (tiles.sabotage(0, Sabotage::kOutOfBounds) != Outcome::kOutOfBounds) _exit(2);
            *reinterpret_cast<volatile char*>(8) = 1;
        },
        testing::ExitedWithCode(7), "");
}

} // namespace
} // namespace rvf::test
