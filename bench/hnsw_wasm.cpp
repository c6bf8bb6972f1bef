// The engine of bench/hnsw_engine.h as a wasm module of its own, until rvf_control.wasm exports it.
// Addresses come from bench_alloc.
#include "bench/hnsw_engine.h"
#include "control/heap.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

rvf::bench::Engine engine;

} // namespace

EXPORT uint8_t* bench_alloc(uint32_t size) { return rvf::allocate(size); }
EXPORT void bench_make(uint32_t dimension) { engine.make(dimension); }
/// Rows with the ids `first`, `first` + 1, ...
EXPORT int bench_add_at(const uint8_t* rows, uint32_t count, uint32_t first) {
    return engine.add(rows, count, first);
}
EXPORT int bench_build() { return engine.build(); }
EXPORT uint32_t bench_search(const uint8_t* query, uint32_t k, uint32_t ef, uint8_t* hits) {
    return engine.search(query, k, ef, hits);
}
EXPORT double bench_memory() { return static_cast<double>(rvf::memory_size()); }
