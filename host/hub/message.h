// Messages as bytes: what the hub writes and how it reads what comes back (kernel/PROTOCOL.md).
#pragma once

#include <stddef.h>

#include <cstdint>
#include <vector>

#include "kernel/kernel.h"
#include "kernel/protocol.h"

namespace rvf::hub {

/// A whole message: header, content, checksum.
using Bytes = std::vector<uint8_t>;

/// Content of a message may have so many bytes.
constexpr size_t kMaxContent = tile::kMaxPayload - tile::kChecksumBytes;

/// COMPUTE, READ_TOPK and RESET. The correlation id is not set: see stamp.
Bytes bare_message(tile::MessageType type);

/// The fixed part of a tile::NeighborList.
struct ListHeader {
    uint64_t node;
    uint32_t layer;
    uint16_t count;
    uint16_t done;
};
static_assert(sizeof(ListHeader) == sizeof(tile::NeighborList));

/// What a LOAD message loads. It is sent in as many parts as it needs.
struct Load {
    tile::MessageType type = tile::kLoadBlock;
    uint32_t base = 0; ///< tile address
    uint16_t count = 0;
    uint8_t kind = 0;
    uint8_t last = 1;
    const uint8_t* data = nullptr;
    size_t bytes = 0;
    /// LOAD_BLOCK: the ids of the rows, `row_bytes` each, header of their list first;
    /// LOAD_NEIGHBORS: the list. Null: none.
    const ListHeader* list_header = nullptr;
    const uint64_t* ids = nullptr;
    size_t row_bytes = 0;
};
std::vector<Bytes> load_messages(const Load& load);

/// Sets correlation id and checksum.
void stamp(Bytes& message, uint32_t id);

uint16_t type_of(const Bytes& message);
uint32_t id_of(const Bytes& message);

/// A reply whose checksum, length and type are good.
struct Reply {
    tile::MessageType type = tile::kDone;
    uint32_t id = 0;
    tile::ReplyHeader header{};
    const uint8_t* body = nullptr; ///< into the bytes that were read
    size_t body_bytes = 0;
};
bool read_reply(const Bytes& bytes, Reply& reply);

/// The 16 bytes behind the reply header of DONE, NEED_BLOCK and NEED_NEIGHBORS.
ListHeader list_of(const Reply& reply);

/// The pairs of TOPK_RESULT.
struct Pair {
    uint64_t id;
    float distance;
};
std::vector<Pair> pairs_of(const Reply& reply);

/// Of ERROR.
tile::ErrorBody error_of(const Reply& reply);

} // namespace rvf::hub
