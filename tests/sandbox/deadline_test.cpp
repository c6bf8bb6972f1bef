// What runs too long is stopped from outside, and nothing else is.
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <thread>

#include "tests/sandbox/support.h"

namespace rvf::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

nanoseconds processor_time() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

/// Processor time until an endless loop is stopped.
nanoseconds time_to_stop(SandboxTiles& tiles, uint32_t tile) {
    nanoseconds before = processor_time();
    EXPECT_EQ(tiles.sabotage(tile, Sabotage::kLoopForever), Outcome::kDeadline);
    return processor_time() - before;
}

TEST(Deadline, StopsAnEndlessLoopAfterItAndNotBefore) {
    SandboxTiles tiles(1, milliseconds(10));
    ASSERT_TRUE(tiles.start(0));
    nanoseconds time = time_to_stop(tiles, 0);
    EXPECT_GE(time, milliseconds(10));
    EXPECT_LT(time, milliseconds(1000));
}

TEST(Deadline, StopsEveryLoopOfMany) {
    SandboxTiles tiles(1, milliseconds(2));
    ASSERT_TRUE(tiles.start(0));
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(tiles.sabotage(0, Sabotage::kLoopForever), Outcome::kDeadline);
    }
    expect_it_computes(tiles, 0);
}

TEST(Deadline, IsThatOfTheTilesThatRun) {
    SandboxTiles quick(1, milliseconds(2));
    SandboxTiles patient(1, milliseconds(60));
    ASSERT_TRUE(quick.start(0));
    ASSERT_TRUE(patient.start(0));
    EXPECT_GE(time_to_stop(patient, 0), milliseconds(60));
    EXPECT_GE(time_to_stop(quick, 0), milliseconds(2));
}

TEST(Deadline, StopsOnlyTheThreadThatLoops) {
    SandboxTiles tiles(2, milliseconds(4));
    ASSERT_TRUE(tiles.start(0));
    ASSERT_TRUE(tiles.start(1));
    std::atomic<bool> done = false;
    std::thread looping([&] {
        for (int i = 0; i < 10; ++i) tiles.sabotage(0, Sabotage::kLoopForever);
        done = true;
    });
    uint64_t returned = 0;
    while (!done) {
        ASSERT_EQ(tiles.ring(1), Outcome::kReturned);
        ++returned;
    }
    looping.join();
    EXPECT_GT(returned, 0u);
}

TEST(Deadline, ManyShortRunsDoNotAddUp) {
    SandboxTiles tiles(1, milliseconds(4));
    ASSERT_TRUE(tiles.start(0));
    nanoseconds before = processor_time();
    while (processor_time() - before < milliseconds(40)) {
        ASSERT_EQ(tiles.ring(0), Outcome::kReturned);
    }
}

/// Holds a thread as a hypervisor does: its clock goes on, and no signal reaches it.
void hold(int) {
    nanoseconds before = processor_time();
    while (processor_time() - before < milliseconds(10)) {
    }
}

TEST(Deadline, IsNotMissedByARunThatTheMachineHeldUp) {
    SandboxTiles tiles(1, milliseconds(4));
    ASSERT_TRUE(tiles.start(0));
    ASSERT_EQ(tiles.load_query(0, tile::kMessage, 512).value, 0);
    ASSERT_EQ(tiles.load_block(0, tile::kBlock, 64, tile::kI8).value, 0);
    struct sigaction action{}, before;
    action.sa_handler = hold;
    sigfillset(&action.sa_mask);
    ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
    std::atomic<bool> done = false;
    std::thread busy([&] {
        while (!done) {
            sandbox::Answer answer = tiles.distances(0, tile::kL2, tile::kNeighborCache);
            EXPECT_EQ(answer.outcome, Outcome::kReturned);
        }
    });
    for (int i = 0; i < 20; ++i) {
        pthread_kill(busy.native_handle(), SIGUSR1);
        std::this_thread::sleep_for(milliseconds(12));
    }
    done = true;
    busy.join();
    sigaction(SIGUSR1, &before, nullptr);
}

TEST(Deadline, StraySignalsOfItsKindStopNothing) {
    SandboxTiles tiles(1, milliseconds(500));
    ASSERT_TRUE(tiles.start(0));
    std::atomic<bool> done = false;
    std::thread busy([&] {
        while (!done) ASSERT_EQ(tiles.ring(0), Outcome::kReturned);
    });
    for (int i = 0; i < 2000; ++i) pthread_kill(busy.native_handle(), SIGURG);
    done = true;
    busy.join();
    raise(SIGURG);
}

TEST(Deadline, ThreadsThatHaveEndedAreForgotten) {
    SandboxTiles tiles(1, milliseconds(2));
    ASSERT_TRUE(tiles.start(0));
    for (int i = 0; i < 20; ++i) {
        std::thread([&] { EXPECT_EQ(tiles.ring(0), Outcome::kReturned); }).join();
    }
    EXPECT_EQ(tiles.sabotage(0, Sabotage::kLoopForever), Outcome::kDeadline);
}

} // namespace
} // namespace rvf::test
