#include "host/web/texts.h"

#include <nlohmann/json.hpp>

#include "host/sim/scenario_file.h"

namespace rvf::web {

namespace {

using Json = nlohmann::ordered_json;

/// Counters by name, those of zero too.
template <typename Code>
Json by_name(const uint64_t* counts, uint32_t kinds, const char* (*name)(Code)) {
    Json json = Json::object();
    for (uint32_t kind = 0; kind < kinds; ++kind) {
        json[name(static_cast<Code>(kind))] = counts[kind];
    }
    return json;
}

Json of_tile(const hub::TileReport& tile) {
    return {{"jobs", tile.jobs},         {"messages", tile.messages},
            {"busy_ns", tile.busy_ns},   {"faults", tile.faults},
            {"restarts", tile.restarts}, {"quarantined", tile.quarantined}};
}

} // namespace

std::string read_scenario(std::string_view json, hub::Scenario& scenario) {
    sim::Plan plan;
    std::string wrong = sim::read_scenario(json, plan);
    if (!wrong.empty()) return wrong;
    scenario = std::move(plan.scenario);
    bool core = plan.reader == tile::kCoreProfile;
    scenario.profile = core ? tile::kCoreProfile : tile::kHotProfile;
    return "";
}

std::string text_of(const hub::Report& report) {
    Json json;
    json["error"] = report.error;
    json["refused"] = report.refused;
    json["jobs"] = report.jobs;
    json["jobs_on_tiles"] = report.jobs_on_tiles;
    json["jobs_local"] = report.jobs_local;
    json["reassigned"] = report.reassigned;
    json["resent"] = report.resent;
    json["late"] = report.late;
    json["messages_to_tiles"] = report.messages_to_tiles;
    json["messages_to_hub"] = report.messages_to_hub;
    json["bytes_to_tiles"] = report.bytes_to_tiles;
    json["bytes_to_hub"] = report.bytes_to_hub;
    json["bytes_to_chips"] = report.bytes_to_chips;
    json["layer_a_hits"] = report.layer_a_hits;
    json["virtual_ns"] = report.virtual_ns;
    json["tiles_left"] = report.tiles_left;
    json["faults"] = by_name(report.faults, hub::kFaultKinds, hub::fault_name);
    json["findings"] = by_name(report.findings, hub::kFindings, hub::finding_name);
    json["tiles"] = Json::array();
    for (const hub::TileReport& tile : report.tiles) json["tiles"].push_back(of_tile(tile));
    // Errors quote what was given, which need not be UTF-8.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void Log::on_event(const hub::Event& event) { text += hub::text_of(event) + "\n"; }

} // namespace rvf::web
