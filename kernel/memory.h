// Access to tile memory: the one place where an address becomes a pointer, and where addresses from
// outside are checked.
#pragma once

#include <stdint.h>

#include "kernel/crc32c.h"
#include "kernel/memory_map.h"
#include "kernel/simd.h"

namespace rvf::tile {

#if defined(RVF_TILE_MODULE)
/// The whole memory of the module; the linker places it at address 0.
extern uint8_t tile_memory[kScratchEnd];
#else
/// Elsewhere: the 128 KB that stand for the memory of the tile that runs now.
extern thread_local uint8_t* tile_memory;
#endif

RVF_INLINE uint8_t* at(Address address) { return tile_memory + address; }

template <typename T>
RVF_INLINE T load(Address address) {
    T value;
    __builtin_memcpy(&value, at(address), sizeof(T));
    return value;
}

template <typename T>
RVF_INLINE void store(Address address, T value) {
    __builtin_memcpy(at(address), &value, sizeof(T));
}

/// Whether two ranges, each usable, share a byte.
RVF_NOINLINE inline bool overlap(Address a, uint32_t a_bytes, Address b, uint32_t b_bytes) {
    return a < b + b_bytes && b < a + a_bytes;
}

/// CRC32C of what lies there, going on from `crc` (0 at first). Makes its table in the workspace.
RVF_NOINLINE inline uint32_t crc32c(uint32_t crc, Address data, uint32_t bytes) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
        store(kWorkspace + 4 * byte, crc_table_entry(byte, kCrc32cPolynomial));
    }
    crc = ~crc;
    for (uint32_t i = 0; i < bytes; ++i) {
        uint32_t index = (crc ^ load<uint8_t>(data + i)) & 0xFF;
        crc = crc >> 8 ^ load<uint32_t>(kWorkspace + 4 * index);
    }
    return ~crc;
}

} // namespace rvf::tile
