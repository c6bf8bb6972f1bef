// Virtual time: a model of a tile at 1 GHz and of the links of a mesh, in nanoseconds. It decides
// in which order things happen and how long a run would take; nothing is measured by it.
#pragma once

#include <cstdint>

namespace rvf::hub {

constexpr uint64_t kHubLatency = 500;  ///< hub <-> tile or chip
constexpr uint64_t kChipLatency = 50;  ///< shared memory of a chip -> tile
constexpr uint64_t kRestart = 10'000;  ///< a fresh instance
constexpr uint64_t kDeadline = 20'000; ///< a run that is stopped from outside took so long

/// On a link that carries a byte per nanosecond.
constexpr uint64_t transfer(uint64_t bytes) { return bytes; }

/// A tile checks and copies a message, 4 bytes per nanosecond.
constexpr uint64_t handling(uint64_t bytes) { return 100 + bytes / 4; }

/// Four elements of a row per nanosecond.
constexpr uint64_t comparing(uint64_t rows, uint64_t dimension) {
    return rows * (20 + dimension / 4);
}

} // namespace rvf::hub
