#include "control/shake256.h"

// Small rather than fast: damaged and foreign files only.
#pragma clang attribute push([[clang::minsize]], apply_to = function)

namespace rvf {
namespace {

constexpr uint32_t kRounds = 24;
constexpr uint32_t kLanes = 25;    ///< lane (x, y) of the standard is number x + 5 * y
constexpr size_t kRateBytes = 136; ///< 1600 bits of state less 512 of capacity
constexpr uint8_t kSuffix = 0x1F;  ///< 1111, which makes it SHAKE, and the first bit of padding

/// What rho and pi do to each lane but (0, 0), in the order in which pi moves them.
struct Steps {
    uint8_t path[kLanes - 1];     ///< where the lane goes; the next one is the one from there
    uint8_t rotation[kLanes - 1]; ///< by how much it is turned on the way
};

consteval Steps make_steps() {
    Steps steps{};
    uint32_t x = 1, y = 0;
    for (uint32_t t = 0; t < kLanes - 1; ++t) {
        steps.rotation[t] = static_cast<uint8_t>((t + 1) * (t + 2) / 2 % 64);
        uint32_t next = (2 * x + 3 * y) % 5;
        x = y;
        y = next;
        steps.path[t] = static_cast<uint8_t>(x + 5 * y);
    }
    return steps;
}

constexpr Steps kSteps = make_steps();

uint64_t rotated_left(uint64_t lane, uint32_t bits) { return lane << bits | lane >> (64 - bits); }

/// Keccak-f[1600]: theta, rho and pi, chi, iota; 3.2 and 3.3 of the standard.
void permute(uint64_t state[kLanes]) {
    uint32_t shift_register = 1; // makes the bits that iota adds
    for (uint32_t round = 0; round < kRounds; ++round) {
        // Five columns or lanes of a row, with neighbours repeated instead of counting modulo 5.
        uint64_t ring[7];
        for (uint32_t x = 0; x < 5; ++x) {
            ring[x + 1] = state[x] ^ state[x + 5] ^ state[x + 10] ^ state[x + 15] ^ state[x + 20];
        }
        ring[0] = ring[5];
        ring[6] = ring[1];
        for (uint32_t x = 0; x < 5; ++x) {
            uint64_t sum = ring[x] ^ rotated_left(ring[x + 2], 1);
            for (uint32_t lane = x; lane < kLanes; lane += 5) state[lane] ^= sum;
        }
        uint64_t moving = state[1];
        for (uint32_t t = 0; t < kLanes - 1; ++t) {
            uint64_t& place = state[kSteps.path[t]];
            uint64_t displaced = place;
            place = rotated_left(moving, kSteps.rotation[t]);
            moving = displaced;
        }
        for (uint64_t* row = state; row != state + kLanes; row += 5) {
            for (uint32_t x = 0; x < 5; ++x) ring[x] = row[x];
            ring[5] = ring[0];
            ring[6] = ring[1];
            for (uint32_t x = 0; x < 5; ++x) row[x] = ring[x] ^ (~ring[x + 1] & ring[x + 2]);
        }
        for (uint32_t j = 0; j <= 6; ++j) {
            state[0] ^= uint64_t{shift_register & 1} << ((1u << j) - 1);
            shift_register = shift_register << 1 ^ (shift_register >> 7) * 0x171;
        }
    }
}

} // namespace

void shake256(Bytes message, uint8_t* output, size_t output_size) {
    uint64_t state[kLanes] = {};
    auto* block = reinterpret_cast<uint8_t*>(state);
    size_t used = 0;
    for (size_t i = 0; i < message.size; ++i) {
        block[used++] ^= message.data[i];
        if (used != kRateBytes) continue;
        permute(state);
        used = 0;
    }
    block[used] ^= kSuffix;
    block[kRateBytes - 1] ^= 0x80; // the last bit of padding
    used = kRateBytes;
    for (size_t i = 0; i < output_size; ++i) {
        if (used == kRateBytes) {
            permute(state);
            used = 0;
        }
        output[i] = block[used++];
    }
}

} // namespace rvf

#pragma clang attribute pop
