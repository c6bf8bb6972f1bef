// SHA-256 (FIPS 180-4), of which upstream's ruvbot stores the first half as content hash.
#pragma once

#include <stdint.h>

#include "control/bytes.h"

namespace rvf {

/// "abc" gives BA7816BF 8F01CFEA ... F20015AD.
void sha256(Bytes message, uint8_t digest[32]);

} // namespace rvf
