// Many random scenarios, one after the other (host/hub/soak.h).
#pragma once

#include "host/sim/options.h"
#include "host/sim/summary.h"

namespace rvf::sim {

/// Runs options.soak cases from options.soak_from on and reports on them; the exit status.
int run_soak(const Options& options, const Style& style);

} // namespace rvf::sim
