// A bar on the terminal while a run takes its time.
#pragma once

#include <chrono>
#include <string>

#include "host/hub/hub.h"

namespace rvf::sim {

/// Draws on standard error, at most ten times a second and not in the first half second, so that
/// short runs leave nothing behind. Does nothing when standard error is no terminal.
class Progress final : public hub::Observer {
public:
    /// `what` is counted: "jobs".
    Progress(std::string what, bool enabled, bool color);
    ~Progress() override;

    void on_progress(uint64_t done, uint64_t all) override;

    /// Takes the bar away.
    void finish();

private:
    void draw(uint64_t done, uint64_t all);

    using Clock = std::chrono::steady_clock;
    const std::string what_;
    const bool enabled_;
    const bool color_;
    const Clock::time_point start_ = Clock::now();
    Clock::time_point next_;
    bool drawn_ = false;
};

} // namespace rvf::sim
