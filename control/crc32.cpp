#include "control/crc32.h"

#include "kernel/crc32c.h"

namespace rvf {
namespace {

constexpr uint32_t kPolynomial = 0xEDB88320;
constexpr uint32_t kSlices = 16;

// table[s][b]: the CRC of byte b followed by s zero bytes. 16 KB, made at the first use.
uint32_t table[kSlices][256];

void make_tables() {
    for (uint32_t byte = 0; byte < 256; ++byte) {
        uint32_t crc = crc_table_entry(byte, kPolynomial);
        table[0][byte] = crc;
        for (uint32_t slice = 1; slice < kSlices; ++slice) {
            crc = crc >> 8 ^ crc_table_entry(crc & 0xFF, kPolynomial);
            table[slice][byte] = crc;
        }
    }
}

/// Four bytes of a sixteen-byte step; `slice` counts the bytes of the step that follow them.
uint32_t fold(uint32_t word, uint32_t slice) {
    return table[slice + 3][word & 0xFF] ^ table[slice + 2][word >> 8 & 0xFF] ^
           table[slice + 1][word >> 16 & 0xFF] ^ table[slice][word >> 24];
}

} // namespace

uint32_t crc32(Bytes bytes) {
    if (table[0][1] == 0) make_tables();
    const uint8_t* p = bytes.data;
    const uint8_t* end = p + bytes.size;
    uint32_t crc = ~0u;
    for (; end - p >= 16; p += 16) {
        crc = fold(load<uint32_t>(p) ^ crc, 12) ^ fold(load<uint32_t>(p + 4), 8) ^
              fold(load<uint32_t>(p + 8), 4) ^ fold(load<uint32_t>(p + 12), 0);
    }
    for (; p != end; ++p) crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xFF];
    return ~crc;
}

} // namespace rvf
