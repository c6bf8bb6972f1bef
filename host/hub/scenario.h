// What a run of the simulator is asked to do, as plain data. Everything that happens follows from a
// Scenario, the data and the queries: the same three give the same events, byte for byte.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "kernel/kernel.h"

namespace rvf::hub {

/// How queries are answered.
enum class Mode : uint8_t {
    kBlocks, ///< every vector is streamed to some tile: exact over the stored values
    kGraph,  ///< a tile walks the HNSW graph and pulls what it needs: approximate
};

/// What can go wrong, each by the name it has in a scenario file (fault_name).
enum class FaultKind : uint8_t {
    kOutOfBounds,  ///< the tile traps on an access outside its memory
    kUnreachable,  ///< the tile traps on an unreachable instruction
    kExhaustStack, ///< the tile traps by recursion without end
    kLoopForever,  ///< the tile does not come back and is stopped at its deadline
    kFlipBits,     ///< bits of the tile's memory change between two messages
    kWriteRedZone, ///< the tile writes where it has no memory
    kLose,         ///< a message does not arrive
    kDuplicate,    ///< a message arrives twice
    kDelay,        ///< a message arrives after the hub has given up waiting
    kCorrupt,      ///< bits of a message change on the way
    kWrongId,      ///< the tile answers with another correlation id
    kTileDies,     ///< the tile never answers again, restarted or not
    kAllTilesDie,  ///< so do all of them
};
constexpr uint32_t kFaultKinds = 13;

enum class Direction : uint8_t { kToTile, kToHub, kBoth };

/// A kind of fault and when it strikes. Rules are asked in order at every message; the first that
/// strikes is the fault of that exchange.
struct FaultRule {
    FaultKind kind = FaultKind::kLose;
    double rate = 0;                        ///< probability per message, 0 to 1
    Direction direction = Direction::kBoth; ///< of kLose, kDuplicate, kDelay, kCorrupt
    uint32_t tile = std::numeric_limits<uint32_t>::max();  ///< only this tile; the largest: any
    uint32_t bits = 1;                                     ///< of kFlipBits and kCorrupt, 1 to 64
    uint64_t from_ns = 0;                                  ///< virtual time, inclusive
    uint64_t to_ns = std::numeric_limits<uint64_t>::max(); ///< exclusive
    uint32_t count = std::numeric_limits<uint32_t>::max(); ///< strikes at most so often
};

struct Scenario {
    uint64_t seed = 1;
    uint32_t tiles = 16; ///< 1 to 4,096
    uint8_t profile = tile::kHotProfile;
    Mode mode = Mode::kBlocks;
    uint32_t metric = tile::kL2;
    uint32_t dtype = tile::kF16;  ///< kF16, kI8 (with trained SQ parameters) or kF32
    uint32_t k = 10;              ///< 1 to 16
    uint32_t tiles_per_chip = 16; ///< Hot: tiles that share a chip's memory; Core tiles have none

    uint64_t timeout_ns = 50'000;  ///< how long the hub waits for a reply
    uint32_t resends = 2;          ///< of one message before the tile counts as faulted
    uint32_t quarantine_after = 3; ///< faults without a finished job between them
    uint32_t attempts = 8;         ///< of a job on tiles before the hub computes it itself

    std::vector<FaultRule> faults;
};

constexpr uint32_t kMaxTiles = 4096;

const char* fault_name(FaultKind kind);

/// Empty when the scenario can be run, else what is wrong with it, for people.
std::string check(const Scenario& scenario);

} // namespace rvf::hub
