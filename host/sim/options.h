// The command line of rvf-sim.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/sim/scenario_file.h"

namespace rvf::sim {

/// What was asked for. Options without a value were not given.
struct Options {
    enum class Task : uint8_t { kRun, kSoak, kHelp, kVersion };
    Task task = Task::kRun;

    std::string file;
    std::vector<std::string> queries;        ///< as given: see host/sim/read_queries.h
    std::optional<uint64_t> query_count;     ///< only so many of them
    std::optional<uint32_t> m;               ///< given: the graph is built, not the file's
    std::optional<uint32_t> ef_construction; ///< the same
    std::string kernel;                      ///< rvf_kernel.wasm to check, or empty

    std::string scenario;
    std::optional<uint64_t> seed;
    std::optional<uint32_t> tiles;
    std::optional<uint32_t> profile;
    std::optional<uint32_t> mode;
    std::optional<uint32_t> dtype;
    std::optional<uint32_t> metric;
    std::optional<uint32_t> k;

    uint64_t soak = 0; ///< scenarios
    uint64_t soak_from = 1;

    bool check = false;
    std::string json;  ///< a path, "-" for standard output, or empty: none
    std::string trace; ///< the same
    std::string log;   ///< the same
    bool quiet = false;
    bool no_color = false;
};

/// Empty, or what is wrong with the command line, for people. `arguments` are those of main.
std::string parse_options(int count, char** arguments, Options& options);

/// What the command line says wins over what the scenario file says.
void apply(const Options& options, Plan& plan);

std::string help_text();

} // namespace rvf::sim
