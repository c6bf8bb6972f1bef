#include "host/hub/local_tile.h"

#include <algorithm>
#include <cstring>

#include "host/hub/crc32c.h"
#include "kernel/memory.h"
#include "kernel/state.h"

namespace rvf::hub {

LocalTile::LocalTile() : memory_(tile::kScratchEnd) {}

Bytes LocalTile::serve(const Bytes& message) {
    std::copy(message.begin(), message.end(), memory_.begin() + tile::kMessage);
    tile::tile_memory = memory_.data();
    tile::serve_message();
    tile::MessageHeader header;
    std::memcpy(&header, memory_.data() + tile::kMessage, sizeof(header));
    auto begin = memory_.begin() + tile::kMessage;
    return {begin, begin + sizeof(header) + header.length};
}

uint32_t LocalTile::operands_prefix() const {
    const uint8_t* memory = memory_.data();
    uint32_t crc = crc32c(0, memory + tile::kQuery, tile::kScratchEnd - tile::kQuery);
    tile::TileState state;
    std::memcpy(&state, memory + tile::kState, sizeof(state));
    if (state.tables == tile::kNoTables) return crc;
    return crc32c(crc, memory + tile::kTables, tile::kTableBytes);
}

uint32_t LocalTile::state_checksum() const { return crc32c(0, memory_.data(), tile::kRouting); }

} // namespace rvf::hub
