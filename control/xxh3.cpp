#include "control/xxh3.h"

// Small rather than fast: damaged and foreign files only.
#pragma clang attribute push([[clang::minsize]], apply_to = function)

namespace rvf {
namespace {

// The names of the specification.
constexpr uint64_t kPrime32_1 = 0x9E3779B1;
constexpr uint64_t kPrime32_2 = 0x85EBCA77;
constexpr uint64_t kPrime32_3 = 0xC2B2AE3D;
constexpr uint64_t kPrime64_1 = 0x9E3779B185EBCA87;
constexpr uint64_t kPrime64_2 = 0xC2B2AE3D27D4EB4F;
constexpr uint64_t kPrime64_3 = 0x165667B19E3779F9;
constexpr uint64_t kPrime64_4 = 0x85EBCA77C2B2AE63;
constexpr uint64_t kPrime64_5 = 0x27D4EB2F165667C5;
constexpr uint64_t kPrimeMx1 = 0x165667919E3779F9;
constexpr uint64_t kPrimeMx2 = 0x9FB21C651E98DF25;

constexpr size_t kStripeBytes = 64;
constexpr size_t kStripesPerBlock = 16;
constexpr size_t kSecretBytes = 192;
constexpr uint8_t kSecret[kSecretBytes] = {
    0xB8, 0xFE, 0x6C, 0x39, 0x23, 0xA4, 0x4B, 0xBE, 0x7C, 0x01, 0x81, 0x2C, 0xF7, 0x21, 0xAD, 0x1C,
    0xDE, 0xD4, 0x6D, 0xE9, 0x83, 0x90, 0x97, 0xDB, 0x72, 0x40, 0xA4, 0xA4, 0xB7, 0xB3, 0x67, 0x1F,
    0xCB, 0x79, 0xE6, 0x4E, 0xCC, 0xC0, 0xE5, 0x78, 0x82, 0x5A, 0xD0, 0x7D, 0xCC, 0xFF, 0x72, 0x21,
    0xB8, 0x08, 0x46, 0x74, 0xF7, 0x43, 0x24, 0x8E, 0xE0, 0x35, 0x90, 0xE6, 0x81, 0x3A, 0x26, 0x4C,
    0x3C, 0x28, 0x52, 0xBB, 0x91, 0xC3, 0x00, 0xCB, 0x88, 0xD0, 0x65, 0x8B, 0x1B, 0x53, 0x2E, 0xA3,
    0x71, 0x64, 0x48, 0x97, 0xA2, 0x0D, 0xF9, 0x4E, 0x38, 0x19, 0xEF, 0x46, 0xA9, 0xDE, 0xAC, 0xD8,
    0xA8, 0xFA, 0x76, 0x3F, 0xE3, 0x9C, 0x34, 0x3F, 0xF9, 0xDC, 0xBB, 0xC7, 0xC7, 0x0B, 0x4F, 0x1D,
    0x8A, 0x51, 0xE0, 0x4B, 0xCD, 0xB4, 0x59, 0x31, 0xC8, 0x9F, 0x7E, 0xC9, 0xD9, 0x78, 0x73, 0x64,
    0xEA, 0xC5, 0xAC, 0x83, 0x34, 0xD3, 0xEB, 0xC3, 0xC5, 0x81, 0xA0, 0xFF, 0xFA, 0x13, 0x63, 0xEB,
    0x17, 0x0D, 0xDD, 0x51, 0xB7, 0xF0, 0xDA, 0x49, 0xD3, 0x16, 0x55, 0x26, 0x29, 0xD4, 0x68, 0x9E,
    0x2B, 0x16, 0xBE, 0x58, 0x7D, 0x47, 0xA1, 0xFC, 0x8F, 0xF8, 0xB8, 0xD1, 0x7A, 0xD0, 0x31, 0xCE,
    0x45, 0xCB, 0x3A, 0x8F, 0x95, 0x16, 0x04, 0x28, 0xAF, 0xD7, 0xFB, 0xCA, 0xBB, 0x4B, 0x40, 0x7E,
};

struct Wide {
    uint64_t low;
    uint64_t high;
};

uint64_t word(const uint8_t* source) { return load<uint64_t>(source); }

uint64_t low_half(uint64_t value) { return value & 0xFFFFFFFF; }

/// All 128 bits of a product, from four products of halves: wasm has no such instruction.
Wide product(uint64_t a, uint64_t b) {
    uint64_t low = low_half(a) * low_half(b);
    uint64_t cross = (a >> 32) * low_half(b) + (low >> 32);
    uint64_t middle = low_half(a) * (b >> 32) + low_half(cross);
    return {middle << 32 | low_half(low), (a >> 32) * (b >> 32) + (cross >> 32) + (middle >> 32)};
}

/// 128 bits of two words of the message, each turned by a word of the secret, folded into 64.
uint64_t mix(const uint8_t* words, const uint8_t* secret) {
    Wide full = product(word(words) ^ word(secret), word(words + 8) ^ word(secret + 8));
    return full.low ^ full.high;
}

uint64_t avalanche(uint64_t x) {
    x = (x ^ x >> 37) * kPrimeMx1;
    return x ^ x >> 32;
}

uint64_t avalanche_xxh64(uint64_t x) {
    x = (x ^ x >> 33) * kPrime64_2;
    x = (x ^ x >> 29) * kPrime64_3;
    return x ^ x >> 32;
}

uint64_t secret_pair(size_t offset) { return word(kSecret + offset) ^ word(kSecret + offset + 8); }

Wide hash_nothing() { return {avalanche_xxh64(secret_pair(64)), avalanche_xxh64(secret_pair(80))}; }

Wide hash_1_to_3(const uint8_t* p, size_t size) {
    uint32_t combined = static_cast<uint32_t>(p[size - 1] | size << 8 | uint32_t{p[0]} << 16 |
                                              uint32_t{p[size >> 1]} << 24);
    uint32_t swapped = __builtin_bswap32(combined);
    uint32_t turned = swapped << 13 | swapped >> 19;
    uint32_t low = load<uint32_t>(kSecret) ^ load<uint32_t>(kSecret + 4);
    uint32_t high = load<uint32_t>(kSecret + 8) ^ load<uint32_t>(kSecret + 12);
    return {avalanche_xxh64(low ^ combined), avalanche_xxh64(high ^ turned)};
}

Wide hash_4_to_8(const uint8_t* p, size_t size) {
    uint64_t combined = load<uint32_t>(p) | uint64_t{load<uint32_t>(p + size - 4)} << 32;
    auto [low, high] = product(secret_pair(16) ^ combined, kPrime64_1 + (size << 2));
    high += low << 1;
    low ^= high >> 3;
    low = (low ^ low >> 35) * kPrimeMx2;
    return {low ^ low >> 28, avalanche(high)};
}

Wide hash_9_to_16(const uint8_t* p, size_t size) {
    uint64_t first = word(p);
    uint64_t last = word(p + size - 8);
    uint64_t other = secret_pair(48) ^ last;
    auto [low, high] = product(secret_pair(32) ^ first ^ last, kPrime64_1);
    low += uint64_t{size - 1} << 54;
    high += other + low_half(other) * (kPrime32_2 - 1);
    Wide full = product(low ^ __builtin_bswap64(high), kPrime64_2);
    return {avalanche(full.low), avalanche(full.high + high * kPrime64_2)};
}

/// Sixteen bytes into each accumulator, which also adds up what the other one mixes.
void mix_two(Wide& sums, const uint8_t* one, const uint8_t* two, size_t secret) {
    sums.low += mix(one, kSecret + secret);
    sums.high += mix(two, kSecret + secret + 16);
    sums.low ^= word(two) + word(two + 8);
    sums.high ^= word(one) + word(one + 8);
}

Wide hash_17_to_240(const uint8_t* p, size_t size) {
    const uint8_t* end = p + size;
    Wide sums = {size * kPrime64_1, 0};
    if (size <= 128) {
        for (size_t i = (size - 1) / 32 + 1; i-- > 0;) {
            mix_two(sums, p + 16 * i, end - 16 * i - 16, 32 * i);
        }
    } else {
        for (size_t i = 0; i < size / 32; ++i) {
            mix_two(sums, p + 32 * i, p + 32 * i + 16, i < 4 ? 32 * i : 32 * (i - 4) + 3);
            if (i == 3) sums = {avalanche(sums.low), avalanche(sums.high)};
        }
        mix_two(sums, end - 16, end - 32, 103);
    }
    uint64_t high = sums.low * kPrime64_1 + sums.high * kPrime64_4 + size * kPrime64_2;
    return {avalanche(sums.low + sums.high), 0 - avalanche(high)};
}

void accumulate(uint64_t sums[8], const uint8_t* stripe, size_t secret) {
    for (size_t i = 0; i < 8; ++i) {
        uint64_t lane = word(stripe + 8 * i);
        uint64_t turned = lane ^ word(kSecret + secret + 8 * i);
        sums[i ^ 1] += lane;
        sums[i] += low_half(turned) * (turned >> 32);
    }
}

void scramble(uint64_t sums[8]) {
    for (size_t i = 0; i < 8; ++i) {
        sums[i] ^= sums[i] >> 47 ^ word(kSecret + kSecretBytes - kStripeBytes + 8 * i);
        sums[i] *= kPrime32_1;
    }
}

uint64_t merge(const uint64_t sums[8], uint64_t start, size_t secret) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(sums);
    for (size_t i = 0; i < 8; i += 2) start += mix(bytes + 8 * i, kSecret + secret + 8 * i);
    return avalanche(start);
}

Wide hash_long(const uint8_t* p, size_t size) {
    uint64_t sums[8] = {kPrime32_3, kPrime64_1, kPrime64_2, kPrime64_3,
                        kPrime64_4, kPrime32_2, kPrime64_5, kPrime32_1};
    // Every stripe that is not the last, then the last 64 bytes, which may overlap it.
    for (size_t i = 0; i < (size - 1) / kStripeBytes; ++i) {
        size_t place = i % kStripesPerBlock;
        accumulate(sums, p + i * kStripeBytes, 8 * place);
        if (place == kStripesPerBlock - 1) scramble(sums);
    }
    accumulate(sums, p + size - kStripeBytes, kSecretBytes - 71);
    return {merge(sums, size * kPrime64_1, 11),
            merge(sums, ~(size * kPrime64_2), kSecretBytes - 75)};
}

Wide hash(const uint8_t* p, size_t size) {
    if (size == 0) return hash_nothing();
    if (size <= 3) return hash_1_to_3(p, size);
    if (size <= 8) return hash_4_to_8(p, size);
    if (size <= 16) return hash_9_to_16(p, size);
    if (size <= 240) return hash_17_to_240(p, size);
    return hash_long(p, size);
}

} // namespace

void xxh3_128(Bytes message, uint8_t digest[16]) {
    Wide result = hash(message.data, message.size);
    store(digest, result.low);
    store(digest + 8, result.high);
}

} // namespace rvf

#pragma clang attribute pop
