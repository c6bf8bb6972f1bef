#include "host/sim/fault_ledger.h"

#include <algorithm>

namespace rvf::sim {

namespace {

using hub::FaultKind;

bool stays(FaultKind kind) {
    return kind == FaultKind::kFlipBits || kind == FaultKind::kTileDies ||
           kind == FaultKind::kAllTilesDie;
}

bool is_death(FaultKind kind) {
    return kind == FaultKind::kTileDies || kind == FaultKind::kAllTilesDie;
}

} // namespace

void FaultLedger::charge(Tile& tile, Ending ending) {
    for (Open& open : tile.open) {
        if (&open != &tile.open.back() && !is_death(open.kind)) continue;
        if (ending <= open.ending) continue;
        uint64_t* counts = counts_[static_cast<size_t>(open.kind)];
        --counts[static_cast<size_t>(open.ending)];
        ++counts[static_cast<size_t>(ending)];
        open.ending = ending;
    }
}

void FaultLedger::on_event(const hub::Event& event) {
    using Kind = hub::EventKind;
    if (event.tile >= tiles_.size()) return;
    Tile& tile = tiles_[event.tile];
    switch (event.kind) {
        case Kind::kFault: {
            auto kind = static_cast<FaultKind>(event.code);
            tile.open.push_back({kind, Ending::kNoHarm});
            ++counts_[static_cast<size_t>(kind)][static_cast<size_t>(Ending::kNoHarm)];
            break;
        }
        case Kind::kResend:
            charge(tile, Ending::kResent);
            tile.resending = true;
            break;
        case Kind::kFinding:
            charge(tile, Ending::kRestarted);
            break;
        case Kind::kQuarantine:
            charge(tile, Ending::kQuarantined);
            break;
        case Kind::kStart: // its memory is new
            std::erase_if(tile.open, [](const Open& open) { return !is_death(open.kind); });
            break;
        case Kind::kSend:
            // A new message: the exchange before it has come to its end.
            if (!tile.resending) {
                std::erase_if(tile.open, [](const Open& open) { return !stays(open.kind); });
            }
            tile.resending = false;
            break;
        default:
            break;
    }
}

uint64_t FaultLedger::count(FaultKind kind, Ending ending) const {
    return counts_[static_cast<size_t>(kind)][static_cast<size_t>(ending)];
}

} // namespace rvf::sim
