// SHAKE-256 (FIPS 202), one of the content hashes that the format's documents name.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "control/bytes.h"

namespace rvf {

/// As many bytes as wanted; a longer output begins with the shorter one. "abc" gives
/// 48336660 1360A877 ...
void shake256(Bytes message, uint8_t* output, size_t output_size);

} // namespace rvf
