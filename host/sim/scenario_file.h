// Scenario files: a hub::Scenario as JSON (docs/simulator.md has every key).
#pragma once

#include <string>
#include <string_view>

#include "host/hub/scenario.h"
#include "host/sim/names.h"

namespace rvf::sim {

/// A scenario, and what only the program knows of a run.
struct Plan {
    hub::Scenario scenario;
    uint32_t reader = kFullProfile; ///< who opens the file: a value of kProfiles
    bool metric_given = false;      ///< false: the file's metric is taken
};

/// Reads the text of a scenario file into `plan`; keys that are not there leave it as it is. Empty,
/// or what is wrong, for people: the key, its value and what is allowed, or the line.
std::string read_scenario(std::string_view text, Plan& plan);

/// The same scenario as a file: what it takes to run it again.
std::string write_scenario(const Plan& plan);

} // namespace rvf::sim
