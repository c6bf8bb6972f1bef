// Little-endian numbers at any alignment, and spans of bytes that know their length.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace rvf {

template <typename T>
inline T load(const uint8_t* source) {
    T value;
    __builtin_memcpy(&value, source, sizeof(T));
    return value;
}

template <typename T>
inline void store(uint8_t* target, T value) {
    __builtin_memcpy(target, &value, sizeof(T));
}

inline void copy(uint8_t* target, const uint8_t* source, size_t size) {
    __builtin_memcpy(target, source, size);
}

inline bool equal(const uint8_t* a, const uint8_t* b, size_t size) {
    uint8_t difference = 0;
    for (size_t i = 0; i < size; ++i) difference |= a[i] ^ b[i];
    return difference == 0;
}

/// Bytes of somebody else; `size` is the truth, whatever the bytes say of themselves.
struct Bytes {
    const uint8_t* data = nullptr;
    size_t size = 0;

    /// Whether `length` bytes start at `offset`; any 64-bit values, no overflow.
    bool holds(uint64_t offset, uint64_t length) const {
        return offset <= size && length <= size - offset;
    }
    Bytes part(uint64_t offset, uint64_t length) const {
        return {data + offset, static_cast<size_t>(length)};
    }
};

} // namespace rvf
