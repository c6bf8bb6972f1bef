#include "host/sandbox/watchdog.h"

#include <ctime>

#include "host/sandbox/thread_run.h"

namespace rvf::sandbox {
namespace {

std::chrono::nanoseconds processor_time(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

} // namespace

Watchdog::Watchdog(std::chrono::milliseconds deadline) : deadline_(deadline) {
    // Signals meant for the process are for its other threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { watch(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Watchdog::~Watchdog() {
    {
        std::lock_guard held(lock_);
        ended_ = true;
    }
    ending_.notify_one();
    thread_.join();
}

void Watchdog::watch() {
    std::unique_lock held(lock_);
    while (!ending_.wait_for(held, deadline_ / 4, [this] { return ended_; })) look();
}

void Watchdog::look() const {
    ThreadList& threads = thread_list();
    std::lock_guard held(threads.lock);
    for (ThreadRun* run = threads.first; run; run = run->next) {
        uint64_t sequence = run->sequence.load(std::memory_order_acquire);
        if (sequence % 2 == 0 || run->watchdog.load(std::memory_order_relaxed) != this) continue;
        std::chrono::nanoseconds now = processor_time(run->clock);
        uint64_t call = run->called.load(std::memory_order_relaxed);
        if (run->seen != sequence) {
            run->seen = sequence;
            run->since = now;
            call = call_of(sequence, 0);
            run->called.store(call, std::memory_order_relaxed);
            run->answered.store(call, std::memory_order_relaxed);
        }
        // Due after 1/2 of a deadline, and 1/4 after the call before, if that was answered.
        bool due = now - run->since >= deadline_ / (number_of(call) == 0 ? 2 : 4);
        if (due && run->answered.load(std::memory_order_acquire) == call) {
            // Should the run end meanwhile, the handler finds another sequence and does nothing.
            run->since = now;
            run->called.store(call + 1, std::memory_order_release);
            pthread_kill(run->thread, kDeadlineSignal);
        }
    }
}

} // namespace rvf::sandbox
