#include "host/sim/summary.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "host/sim/text.h"

namespace rvf::sim {

namespace {

constexpr size_t kWidth = 80;
constexpr size_t kShownQueries = 3;
constexpr const char* kBold = "1";
constexpr const char* kDim = "2";
constexpr const char* kRed = "31";
constexpr const char* kGreen = "32";
constexpr const char* kYellow = "33";

std::string left(std::string text, size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

std::string right(const std::string& text, size_t width) {
    return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

std::string with_format(const char* format, double value) {
    char text[40];
    std::snprintf(text, sizeof(text), format, value);
    return text;
}

/// Line by line, so that no line ends in spaces.
class Page {
public:
    explicit Page(const Style& style) : style_(style) {}

    std::string painted(const char* color, const std::string& text) const {
        return style_.color && !text.empty() ? std::string("\x1b[") + color + "m" + text + "\x1b[0m"
                                             : text;
    }

    void line(std::string text = "") {
        while (!text.empty() && text.back() == ' ') text.pop_back();
        text_ += text + "\n";
    }

    /// "  label      text", the text broken at spaces.
    void entry(const std::string& label, const std::string& text) {
        constexpr size_t kIndent = 14;
        std::string rest = text, head = "  " + left(label, kIndent - 2);
        while (rest.size() > kWidth - kIndent) {
            size_t space = rest.rfind(", ", kWidth - kIndent - 1);
            space = space == std::string::npos ? rest.rfind(' ', kWidth - kIndent) : space + 1;
            if (space == std::string::npos || space == 0) break;
            line(head + rest.substr(0, space));
            rest = rest.substr(space + 1);
            head = std::string(kIndent, ' ');
        }
        line(head + rest);
    }

    std::string take() { return std::move(text_); }

private:
    const Style& style_;
    std::string text_;
};

std::string file_name(const std::string& path) {
    size_t slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

void write_head(const Result& result, Page& page) {
    const hub::Scenario& scenario = result.plan.scenario;
    page.line("  " + page.painted(kBold, file_name(result.file)));
    page.line();
    page.entry("file", counted(result.vectors, "vector") + " of " +
                           counted(result.dimension, "dimension") + ", " +
                           name_of(kMetrics, scenario.metric) + ", read as " +
                           name_of(kProfiles, result.plan.reader));
    page.entry("array", counted(scenario.tiles, "tile") + " of profile " +
                            name_of(kProfiles, scenario.profile) + ", " +
                            name_of(kDTypes, scenario.dtype) + ", mode " +
                            name_of(kModes, static_cast<uint32_t>(scenario.mode)) + ", k = " +
                            std::to_string(scenario.k) + ", seed " + std::to_string(scenario.seed));
    if (!result.graph.empty()) page.entry("graph", result.graph);
    for (const std::string& warning : result.warnings) page.entry("note", warning);
}

/// In as many columns as fit, each read from top to bottom.
void write_nearest(const std::vector<hub::Answer>& nearest, Page& page) {
    if (nearest.empty()) return page.entry("", "no answers");
    constexpr size_t kMostColumns = 3, kDistance = 13, kGap = 2;
    size_t id = 11;
    for (const hub::Answer& each : nearest) id = std::max(id, std::to_string(each.id).size());
    size_t columns = std::min(kMostColumns, (kWidth - kGap) / (id + kDistance + kGap));
    size_t rows = (nearest.size() + columns - 1) / columns;
    const std::string gap(kGap, ' ');
    std::string head;
    for (size_t first = 0; first < nearest.size(); first += rows) {
        head += gap + right("id", id) + right("distance", kDistance);
    }
    page.line(page.painted(kDim, head));
    for (size_t row = 0; row < rows; ++row) {
        std::string line;
        for (size_t at = row; at < nearest.size(); at += rows) {
            line += gap + right(std::to_string(nearest[at].id), id) +
                    right(with_format("%.6g", nearest[at].distance), kDistance);
        }
        page.line(line);
    }
}

/// A few answers in full; of many only that they are there.
void write_answers(const Result& result, Page& page) {
    const auto& answers = result.report.answers;
    page.line();
    if (!result.report.error.empty()) {
        page.entry("queries", grouped(result.queries.size()) + ", not all answered");
        return;
    }
    if (answers.size() > kShownQueries) {
        size_t least = answers[0].size();
        for (const auto& each : answers) least = std::min(least, each.size());
        page.entry("queries",
                   grouped(answers.size()) + ", " +
                       (least == result.plan.scenario.k ? "each with " : "with at least ") +
                       counted(least, "answer"));
        return;
    }
    for (size_t query = 0; query < answers.size(); ++query) {
        std::string name = result.queries[query];
        if (name.size() > 40) name = name.substr(0, 37) + "...";
        if (query > 0) page.line();
        page.entry("query", name);
        write_nearest(answers[query], page);
    }
}

void write_work(const Result& result, Page& page) {
    const hub::Report& report = result.report;
    auto row = [&](const char* label, const std::string& value, const std::string& parts) {
        page.line("  " + left(label, 14) + right(value, 16) + "   " + page.painted(kDim, parts));
    };
    bool blocks = result.plan.scenario.mode == hub::Mode::kBlocks;
    page.line();
    row(blocks ? "blocks" : "searches", grouped(report.jobs),
        grouped(report.jobs_on_tiles) + " by tiles, " + grouped(report.jobs_local) + " by the hub");
    row("messages", grouped(report.messages_to_tiles + report.messages_to_hub),
        grouped(report.messages_to_tiles) + " to tiles, " + grouped(report.messages_to_hub) +
            " to the hub");
    double messages = static_cast<double>(report.messages_to_tiles + report.messages_to_hub);
    double queries = static_cast<double>(std::max<size_t>(1, result.queries.size()));
    row("  per query", grouped(static_cast<uint64_t>(std::llround(messages / queries))), "");
    row("bytes", grouped(report.bytes_to_tiles + report.bytes_to_hub),
        grouped(report.bytes_to_tiles) + " to tiles, " + grouped(report.bytes_to_hub) +
            " to the hub");
    if (report.bytes_to_chips > 0) {
        row("to chips", grouped(report.bytes_to_chips), "bytes into the memory that tiles share");
    }
    if (report.layer_a_hits > 0) {
        row("layer A", grouped(report.layer_a_hits), "messages from the memory that tiles share");
    }
    std::string rate = report.jobs_local > 0 ? "the jobs of the hub take none" : "";
    if (report.jobs_local == 0 && report.virtual_ns > 0) {
        double seconds = static_cast<double>(report.virtual_ns) * 1e-9;
        rate =
            grouped(static_cast<uint64_t>(std::llround(queries / seconds))) + " queries per second";
    }
    row("virtual time", duration(report.virtual_ns), rate);
    row("real time", duration(result.real_ns), "");
}

/// Number and text for each that is not zero.
std::string listed(const std::vector<std::pair<std::string, uint64_t>>& counts) {
    std::string text;
    for (const auto& [name, count] : counts) {
        if (count > 0) text += (text.empty() ? "" : ", ") + grouped(count) + " " + name;
    }
    return text.empty() ? "nothing" : text;
}

void write_faults(const Result& result, Page& page) {
    const hub::Report& report = result.report;
    page.line();
    bool any = std::any_of(std::begin(report.faults), std::end(report.faults),
                           [](uint64_t count) { return count > 0; });
    if (!any || !result.ledger) {
        page.entry("faults", "none");
        return;
    }
    static constexpr std::pair<const char*, Ending> kColumns[] = {
        {"no harm", Ending::kNoHarm},
        {"resent", Ending::kResent},
        {"restarted", Ending::kRestarted},
        {"quarantined", Ending::kQuarantined}};
    std::string head = "  " + left("faults", 16) + right("injected", 9);
    for (const auto& [name, ending] : kColumns) head += right(name, 13);
    page.line(page.painted(kDim, head));
    for (uint32_t i = 0; i < hub::kFaultKinds; ++i) {
        if (report.faults[i] == 0) continue;
        auto kind = static_cast<hub::FaultKind>(i);
        std::string line =
            "  " + left(hub::fault_name(kind), 16) + right(grouped(report.faults[i]), 9);
        for (const auto& [name, ending] : kColumns) {
            uint64_t count = result.ledger->count(kind, ending);
            line += right(count == 0 ? "-" : grouped(count), 13);
        }
        page.line(line);
    }

    uint64_t restarts = 0, quarantined = 0;
    for (const hub::TileReport& tile : report.tiles) {
        restarts += tile.restarts;
        quarantined += tile.quarantined;
    }
    std::vector<std::pair<std::string, uint64_t>> found;
    for (uint32_t i = 0; i < hub::kFindings; ++i) {
        found.emplace_back(hub::finding_name(static_cast<hub::Finding>(i)), report.findings[i]);
    }
    page.line();
    page.entry("found", listed(found));
    page.entry("recovery", listed({{"messages resent", report.resent},
                                   {"jobs reassigned", report.reassigned},
                                   {"tiles restarted", restarts},
                                   {"quarantined", quarantined},
                                   {"jobs done by the hub", report.jobs_local},
                                   {"late replies", report.late}}));
}

void write_check(const Result& result, Page& page) {
    if (!result.check) return;
    const Check& check = *result.check;
    std::string recall = "recall@" + std::to_string(result.plan.scenario.k);
    page.line();
    page.line(page.painted(kDim, "  " + left("exact search over", 24) + right(recall, 10) +
                                     right("largest error", 16) + right("allowed there", 16)));
    auto row = [&](const std::string& name, const Comparison& comparison) {
        page.line("  " + left(name, 24) + right(with_format("%.4f", comparison.recall), 10) +
                  right(with_format("%.2g", comparison.difference), 16) +
                  right(with_format("%.2g", comparison.allowed), 16));
    };
    row(std::string("the tiles' ") + name_of(kDTypes, result.plan.scenario.dtype) + " values",
        check.stored);
    row("the file's f32 values", check.file);
}

/// One character per tile, or per group of tiles when there are many.
void write_load(const Result& result, const Style& style, Page& page) {
    constexpr size_t kPerLine = 64, kMostLines = 8;
    const std::vector<hub::TileReport>& tiles = result.report.tiles;
    if (tiles.empty()) return;
    uint64_t busiest = 0, least = ~uint64_t{0}, total = 0;
    for (const hub::TileReport& tile : tiles) {
        busiest = std::max(busiest, tile.busy_ns);
        least = std::min(least, tile.busy_ns);
        total += tile.busy_ns;
    }
    auto share = [&](double busy) {
        double all = static_cast<double>(std::max<uint64_t>(1, result.report.virtual_ns));
        return with_format("%.0f %%", 100 * busy / all);
    };
    size_t group = (tiles.size() + kPerLine * kMostLines - 1) / (kPerLine * kMostLines);
    std::string title = share(static_cast<double>(busiest)) + " busy";
    if (tiles.size() > 1) {
        title = share(static_cast<double>(least)) + " to " + title + ", " +
                share(static_cast<double>(total) / static_cast<double>(tiles.size())) +
                " on average";
    }
    if (group > 1) title += "; " + std::to_string(group) + " to a character";
    size_t out = static_cast<size_t>(std::count_if(
        tiles.begin(), tiles.end(), [](const hub::TileReport& tile) { return tile.quarantined; }));
    if (out > 0) title += "; x is quarantined";
    page.line();
    page.entry("load", title);

    static const char* const kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char* const kAscii[] = {":", "-", "=", "+", "*", "#", "%", "@"};
    const char* const* bars = style.unicode ? kBlocks : kAscii;
    const char* idle = style.unicode ? "·" : ".";
    std::string line;
    for (size_t first = 0; first < tiles.size(); first += group) {
        size_t end = std::min(first + group, tiles.size());
        uint64_t busy = 0;
        bool quarantined = true;
        for (size_t tile = first; tile < end; ++tile) {
            busy += tiles[tile].busy_ns;
            quarantined = quarantined && tiles[tile].quarantined;
        }
        double level =
            busiest == 0 ? 0
                         : static_cast<double>(busy) / static_cast<double>(busiest * (end - first));
        auto step = static_cast<size_t>(std::lround(level * 7));
        if (first / group % kPerLine == 0) line = "  " + right(std::to_string(first), 10) + "  ";
        line += quarantined ? page.painted(kRed, "x") : busy == 0 ? idle : bars[step];
        if (first / group % kPerLine == kPerLine - 1 || end == tiles.size()) page.line(line);
    }
}

void write_verdict(const Result& result, Page& page) {
    page.line();
    if (!result.report.error.empty()) {
        page.line("  " + page.painted(kRed, "failed: " + result.report.error));
    } else if (!result.check) {
        page.line("  " + page.painted(kYellow, "answered") + ", not checked (--check)");
    } else if (result.check->error.empty()) {
        page.line("  " + page.painted(kGreen, "right") +
                  (result.plan.scenario.mode == hub::Mode::kBlocks
                       ? ": the nearest of all vectors, every distance as exact as allowed"
                       : ": every distance as exact as allowed"));
    } else {
        page.line("  " + page.painted(kRed, "wrong: " + result.check->error));
    }
}

} // namespace

std::string summary_of(const Result& result, const Style& style) {
    Page page(style);
    write_head(result, page);
    write_answers(result, page);
    write_work(result, page);
    write_faults(result, page);
    write_check(result, page);
    write_load(result, style, page);
    write_verdict(result, page);
    return page.take();
}

} // namespace rvf::sim
