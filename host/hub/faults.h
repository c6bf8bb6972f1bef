// Which fault strikes when: drawn from the one source of chance, in the order of messages.
#pragma once

#include "host/hub/message.h"
#include "host/hub/random.h"
#include "host/hub/scenario.h"

namespace rvf::hub {

struct Fault {
    FaultKind kind;
    Direction direction; ///< kToTile or kToHub
    uint32_t bits;
};

class FaultPlan {
public:
    FaultPlan(const std::vector<FaultRule>& rules, Random& random) : random_(random) {
        for (const FaultRule& rule : rules) rules_.push_back({rule, rule.count});
    }

    /// The fault of the exchange that begins now with `tile`. False: none.
    bool strike(uint64_t now_ns, uint32_t tile, Fault& fault);

    /// Changes `bits` different bits somewhere in `bytes`.
    void flip(Bytes& bytes, uint32_t bits);

private:
    struct Counted {
        FaultRule rule;
        uint32_t left;
    };
    std::vector<Counted> rules_;
    Random& random_;
};

} // namespace rvf::hub
