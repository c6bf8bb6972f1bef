// Random scenarios: data, queries, tiles and faults from one seed.
#pragma once

#include "host/hub/hub.h"

namespace rvf::hub {

struct Case {
    Scenario scenario;
    Data data;
    Graph graph; ///< of Mode::kGraph; random links, so that walking it is well defined, not good
    std::vector<std::vector<float>> queries;
};

/// The case of a seed: 1 to 400 vectors of 1 to 96 dimensions, 1 to 24 tiles, up to 5 kinds of
/// fault at rates up to a half.
Case random_case(uint64_t seed);

/// What running it must come to. Empty: every answer is the one that one healthy tile gives, bit
/// for bit, and brute force agrees; or the report has an error of its own. `tiles` must hold 24.
std::string check_case(const Case& given, sim::Tiles& tiles, Observer& observer, Report& report);

} // namespace rvf::hub
