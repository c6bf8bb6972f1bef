// Address space for one tile: a module instance, its memory, and behind it nothing, as far as a
// wasm address with its offset can reach. So an access out of bounds always faults, and nowhere
// else.
#pragma once

#include <cstdint>

#include "host/sandbox/wasm-rt.h"

namespace rvf::sandbox {

constexpr uint64_t kMemoryBytes = 0x20000;
/// 2^32 - 1 of address, as much of constant offset, 16 bytes of access; rounded up.
constexpr uint64_t kReachableBytes = (uint64_t{8} << 30) + 0x10000;
/// A multiple of every machine's page; the header of the memory is the end of it.
constexpr uint64_t kHeaderBytes = 0x10000;
constexpr uint64_t kReservedBytes = kHeaderBytes + kReachableBytes;

/// Reserves address space with a zeroed memory at its begin. Costs two mappings. Answers null with
/// errno set when the system refuses.
wasm_rt_memory_t* reserve();

/// Makes the memory zero again.
void clear(wasm_rt_memory_t& memory);

/// Gives the address space back.
void release(wasm_rt_memory_t* memory);

} // namespace rvf::sandbox
