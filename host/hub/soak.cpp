#include "host/hub/soak.h"

#include <algorithm>

#include "host/hub/invariants.h"
#include "host/hub/random.h"
#include "host/hub/verify.h"

namespace rvf::hub {

namespace {

std::vector<float> random_vector(Random& random, uint32_t dimension) {
    std::vector<float> values(dimension);
    for (float& value : values) value = static_cast<float>(2 * random.unit() - 1);
    return values;
}

/// Layers as in a skip list; every node links to some others of its layer.
Graph random_graph(Random& random, uint32_t rows) {
    Graph graph;
    graph.lists.resize(rows);
    for (auto& layers : graph.lists) {
        layers.resize(1);
        while (layers.size() < 4 && random.below(4) == 0) layers.emplace_back();
    }
    for (uint32_t row = 0; row < rows; ++row) {
        if (graph.lists[row].size() > graph.lists[graph.entry].size()) graph.entry = row;
        for (size_t layer = 0; layer < graph.lists[row].size(); ++layer) {
            uint64_t links = random.below(layer == 0 ? 12 : 6);
            for (uint64_t i = 0; i < links; ++i) {
                auto other = static_cast<uint32_t>(random.below(rows));
                auto& list = graph.lists[row][layer];
                bool linked = std::find(list.begin(), list.end(), other) != list.end();
                if (other != row && graph.lists[other].size() > layer && !linked) {
                    list.push_back(other);
                }
            }
        }
    }
    return graph;
}

FaultRule random_rule(Random& random, uint32_t tiles) {
    FaultRule rule;
    rule.kind = static_cast<FaultKind>(random.below(kFaultKinds));
    constexpr double kRates[] = {0.001, 0.005, 0.02, 0.1, 0.5};
    rule.rate = kRates[random.below(std::size(kRates))];
    rule.direction = static_cast<Direction>(random.below(3));
    rule.bits = static_cast<uint32_t>(1 + random.below(3));
    if (random.below(3) == 0) rule.tile = static_cast<uint32_t>(random.below(tiles));
    if (random.below(3) == 0) rule.count = static_cast<uint32_t>(1 + random.below(4));
    if (random.below(4) == 0) {
        rule.from_ns = random.below(300'000);
        rule.to_ns = rule.from_ns + random.below(300'000);
    }
    // Each endless loop takes real time; a case has few of them.
    if (rule.kind == FaultKind::kLoopForever) {
        rule.rate = std::min(rule.rate, 0.02);
        rule.count = std::min(rule.count, 2u);
    }
    return rule;
}

} // namespace

Case random_case(uint64_t seed) {
    Random random(seed);
    Case made;
    Scenario& scenario = made.scenario;
    scenario.seed = random.bits();
    scenario.tiles = static_cast<uint32_t>(1 + random.below(24));
    scenario.mode = random.below(3) == 0 ? Mode::kGraph : Mode::kBlocks;
    bool core = scenario.mode == Mode::kBlocks && random.below(2) == 0;
    scenario.profile = core ? tile::kCoreProfile : tile::kHotProfile;
    scenario.metric = static_cast<uint32_t>(random.below(3));
    scenario.dtype = static_cast<uint32_t>(random.below(3));
    scenario.k = static_cast<uint32_t>(1 + random.below(16));
    scenario.resends = static_cast<uint32_t>(random.below(4));
    scenario.quarantine_after = static_cast<uint32_t>(1 + random.below(5));
    scenario.attempts = static_cast<uint32_t>(1 + random.below(8));
    scenario.tiles_per_chip = static_cast<uint32_t>(1 + random.below(16));
    uint64_t rules = random.below(6);
    for (uint64_t i = 0; i < rules; ++i) {
        scenario.faults.push_back(random_rule(random, scenario.tiles));
    }

    auto rows = static_cast<uint32_t>(1 + random.below(400));
    made.data.dimension = static_cast<uint32_t>(1 + random.below(96));
    for (uint32_t row = 0; row < rows; ++row) {
        made.data.ids.push_back(uint64_t{row} * 7 + 3);
        std::vector<float> values = random_vector(random, made.data.dimension);
        made.data.rows.insert(made.data.rows.end(), values.begin(), values.end());
    }
    uint64_t queries = 1 + random.below(3);
    for (uint64_t i = 0; i < queries; ++i) {
        made.queries.push_back(random_vector(random, made.data.dimension));
    }
    if (scenario.mode == Mode::kGraph) made.graph = random_graph(random, rows);
    return made;
}

std::string check_case(const Case& given, sim::Tiles& tiles, Observer& observer, Report& report) {
    const Graph* graph = given.scenario.mode == Mode::kGraph ? &given.graph : nullptr;
    Invariants invariants(given.scenario, given.data, given.queries, tiles, observer);
    report = run(given.scenario, given.data, graph, given.queries, tiles, invariants);
    if (!report.error.empty()) return report.error;
    if (!invariants.error().empty()) return invariants.error();

    // Without tiles at all the hub computes everything itself.
    Scenario healthy = given.scenario;
    healthy.faults.clear();
    Observer nobody;
    Report alone = run_alone(healthy, given.data, graph, given.queries, nobody);
    if (!alone.error.empty()) return "alone: " + alone.error;
    for (size_t q = 0; q < given.queries.size(); ++q) {
        auto same = [](const Answer& a, const Answer& b) {
            return a.id == b.id && a.distance == b.distance;
        };
        if (!std::equal(report.answers[q].begin(), report.answers[q].end(),
                        alone.answers[q].begin(), alone.answers[q].end(), same)) {
            return "query " + std::to_string(q) + " has another answer than without faults";
        }
    }
    bool exact = given.scenario.mode == Mode::kBlocks;
    return verify(given.scenario, given.data, given.queries, report.answers, exact).error;
}

} // namespace rvf::hub
