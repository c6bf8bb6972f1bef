// Where everything lies in a tile's memory: upstream's map of a tile, as constants.
#pragma once

#include <stdint.h>

/// Defined where this is compiled as the module of a tile, whose memory is the tile's; elsewhere
/// (native programs, the hub in a browser) a tile is a buffer.
#if defined(__wasm__) && !defined(__EMSCRIPTEN__)
#define RVF_TILE_MODULE 1
#endif

namespace rvf::tile {

/// An address in tile memory. Never a host pointer; memory.h turns one into the other.
using Address = uint32_t;

// Data memory, 8 KB.
constexpr Address kConfig = 0x0000;  ///< 64 B: TileConfig as given to rvf_init
constexpr Address kState = 0x0040;   ///< 192 B: TileState, what the tile knows of its query
constexpr Address kResults = 0x0100; ///< 256 B: 16 top-K entries, nearest first
constexpr Address kRouting = 0x0200; ///< 512 B: the host's: entry points and centroids
constexpr Address kWorkspace =
    0x0400; ///< 1 KB: the part of a row being decoded, raw query bytes, CRC table
constexpr Address kMessage = 0x0800;       ///< 2 KB: message buffer, an 8-byte header first
constexpr Address kNeighborCache = 0x1000; ///< 4 KB: one NeighborList
constexpr Address kDataEnd = 0x2000;
constexpr Address kMessagePayload = kMessage + 8;

// SIMD scratch, 64 KB. What lies between does not exist on a tile.
constexpr Address kScratch = 0x10000;
constexpr Address kBlock = 0x10000;    ///< 32 KB: vectors
constexpr Address kTables = 0x18000;   ///< 16 KB: SQ scales and offsets, or PQ distances
constexpr Address kHotCache = 0x1C000; ///< 12 KB: vectors of one neighbour list
constexpr Address kQuery = 0x1F000;    ///< 4 KB: the query as 1,024 f32
constexpr Address kScratchEnd = 0x20000;

constexpr Address kSqScales = kTables;           ///< f32 per dimension
constexpr Address kSqOffsets = kTables + 0x1000; ///< f32 per dimension
constexpr uint32_t kTableBytes = kHotCache - kTables;
constexpr uint32_t kWorkspaceBytes = kMessage - kWorkspace;
constexpr uint32_t kNeighborCacheBytes = kDataEnd - kNeighborCache;

} // namespace rvf::tile
