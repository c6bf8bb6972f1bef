#include "host/sim/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "host/sim/text.h"

namespace rvf::sim {

namespace {

constexpr auto kQuietAtFirst = std::chrono::milliseconds(500);
constexpr auto kBetween = std::chrono::milliseconds(100);

size_t terminal_width() {
    winsize size{};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

} // namespace

Progress::Progress(std::string what, bool enabled, bool color)
    : what_(std::move(what)),
      enabled_(enabled && isatty(STDERR_FILENO)),
      color_(color),
      next_(start_ + kQuietAtFirst) {}

Progress::~Progress() { finish(); }

void Progress::on_progress(uint64_t done, uint64_t all) {
    if (!enabled_) return;
    Clock::time_point now = Clock::now();
    if (now < next_) return;
    next_ = now + kBetween;
    draw(done, all);
}

void Progress::draw(uint64_t done, uint64_t all) {
    double share = all == 0 ? 1 : static_cast<double>(done) / static_cast<double>(all);
    std::string text = " " + grouped(done) + " of " + counted(all, what_);
    double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    if (share > 0.05) {
        double left = seconds / share - seconds;
        text += ", " + std::to_string(static_cast<uint64_t>(left) + 1) + " s left";
    }
    size_t room = std::min<size_t>(terminal_width(), 80);
    size_t width = room > text.size() + 12 ? std::min<size_t>(40, room - text.size() - 3) : 0;
    auto full = static_cast<size_t>(share * static_cast<double>(width));
    std::string bar = std::string(full, '=') + std::string(width - full, ' ');
    if (color_) bar = "\x1b[32m" + bar + "\x1b[0m";
    std::fprintf(stderr, "\r\x1b[K[%s]%s", bar.c_str(), text.c_str());
    std::fflush(stderr);
    drawn_ = true;
}

void Progress::finish() {
    if (drawn_) std::fprintf(stderr, "\r\x1b[K");
    drawn_ = false;
}

} // namespace rvf::sim
