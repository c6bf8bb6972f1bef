#include "host/sim/scenario_file.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "host/sim/text.h"

namespace rvf::sim {

namespace {

using Json = nlohmann::ordered_json;
using hub::FaultRule;
using hub::Scenario;

/// Takes the value of a key; answers what is allowed when this value is not, or nothing.
template <typename Target>
using Set = std::string (*)(Target&, const Json& value);

template <typename Target>
struct Key {
    const char* name;
    Set<Target> set;
};

template <typename T>
std::string whole(const Json& value, uint64_t least, uint64_t most, T& target) {
    if (value.is_number_unsigned()) {
        uint64_t number = value.get<uint64_t>();
        if (number >= least && number <= most) {
            target = static_cast<T>(number);
            return "";
        }
    }
    return "a whole number from " + grouped(least) + " to " + grouped(most);
}

constexpr uint64_t kMost32 = std::numeric_limits<uint32_t>::max();
constexpr uint64_t kMost64 = std::numeric_limits<uint64_t>::max();

/// Microseconds in the file, nanoseconds in the scenario.
constexpr uint32_t kMostTime = 1'000'000'000; ///< microseconds
constexpr uint32_t kMostWait = 1'000'000;

std::string microseconds(const Json& value, uint32_t least, uint32_t most, uint64_t& target) {
    if (value.is_number()) {
        double number = value.get<double>();
        if (number >= least && number <= most) {
            target = static_cast<uint64_t>(std::llround(number * 1000));
            return "";
        }
    }
    return "microseconds, a number from " + std::to_string(least) + " to " +
           (most == kMostTime ? "1,000,000,000" : "1,000,000");
}

template <typename T>
std::string name(const Json& value, std::span<const Name> names, T& target) {
    if (value.is_string()) {
        if (const Name* found = find_name(names, value.get<std::string>())) {
            target = static_cast<T>(found->value);
            return "";
        }
    }
    std::vector<std::string> allowed;
    for (const Name& each : names) allowed.push_back(in_quotes(each.text));
    return one_of(allowed);
}

std::vector<std::string> fault_names() {
    std::vector<std::string> names;
    for (uint32_t kind = 0; kind < hub::kFaultKinds; ++kind) {
        names.emplace_back(hub::fault_name(static_cast<hub::FaultKind>(kind)));
    }
    return names;
}

constexpr Key<FaultRule> kFaultKeys[] = {
    {"name",
     [](FaultRule& rule, const Json& value) -> std::string {
         std::vector<std::string> names = fault_names();
         if (value.is_string()) {
             auto at = std::find(names.begin(), names.end(), value.get<std::string>());
             if (at != names.end()) {
                 rule.kind = static_cast<hub::FaultKind>(at - names.begin());
                 return "";
             }
         }
         return one_of(names);
     }},
    {"rate",
     [](FaultRule& rule, const Json& value) -> std::string {
         if (value.is_number()) {
             rule.rate = value.get<double>();
             if (rule.rate >= 0 && rule.rate <= 1) return "";
         }
         return "a number from 0 to 1";
     }},
    {"direction",
     [](FaultRule& rule, const Json& value) { return name(value, kDirections, rule.direction); }},
    {"tile", [](FaultRule& rule, const Json& value) { return whole(value, 0, 4095, rule.tile); }},
    {"bits", [](FaultRule& rule, const Json& value) { return whole(value, 1, 64, rule.bits); }},
    {"from_us", [](FaultRule& rule,
                   const Json& value) { return microseconds(value, 0, kMostTime, rule.from_ns); }},
    {"to_us", [](FaultRule& rule,
                 const Json& value) { return microseconds(value, 0, kMostTime, rule.to_ns); }},
    {"count",
     [](FaultRule& rule, const Json& value) { return whole(value, 0, kMost32, rule.count); }},
};

/// "faults" is read by read_scenario.
constexpr Key<Plan> kKeys[] = {
    {"description",
     [](Plan&, const Json& value) -> std::string { return value.is_string() ? "" : "a text"; }},
    {"seed", [](Plan& p, const Json& value) { return whole(value, 0, kMost64, p.scenario.seed); }},
    {"tiles", [](Plan& p, const Json& value) { return whole(value, 1, 4096, p.scenario.tiles); }},
    {"profile", [](Plan& p, const Json& value) { return name(value, kProfiles, p.reader); }},
    {"mode", [](Plan& p, const Json& value) { return name(value, kModes, p.scenario.mode); }},
    {"metric",
     [](Plan& p, const Json& value) {
         p.metric_given = true;
         return name(value, kMetrics, p.scenario.metric);
     }},
    {"dtype", [](Plan& p, const Json& value) { return name(value, kDTypes, p.scenario.dtype); }},
    {"k", [](Plan& p, const Json& value) { return whole(value, 1, 16, p.scenario.k); }},
    {"tiles_per_chip",
     [](Plan& p, const Json& value) { return whole(value, 1, 4096, p.scenario.tiles_per_chip); }},
    {"timeout_us",
     [](Plan& p, const Json& value) {
         return microseconds(value, 20, kMostWait, p.scenario.timeout_ns);
     }},
    {"resends",
     [](Plan& p, const Json& value) { return whole(value, 0, 100, p.scenario.resends); }},
    {"quarantine_after",
     [](Plan& p, const Json& value) {
         return whole(value, 1, kMost32, p.scenario.quarantine_after);
     }},
    {"attempts",
     [](Plan& p, const Json& value) { return whole(value, 1, 1000, p.scenario.attempts); }},
    {"faults",
     [](Plan&, const Json& value) -> std::string {
         return value.is_array() ? "" : "a list of faults, each an object with a \"name\"";
     }},
};

/// `where` is what comes before the names of keys in messages: "" or "faults[2].".
template <typename Target, size_t kCount>
std::string read_object(const Json& object, const Key<Target> (&keys)[kCount],
                        const std::string& where, Target& target) {
    for (const auto& item : object.items()) {
        const std::string& given = item.key();
        const Json& value = item.value();
        auto key = std::find_if(std::begin(keys), std::end(keys),
                                [&](const Key<Target>& each) { return given == each.name; });
        if (key == std::end(keys)) {
            std::vector<std::string> names;
            for (const Key<Target>& each : keys) names.emplace_back(each.name);
            std::string near = closest(given, names);
            return "there is no key " + in_quotes(where + given) + "; " +
                   (near.empty() ? "allowed: " + one_of(names)
                                 : "did you mean " + in_quotes(near) + "?");
        }
        std::string allowed = key->set(target, value);
        if (allowed.empty()) continue;
        std::string shown = value.dump(-1, ' ', false, Json::error_handler_t::replace);
        if (shown.size() > 40) shown = shown.substr(0, 40) + "...";
        std::string meant;
        if (value.is_string() && given == "name") {
            std::string near = closest(value.get<std::string>(), fault_names());
            if (!near.empty()) meant = " (did you mean " + near + "?)";
        }
        return in_quotes(where + given) + " is " + shown + meant + "; allowed: " + allowed;
    }
    return "";
}

std::string read_fault(const Json& value, const std::string& where, FaultRule& rule) {
    if (!value.is_object()) return in_quotes(where) + " is not an object with a \"name\"";
    if (!value.contains("name")) {
        return in_quotes(where) + " has no \"name\"; allowed: " + one_of(fault_names());
    }
    if (!value.contains("rate")) {
        return in_quotes(where) + " has no \"rate\", the probability per message, from 0 to 1";
    }
    std::string wrong = read_object(value, kFaultKeys, where + ".", rule);
    if (wrong.empty() && rule.from_ns >= rule.to_ns) {
        return in_quotes(where + ".to_us") +
               " must be larger than from_us, or nothing ever strikes";
    }
    return wrong;
}

/// The line of the byte in front of which reading stopped.
size_t line_of(std::string_view text, size_t byte) {
    std::string_view before = text.substr(0, byte == 0 ? 0 : byte - 1);
    return 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
}

/// What the library says about a syntax error, without its own way to say where.
std::string reason_of(const Json::parse_error& error) {
    std::string text = error.what();
    size_t colon = text.find(": ");
    text = colon == std::string::npos ? text : text.substr(colon + 2);
    size_t read = text.find("; last read: ");
    size_t expected = text.find("; expected ");
    if (read != std::string::npos) {
        text = text.substr(0, read) +
               (expected != std::string::npos && expected > read ? text.substr(expected) : "");
    }
    for (const char* noise : {"syntax error while parsing ", "parsing "}) {
        if (text.starts_with(noise)) text = text.substr(std::char_traits<char>::length(noise));
    }
    return text;
}

} // namespace

std::string read_scenario(std::string_view text, Plan& plan) {
    // The library keeps one of two equal keys; which one was meant nobody knows.
    std::vector<std::set<std::string>> open;
    std::string twice;
    auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
        if (event == Json::parse_event_t::object_start) open.emplace_back();
        if (event == Json::parse_event_t::object_end) open.pop_back();
        if (event == Json::parse_event_t::key && !open.back().insert(parsed).second) {
            twice = parsed;
        }
        return true;
    };
    Json json;
    try {
        json = Json::parse(text, watch);
    } catch (const Json::parse_error& error) {
        return "line " + std::to_string(line_of(text, error.byte)) + ": " + reason_of(error);
    } catch (const Json::exception& error) {
        return error.what(); // a number outside what a double holds
    }
    if (!twice.empty()) return in_quotes(twice) + " is there twice in one object";
    if (!json.is_object()) return "a scenario is an object: { ... }";

    Plan read = plan;
    std::string wrong = read_object(json, kKeys, "", read);
    if (!wrong.empty()) return wrong;
    if (json.contains("faults")) {
        read.scenario.faults.clear();
        for (const Json& value : json["faults"]) {
            std::string where = "faults[" + std::to_string(read.scenario.faults.size()) + "]";
            FaultRule rule;
            wrong = read_fault(value, where, rule);
            if (!wrong.empty()) return wrong;
            read.scenario.faults.push_back(rule);
        }
    }
    plan = std::move(read);
    return "";
}

std::string write_scenario(const Plan& plan) {
    const Scenario& scenario = plan.scenario;
    const FaultRule usual;
    auto microseconds_of = [](uint64_t ns) -> Json {
        if (ns % 1000 == 0) return ns / 1000;
        return static_cast<double>(ns) / 1000;
    };
    Json json;
    json["seed"] = scenario.seed;
    json["tiles"] = scenario.tiles;
    json["profile"] = name_of(kProfiles, plan.reader);
    json["mode"] = name_of(kModes, static_cast<uint32_t>(scenario.mode));
    json["metric"] = name_of(kMetrics, scenario.metric);
    json["dtype"] = name_of(kDTypes, scenario.dtype);
    json["k"] = scenario.k;
    json["tiles_per_chip"] = scenario.tiles_per_chip;
    json["timeout_us"] = microseconds_of(scenario.timeout_ns);
    json["resends"] = scenario.resends;
    json["quarantine_after"] = scenario.quarantine_after;
    json["attempts"] = scenario.attempts;
    json["faults"] = Json::array();
    for (const FaultRule& rule : scenario.faults) {
        Json fault;
        fault["name"] = hub::fault_name(rule.kind);
        fault["rate"] = rule.rate;
        if (rule.direction != usual.direction) {
            fault["direction"] = name_of(kDirections, static_cast<uint32_t>(rule.direction));
        }
        if (rule.tile != usual.tile) fault["tile"] = rule.tile;
        if (rule.bits != usual.bits) fault["bits"] = rule.bits;
        if (rule.from_ns != usual.from_ns) fault["from_us"] = microseconds_of(rule.from_ns);
        if (rule.to_ns != usual.to_ns) fault["to_us"] = microseconds_of(rule.to_ns);
        if (rule.count != usual.count) fault["count"] = rule.count;
        json["faults"].push_back(std::move(fault));
    }
    return json.dump(2) + "\n";
}

} // namespace rvf::sim
