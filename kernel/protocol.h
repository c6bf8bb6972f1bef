// The messages between hub and tile: kernel/PROTOCOL.md in C++. Little-endian, packed, in the
// message buffer at kMessage. Both sides include this header.
#pragma once

#include <stdint.h>

#include "kernel/memory_map.h"

namespace rvf::tile {

enum MessageType : uint16_t {
    // hub -> tile
    kLoadQuery = 0x01,
    kLoadBlock = 0x02,
    kLoadNeighbors = 0x03,
    kLoadParams = 0x04,
    kCompute = 0x05,
    kReadTopK = 0x06,
    kReset = 0x07,
    // tile -> hub
    kTopKResult = 0x81,
    kNeedBlock = 0x82,
    kNeedNeighbors = 0x83,
    kDone = 0x84,
    kError = 0x85,
};

struct MessageHeader {
    uint16_t type;   ///< a MessageType
    uint16_t length; ///< bytes of the payload, its checksum included; at most kMaxPayload
    uint32_t id;     ///< correlation id; the reply repeats it
};

constexpr uint32_t kMaxPayload = kNeighborCache - kMessage - sizeof(MessageHeader);

/// Every payload ends with the CRC32C of all bytes of the message before it.
constexpr uint32_t kChecksumBytes = 4;

/// CRC32C of a whole message, its checksum included, whatever it says.
constexpr uint32_t kChecksumResidue = 0x48674BC7;

/// What LOAD_PARAMS brings.
enum ParamsKind : uint8_t {
    kConfigParams = 0, ///< a TileConfig
    kSqParams = 1,     ///< `count` pairs of f32
    kPqParams = 2,     ///< `last` subspaces of `count` f16 centroids
};

/// The payload of a LOAD message: this header, `list_bytes` of a NeighborList, then a part of what
/// is loaded.
struct LoadHeader {
    uint32_t to;         ///< tile address of this part
    uint32_t base;       ///< tile address of the first part
    uint16_t count;      ///< query, SQ: dimension; block: vectors; PQ: centroids of a subspace
    uint16_t list_to;    ///< tile address of the list bytes
    uint16_t list_bytes; ///< 0: none
    uint8_t kind;        ///< block: a DType; parameters: a ParamsKind
    uint8_t last;        ///< 0: more parts follow; else load it. PQ: the subspaces that have come
};
static_assert(sizeof(LoadHeader) == 16);

/// The payload of a reply begins with this.
struct ReplyHeader {
    uint32_t state_before; ///< CRC32C of 0x000 - 0x1FF when the message arrived
    uint32_t state_after;  ///< the same now
    uint32_t operands;     ///< CRC32C of what the last distances were made from
};

/// ERROR goes on with this.
struct ErrorBody {
    uint16_t type; ///< of the message that was refused
    uint16_t code; ///< minus the Status
};

} // namespace rvf::tile
