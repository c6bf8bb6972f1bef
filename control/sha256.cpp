#include "control/sha256.h"

// Small rather than fast: damaged and foreign files only.
#pragma clang attribute push([[clang::minsize]], apply_to = function)

namespace rvf {
namespace {

constexpr uint32_t kBlockBytes = 64;
constexpr uint32_t kLengthBytes = 8; ///< of the message length that ends the last block

/// The constants of the standard: fractions of roots of the first primes.
struct Constants {
    uint32_t start[8];  ///< square roots
    uint32_t round[64]; ///< cube roots
};

/// The first 32 bits of the fraction of the square (degree 2) or cube (degree 3) root of n.
consteval uint32_t root_fraction(uint32_t n, uint32_t degree) {
    using Wide = unsigned __int128;
    uint64_t root = 0;
    for (uint64_t bit = uint64_t{1} << 36; bit; bit >>= 1) {
        Wide power = 1;
        for (uint32_t i = 0; i < degree; ++i) power *= root | bit;
        if (power <= Wide{n} << 32 * degree) root |= bit;
    }
    return static_cast<uint32_t>(root);
}

consteval bool is_prime(uint32_t n) {
    for (uint32_t divisor = 2; divisor < n; ++divisor) {
        if (n % divisor == 0) return false;
    }
    return true;
}

consteval Constants make_constants() {
    Constants constants{};
    uint32_t prime = 2;
    for (uint32_t i = 0; i < 64; ++prime) {
        if (!is_prime(prime)) continue;
        if (i < 8) constants.start[i] = root_fraction(prime, 2);
        constants.round[i++] = root_fraction(prime, 3);
    }
    return constants;
}

constexpr Constants kConstants = make_constants();

uint32_t rotated_right(uint32_t word, uint32_t bits) { return word >> bits | word << (32 - bits); }

uint32_t big_endian(uint32_t word) { return __builtin_bswap32(word); }

/// One block into the state; 6.2.2 of the standard.
void compress(uint32_t state[8], const uint8_t* block) {
    uint32_t schedule[64];
    for (uint32_t t = 0; t < 16; ++t) schedule[t] = big_endian(load<uint32_t>(block + 4 * t));
    for (uint32_t t = 16; t < 64; ++t) {
        uint32_t x = schedule[t - 15];
        uint32_t y = schedule[t - 2];
        uint32_t sigma0 = rotated_right(x, 7) ^ rotated_right(x, 18) ^ x >> 3;
        uint32_t sigma1 = rotated_right(y, 17) ^ rotated_right(y, 19) ^ y >> 10;
        schedule[t] = sigma1 + schedule[t - 7] + sigma0 + schedule[t - 16];
    }
    // The letters of the standard; every round moves each of them one place on.
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (uint32_t t = 0; t < 64; ++t) {
        uint32_t sum1 = rotated_right(e, 6) ^ rotated_right(e, 11) ^ rotated_right(e, 25);
        uint32_t sum0 = rotated_right(a, 2) ^ rotated_right(a, 13) ^ rotated_right(a, 22);
        uint32_t choice = (e & f) ^ (~e & g);
        uint32_t majority = (a & b) ^ (a & c) ^ (b & c);
        uint32_t t1 = h + sum1 + choice + kConstants.round[t] + schedule[t];
        h = g, g = f, f = e, e = d + t1;
        d = c, c = b, b = a, a = t1 + sum0 + majority;
    }
    const uint32_t letters[8] = {a, b, c, d, e, f, g, h};
    for (uint32_t i = 0; i < 8; ++i) state[i] += letters[i];
}

} // namespace

void sha256(Bytes message, uint8_t digest[32]) {
    uint32_t state[8];
    for (uint32_t i = 0; i < 8; ++i) state[i] = kConstants.start[i];
    const uint8_t* p = message.data;
    size_t rest = message.size;
    for (; rest >= kBlockBytes; rest -= kBlockBytes, p += kBlockBytes) compress(state, p);

    // What is left, one set bit, zeros, and the length in bits: one block or two.
    uint8_t last[2 * kBlockBytes] = {};
    copy(last, p, rest);
    last[rest] = 0x80;
    size_t blocks = rest < kBlockBytes - kLengthBytes ? 1 : 2;
    uint64_t bits = uint64_t{message.size} * 8;
    store(last + blocks * kBlockBytes - kLengthBytes, __builtin_bswap64(bits));
    for (size_t i = 0; i < blocks; ++i) compress(state, last + i * kBlockBytes);

    for (uint32_t i = 0; i < 8; ++i) store(digest + 4 * i, big_endian(state[i]));
}

} // namespace rvf

#pragma clang attribute pop
