#include "host/hub/faults.h"

#include <algorithm>

namespace rvf::hub {

bool FaultPlan::strike(uint64_t now_ns, uint32_t tile, Fault& fault) {
    for (Counted& counted : rules_) {
        const FaultRule& rule = counted.rule;
        bool any_tile = rule.tile == FaultRule{}.tile;
        if (counted.left == 0 || now_ns < rule.from_ns || now_ns >= rule.to_ns) continue;
        if (!any_tile && rule.tile != tile) continue;
        if (!random_.chance(rule.rate)) continue;
        --counted.left;
        Direction direction = rule.direction;
        if (direction == Direction::kBoth) {
            direction = random_.below(2) == 0 ? Direction::kToTile : Direction::kToHub;
        }
        fault = {rule.kind, direction, rule.bits};
        return true;
    }
    return false;
}

void FaultPlan::flip(Bytes& bytes, uint32_t bits) {
    std::vector<uint64_t> flipped;
    bits = static_cast<uint32_t>(std::min<uint64_t>(bits, 8 * bytes.size()));
    while (flipped.size() < bits) {
        uint64_t bit = random_.below(8 * bytes.size());
        if (std::find(flipped.begin(), flipped.end(), bit) != flipped.end()) continue;
        flipped.push_back(bit);
        bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ 1u << bit % 8);
    }
}

} // namespace rvf::hub
