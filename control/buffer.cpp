#include "control/buffer.h"

#include "control/heap.h"

namespace rvf {

bool reserve(Buffer& buffer, size_t more) {
    if (more <= buffer.capacity - buffer.size) return true;
    if (more > ~size_t{0} / 2 - buffer.size) return false;
    size_t exact = buffer.size + more;
    size_t capacity = buffer.capacity * 2 > exact ? buffer.capacity * 2 : exact;
    uint8_t* grown = allocate(capacity);
    if (!grown && capacity > exact) grown = allocate(capacity = exact);
    if (!grown) return false;
    if (buffer.size) copy(grown, buffer.data, buffer.size);
    release(buffer.data, buffer.capacity);
    buffer.data = grown;
    buffer.capacity = capacity;
    return true;
}

uint8_t* extend(Buffer& buffer, size_t size) {
    if (!reserve(buffer, size)) return nullptr;
    buffer.size += size;
    return buffer.data + buffer.size - size;
}

void free_buffer(Buffer& buffer) {
    release(buffer.data, buffer.capacity);
    buffer = {};
}

} // namespace rvf
