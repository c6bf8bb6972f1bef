// CRC32C (Castagnoli, reflected polynomial 0x82F63B78), RFC 3720 section 12.1.
#pragma once

#include <stdint.h>

namespace rvf {

constexpr uint32_t kCrc32cPolynomial = 0x82F63B78;

/// One step of the table that a byte-wise CRC needs.
constexpr uint32_t crc_table_entry(uint32_t byte, uint32_t polynomial) {
    for (int bit = 0; bit < 8; ++bit) byte = byte >> 1 ^ (polynomial & (0 - (byte & 1)));
    return byte;
}

} // namespace rvf
