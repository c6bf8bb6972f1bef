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
        if (run->seen != sequence) {
            run->seen = sequence;
            run->since = now;
        } else if (now - run->since >= deadline_) {
            // Should the run end meanwhile, the handler finds another sequence and does nothing.
            run->condemned.store(sequence, std::memory_order_release);
            pthread_kill(run->thread, kDeadlineSignal);
        }
    }
}

} // namespace rvf::sandbox
