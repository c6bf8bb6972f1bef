// What is known of the tile that a thread runs: written by the thread, watched by the watchdogs.
#pragma once

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <mutex>

namespace rvf::sandbox {

class Watchdog;

/// The signal of the watchdogs. By default it does nothing, so a stray one does no harm.
constexpr int kDeadlineSignal = SIGURG;

struct ThreadRun {
    /// Counts up when a run begins and when it ends: odd while a tile runs. Two such stores are all
    /// that a run costs for the watchdogs' sake.
    std::atomic<uint64_t> sequence;
    std::atomic<uint64_t> condemned; ///< the run that a watchdog wants stopped; never another
    std::atomic<const Watchdog*> watchdog;
    const uint8_t* memory; ///< of the tile that runs
    sigjmp_buf back;

    pthread_t thread;
    clockid_t clock; ///< processor time of the thread
    ThreadRun* next;

    // The watchdog's notes.
    uint64_t seen;
    std::chrono::nanoseconds since;
};

/// All threads that ever ran a tile and still live. A thread in the list has not ended while the
/// lock is held.
struct ThreadList {
    std::mutex lock;
    ThreadRun* first = nullptr;
};
ThreadList& thread_list();

} // namespace rvf::sandbox
