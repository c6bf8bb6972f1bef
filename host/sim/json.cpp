#include "host/sim/json.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace rvf::sim {

namespace {

using Json = nlohmann::ordered_json;

/// The shortest number that reads as this f32; JSON has none for infinities.
Json number_of(float value) {
    if (!std::isfinite(value)) return nullptr;
    char text[40];
    auto [end, error] = std::to_chars(text, text + sizeof(text), value);
    double shortest = 0;
    std::from_chars(text, end, shortest);
    return shortest;
}

Json number_of(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json answers_of(const Result& result) {
    Json all = Json::array();
    for (size_t query = 0; query < result.report.answers.size(); ++query) {
        Json nearest = Json::array();
        for (const hub::Answer& answer : result.report.answers[query]) {
            Json hit;
            hit["id"] = std::to_string(answer.id); // JSON numbers hold 53 bits
            hit["distance"] = number_of(answer.distance);
            nearest.push_back(std::move(hit));
        }
        Json one;
        one["query"] = result.queries[query];
        one["nearest"] = std::move(nearest);
        all.push_back(std::move(one));
    }
    return all;
}

Json faults_of(const Result& result) {
    const hub::Report& report = result.report;
    Json injected = Json::object(), ended = Json::object(), found = Json::object();
    for (uint32_t i = 0; i < hub::kFaultKinds; ++i) {
        auto kind = static_cast<hub::FaultKind>(i);
        injected[hub::fault_name(kind)] = report.faults[i];
        auto count = [&](Ending ending) {
            return result.ledger ? result.ledger->count(kind, ending) : 0;
        };
        ended[hub::fault_name(kind)] = {{"no_harm", count(Ending::kNoHarm)},
                                        {"resent", count(Ending::kResent)},
                                        {"restarted", count(Ending::kRestarted)},
                                        {"quarantined", count(Ending::kQuarantined)}};
    }
    for (uint32_t finding = 0; finding < hub::kFindings; ++finding) {
        found[hub::finding_name(static_cast<hub::Finding>(finding))] = report.findings[finding];
    }
    uint64_t restarts = 0, quarantined = 0;
    for (const hub::TileReport& tile : report.tiles) {
        restarts += tile.restarts;
        quarantined += tile.quarantined;
    }
    Json faults;
    faults["injected"] = std::move(injected);
    faults["ended"] = std::move(ended);
    faults["found"] = std::move(found);
    faults["messages_resent"] = report.resent;
    faults["jobs_reassigned"] = report.reassigned;
    faults["tiles_restarted"] = restarts;
    faults["tiles_quarantined"] = quarantined;
    faults["late_replies"] = report.late;
    return faults;
}

Json comparison_of(const Comparison& comparison) {
    Json json;
    json["recall"] = comparison.recall;
    json["largest_difference"] = number_of(comparison.difference);
    json["allowed_there"] = number_of(comparison.allowed);
    return json;
}

Json check_of(const Result& result) {
    if (!result.check) return nullptr;
    Json check;
    check["right"] = result.check->error.empty();
    check["error"] = result.check->error.empty() ? Json(nullptr) : Json(result.check->error);
    check["stored"] = comparison_of(result.check->stored);
    check["file"] = comparison_of(result.check->file);
    return check;
}

Json tiles_of(const hub::Report& report) {
    Json tiles = Json::array();
    for (const hub::TileReport& tile : report.tiles) {
        Json one;
        one["jobs"] = tile.jobs;
        one["messages"] = tile.messages;
        one["busy_ns"] = tile.busy_ns;
        one["faults"] = tile.faults;
        one["restarts"] = tile.restarts;
        one["quarantined"] = tile.quarantined;
        tiles.push_back(std::move(one));
    }
    return tiles;
}

} // namespace

std::string json_of(const Result& result) {
    const hub::Report& report = result.report;
    Json json;
    json["schema"] = "rvf-sim";
    json["version"] = kJsonVersion;
    json["error"] = report.error.empty() ? Json(nullptr) : Json(report.error);
    json["file"] = {{"path", result.file},
                    {"vectors", result.vectors},
                    {"dimension", result.dimension},
                    {"warnings", result.warnings}};
    json["graph"] = result.graph.empty() ? Json(nullptr) : Json(result.graph);
    json["scenario"] = Json::parse(write_scenario(result.plan));
    json["answers"] = answers_of(result);
    json["jobs"] = {
        {"all", report.jobs}, {"by_tiles", report.jobs_on_tiles}, {"by_hub", report.jobs_local}};
    json["messages"] = {{"to_tiles", report.messages_to_tiles}, {"to_hub", report.messages_to_hub}};
    json["bytes"] = {{"to_tiles", report.bytes_to_tiles},
                     {"to_hub", report.bytes_to_hub},
                     {"to_chips", report.bytes_to_chips}};
    json["layer_a_hits"] = report.layer_a_hits;
    json["faults"] = faults_of(result);
    json["check"] = check_of(result);
    json["virtual_ns"] = report.virtual_ns;
    json["real_ns"] = result.real_ns;
    json["tiles_left"] = report.tiles_left;
    json["tiles"] = tiles_of(report);
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace rvf::sim
