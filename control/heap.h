// The module's allocator; nothing else calls memory.grow.
//
// Invariants: free blocks are sorted by address and never adjacent; every block in use carries a
// header by which release() recognizes it; sizes are multiples of 16. Native builds use malloc
// behind the same functions, so that sanitizers see every block, and know only their own.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace rvf {

/// `size` bytes aligned to 16; nullptr for 0 or when memory cannot grow. Not zeroed.
uint8_t* allocate(size_t size);

/// Gives a block back. Ignores what is not a block of that size.
void release(uint8_t* block, size_t size);

/// Grows memory once, where it can, for blocks of `size` bytes together that are allocated next:
/// each growth takes half a millisecond.
inline void grow_once(size_t size) { release(allocate(size), size); }

/// The most bytes that memory may grow to.
void limit_memory(size_t max_bytes);

/// Bytes of memory in all.
uint64_t memory_size();

/// Whether a caller may hand in `size` bytes at `address`: inside memory and outside the module's
/// own static data.
bool caller_owns(uintptr_t address, uint64_t size);

} // namespace rvf
