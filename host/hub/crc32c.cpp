#include "host/hub/crc32c.h"

#include <array>
#include <cstring>

#include "kernel/crc32c.h"

namespace rvf::hub {

namespace {

using Tables = std::array<std::array<uint32_t, 256>, 8>;

/// Table n advances a byte over n more bytes of zeros.
constexpr Tables make_tables() {
    Tables tables{};
    for (uint32_t byte = 0; byte < 256; ++byte) {
        tables[0][byte] = crc_table_entry(byte, kCrc32cPolynomial);
    }
    for (size_t n = 1; n < 8; ++n) {
        for (uint32_t byte = 0; byte < 256; ++byte) {
            uint32_t before = tables[n - 1][byte];
            tables[n][byte] = before >> 8 ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}

constexpr Tables kTables = make_tables();

} // namespace

uint32_t crc32c(uint32_t crc, const void* data, size_t bytes) {
    const auto* at = static_cast<const uint8_t*>(data);
    crc = ~crc;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        uint32_t low;
        uint32_t high;
        std::memcpy(&low, at, 4);
        std::memcpy(&high, at + 4, 4);
        low ^= crc;
        crc = kTables[7][low & 0xFF] ^ kTables[6][low >> 8 & 0xFF] ^ kTables[5][low >> 16 & 0xFF] ^
              kTables[4][low >> 24] ^ kTables[3][high & 0xFF] ^ kTables[2][high >> 8 & 0xFF] ^
              kTables[1][high >> 16 & 0xFF] ^ kTables[0][high >> 24];
    }
    for (; bytes > 0; --bytes, ++at) crc = crc >> 8 ^ kTables[0][(crc ^ *at) & 0xFF];
    return ~crc;
}

} // namespace rvf::hub
