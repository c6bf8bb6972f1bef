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
    std::atomic<uint64_t> called;   ///< the last call of a watchdog (call_of)
    std::atomic<uint64_t> answered; ///< the last call that arrived while its run was on
    std::atomic<const Watchdog*> watchdog;
    const uint8_t* memory; ///< of the tile that runs
    sigjmp_buf back;

    pthread_t thread;
    clockid_t clock; ///< processor time of the thread
    ThreadRun* next;

    // The watchdog's notes.
    uint64_t seen;
    std::chrono::nanoseconds since; ///< when that run was seen first, or called last
};

/// A run is called, by signals, before it is stopped; an answer shows that its thread is running,
/// and not held up with its clock going on. The last call stops it.
constexpr uint64_t kLastCall = 3;
constexpr uint64_t call_of(uint64_t sequence, uint64_t number) { return sequence << 2 | number; }
constexpr uint64_t number_of(uint64_t call) { return call & 3; }
constexpr uint64_t run_of(uint64_t call) { return call >> 2; }

/// All threads that ever ran a tile and still live. A thread in the list has not ended while the
/// lock is held.
struct ThreadList {
    std::mutex lock;
    ThreadRun* first = nullptr;
};
ThreadList& thread_list();

} // namespace rvf::sandbox
