// Codes beside rows and what searches by them, as a wasm module of its own, until rvf_control.wasm
// exports it. Addresses come from bench_alloc.
#include "control/heap.h"
#include "control/hnsw.h"
#include "control/search.h"
#include "control/search_codes.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

rvf::Store* the_store;
rvf::Codes* the_codes;
rvf::Graph* the_graph;
uint32_t the_share = ~0u; ///< of admitted rows, in 2^-32

void set_query(const uint8_t* query) {
    rvf::copy(the_store->query, query, size_t{the_store->dimension} * 4);
}

/// Rows by a hash of their number, so that those admitted are spread evenly.
bool admits(const void*, uint32_t row) {
    uint32_t hash = row * 0x9E3779B1u;
    hash = (hash ^ hash >> 15) * 0x85EBCA77u;
    return (hash ^ hash >> 13) <= the_share;
}

rvf::Admission admission() {
    rvf::Admission all;
    return the_share == ~0u ? all : rvf::Admission{admits, nullptr};
}

} // namespace

EXPORT uint8_t* bench_alloc(uint32_t size) { return rvf::allocate(size); }
EXPORT double bench_memory() { return static_cast<double>(rvf::memory_size()); }
EXPORT void bench_make(uint32_t dimension, int metric) {
    the_store = rvf::make_store(dimension, metric);
    the_codes = rvf::make_codes(*the_store);
}
/// Rows with the ids `first`, `first` + 1, ...
EXPORT int bench_add_at(const uint8_t* rows, uint32_t count, uint32_t first) {
    if (rvf::reserve_rows(*the_store, count) != rvf::kOk) return 0;
    for (uint32_t i = 0; i < count; ++i) {
        rvf::put_vector(*the_store, first + i, rows + size_t{i} * the_store->dimension * 4);
    }
    return 1;
}
EXPORT void bench_train() { rvf::train_codes(*the_codes, *the_store); }
EXPORT int bench_code() { return rvf::add_codes(*the_codes, *the_store, ~0u); }

EXPORT uint32_t bench_exact(const uint8_t* query, int metric, uint32_t k, uint8_t* hits) {
    set_query(query);
    return rvf::search_exact(*the_store, metric, k, hits, admission());
}
/// Answers how many rows were read.
EXPORT uint32_t bench_codes(const uint8_t* query, int metric, uint32_t k, uint8_t* hits) {
    set_query(query);
    return rvf::search_codes(*the_store, *the_codes, metric, k, hits).read;
}
/// Rows that later searches may answer, in 2^-32; all of them with 2^32 - 1.
EXPORT void bench_admit(uint32_t share) { the_share = share; }
EXPORT int bench_build() {
    the_graph = rvf::make_graph(16, 200, 1);
    return rvf::hnsw_build(*the_graph, *the_store, ~0u);
}
/// Answers how many were found.
EXPORT uint32_t bench_graph(const uint8_t* query, uint32_t k, uint32_t ef, uint8_t* hits,
                            int by_codes) {
    set_query(query);
    uint32_t found = 0;
    rvf::SearchOptions options{by_codes ? the_codes : nullptr, admission()};
    rvf::hnsw_search(*the_graph, *the_store, k, ef, hits, found, options);
    return found;
}
/// Many queries at once; hits one query after the other. `found` holds two u32 a query.
EXPORT void bench_batch(const uint8_t* queries, uint32_t count, int metric, uint32_t k,
                        uint8_t* hits, uint32_t* found, int by_codes) {
    if (by_codes) {
        rvf::search_codes_batch(*the_store, *the_codes, metric, k, queries, count, hits,
                                reinterpret_cast<rvf::CodeAnswer*>(found));
    } else {
        rvf::search_batch(*the_store, metric, k, queries, count, hits, found);
    }
}
