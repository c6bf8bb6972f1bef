// A tile made of the kernel's own C++: how the hub computes a job itself, and how it knows in
// advance what a healthy tile holds.
#pragma once

#include "host/hub/message.h"

namespace rvf::hub {

class LocalTile {
public:
    LocalTile();

    /// Serves a stamped message; answers the bytes of the reply.
    Bytes serve(const Bytes& message);

    /// CRC32C of the query, and of the tables while some are loaded: the beginning of the operands
    /// checksum of every job for this query.
    uint32_t operands_prefix() const;

    /// CRC32C of the tile's state as replies tell it.
    uint32_t state_checksum() const;

private:
    std::vector<uint8_t> memory_;
};

} // namespace rvf::hub
