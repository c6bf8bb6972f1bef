// CRC-32 of IEEE 802.3 (reflected polynomial 0xEDB88320), the checksum behind content hashes.
#pragma once

#include <stdint.h>

#include "control/bytes.h"

namespace rvf {

/// "123456789" gives 0xCBF43926.
uint32_t crc32(Bytes bytes);

/// The same in pieces: the first is given ~0, the others what the one before gave; the CRC is the
/// complement of the last.
uint32_t crc32_more(uint32_t crc, Bytes bytes);

} // namespace rvf
