#include "host/sim/lz4_codec.h"

#include <lz4.h>

namespace rvf::sim {

bool expand_lz4(const uint8_t* block, size_t block_size, uint8_t* target, size_t size) {
    if (block_size > LZ4_MAX_INPUT_SIZE || size > LZ4_MAX_INPUT_SIZE) return false;
    int written =
        LZ4_decompress_safe(reinterpret_cast<const char*>(block), reinterpret_cast<char*>(target),
                            static_cast<int>(block_size), static_cast<int>(size));
    return written >= 0 && static_cast<size_t>(written) == size;
}

std::vector<uint8_t> Lz4Codec::compress(const std::vector<uint8_t>& block) {
    if (block.size() > LZ4_MAX_INPUT_SIZE) return {};
    int size = static_cast<int>(block.size());
    std::vector<uint8_t> compressed(static_cast<size_t>(LZ4_compressBound(size)));
    int written = LZ4_compress_default(reinterpret_cast<const char*>(block.data()),
                                       reinterpret_cast<char*>(compressed.data()), size,
                                       static_cast<int>(compressed.size()));
    compressed.resize(static_cast<size_t>(written));
    return compressed;
}

bool Lz4Codec::expand(const std::vector<uint8_t>& compressed, size_t size,
                      std::vector<uint8_t>& block) {
    block.clear();
    if (size > most_lz4_bytes(compressed.size())) return false;
    block.resize(size);
    if (expand_lz4(compressed.data(), compressed.size(), block.data(), size)) return true;
    block.clear();
    return false;
}

} // namespace rvf::sim
