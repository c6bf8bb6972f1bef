#include "host/sim/soak.h"

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "host/hub/soak.h"
#include "host/sandbox/sandbox_tiles.h"
#include "host/sim/exit_status.h"
#include "host/sim/log.h"
#include "host/sim/progress.h"
#include "host/sim/text.h"

namespace rvf::sim {

namespace {

constexpr uint32_t kMostTiles = 24; ///< of a random case
constexpr size_t kShownFailures = 10;
constexpr std::chrono::milliseconds kDeadline{2}; ///< endless loops are to cost little

struct Failure {
    uint64_t seed;
    std::string error;
};

struct Soak {
    uint64_t first_seed = 0;
    uint64_t cases = 0;
    uint64_t queries = 0;
    uint64_t jobs = 0;
    uint64_t local_cases = 0; ///< the hub was left alone
    uint64_t faults[hub::kFaultKinds] = {};
    uint64_t findings[hub::kFindings] = {};
    std::vector<Failure> failures;
    uint64_t real_ns = 0;

    void add(const hub::Report& report, size_t asked) {
        ++cases;
        queries += asked;
        jobs += report.jobs;
        local_cases += report.tiles_left == 0 ? 1 : 0;
        for (uint32_t i = 0; i < hub::kFaultKinds; ++i) faults[i] += report.faults[i];
        for (uint32_t i = 0; i < hub::kFindings; ++i) findings[i] += report.findings[i];
    }
};

std::string json_of(const Soak& soak) {
    using Json = nlohmann::ordered_json;
    Json injected = Json::object(), found = Json::object(), failures = Json::array();
    for (uint32_t i = 0; i < hub::kFaultKinds; ++i) {
        injected[hub::fault_name(static_cast<hub::FaultKind>(i))] = soak.faults[i];
    }
    for (uint32_t i = 0; i < hub::kFindings; ++i) {
        found[hub::finding_name(static_cast<hub::Finding>(i))] = soak.findings[i];
    }
    for (const Failure& failure : soak.failures) {
        failures.push_back({{"seed", failure.seed}, {"error", failure.error}});
    }
    Json json;
    json["schema"] = "rvf-sim-soak";
    json["version"] = 1;
    json["first_seed"] = soak.first_seed;
    json["cases"] = soak.cases;
    json["queries"] = soak.queries;
    json["jobs"] = soak.jobs;
    json["cases_without_a_tile_left"] = soak.local_cases;
    json["faults"] = {{"injected", injected}, {"found", found}};
    json["failures"] = std::move(failures);
    json["real_ns"] = soak.real_ns;
    return json.dump(2) + "\n";
}

std::string text_of(const Soak& soak) {
    std::string text = "  " + counted(soak.cases, "random scenario") + " from seed " +
                       std::to_string(soak.first_seed) + " on: " + counted(soak.queries, "query") +
                       ", " + counted(soak.jobs, "job") + ", " + duration(soak.real_ns) +
                       "\n  in " + grouped(soak.local_cases) +
                       " of them no tile was left in the end\n\n" +
                       "  faults injected          found as\n";
    std::vector<std::pair<const char*, uint64_t>> found;
    for (uint32_t i = 0; i < hub::kFindings; ++i) {
        found.emplace_back(hub::finding_name(static_cast<hub::Finding>(i)), soak.findings[i]);
    }
    for (uint32_t i = 0; i < hub::kFaultKinds; ++i) {
        char line[100];
        int length = std::snprintf(line, sizeof(line), "  %-14s%8s",
                                   hub::fault_name(static_cast<hub::FaultKind>(i)),
                                   grouped(soak.faults[i]).c_str());
        text.append(line, static_cast<size_t>(length));
        if (i < found.size()) {
            length = std::snprintf(line, sizeof(line), "   %-14s%8s", found[i].first,
                                   grouped(found[i].second).c_str());
            text.append(line, static_cast<size_t>(length));
        }
        text += "\n";
    }
    text += "\n";
    if (soak.failures.empty()) return text + "  right: every answer is the one without faults\n";
    for (size_t i = 0; i < std::min(soak.failures.size(), kShownFailures); ++i) {
        std::string seed = std::to_string(soak.failures[i].seed);
        text += "  wrong: " + soak.failures[i].error +
                "\n         again: rvf-sim --soak 1 --seeds " + seed + " --log -\n";
    }
    if (soak.failures.size() > kShownFailures) {
        text += "         and " + counted(soak.failures.size() - kShownFailures, "other") + "\n";
    }
    return text;
}

} // namespace

int run_soak(const Options& options, const Style& style) {
    Output log, json;
    for (auto [output, path] : {std::pair{&log, &options.log}, {&json, &options.json}}) {
        if (!path->empty() && !output->open(*path)) return complain(output->error(), kCannotWrite);
    }
    EventLog event_log(log);
    hub::Observer nobody;
    hub::Observer& observer = log.is_open() ? static_cast<hub::Observer&>(event_log) : nobody;

    Progress progress("scenario", !options.quiet, style.color);
    sandbox::SandboxTiles tiles(kMostTiles, kDeadline);
    Soak soak;
    soak.first_seed = options.soak_from;
    auto start = std::chrono::steady_clock::now();
    for (uint64_t i = 0; i < options.soak; ++i) {
        uint64_t seed = options.soak_from + i;
        hub::Case made = hub::random_case(seed);
        hub::Report report;
        std::string error = hub::check_case(made, tiles, observer, report);
        soak.add(report, made.queries.size());
        if (!error.empty())
            soak.failures.push_back({seed, "seed " + std::to_string(seed) + ": " + error});
        progress.on_progress(i + 1, options.soak);
    }
    soak.real_ns = static_cast<uint64_t>(
        std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
    progress.finish();

    if (json.is_open()) json.write(json_of(soak));
    bool to_standard_output = options.json == "-" || options.log == "-";
    if (!options.quiet && !to_standard_output) std::fputs(text_of(soak).c_str(), stdout);
    if (!log.close()) return complain(log.error(), kCannotWrite);
    if (!json.close()) return complain(json.error(), kCannotWrite);
    return soak.failures.empty() ? kAllRight : kWrong;
}

} // namespace rvf::sim
