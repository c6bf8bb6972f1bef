// Records of the ABI hold addresses as u32, all that wasm needs. Here they are the low halves, and
// AddressSanitizer, which knows every block, finds the rest.
#pragma once

#include <sanitizer/allocator_interface.h>
#include <sanitizer/asan_interface.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rvf::test {

/// `size` readable bytes at an address with these low 32 bits, such that
/// `accept(begin of their block, size of it, address)`; nullptr when there are none.
template <typename Accept>
const uint8_t* whole_address(uint32_t low, size_t size, Accept accept) {
    static std::vector<uint64_t> found; // high halves that were right before
    auto attempt = [&](uint64_t high) -> const uint8_t* {
        auto* address = reinterpret_cast<const uint8_t*>(high << 32 | low);
        auto* begin = static_cast<const uint8_t*>(__sanitizer_get_allocated_begin(address));
        bool fits = begin && !__asan_region_is_poisoned(const_cast<uint8_t*>(address), size) &&
                    accept(begin, __sanitizer_get_allocated_size(begin), address);
        return fits ? address : nullptr;
    };
    for (uint64_t high : found) {
        if (const uint8_t* address = attempt(high)) return address;
    }
    for (uint64_t high = 0x5000; high < 0x8000; ++high) { // where AddressSanitizer has its heap
        const uint8_t* address = attempt(high);
        if (address) found.push_back(high);
        if (address) return address;
    }
    return nullptr;
}

/// A whole block of the module, of the size that was asked for.
inline const uint8_t* block_at(uint32_t low, size_t size) {
    return whole_address(low, size, [&](const uint8_t* begin, size_t held, const uint8_t* address) {
        return begin == address && held == ((size + 15) & ~size_t{15});
    });
}

} // namespace rvf::test
