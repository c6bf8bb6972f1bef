#include "host/sim/options.h"

#include <getopt.h>

#include <algorithm>
#include <cstring>

#include "host/sim/text.h"

namespace rvf::sim {

namespace {

using Task = Options::Task;

/// Takes the value of an option; answers what is wrong with it, or nothing.
using Set = std::string (*)(Options&, const char* value);

struct Spec {
    const char* name;
    char letter;          ///< 0: none
    const char* argument; ///< null: takes none; "[=...]": need not be given
    Set set;
    const char* help; ///< lines, separated by line feeds
};

std::string number(const char* text, uint64_t least, uint64_t most, uint64_t& value) {
    uint64_t parsed = 0;
    if (parse_number(text, parsed) && parsed >= least && parsed <= most) {
        value = parsed;
        return "";
    }
    std::string allowed = "a whole number of at least " + grouped(least);
    if (most != ~uint64_t{0}) {
        allowed = "a whole number from " + grouped(least) + " to " + grouped(most);
    }
    return in_quotes(text) + " is not allowed; give " + allowed;
}

template <typename T>
std::string number(const char* text, uint64_t least, uint64_t most, T& value) {
    uint64_t parsed = 0;
    std::string wrong = number(text, least, most, parsed);
    if (wrong.empty()) value = static_cast<uint32_t>(parsed);
    return wrong;
}

std::string number(const char* text, uint64_t least, std::optional<uint64_t>& value) {
    uint64_t parsed = 0;
    std::string wrong = number(text, least, ~uint64_t{0}, parsed);
    if (wrong.empty()) value = parsed;
    return wrong;
}

std::string choice(const char* text, std::span<const Name> names, std::optional<uint32_t>& value) {
    const Name* name = find_name(names, text);
    if (!name) return in_quotes(text) + " is not allowed; give " + one_of(all_names(names));
    value = name->value;
    return "";
}

std::string path(const char* text, std::string& value) {
    if (!*text) return "a file name is needed";
    value = text;
    return "";
}

constexpr Spec kInput[] = {
    {"query", 0, "QUERY",
     [](Options& o, const char* v) {
         o.queries.emplace_back(v);
         return std::string();
     },
     "a vector to look for; may be repeated:\n"
     "  0.5,1,-2   its numbers\n"
     "  id:42      the vector of this id in the file\n"
     "  FILE       vectors of an .rvf, .fvecs or .bvecs file"},
    {"queries", 0, "N", [](Options& o, const char* v) { return number(v, 1, o.query_count); },
     "only the first N queries"},
    {"scenario", 0, "FILE", [](Options& o, const char* v) { return path(v, o.scenario); },
     "a scenario with faults, as JSON; options win over it"},
    {"kernel", 0, "FILE", [](Options& o, const char* v) { return path(v, o.kernel); },
     "make sure that the tiles run this rvf_kernel.wasm"},
};

constexpr Spec kArray[] = {
    {"tiles", 0, "N", [](Options& o, const char* v) { return number(v, 1, 4096, o.tiles); },
     "tiles of the array, 1 to 4,096 (16)"},
    {"profile", 0, "NAME",
     [](Options& o, const char* v) { return choice(v, kProfiles, o.profile); },
     "core, hot or full: who reads the file (full)"},
    {"mode", 0, "NAME", [](Options& o, const char* v) { return choice(v, kModes, o.mode); },
     "blocks: stream every vector, exact (default)\n"
     "graph: tiles walk the HNSW graph and pull what they need"},
    {"dtype", 0, "NAME", [](Options& o, const char* v) { return choice(v, kDTypes, o.dtype); },
     "f16, i8 or f32: elements on the tiles (f16)"},
    {"metric", 0, "NAME", [](Options& o, const char* v) { return choice(v, kMetrics, o.metric); },
     "l2, inner_product or cosine (the file's)"},
    {nullptr, 'k', "N", [](Options& o, const char* v) { return number(v, 1, 16, o.k); },
     "nearest vectors per query, 1 to 16 (10)"},
    {"m", 0, "N", [](Options& o, const char* v) { return number(v, 2, 64, o.m); },
     "build a graph of M = N, even if the file has one"},
    {"ef-construction", 0, "N",
     [](Options& o, const char* v) { return number(v, 1, 4096, o.ef_construction); },
     "how thoroughly to build it (200)"},
    {"seed", 0, "N", [](Options& o, const char* v) { return number(v, 0, o.seed); },
     "the one source of chance (1)"},
};

constexpr Spec kOutput[] = {
    {"check", 0, nullptr,
     [](Options& o, const char*) {
         o.check = true;
         return std::string();
     },
     "compare with an exact search in double precision"},
    {"json", 0, "[=FILE]", [](Options& o, const char* v) { return path(v ? v : "-", o.json); },
     "everything as JSON, to FILE or instead of the summary"},
    {"trace", 0, "FILE", [](Options& o, const char* v) { return path(v, o.trace); },
     "a timeline for https://ui.perfetto.dev"},
    {"log", 0, "FILE", [](Options& o, const char* v) { return path(v, o.log); },
     "every event, one per line; - is standard output"},
    {"quiet", 0, nullptr,
     [](Options& o, const char*) {
         o.quiet = true;
         return std::string();
     },
     "no summary and no progress bar"},
    {"no-color", 0, nullptr,
     [](Options& o, const char*) {
         o.no_color = true;
         return std::string();
     },
     "no colors; NO_COLOR in the environment does the same"},
};

constexpr Spec kOther[] = {
    {"soak", 0, "N",
     [](Options& o, const char* v) {
         o.task = Task::kSoak;
         return number(v, 1, ~uint64_t{0}, o.soak);
     },
     "run N random scenarios with faults; needs no file"},
    {"seeds", 0, "FROM",
     [](Options& o, const char* v) { return number(v, 0, ~uint64_t{0}, o.soak_from); },
     "the seed of the first of them (1)"},
    {"help", 'h', nullptr,
     [](Options& o, const char*) {
         o.task = Task::kHelp;
         return std::string();
     },
     "this text"},
    {"version", 'V', nullptr,
     [](Options& o, const char*) {
         o.task = Task::kVersion;
         return std::string();
     },
     "version, and the kernel inside"},
};

struct Group {
    const char* title;
    std::span<const Spec> specs;
};
constexpr Group kGroups[] = {
    {"What to run", kInput}, {"The array", kArray}, {"What to write", kOutput}, {"Other", kOther}};

std::vector<const Spec*> all_specs() {
    std::vector<const Spec*> all;
    for (const Group& group : kGroups) {
        for (const Spec& spec : group.specs) all.push_back(&spec);
    }
    return all;
}

std::string shown(const Spec& spec) {
    return spec.name ? std::string("--") + spec.name : std::string("-") + spec.letter;
}

std::string unknown_option(const char* argument, const std::vector<const Spec*>& specs) {
    std::string_view given(argument);
    given = given.substr(0, given.find('='));
    std::vector<std::string> names;
    for (const Spec* spec : specs) names.push_back(shown(*spec));
    std::string near = closest(given, names);
    return "there is no option " + in_quotes(given) +
           (near.empty() ? "; --help lists all" : "; did you mean " + near + "?");
}

bool optional_argument_of(const Spec& spec) { return spec.argument && spec.argument[0] == '['; }

} // namespace

std::string parse_options(int count, char** arguments, Options& options) {
    std::vector<const Spec*> specs = all_specs();
    std::vector<option> longs;
    std::string shorts = ":"; // a missing value answers ':'
    constexpr int kFirst = 256;
    for (size_t i = 0; i < specs.size(); ++i) {
        const Spec& spec = *specs[i];
        int has = !spec.argument               ? no_argument
                  : optional_argument_of(spec) ? optional_argument
                                               : required_argument;
        int value = spec.letter ? spec.letter : kFirst + static_cast<int>(i);
        if (spec.name) longs.push_back({spec.name, has, nullptr, value});
        if (spec.letter) shorts.append(1, spec.letter).append(spec.argument ? ":" : "");
    }
    longs.push_back({});

    std::vector<std::string> given;
    opterr = 0;
    while (true) {
        int next = std::min(optind, count); // where the option is that getopt_long looks at
        int found = getopt_long(count, arguments, shorts.c_str(), longs.data(), nullptr);
        if (found == -1) break;
        const char* argument = arguments[std::max(next, optind - 1)];
        if (found == ':') return std::string(arguments[optind - 1]) + " needs a value";
        if (found == '?') {
            // optopt is set when the option exists but does not take the value it was given.
            bool is_long = std::strncmp(argument, "--", 2) == 0;
            if (is_long && optopt != 0) {
                std::string_view name(argument);
                return std::string(name.substr(0, name.find('='))) + " takes no value";
            }
            std::string letter = {'-', static_cast<char>(optopt)};
            return unknown_option(is_long ? argument : letter.c_str(), specs);
        }
        for (size_t i = 0; i < specs.size(); ++i) {
            const Spec& spec = *specs[i];
            if (found != (spec.letter ? spec.letter : kFirst + static_cast<int>(i))) continue;
            given.push_back(shown(spec));
            std::string wrong = spec.set(options, optarg);
            if (!wrong.empty()) return shown(spec) + ": " + wrong;
            if (options.task == Task::kHelp || options.task == Task::kVersion) return "";
        }
    }

    if (options.task == Task::kSoak) {
        static constexpr std::string_view kTaken[] = {"--soak", "--seeds", "--json",
                                                      "--log",  "--quiet", "--no-color"};
        for (const std::string& option : given) {
            if (std::find(std::begin(kTaken), std::end(kTaken), option) != std::end(kTaken))
                continue;
            return "--soak makes its own scenarios; leave " + option + " out";
        }
        if (optind < count) {
            return "--soak makes its own data; leave " + in_quotes(arguments[optind]) + " out";
        }
        if (options.json == "-" && options.log == "-") {
            return "--json and --log both want standard output; give one a file";
        }
        return "";
    }
    if (std::find(given.begin(), given.end(), "--seeds") != given.end()) {
        return "--seeds is of --soak; the seed of one run is --seed";
    }
    if (optind >= count) return "which file? Try: rvf-sim FILE.rvf --query id:1, or --help";
    options.file = arguments[optind];
    if (optind + 1 < count) {
        std::string second = arguments[optind + 1];
        if (options.json == "-" && second.ends_with(".json")) {
            return "one file at a time; to write JSON to a file say --json=" + second;
        }
        return "one file at a time; " + in_quotes(second) + " is one too many";
    }
    if (options.queries.empty()) return "no query; give --query, for example --query id:1";
    std::vector<std::string> writers;
    for (const auto& [name, where] : {std::pair{"--json", &options.json},
                                      {"--trace", &options.trace},
                                      {"--log", &options.log}}) {
        if (*where == "-") writers.emplace_back(name);
    }
    if (writers.size() > 1) {
        return writers[0] + " and " + writers[1] + " both want standard output; give one a file";
    }
    return "";
}

void apply(const Options& options, Plan& plan) {
    hub::Scenario& scenario = plan.scenario;
    if (options.seed) scenario.seed = *options.seed;
    if (options.tiles) scenario.tiles = *options.tiles;
    if (options.profile) plan.reader = *options.profile;
    if (options.mode) scenario.mode = static_cast<hub::Mode>(*options.mode);
    if (options.dtype) scenario.dtype = *options.dtype;
    if (options.k) scenario.k = *options.k;
    if (options.metric) {
        scenario.metric = *options.metric;
        plan.metric_given = true;
    }
    scenario.profile = static_cast<uint8_t>(std::min<uint32_t>(plan.reader, tile::kHotProfile));
}

std::string help_text() {
    constexpr size_t kColumn = 23;
    std::string text =
        "rvf-sim: searches an .rvf file on a simulated array of tiles.\n"
        "\n"
        "Usage: rvf-sim FILE.rvf --query QUERY [options]\n"
        "       rvf-sim --soak N [--seeds FROM]\n"
        "\n"
        "Each tile is the real rvf_kernel.wasm in a sandbox. A hub talks to them by\n"
        "messages in virtual time and survives their faults. The same file, queries,\n"
        "scenario and seed give the same events, byte for byte.\n";
    for (const Group& group : kGroups) {
        text.append("\n").append(group.title).append("\n");
        for (const Spec& spec : group.specs) {
            std::string line = spec.letter ? std::string("  -") + spec.letter : "    ";
            if (spec.name) line += std::string(spec.letter ? ", " : "  ") + shown(spec);
            if (spec.argument) {
                line += std::string(optional_argument_of(spec) ? "" : " ") + spec.argument;
            }
            std::string_view help = spec.help;
            while (!help.empty()) {
                if (line.size() >= kColumn) line += "\n" + std::string(kColumn, ' ');
                line.resize(std::max(line.size(), kColumn), ' ');
                size_t end = std::min(help.find('\n'), help.size());
                text.append(line).append(help.substr(0, end)).append("\n");
                help.remove_prefix(std::min(end + 1, help.size()));
                line.clear();
            }
        }
    }
    text +=
        "\n"
        "Examples\n"
        "  rvf-sim docs.rvf --query id:7\n"
        "  rvf-sim docs.rvf --query queries.fvecs --tiles 1024 --profile core --check\n"
        "  rvf-sim docs.rvf --query id:7 --mode graph --m 16 --check\n"
        "  rvf-sim docs.rvf --query id:7 --scenario lossy.json --trace run.json\n"
        "  rvf-sim --soak 10000 --seeds 1\n"
        "\n"
        "Exit status\n"
        "  0  every query was answered; with --check and --soak: rightly\n"
        "  1  a run ended with an error, or an answer is wrong\n"
        "  2  the command line cannot be understood\n"
        "  3  the file, a query, the scenario or the kernel was refused\n"
        "  4  something could not be written\n"
        "\n"
        "docs/simulator.md describes scenario files and everything that is written.\n";
    return text;
}

} // namespace rvf::sim
