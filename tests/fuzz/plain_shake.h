// SHAKE-256 from FIPS 202, as plainly as it goes.
#pragma once

#include "tests/unit/support.h"

namespace rvf::test {

inline uint64_t rotated(uint64_t word, uint32_t by) {
    return by % 64 ? word << by % 64 | word >> (64 - by % 64) : word;
}

inline void keccak(uint64_t* lanes) {
    uint8_t lfsr = 1;
    for (int round = 0; round < 24; ++round) {
        uint64_t parity[5], row[5];
        for (int x = 0; x < 5; ++x) {
            parity[x] = lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20];
        }
        for (int i = 0; i < 25; ++i) {
            lanes[i] ^= parity[(i + 4) % 5] ^ rotated(parity[(i + 1) % 5], 1);
        }
        uint64_t moving = lanes[1];
        for (uint32_t t = 1, x = 1, y = 0; t <= 24; ++t) { // rho and pi
            uint32_t next = (2 * x + 3 * y) % 5;
            x = y;
            y = next;
            uint64_t here = lanes[5 * y + x];
            lanes[5 * y + x] = rotated(moving, t * (t + 1) / 2);
            moving = here;
        }
        for (int y = 0; y < 25; y += 5) { // chi
            std::copy(lanes + y, lanes + y + 5, row);
            for (int x = 0; x < 5; ++x)
                lanes[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
        }
        for (uint32_t j = 0; j < 7; ++j) { // iota
            if (lfsr & 1) lanes[0] ^= uint64_t{1} << ((1u << j) - 1);
            lfsr = static_cast<uint8_t>(lfsr << 1 ^ (lfsr >> 7) * 0x71);
        }
    }
}

/// The first `count` bytes, at most 136.
inline Buffer shake256_of(const Buffer& bytes, size_t count) {
    constexpr size_t rate = 136;
    Buffer padded = bytes;
    padded.push_back(0x1F);
    padded.resize((padded.size() + rate - 1) / rate * rate);
    padded.back() = static_cast<uint8_t>(padded.back() | 0x80);
    uint64_t lanes[25] = {};
    for (size_t at = 0; at < padded.size(); at += rate) {
        for (size_t i = 0; i < rate; ++i) {
            lanes[i / 8] ^= uint64_t{padded[at + i]} << 8 * (i % 8);
        }
        keccak(lanes);
    }
    Buffer out(count);
    for (size_t i = 0; i < count; ++i) {
        out[i] = static_cast<uint8_t>(lanes[i / 8] >> 8 * (i % 8));
    }
    return out;
}

} // namespace rvf::test
