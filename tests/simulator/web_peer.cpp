// The native half of tests/simulator/web-hub.test.mjs: runs cases on sandboxed tiles and writes
// what comes out of them. A line of standard input is a case, as JSON:
//   {"seed": 7}                                             random_case of host/hub/soak.h
//   {"scenario": {...}, "dimension": 2, "ids": ["3", ...], "rows": [...], "queries": [[...], ...],
//    "graph": {"entry": 0, "lists": [[[1, ...], ...], ...]}}
// A line of standard output is what it came to:
//   {"wrong": "" or what check_case says, "report": {...}, "log": "...",
//    "answers": [["<id> <bits of the distance>", ...], ...]}
#include <bit>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/hub/soak.h"
#include "host/sandbox/sandbox_tiles.h"
#include "host/web/texts.h"

namespace {

using namespace rvf;
using Json = nlohmann::json;

hub::Case case_of(const Json& json) {
    if (json.contains("seed")) return hub::random_case(json["seed"]);
    hub::Case made;
    std::string wrong = web::read_scenario(json["scenario"].dump(), made.scenario);
    if (!wrong.empty()) {
        std::fprintf(stderr, "%s\n", wrong.c_str());
        std::exit(1);
    }
    made.data.dimension = json["dimension"];
    for (const Json& id : json["ids"]) made.data.ids.push_back(std::stoull(std::string(id)));
    made.data.rows = json["rows"].get<std::vector<float>>();
    made.queries = json["queries"].get<std::vector<std::vector<float>>>();
    if (json.contains("graph")) {
        made.graph.entry = json["graph"]["entry"];
        json["graph"]["lists"].get_to(made.graph.lists);
    }
    return made;
}

} // namespace

int main() {
    sandbox::SandboxTiles tiles(24);
    std::string line;
    while (std::getline(std::cin, line)) {
        web::Log log;
        hub::Report report;
        Json result;
        result["wrong"] = hub::check_case(case_of(Json::parse(line)), tiles, log, report);
        result["report"] = Json::parse(web::text_of(report));
        result["log"] = log.text;
        result["answers"] = Json::array();
        for (const auto& answers : report.answers) {
            Json texts = Json::array();
            for (const hub::Answer& answer : answers) {
                auto bits = std::bit_cast<uint32_t>(answer.distance);
                texts.push_back(std::to_string(answer.id) + " " + std::to_string(bits));
            }
            result["answers"].push_back(texts);
        }
        std::cout << result.dump() << "\n";
    }
}
