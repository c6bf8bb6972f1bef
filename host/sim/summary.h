// What a person sees after a run.
#pragma once

#include <string>

#include "host/sim/result.h"

namespace rvf::sim {

struct Style {
    bool color = false;   ///< escape sequences of a terminal
    bool unicode = false; ///< bars of block elements; else ASCII
};

/// Up to 80 columns wide. Only the line "real time" differs between two runs of the same scenario.
std::string summary_of(const Result& result, const Style& style);

} // namespace rvf::sim
