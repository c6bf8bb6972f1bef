#include "host/sandbox/reservation.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "host/sandbox/zero.h"

namespace rvf::sandbox {

wasm_rt_memory_t* reserve() {
    void* space = mmap(nullptr, kReservedBytes, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) return nullptr;
    if (mprotect(space, kHeaderBytes + kMemoryBytes, PROT_READ | PROT_WRITE) != 0) {
        int refused = errno;
        munmap(space, kReservedBytes);
        errno = refused;
        return nullptr;
    }
    auto* memory = reinterpret_cast<wasm_rt_memory_t*>(static_cast<uint8_t*>(space) + kHeaderBytes -
                                                       sizeof(wasm_rt_memory_t));
    memory->size = kMemoryBytes;
    return memory;
}

void clear(wasm_rt_memory_t& memory) {
    // Looking costs less than the page faults of fresh pages, and leaves alone what was never used.
    constexpr uint64_t kPiece = 4096;
    for (uint8_t* piece = memory.data; piece != memory.data + kMemoryBytes; piece += kPiece) {
        if (!is_zero(piece, kPiece)) memset(piece, 0, kPiece);
    }
}

void release(wasm_rt_memory_t* memory) { munmap(memory->data - kHeaderBytes, kReservedBytes); }

} // namespace rvf::sandbox
