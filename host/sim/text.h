// Text for people: numbers with separators, lists of what is allowed, the name that was meant.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rvf::sim {

/// 1,234,567
std::string grouped(uint64_t number);

/// A duration in the unit that gives it one to three digits before the point: 850 ns, 12.3 us.
std::string duration(uint64_t nanoseconds);

/// "core, hot or full"
std::string one_of(const std::vector<std::string>& names);

/// 1 job, 2 jobs
std::string counted(uint64_t number, std::string_view one);

/// The one of `names` that differs from `name` in a letter or two or begins with it. Empty: there
/// is none, or `name` has less than three letters.
std::string closest(std::string_view name, const std::vector<std::string>& names);

/// `text` between quotes, cut after 60 bytes and with ? for bytes that a terminal might obey.
std::string in_quotes(std::string_view text);

/// Whole decimal numbers without a sign. False when `text` is anything else or does not fit.
bool parse_number(std::string_view text, uint64_t& number);

} // namespace rvf::sim
