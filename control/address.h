// Addresses that callers hand in, as pointers.
#pragma once

#include <stdint.h>

namespace rvf {

inline const uint8_t* bytes_at(uintptr_t address) {
    return reinterpret_cast<const uint8_t*>(address);
}
inline uint8_t* buffer_at(uintptr_t address) { return reinterpret_cast<uint8_t*>(address); }

} // namespace rvf
