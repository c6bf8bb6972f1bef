// The words of the command line, of scenario files and of reports for the numbers of a Scenario.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/hub/scenario.h"

namespace rvf::sim {

struct Name {
    const char* text;
    uint32_t value;
};

/// Who reads the file. The tiles of a Full reader are Hot tiles.
constexpr uint8_t kFullProfile = 3;

inline constexpr Name kProfiles[] = {
    {"core", tile::kCoreProfile}, {"hot", tile::kHotProfile}, {"full", kFullProfile}};
inline constexpr Name kModes[] = {{"blocks", static_cast<uint32_t>(hub::Mode::kBlocks)},
                                  {"graph", static_cast<uint32_t>(hub::Mode::kGraph)}};
inline constexpr Name kDTypes[] = {{"f16", tile::kF16}, {"i8", tile::kI8}, {"f32", tile::kF32}};
inline constexpr Name kMetrics[] = {
    {"l2", tile::kL2}, {"inner_product", tile::kInnerProduct}, {"cosine", tile::kCosine}};
inline constexpr Name kDirections[] = {{"to_tile", static_cast<uint32_t>(hub::Direction::kToTile)},
                                       {"to_hub", static_cast<uint32_t>(hub::Direction::kToHub)},
                                       {"both", static_cast<uint32_t>(hub::Direction::kBoth)}};

/// Nullptr when there is no such name.
inline const Name* find_name(std::span<const Name> names, std::string_view text) {
    for (const Name& name : names) {
        if (text == name.text) return &name;
    }
    return nullptr;
}

inline const char* name_of(std::span<const Name> names, uint32_t value) {
    for (const Name& name : names) {
        if (value == name.value) return name.text;
    }
    return "unknown";
}

inline std::vector<std::string> all_names(std::span<const Name> names) {
    std::vector<std::string> all;
    for (const Name& name : names) all.emplace_back(name.text);
    return all;
}

} // namespace rvf::sim
