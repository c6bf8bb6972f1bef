#include "control/simple_hash.h"

namespace rvf {

void simple_hash(Bytes bytes, uint8_t* hash) {
    __builtin_memset(hash, 0, kSimpleHashBytes);
    for (size_t i = 0; i < bytes.size; ++i) {
        uint8_t& sum = hash[i % kSimpleHashBytes];
        sum = static_cast<uint8_t>(sum + bytes.data[i]);
        uint8_t& other = hash[(i + 13) % kSimpleHashBytes];
        other = static_cast<uint8_t>(other + (sum << 3 | sum >> 5));
    }
}

bool simple_hash_is(Bytes bytes, const uint8_t* stored) {
    uint8_t hash[kSimpleHashBytes];
    simple_hash(bytes, hash);
    return equal(hash, stored, kSimpleHashBytes);
}

} // namespace rvf
