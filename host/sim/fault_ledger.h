// How each injected fault ended, told from the events of a run.
#pragma once

#include <cstdint>
#include <vector>

#include "host/hub/hub.h"

namespace rvf::sim {

enum class Ending : uint8_t {
    kNoHarm,      ///< nothing had to be done, or what it changed was never used
    kResent,      ///< a message was sent again
    kRestarted,   ///< the tile was started afresh
    kQuarantined, ///< the tile was left alone from then on
};
constexpr uint32_t kEndings = 4;

/// Each fault is charged with the most that the hub did about the tile that it struck, until the
/// tile went on with its work; for faults that stay (flipped bits, dead tiles) until the end of the
/// run. Of two that are open at a time, the later one is charged, and a dead tile always.
class FaultLedger final : public hub::Observer {
public:
    explicit FaultLedger(uint32_t tiles) : tiles_(tiles) {}

    void on_event(const hub::Event& event) override;

    /// Of the faults of `kind`, those that ended so.
    uint64_t count(hub::FaultKind kind, Ending ending) const;

private:
    struct Open {
        hub::FaultKind kind;
        Ending ending;
    };
    struct Tile {
        std::vector<Open> open;
        bool resending = false;
    };

    void charge(Tile& tile, Ending ending);

    std::vector<Tile> tiles_;
    uint64_t counts_[hub::kFaultKinds][kEndings] = {}; ///< open ones count as they stand
};

} // namespace rvf::sim
