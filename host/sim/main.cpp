// rvf-sim: searches an .rvf file on a simulated array of tiles (docs/simulator.md).
//
//   command line, scenario file -> plan
//   file -> data, graph, queries
//   plan, data, queries, tiles -> hub::run -> report -> summary, JSON; events -> log, trace,
//   progress
#include <langinfo.h>
#include <unistd.h>

#include <chrono>
#include <clocale>
#include <cstdlib>
#include <new>

#include "host/sandbox/sandbox_tiles.h"
#include "host/sim/exit_status.h"
#include "host/sim/json.h"
#include "host/sim/kernel_budget.h"
#include "host/sim/log.h"
#include "host/sim/lz4_codec.h"
#include "host/sim/options.h"
#include "host/sim/progress.h"
#include "host/sim/read_graph.h"
#include "host/sim/read_queries.h"
#include "host/sim/soak.h"
#include "host/sim/summary.h"
#include "host/sim/text.h"
#include "host/sim/trace.h"

namespace rvf::sim {

namespace {

/// What a run works on.
struct Input {
    File file;
    hub::Graph graph;
    std::vector<std::vector<float>> queries;
};

/// Tells several observers.
class Audience final : public hub::Observer {
public:
    void add(hub::Observer& observer) { observers_.push_back(&observer); }

    void on_event(const hub::Event& event) override {
        for (hub::Observer* each : observers_) each->on_event(event);
    }
    void on_progress(uint64_t done, uint64_t all) override {
        for (hub::Observer* each : observers_) each->on_progress(done, all);
    }

private:
    std::vector<hub::Observer*> observers_;
};

/// Without color when asked, by option or environment (no-color.org), or when nobody sees it.
Style style_of(const Options& options) {
    std::setlocale(LC_CTYPE, "");
    const char* no_color = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    bool dumb = terminal && std::string(terminal) == "dumb";
    Style style;
    style.color = isatty(STDOUT_FILENO) && !options.no_color && !(no_color && *no_color) && !dumb;
    style.unicode = std::string(nl_langinfo(CODESET)) == "UTF-8";
    return style;
}

std::string read_plan(const Options& options, Plan& plan) {
    if (!options.scenario.empty()) {
        std::vector<uint8_t> bytes;
        std::string wrong = read_bytes(options.scenario, bytes);
        if (!wrong.empty()) return wrong;
        std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        wrong = read_scenario(text, plan);
        if (!wrong.empty()) return options.scenario + ": " + wrong;
    }
    apply(options, plan);
    const hub::Scenario& scenario = plan.scenario;
    for (size_t i = 0; i < scenario.faults.size(); ++i) {
        uint32_t tile = scenario.faults[i].tile;
        if (tile < scenario.tiles || tile == hub::FaultRule{}.tile) continue;
        return options.scenario + ": \"faults[" + std::to_string(i) + "].tile\" is " +
               std::to_string(tile) + "; the array has tiles 0 to " +
               std::to_string(scenario.tiles - 1);
    }
    return hub::check(scenario);
}

std::string read_all_queries(const Options& options, const File& file, Input& input,
                             std::vector<std::string>& names) {
    size_t most = options.query_count.value_or(~size_t{0});
    for (const std::string& text : options.queries) {
        if (input.queries.size() == most) break;
        size_t before = input.queries.size();
        std::string wrong = read_queries(text, file, most - before, input.queries);
        if (!wrong.empty()) return "--query " + in_quotes(text) + ": " + wrong;
        size_t count = input.queries.size() - before;
        for (size_t i = 0; i < count; ++i) {
            names.push_back(count == 1 ? text : text + " [" + std::to_string(i) + "]");
        }
    }
    return "";
}

std::string read_the_graph(const Options& options, const Style& style, const Result& result,
                           Input& input, std::string& origin) {
    Progress progress("vector to link", !options.quiet, style.color);
    GraphOptions wanted;
    wanted.use_index = !options.m && !options.ef_construction;
    wanted.m = options.m.value_or(wanted.m);
    wanted.ef_construction = options.ef_construction.value_or(wanted.ef_construction);
    wanted.seed = result.plan.scenario.seed;
    wanted.progress = [&](uint64_t done, uint64_t all) { progress.on_progress(done, all); };
    GraphReport made;
    std::string wrong = read_graph(input.file, wanted, input.graph, made);
    if (!wrong.empty()) return wrong;
    origin = std::string(made.from_index ? "from the file" : "built") +
             ", M = " + std::to_string(made.m) +
             ", efConstruction = " + std::to_string(made.ef_construction) + ", " +
             counted(made.layers, "layer") + ", " + counted(made.links, "link");
    if (!made.why.empty()) origin += "; " + made.why;
    return "";
}

/// Reads everything; the text of what was refused.
std::string read_input(const Options& options, const Style& style, Result& result, Input& input) {
    Plan& plan = result.plan;
    std::string wrong = check_built_kernel();
    if (wrong.empty() && !options.kernel.empty()) wrong = check_kernel(options.kernel);
    if (wrong.empty()) wrong = read_plan(options, plan);
    if (!wrong.empty()) return wrong;

    ReadOptions how;
    how.reader = {static_cast<uint8_t>(plan.reader), plan.scenario.dtype};
    if (plan.metric_given) how.metric = static_cast<int32_t>(plan.scenario.metric);
    wrong = read_file(options.file, how, input.file);
    if (!wrong.empty()) return wrong;
    plan.scenario.metric = static_cast<uint32_t>(input.file.metric);
    result.file = options.file;
    result.vectors = input.file.data.ids.size();
    result.dimension = input.file.data.dimension;
    result.warnings = warning_texts(input.file.warnings);
    for (const Violation& violation : input.file.violations) {
        result.warnings.push_back(text_of(violation));
    }
    wrong = read_all_queries(options, input.file, input, result.queries);
    if (wrong.empty() && plan.scenario.mode == hub::Mode::kGraph) {
        wrong = read_the_graph(options, style, result, input, result.graph);
    }
    return wrong;
}

int run(const Options& options, const Style& style) {
    Result result;
    Input input;
    std::string wrong = read_input(options, style, result, input);
    if (!wrong.empty()) return complain(wrong, kRefused);

    Output json, trace_file, log_file;
    for (auto [output, path] : {std::pair{&json, &options.json},
                                {&trace_file, &options.trace},
                                {&log_file, &options.log}}) {
        if (!path->empty() && !output->open(*path)) return complain(output->error(), kCannotWrite);
    }
    Audience audience;
    Progress progress("job", !options.quiet, style.color);
    audience.add(progress);
    EventLog log(log_file);
    if (log_file.is_open()) audience.add(log);
    audience.add(result.ledger.emplace(result.plan.scenario.tiles));
    std::optional<Trace> trace;
    if (trace_file.is_open()) audience.add(trace.emplace(trace_file, result.plan.scenario.tiles));

    const hub::Scenario& scenario = result.plan.scenario;
    sandbox::SandboxTiles tiles(scenario.tiles);
    Lz4Codec lz4;
    bool graph = scenario.mode == hub::Mode::kGraph;
    bool hot = scenario.profile == tile::kHotProfile;
    auto start = std::chrono::steady_clock::now();
    result.report = hub::run(scenario, input.file.data, graph ? &input.graph : nullptr,
                             input.queries, tiles, audience, hot ? &lz4 : nullptr);
    result.real_ns = static_cast<uint64_t>(
        std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
    progress.finish();
    if (trace) trace->finish();

    bool refused = result.report.refused;
    if (result.report.error.empty() && options.check) {
        result.check =
            check_answers(scenario, input.file.data, input.queries, result.report.answers);
    }
    if (json.is_open()) json.write(json_of(result));
    bool to_standard_output = options.json == "-" || options.trace == "-" || options.log == "-";
    bool shown = !options.quiet && !to_standard_output && !refused;
    if (shown) std::fputs(summary_of(result, style).c_str(), stdout);

    for (Output* output : {&json, &trace_file, &log_file}) {
        if (!output->close()) return complain(output->error(), kCannotWrite);
    }
    if (std::fflush(stdout) != 0) return complain("cannot write standard output", kCannotWrite);
    if (refused) return complain(result.report.error, kRefused);
    if (all_right(result)) return kAllRight;
    if (shown) return kWrong;
    return complain(result.report.error.empty() ? result.check->error : result.report.error,
                    kWrong);
}

int main_of(int count, char** arguments) {
    Options options;
    std::string wrong = parse_options(count, arguments, options);
    if (!wrong.empty()) return complain(wrong, kUsage);
    switch (options.task) {
        case Options::Task::kHelp:
            std::fputs(help_text().c_str(), stdout);
            return kAllRight;
        case Options::Task::kVersion:
            std::printf("rvf-sim %s\nkernel: %s\n", RVF_VERSION, built_kernel().c_str());
            return kAllRight;
        case Options::Task::kSoak:
            return run_soak(options, style_of(options));
        case Options::Task::kRun:
            return run(options, style_of(options));
    }
    return kUsage;
}

} // namespace

} // namespace rvf::sim

int main(int count, char** arguments) try {
    return rvf::sim::main_of(count, arguments);
} catch (const std::bad_alloc&) {
    return rvf::sim::complain("this machine has not enough memory for that", rvf::sim::kWrong);
}
