// XXH3-128 of the xxHash family with its default secret and seed 0, the content hash that
// upstream's wire library writes.
#pragma once

#include <stdint.h>

#include "control/bytes.h"

namespace rvf {

/// The 128-bit number in little-endian order; xxHash prints it the other way round, "" as
/// 99AA06D3014798D86001C324468D497F.
void xxh3_128(Bytes message, uint8_t digest[16]);

} // namespace rvf
