// saboteur.wasm: breaks a tile in each way that a tile can break. It imports the tile's memory
// (env.memory) and has neither a stack nor data of its own, so what it does, it does to the tile.
#include <stdint.h>

namespace {

/// Not inlined and not folded: each call stays a call.
__attribute__((noinline, disable_tail_calls)) uint32_t deeper(uint32_t depth) {
    __asm__ volatile("");
    return deeper(depth + 1) * 3 + depth;
}

} // namespace

extern "C" {

void out_of_bounds() { *reinterpret_cast<volatile uint8_t*>(0x20000) = 1; }

void unreachable() { __builtin_trap(); }

uint32_t exhaust_stack() { return deeper(0); }

void loop_forever() {
    for (;;) __asm__ volatile("");
}

/// A byte in the middle of 0x2000 to 0xFFFF, which no tile has.
void write_red_zone() { *reinterpret_cast<volatile uint8_t*>(0x8000) ^= 0x5A; }
}
