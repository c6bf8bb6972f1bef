// A run and everything that there is to say about it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/hub/hub.h"
#include "host/sim/check.h"
#include "host/sim/fault_ledger.h"
#include "host/sim/scenario_file.h"

namespace rvf::sim {

struct Result {
    std::string file;
    uint64_t vectors = 0;
    uint32_t dimension = 0;
    std::vector<std::string> queries;  ///< what each of them is called
    std::vector<std::string> warnings; ///< of opening the file, for people
    std::string graph;                 ///< where the graph came from; empty: none was needed
    Plan plan;
    hub::Report report;
    std::optional<FaultLedger> ledger; ///< of the run, when there was one
    std::optional<Check> check;
    uint64_t real_ns = 0; ///< the run alone, without opening and checking
};

/// Whether every query was answered and, if that was checked, rightly.
inline bool all_right(const Result& result) {
    return result.report.error.empty() && (!result.check || result.check->error.empty());
}

} // namespace rvf::sim
