// The hub for JavaScript (hub.mjs, which checks what it is given).
#include <emscripten/bind.h>

#include "host/hub/soak.h"
#include "host/web/texts.h"
#include "host/web/web_tiles.h"

namespace rvf::web {

namespace {

using emscripten::convertJSArrayToNumberVector;
using emscripten::typed_memory_view;
using emscripten::val;

/// Halves of 64-bit numbers, the lower one first.
std::vector<uint64_t> joined(const std::vector<uint32_t>& halves) {
    std::vector<uint64_t> numbers;
    for (size_t i = 0; i + 1 < halves.size(); i += 2) {
        numbers.push_back(uint64_t{halves[i + 1]} << 32 | halves[i]);
    }
    return numbers;
}

hub::Graph graph_of(const val& given) {
    hub::Graph graph;
    graph.entry = given["entry"].as<uint32_t>();
    for (const val& row : vecFromJSArray<val>(given["lists"])) {
        auto& layers = graph.lists.emplace_back();
        for (const val& list : vecFromJSArray<val>(row)) {
            layers.push_back(convertJSArrayToNumberVector<uint32_t>(list));
        }
    }
    return graph;
}

/// A copy that outlives this memory.
template <typename T>
val copy_of(const std::vector<T>& values) {
    return val(typed_memory_view(values.size(), values.data())).template call<val>("slice");
}

val result_of(const hub::Report& report, const std::string& log) {
    std::vector<uint32_t> counts;
    std::vector<uint32_t> ids;
    std::vector<float> distances;
    for (const auto& answers : report.answers) {
        counts.push_back(static_cast<uint32_t>(answers.size()));
        for (const hub::Answer& answer : answers) {
            ids.push_back(static_cast<uint32_t>(answer.id));
            ids.push_back(static_cast<uint32_t>(answer.id >> 32));
            distances.push_back(answer.distance);
        }
    }
    val result = val::object();
    result.set("report", text_of(report));
    result.set("log", log);
    result.set("counts", copy_of(counts));
    result.set("ids", copy_of(ids));
    result.set("distances", copy_of(distances));
    return result;
}

val run_case(const hub::Case& given, const val& tiles) {
    WebTiles web_tiles(tiles);
    Log log;
    const hub::Graph* graph = given.graph.lists.empty() ? nullptr : &given.graph;
    hub::Report report = hub::run(given.scenario, given.data, graph, given.queries, web_tiles, log);
    return result_of(report, log.text);
}

val run(const std::string& scenario, const val& data, const val& tiles) {
    hub::Case given;
    hub::Report report;
    report.error = read_scenario(scenario, given.scenario);
    report.refused = !report.error.empty();
    if (report.refused) return result_of(report, "");

    given.data.dimension = data["dimension"].as<uint32_t>();
    given.data.ids = joined(convertJSArrayToNumberVector<uint32_t>(data["idHalves"]));
    given.data.rows = convertJSArrayToNumberVector<float>(data["rows"]);
    for (const val& query : vecFromJSArray<val>(data["queries"])) {
        given.queries.push_back(convertJSArrayToNumberVector<float>(query));
    }
    if (!data["graph"].isUndefined()) given.graph = graph_of(data["graph"]);
    return run_case(given, tiles);
}

val run_random(uint32_t seed, const val& tiles) { return run_case(hub::random_case(seed), tiles); }

} // namespace

} // namespace rvf::web

EMSCRIPTEN_BINDINGS(rvf_hub) {
    emscripten::function("run", rvf::web::run);
    emscripten::function("runRandom", rvf::web::run_random);
}
