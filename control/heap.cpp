#include "control/heap.h"

#include "control/bytes.h"

#if defined(__wasm__)

extern "C" uint8_t __heap_base; // placed by the linker after static data

namespace rvf {
namespace {

constexpr size_t kPage = 65536;
constexpr size_t kGrowStep = 4 * kPage;
constexpr size_t kHeader = 16;
constexpr uint32_t kInUse = 0x52564642;

struct FreeBlock {
    size_t size; // header included
    FreeBlock* next;
};

struct UsedHeader {
    size_t size;   // header included
    size_t asked;  // by the caller
    uint32_t mark; // kInUse ^ address
};
static_assert(sizeof(UsedHeader) <= kHeader);

FreeBlock* first_free = nullptr;
uintptr_t heap_end = 0;
uint64_t memory_limit = uint64_t{65536} * kPage;

uintptr_t heap_begin() { return (reinterpret_cast<uintptr_t>(&__heap_base) + 15) & ~uintptr_t{15}; }

size_t rounded(size_t size) { return (size + kHeader + 15) & ~size_t{15}; }

void insert_free(uintptr_t address, size_t size) {
    auto* block = reinterpret_cast<FreeBlock*>(address);
    FreeBlock** link = &first_free;
    FreeBlock* before = nullptr;
    while (*link && reinterpret_cast<uintptr_t>(*link) < address) {
        before = *link;
        link = &before->next;
    }
    *block = {size, *link};
    *link = block;
    if (block->next && address + size == reinterpret_cast<uintptr_t>(block->next)) {
        *block = {size + block->next->size, block->next->next};
    }
    if (before && reinterpret_cast<uintptr_t>(before) + before->size == address) {
        *before = {before->size + block->size, block->next};
    }
}

/// The last 16 bytes of a 4 GiB memory stay unused, so that an end address never wraps to 0.
uintptr_t usable_end(uint64_t size) {
    return static_cast<uintptr_t>(size > ~uint32_t{0} ? size - 16 : size);
}

/// Adds pages until one free block of `size` ends at the end of memory. Pages that the host grew by
/// itself lie between and are left alone.
bool grow(size_t size) {
    uint64_t now = memory_size();
    if (heap_end == 0) {
        heap_end = usable_end(now);
        insert_free(heap_begin(), heap_end - heap_begin());
        return true;
    }
    for (FreeBlock* block = first_free; block; block = block->next) {
        if (reinterpret_cast<uintptr_t>(block) + block->size == now) size -= block->size;
    }
    uint64_t wanted = (uint64_t{size} + kGrowStep - 1) / kGrowStep * kGrowStep;
    uint64_t least = (uint64_t{size} + kPage - 1) / kPage * kPage;
    if (now + wanted > memory_limit) wanted = least;
    if (now + wanted > memory_limit) return false;
    if (__builtin_wasm_memory_grow(0, static_cast<size_t>(wanted / kPage)) == ~size_t{0}) {
        return false;
    }
    heap_end = usable_end(now + wanted);
    insert_free(static_cast<uintptr_t>(now), heap_end - static_cast<uintptr_t>(now));
    return true;
}

/// The first free block that holds `asked` bytes and a header.
uint8_t* take(size_t asked) {
    size_t size = rounded(asked);
    for (FreeBlock** link = &first_free; *link; link = &(*link)->next) {
        FreeBlock* block = *link;
        if (block->size < size) continue;
        size_t rest = block->size - size;
        if (rest >= 64) {
            auto* tail = reinterpret_cast<FreeBlock*>(reinterpret_cast<uintptr_t>(block) + size);
            *tail = {rest, block->next};
            *link = tail;
        } else {
            size = block->size;
            *link = block->next;
        }
        auto* used = reinterpret_cast<UsedHeader*>(block);
        *used = {size, asked, kInUse ^ reinterpret_cast<uintptr_t>(block)};
        return reinterpret_cast<uint8_t*>(block) + kHeader;
    }
    return nullptr;
}

} // namespace

uint8_t* allocate(size_t size) {
    if (size == 0 || size > ~size_t{0} - 4 * kPage) return nullptr;
    uint8_t* block = take(size);
    while (!block && grow(rounded(size))) block = take(size);
    return block;
}

void release(uint8_t* block, size_t size) {
    uintptr_t address = reinterpret_cast<uintptr_t>(block) - kHeader;
    if (address % 16 || address < heap_begin() || address >= heap_end) return;
    auto* used = reinterpret_cast<UsedHeader*>(address);
    if (used->mark != (kInUse ^ address) || used->asked != size) return;
    used->mark = 0;
    insert_free(address, used->size);
}

void limit_memory(size_t max_bytes) { memory_limit = max_bytes; }

uint64_t memory_size() { return uint64_t{__builtin_wasm_memory_size(0)} * kPage; }

bool caller_owns(uintptr_t address, uint64_t size) {
    return address >= heap_begin() && address + size <= memory_size();
}

} // namespace rvf

#else

#include <stdlib.h>

namespace rvf {
namespace {

uint64_t in_use = 0;
uint64_t memory_limit = ~uint64_t{0};

} // namespace

uint8_t* allocate(size_t size) {
    if (size == 0 || size > memory_limit || in_use > memory_limit - size) return nullptr;
    void* block = aligned_alloc(16, (size + 15) & ~size_t{15});
    if (block) in_use += size;
    return static_cast<uint8_t*>(block);
}

void release(uint8_t* block, size_t size) {
    if (!block) return;
    in_use -= size;
    free(block);
}

void limit_memory(size_t max_bytes) { memory_limit = max_bytes; }

uint64_t memory_size() { return in_use; }

bool caller_owns(uintptr_t address, uint64_t) { return address != 0; }

} // namespace rvf

#endif
