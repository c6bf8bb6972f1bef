// The answer as it should be: brute force in double precision over the stored values.
#pragma once

#include "host/hub/hub.h"
#include "host/hub/stored.h"

namespace rvf::hub {

struct Verdict {
    std::string error; ///< empty: every answer is right within the tolerance
    double recall = 1; ///< of the true k nearest, over all queries; ties within the tolerance count
    double worst = 0;  ///< largest difference of a distance from the reference
    double worst_allowed = 0; ///< tolerance of that distance
};

/// Compares answers with brute force over the values that tiles compared: rows and query as f16, or
/// as the i8 codes stand for. A distance may be off by what kernel.h states for f32 sums, see
/// tolerance. `exact`: each answer must be the true top-K within that tolerance; else (graph) only
/// its distances must be right.
Verdict verify(const Scenario& scenario, const Data& data,
               const std::vector<std::vector<float>>& queries,
               const std::vector<std::vector<Answer>>& answers, bool exact);

} // namespace rvf::hub
