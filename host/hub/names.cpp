// The words for everything that a person reads: names, event lines, and what is wrong with a
// scenario.
#include <array>

#include "host/hub/hub.h"
#include "kernel/protocol.h"

namespace rvf::hub {

namespace {

constexpr std::array<const char*, kFaultKinds> kFaultNames = {
    "out_of_bounds",  "unreachable", "exhaust_stack", "loop_forever", "flip_bits",
    "write_red_zone", "lose",        "duplicate",     "delay",        "corrupt",
    "wrong_id",       "tile_dies",   "all_tiles_die"};

constexpr std::array<const char*, kFindings> kFindingNames = {
    "trap",    "deadline",      "no_reply",     "bad_reply", "wrong_id",
    "refused", "state_changed", "bad_operands", "red_zone"};

std::string message_of(const Event& event) {
    return std::string(message_name(event.type)) + " id " + std::to_string(event.id) + ", " +
           std::to_string(event.bytes) + " bytes";
}

std::string out_of_range(const char* name, const std::string& value, const char* range) {
    return std::string(name) + " is " + value + "; it must be " + range;
}

} // namespace

const char* fault_name(FaultKind kind) { return kFaultNames[static_cast<size_t>(kind)]; }
const char* message_name(uint16_t type) {
    switch (type) {
        case tile::kLoadQuery:
            return "LOAD_QUERY";
        case tile::kLoadBlock:
            return "LOAD_BLOCK";
        case tile::kLoadNeighbors:
            return "LOAD_NEIGHBORS";
        case tile::kLoadParams:
            return "LOAD_PARAMS";
        case tile::kCompute:
            return "COMPUTE";
        case tile::kReadTopK:
            return "READ_TOPK";
        case tile::kReset:
            return "RESET";
        case tile::kTopKResult:
            return "TOPK_RESULT";
        case tile::kNeedBlock:
            return "NEED_BLOCK";
        case tile::kNeedNeighbors:
            return "NEED_NEIGHBORS";
        case tile::kDone:
            return "DONE";
        case tile::kError:
            return "ERROR";
        default:
            return "unknown";
    }
}

const char* finding_name(Finding finding) { return kFindingNames[static_cast<size_t>(finding)]; }

std::string text_of(const Event& event) {
    std::string where = event.tile == ~0u ? "hub" : "tile " + std::to_string(event.tile);
    std::string line = std::to_string(event.time_ns) + " ns, " + where + ": ";
    std::string job = "job " + std::to_string(event.job);
    std::string took = ", " + std::to_string(event.took_ns) + " ns";
    switch (event.kind) {
        case EventKind::kStart:
            return line + "started";
        case EventKind::kSend:
            return line + "send " + message_of(event);
        case EventKind::kReceive:
            return line + "serve " + message_of(event) + took;
        case EventKind::kReply:
            return line + "reply " + message_of(event);
        case EventKind::kFault:
            return line + "fault " + kFaultNames[event.code];
        case EventKind::kFinding:
            return line + "found " + kFindingNames[event.code];
        case EventKind::kResend:
            return line + "again " + message_of(event) + ", " + kFindingNames[event.code];
        case EventKind::kAssign:
            return line + "begin " + job;
        case EventKind::kFinish:
            return line + "end " + job + took;
        case EventKind::kQuarantine:
            return line + "quarantined";
        case EventKind::kLocal:
            return line + "compute " + job;
    }
    return line;
}

std::string check(const Scenario& scenario) {
    auto number = [](uint64_t value) { return std::to_string(value); };
    if (scenario.tiles == 0 || scenario.tiles > kMaxTiles) {
        return out_of_range("tiles", number(scenario.tiles), "1 to 4096");
    }
    if (scenario.profile != tile::kCoreProfile && scenario.profile != tile::kHotProfile) {
        return out_of_range("profile", number(scenario.profile), "1 (core) or 2 (hot)");
    }
    if (scenario.metric > tile::kCosine) {
        return out_of_range("metric", number(scenario.metric),
                            "0 (l2), 1 (inner_product) or 2 (cosine)");
    }
    if (scenario.dtype > tile::kF32) {
        return out_of_range("dtype", number(scenario.dtype), "0 (f16), 1 (i8) or 2 (f32)");
    }
    if (scenario.k == 0 || scenario.k > tile::kMaxTopK) {
        return out_of_range("k", number(scenario.k), "1 to 16");
    }
    if (scenario.mode == Mode::kGraph && scenario.profile == tile::kCoreProfile) {
        return "mode graph needs profile hot: a core tile does not navigate";
    }
    if (scenario.tiles_per_chip == 0) return out_of_range("tiles_per_chip", "0", "1 or more");
    if (scenario.timeout_ns < 20'000 || scenario.timeout_ns > 1'000'000'000) {
        return out_of_range("timeout_ns", number(scenario.timeout_ns), "20000 to 1000000000");
    }
    if (scenario.resends > 100)
        return out_of_range("resends", number(scenario.resends), "0 to 100");
    if (scenario.quarantine_after == 0) return out_of_range("quarantine_after", "0", "1 or more");
    if (scenario.attempts == 0 || scenario.attempts > 1000) {
        return out_of_range("attempts", number(scenario.attempts), "1 to 1000");
    }
    for (const FaultRule& rule : scenario.faults) {
        std::string of = std::string(" of fault ") + fault_name(rule.kind);
        if (!(rule.rate >= 0 && rule.rate <= 1)) {
            return out_of_range(("rate" + of).c_str(), std::to_string(rule.rate), "0 to 1");
        }
        if (rule.bits == 0 || rule.bits > 64) {
            return out_of_range(("bits" + of).c_str(), number(rule.bits), "1 to 64");
        }
    }
    return {};
}

} // namespace rvf::hub
