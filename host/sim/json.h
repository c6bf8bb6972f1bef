// Everything about a run as JSON (docs/simulator.md, "JSON"). Keys are stable: they are only added
// to while kJsonVersion stays.
#pragma once

#include <string>

#include "host/sim/result.h"

namespace rvf::sim {

constexpr int kJsonVersion = 1;

/// One object, two spaces of indentation, ends with a line feed.
std::string json_of(const Result& result);

} // namespace rvf::sim
