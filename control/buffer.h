// Bytes that grow. Freed with free_buffer; {} is an empty one.
#pragma once

#include "control/bytes.h"

namespace rvf {

struct Buffer {
    uint8_t* data = nullptr;
    size_t size = 0;
    size_t capacity = 0;
};

/// Makes room for `more` bytes behind the last one; false, and nothing has changed, when memory
/// cannot grow.
bool reserve(Buffer& buffer, size_t more);

/// Where `size` new bytes begin, or nullptr when memory cannot grow.
uint8_t* extend(Buffer& buffer, size_t size);

void free_buffer(Buffer& buffer);

// --- The same as an array of plain structs ---

template <typename T>
uint32_t count_of(const Buffer& buffer) {
    return static_cast<uint32_t>(buffer.size / sizeof(T));
}

template <typename T>
T* items_of(const Buffer& buffer) {
    return reinterpret_cast<T*>(buffer.data);
}

} // namespace rvf
