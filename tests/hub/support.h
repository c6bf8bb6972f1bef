// What the hub's tests share: data from a seed, a log, runs on real sandboxed tiles.
#pragma once

#include <gtest/gtest.h>

#include "host/hub/hub.h"
#include "host/hub/invariants.h"
#include "host/hub/random.h"
#include "host/hub/verify.h"
#include "host/sandbox/sandbox_tiles.h"

namespace rvf::hub {

/// Uniform vectors; ids are not row numbers.
inline Data random_data(uint64_t seed, uint32_t rows, uint32_t dimension) {
    Random random(seed);
    Data data;
    data.dimension = dimension;
    for (uint32_t row = 0; row < rows; ++row) {
        data.ids.push_back(1000 + uint64_t{row} * 3);
        for (uint32_t d = 0; d < dimension; ++d) {
            data.rows.push_back(static_cast<float>(2 * random.unit() - 1));
        }
    }
    return data;
}

inline std::vector<std::vector<float>> random_queries(uint64_t seed, size_t count,
                                                      uint32_t dimension) {
    Data data = random_data(seed, static_cast<uint32_t>(count), dimension);
    std::vector<std::vector<float>> queries;
    for (size_t i = 0; i < count; ++i) {
        auto from = data.rows.begin() + static_cast<ptrdiff_t>(i * dimension);
        queries.emplace_back(from, from + static_cast<ptrdiff_t>(dimension));
    }
    return queries;
}

class Log final : public Observer {
public:
    void on_event(const Event& event) override { text += text_of(event) + "\n"; }
    std::string text;
};

inline bool operator==(const Answer& a, const Answer& b) {
    return a.id == b.id && a.distance == b.distance;
}

inline Report run_sandboxed(const Scenario& scenario, const Data& data,
                            const std::vector<std::vector<float>>& queries,
                            const Graph* graph = nullptr) {
    sandbox::SandboxTiles tiles(scenario.tiles);
    Observer nobody;
    return run(scenario, data, graph, queries, tiles, nobody);
}

/// The same with the invariants watched; what breaks one is the error of the report.
inline Report run_watched(const Scenario& scenario, const Data& data,
                          const std::vector<std::vector<float>>& queries,
                          const Graph* graph = nullptr) {
    sandbox::SandboxTiles tiles(scenario.tiles);
    Observer nobody;
    Invariants watch(scenario, data, queries, tiles, nobody);
    Report report = run(scenario, data, graph, queries, tiles, watch);
    if (report.error.empty()) report.error = watch.error();
    return report;
}

/// The fault-free answer, by one healthy tile.
inline std::vector<std::vector<Answer>> expected(Scenario scenario, const Data& data,
                                                 const std::vector<std::vector<float>>& queries,
                                                 const Graph* graph = nullptr) {
    scenario.faults.clear();
    Observer nobody;
    return run_alone(scenario, data, graph, queries, nobody).answers;
}

} // namespace rvf::hub
