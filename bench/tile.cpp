// A tile in its sandbox (host/sandbox), for bench/tile.mjs. Prints JSON.
//   bench_tile DTYPE METRIC DIMENSION COUNT SCALED   nanoseconds per distance of a block in cache;
//                                                    SCALED: 1 to decode i8 with SQ parameters
//   bench_tile calls                                 microseconds per call of this and that
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <algorithm>
#include <chrono>

#include "host/sandbox/sandbox_tiles.h"
#include "kernel/kernel.h"
#include "kernel/memory_map.h"

namespace {

using namespace rvf;
using sandbox::Sabotage;
using sandbox::SandboxTiles;

/// Best time of `function` over some rounds, in nanoseconds per repetition.
template <typename Function>
double best_of(int rounds, int repetitions, Function function) {
    double best = 1e18;
    for (int round = 0; round < rounds; ++round) {
        auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < repetitions; ++i) function();
        std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
        best = std::min(best, time.count() / repetitions);
    }
    return best;
}

template <typename T>
void put(SandboxTiles& tiles, uint32_t address, T value) {
    tiles.write(0, address, &value, sizeof(value));
}

/// The same bits as bench/tile.mjs writes.
bool load(SandboxTiles& tiles, uint32_t dtype, uint32_t dimension, uint32_t count, bool scaled) {
    for (uint32_t i = 0; i < dimension; ++i) {
        put(tiles, tile::kMessage + 2 * i, static_cast<uint16_t>(0x3800 + i));
    }
    if (tiles.load_query(0, tile::kMessage, dimension).value) return false;
    if (scaled) {
        for (uint32_t i = 0; i < 2 * dimension; ++i) {
            put(tiles, tile::kBlock + 4 * i, i % 2 ? 1.0f : -1.0f);
        }
        if (tiles.load_sq_params(0, tile::kBlock, dimension).value) return false;
    }
    for (uint32_t i = 0; i < tile::kTables - tile::kBlock; i += 4) {
        put(tiles, tile::kBlock + i, 0x38003900 + i % 200);
    }
    return tiles.load_block(0, tile::kBlock, count, dtype).value == 0;
}

void print_calls(SandboxTiles& tiles) {
    double start = best_of(20, 1000, [&] { tiles.start(0); });
    double first = best_of(20, 100, [&] {
        tiles.stop(0);
        tiles.start(0);
    });
    double restart = best_of(20, 1000, [&] {
        for (uint32_t at = 0; at < 0x20000; at += 0x1000) {
            if (at < tile::kDataEnd || at >= tile::kScratch) put(tiles, at, uint32_t{0});
        }
        tiles.start(0);
    });
    double call = best_of(20, 10000, [&] { tiles.distances(0, 0, 0); });
    double ring = best_of(20, 10000, [&] { tiles.ring(0); });
    double trap = best_of(20, 1000, [&] { tiles.sabotage(0, Sabotage::kOutOfBounds); });
    double raised = best_of(20, 1000, [&] { tiles.sabotage(0, Sabotage::kUnreachable); });
    double deep = best_of(20, 100, [&] { tiles.sabotage(0, Sabotage::kExhaustStack); });
    double recover = best_of(20, 1000, [&] {
        tiles.sabotage(0, Sabotage::kOutOfBounds);
        tiles.start(0);
    });
    double red_zone = best_of(20, 1000, [&] { tiles.red_zone_is_zero(0); });
    double loop = best_of(3, 1, [&] { tiles.sabotage(0, Sabotage::kLoopForever); });
    printf(
        "{\"start\":%f,\"first\":%f,\"restart\":%f,\"call\":%f,\"ring\":%f,\"trap\":%f,"
        "\"raised\":%f,\"deep\":%f,\"recover\":%f,\"redZone\":%f,\"loop\":%f}\n",
        start / 1e3, first / 1e3, restart / 1e3, call / 1e3, ring / 1e3, trap / 1e3, raised / 1e3,
        deep / 1e3, recover / 1e3, red_zone / 1e3, loop / 1e3);
}

} // namespace

int main(int argc, char** argv) {
    SandboxTiles tiles(1);
    if (!tiles.start(0)) {
        fprintf(stderr, "%s\n", tiles.error(0).c_str());
        return 1;
    }
    if (argc == 2 && strcmp(argv[1], "calls") == 0) {
        print_calls(tiles);
        return 0;
    }
    if (argc != 6) {
        fprintf(stderr, "usage: bench_tile DTYPE METRIC DIMENSION COUNT SCALED | calls\n");
        return 2;
    }
    auto argument = [&](int i) { return static_cast<uint32_t>(atoi(argv[i])); };
    uint32_t metric = argument(2);
    uint32_t count = argument(4);
    if (!load(tiles, argument(1), argument(3), count, argument(5) == 1)) {
        fprintf(stderr, "The tile refuses the block.\n");
        return 1;
    }
    double block = best_of(20, 1000, [&] { tiles.distances(0, metric, tile::kNeighborCache); });
    printf("%f\n", block / count);
}
