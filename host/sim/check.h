// Compares the answers of a run with exact searches in double precision: over the values that tiles
// compared (host/hub/verify.h), and over those of the file.
#pragma once

#include <string>
#include <vector>

#include "host/hub/hub.h"

namespace rvf::sim {

struct Comparison {
    double recall = 1;     ///< share of the k nearest that were answered; mean over the queries
    double difference = 0; ///< of an answered distance from the true one: the largest
    double allowed = 0;    ///< for that pair of query and vector
};

struct Check {
    Comparison stored; ///< what tiles compared: only rounding of f32 sums is allowed
    Comparison file;   ///< f32 as in the file: what f16 or i8 loses is allowed as well
    std::string error; ///< the first thing that is wrong, for people; empty: nothing
};

/// A graph search may miss neighbours; its distances are held to the same bounds.
Check check_answers(const hub::Scenario& scenario, const hub::Data& data,
                    const std::vector<std::vector<float>>& queries,
                    const std::vector<std::vector<hub::Answer>>& answers);

} // namespace rvf::sim
