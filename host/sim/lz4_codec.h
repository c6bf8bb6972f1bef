// LZ4 blocks (liblz4), as they travel from the hub to the memory that the tiles of a chip share.
#pragma once

#include "host/hub/hub.h"

namespace rvf::sim {

/// Stateless; the same version of liblz4 makes the same bytes of the same block everywhere.
/// Incompressible bytes grow by 1 in 255, and 16 at most.
class Lz4Codec final : public hub::BlockCodec {
public:
    /// Blocks up to 2 GB (LZ4_MAX_INPUT_SIZE), which is far above any tile's; of a larger one
    /// nothing is left, and nothing expands to it.
    std::vector<uint8_t> compress(const std::vector<uint8_t>& block) override;

    /// Trusts no byte of `compressed`. On false `block` is empty.
    bool expand(const std::vector<uint8_t>& compressed, size_t size,
                std::vector<uint8_t>& block) override;
};

/// Expands one LZ4 block to `target`. False unless it is a whole block of exactly `size` bytes;
/// what `target` holds is then undefined. Neither reads nor writes outside of both.
bool expand_lz4(const uint8_t* block, size_t block_size, uint8_t* target, size_t size);

/// The most bytes that `block_size` bytes of LZ4 can stand for: each adds at most 255.
constexpr uint64_t most_lz4_bytes(uint64_t block_size) { return block_size * 255; }

} // namespace rvf::sim
