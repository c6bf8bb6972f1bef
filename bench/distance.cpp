// The tile's distance loop, natively: nanoseconds per distance of a block in cache, as a JSON
// number. usage: bench_distance DTYPE METRIC DIMENSION COUNT ROUNDS
#include <stdio.h>
#include <stdlib.h>

#include <chrono>

#include "kernel/kernel.h"
#include "kernel/memory.h"

namespace tile = rvf::tile;

int main(int argc, char** argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: bench_distance DTYPE METRIC DIMENSION COUNT ROUNDS\n");
        return 2;
    }
    auto argument = [&](int i) { return static_cast<uint32_t>(atoi(argv[i])); };
    uint32_t dtype = argument(1);
    uint32_t metric = argument(2);
    uint32_t dimension = argument(3);
    uint32_t count = argument(4);
    uint32_t rounds = argument(5);

    alignas(64) static uint8_t memory[tile::kScratchEnd];
    tile::tile_memory = memory;
    for (uint32_t i = 0; i < dimension; ++i) {
        tile::store(tile::kMessage + 2 * i, static_cast<uint16_t>(0x3800 + i));
    }
    // The same bits as bench/run.mjs writes: f16 and f32 values between 0.5 and 1, any i8.
    for (uint32_t i = 0; i < tile::kQuery - tile::kBlock; i += 4) {
        uint32_t bits = dtype == tile::kF32 ? 0x3F000000 + i : 0x38003900 + i % 200;
        tile::store(tile::kBlock + i, bits);
    }
    if (tile::rvf_load_query(tile::kMessage, dimension) != rvf::kOk) return 1;
    if (tile::rvf_load_block(tile::kBlock, count, dtype) != rvf::kOk) return 1;
    double best = 1e9;
    for (uint32_t round = 0; round < rounds; ++round) {
        auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < 1000; ++i) tile::rvf_distances(metric, tile::kNeighborCache);
        std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
        double each = time.count() / 1000 / count;
        if (each < best) best = each;
    }
    printf("%f\n", best);
}
