// Access to tile memory: the one place where an address becomes a pointer, and where addresses from
// outside are checked.
#pragma once

#include <stdint.h>

#include "kernel/memory_map.h"
#include "kernel/simd.h"

namespace rvf::tile {

#if defined(__wasm__)
/// The whole memory of the module; the linker places it at address 0.
extern uint8_t tile_memory[kScratchEnd];
#else
/// Native builds: the 128 KB that stand for the memory of the tile that runs now.
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

/// Whether `count` elements of `bytes` bytes at `address` lie where operands and results may lie.
RVF_NOINLINE inline bool usable(Address address, uint32_t count, uint32_t bytes) {
    uint64_t end = uint64_t{count} * bytes + address;
    Address limit = address >= kScratch   ? kQuery
                    : address >= kMessage ? kDataEnd
                    : address >= kRouting ? kWorkspace
                                          : 0;
    return end <= limit;
}

/// Whether two ranges, each usable, share a byte.
RVF_NOINLINE inline bool overlap(Address a, uint32_t a_bytes, Address b, uint32_t b_bytes) {
    return a < b + b_bytes && b < a + a_bytes;
}

} // namespace rvf::tile
