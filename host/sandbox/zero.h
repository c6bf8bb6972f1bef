// Whether memory is all zero.
#pragma once

#include <cstdint>
#include <cstring>

namespace rvf::sandbox {

/// `bytes` is a multiple of 64. Reads all of them: a branch per piece would cost more.
inline bool is_zero(const uint8_t* from, uint64_t bytes) {
    uint64_t any[8] = {};
    for (const uint8_t* end = from + bytes; from != end; from += sizeof(any)) {
        uint64_t line[8];
        memcpy(line, from, sizeof(line));
        for (int i = 0; i < 8; ++i) any[i] |= line[i];
    }
    return (any[0] | any[1] | any[2] | any[3] | any[4] | any[5] | any[6] | any[7]) == 0;
}

} // namespace rvf::sandbox
