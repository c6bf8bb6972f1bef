#include "host/sim/text.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace rvf::sim {

namespace {

/// Letters to insert, delete, replace or swap with their neighbour to get from one to the other.
size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<size_t>> rows(a.size() + 1, std::vector<size_t>(b.size() + 1));
    for (size_t i = 0; i <= a.size(); ++i) {
        for (size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                rows[i][j] = i + j;
                continue;
            }
            rows[i][j] = std::min({rows[i - 1][j] + 1, rows[i][j - 1] + 1,
                                   rows[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
            }
        }
    }
    return rows[a.size()][b.size()];
}

} // namespace

std::string grouped(uint64_t number) {
    std::string text = std::to_string(number);
    for (size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
    return text;
}

std::string duration(uint64_t nanoseconds) {
    const char* units[] = {"ns", "us", "ms", "s"};
    double value = static_cast<double>(nanoseconds);
    size_t unit = 0;
    while (unit < 3 && value >= 999.95) {
        value /= 1000;
        ++unit;
    }
    if (unit == 3 && value >= 999.95) return grouped(nanoseconds / 1'000'000'000) + " s";
    char text[32];
    std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return text;
}

std::string one_of(const std::vector<std::string>& names) {
    std::string list;
    for (size_t i = 0; i < names.size(); ++i) {
        if (i > 0) list += i + 1 == names.size() ? " or " : ", ";
        list += names[i];
    }
    return list;
}

std::string counted(uint64_t number, std::string_view one) {
    std::string text = grouped(number) + " ";
    if (number == 1 || one.empty()) return text.append(one);
    if (one.back() == 'y') return text.append(one.substr(0, one.size() - 1)) + "ies";
    return text.append(one) + "s";
}

std::string closest(std::string_view name, const std::vector<std::string>& names) {
    std::string best;
    if (name.size() < 3) return best;
    size_t best_distance = std::max<size_t>(1, std::min<size_t>(3, name.size() / 3)) + 1;
    for (const std::string& candidate : names) {
        size_t distance = edit_distance(name, candidate);
        bool begins = name.size() >= 3 && std::string_view(candidate).starts_with(name);
        if (begins) distance = std::min<size_t>(distance, 1);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

std::string in_quotes(std::string_view text) {
    constexpr size_t kMost = 60;
    std::string out = "\"";
    for (char c : text.substr(0, kMost)) {
        bool harmless = static_cast<unsigned char>(c) >= 0x20 && c != 0x7F;
        out += harmless ? c : '?';
    }
    if (text.size() > kMost) out += "...";
    return out + "\"";
}

bool parse_number(std::string_view text, uint64_t& number) {
    uint64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return false;
    number = value;
    return true;
}

} // namespace rvf::sim
