// What the tests of the sandbox share: tiles that run, and bytes in and out of them.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "host/sandbox/sandbox_tiles.h"
#include "kernel/kernel.h"
#include "kernel/memory_map.h"
#include "kernel/protocol.h"

#if defined(__SANITIZE_ADDRESS__)
#define RVF_SANITIZED 1
#elif defined(__has_feature)
#define RVF_SANITIZED __has_feature(address_sanitizer)
#endif

namespace rvf::test {

using sandbox::Outcome;
using sandbox::Sabotage;
using sandbox::SandboxTiles;

constexpr uint32_t kMemoryBytes = 0x20000;

struct SabotageCase {
    const char* name;
    Sabotage what;
    Outcome outcome;

    friend std::ostream& operator<<(std::ostream& out, const SabotageCase& c) {
        return out << c.name;
    }
};

/// Every sabotage that ends in a trap.
inline const SabotageCase kTraps[] = {
    {"OutOfBounds", Sabotage::kOutOfBounds, Outcome::kOutOfBounds},
    {"Unreachable", Sabotage::kUnreachable, Outcome::kUnreachable},
    {"ExhaustStack", Sabotage::kExhaustStack, Outcome::kStackExhausted},
    {"LoopForever", Sabotage::kLoopForever, Outcome::kDeadline},
};

inline std::vector<uint8_t> memory_of(SandboxTiles& tiles, uint32_t tile) {
    std::vector<uint8_t> bytes(kMemoryBytes);
    tiles.read(tile, 0, bytes.data(), kMemoryBytes);
    return bytes;
}

/// Fills all that exists on a tile with `byte`.
inline void fill(SandboxTiles& tiles, uint32_t tile, uint8_t byte) {
    std::vector<uint8_t> bytes(kMemoryBytes, byte);
    tiles.write(tile, 0, bytes.data(), tile::kDataEnd);
    tiles.write(tile, tile::kScratch, bytes.data(), tile::kScratchEnd - tile::kScratch);
}

/// Has the tile compute the L2 distance between (3, 0) and (0, 4), in i8: 25.
inline void expect_it_computes(SandboxTiles& tiles, uint32_t tile) {
    const uint16_t query[] = {0x4200, 0};
    const int8_t vector[] = {0, 4};
    tiles.write(tile, tile::kMessage, query, sizeof(query));
    tiles.write(tile, tile::kBlock, vector, sizeof(vector));
    ASSERT_EQ(tiles.load_query(tile, tile::kMessage, 2).value, 0);
    ASSERT_EQ(tiles.load_block(tile, tile::kBlock, 1, tile::kI8).value, 0);
    ASSERT_EQ(tiles.distances(tile, tile::kL2, tile::kNeighborCache).value, 1);
    float distance;
    tiles.read(tile, tile::kNeighborCache, &distance, sizeof(distance));
    EXPECT_EQ(distance, 25.0f);
}

} // namespace rvf::test
