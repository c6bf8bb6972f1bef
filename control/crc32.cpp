#include "control/crc32.h"

#include "kernel/crc32c.h"

namespace rvf {
namespace {

// --- By table ---

constexpr uint32_t kPolynomial = 0xEDB88320;
constexpr uint32_t kSlices = 4;

// table[s][b]: the CRC of byte b followed by s zero bytes. 4 KB, made at the first use.
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

uint32_t add_by_table(uint32_t crc, const uint8_t* p, size_t size) {
    const uint8_t* end = p + size;
    for (; end - p >= 4; p += 4) {
        crc ^= load<uint32_t>(p);
        crc = table[3][crc & 0xFF] ^ table[2][crc >> 8 & 0xFF] ^ table[1][crc >> 16 & 0xFF] ^
              table[0][crc >> 24];
    }
    for (; p != end; ++p) crc = crc >> 8 ^ table[0][(crc ^ *p) & 0xFF];
    return crc;
}

// --- By a sparse multiple of the polynomial ---
//
// The polynomial divides x^300 + x^155 + x^117 + x^89 + 1, its only multiple of five terms up to
// that degree. Raised to the 128th power, which over GF(2) multiplies the exponents, that says: a
// block of 16 bytes may be taken out of a message if it is added 145, 183, 211 and 300 blocks
// later, and the CRC stays. So all but 300 blocks are taken out with loads and additions alone;
// what is left goes through the table.

using Block = uint64_t __attribute__((vector_size(16)));

constexpr size_t kSpan = 300;
constexpr size_t kTaps[] = {145, 183, 211};
constexpr size_t kStep = 900; ///< blocks before what was taken out moves to the front again
constexpr size_t kSpanBytes = kSpan * sizeof(Block);

Block taken[kSpan + kStep]; // out of the message, the last `kSpan` blocks in front

Block block_at(const uint8_t* message, size_t i) {
    return load<Block>(message + i * sizeof(Block));
}

/// Called again and again, because engines put faster code in the place of a function only then.
void take_out(const uint8_t* message, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        Block* next = taken + kSpan + i;
        *next = block_at(message, i) ^ next[-145] ^ next[-183] ^ next[-211] ^ next[-300];
    }
    __builtin_memmove(taken, taken + count, kSpanBytes);
}

/// Of more than kSpan blocks.
uint32_t add_by_blocks(uint32_t crc, const uint8_t* p, size_t size) {
    __builtin_memset(taken, 0, kSpanBytes);
    taken[0] = Block{crc, 0};
    size_t left = size / sizeof(Block) - kSpan;
    size_t count = left % kStep;
    take_out(p, count);
    p += count * sizeof(Block);
    for (left /= kStep; left-- > 0; p += kStep * sizeof(Block)) take_out(p, kStep);
    for (size_t i = 0; i < kSpan; ++i) {
        Block block = taken[i] ^ block_at(p, i);
        for (size_t tap : kTaps) {
            if (i < tap) block ^= taken[i + kSpan - tap];
        }
        taken[i] = block;
    }
    crc = add_by_table(0, reinterpret_cast<const uint8_t*>(taken), kSpanBytes);
    return add_by_table(crc, p + kSpanBytes, size % sizeof(Block));
}

} // namespace

uint32_t crc32_more(uint32_t crc, Bytes bytes) {
    if (table[0][1] == 0) make_tables();
    return bytes.size < 2 * kSpanBytes ? add_by_table(crc, bytes.data, bytes.size)
                                       : add_by_blocks(crc, bytes.data, bytes.size);
}

uint32_t crc32(Bytes bytes) { return ~crc32_more(~0u, bytes); }

} // namespace rvf
