// Stops tiles that run too long, from a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace rvf::sandbox {

/// The deadline is processor time of the thread that runs the tile: a tile on a busy machine is not
/// blamed for the time it had to wait. That clock also goes on while a hypervisor holds the
/// processor, so a run must have answered two signals, a quarter of a deadline apart, before it is
/// stopped by a third. Looks at all threads four times per deadline, so a run is stopped after 1 to
/// 1.5 deadlines. A run costs nothing but a counter (thread_run.h).
class Watchdog {
public:
    explicit Watchdog(std::chrono::milliseconds deadline);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

private:
    void watch();
    void look() const;

    const std::chrono::nanoseconds deadline_;
    std::mutex lock_;
    std::condition_variable ending_;
    bool ended_ = false;
    std::thread thread_;
};

} // namespace rvf::sandbox
