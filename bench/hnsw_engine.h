// The graph search as one object: what the native program and the bench's own wasm module drive.
#pragma once

#include "control/hnsw.h"

namespace rvf::bench {

constexpr uint32_t kM = 16;
constexpr uint32_t kEfConstruction = 200;

struct Engine {
    Store* store;
    Graph* graph;

    void make(uint32_t dimension) {
        store = make_store(dimension, kL2);
        graph = make_graph(kM, kEfConstruction, 1);
    }

    bool add(const uint8_t* rows, uint32_t count, uint64_t first = 0) {
        if (reserve_rows(*store, count) != kOk) return false;
        for (uint32_t i = 0; i < count; ++i) {
            put_vector(*store, first + i, rows + size_t{i} * store->dimension * 4);
        }
        return true;
    }

    bool build() { return hnsw_build(*graph, *store, ~0u) == kOk; }

    /// Hits of 12 bytes; answers how many.
    uint32_t search(const uint8_t* query, uint32_t k, uint32_t ef, uint8_t* hits) {
        copy(store->query, query, size_t{store->dimension} * 4);
        uint32_t found = 0;
        hnsw_search(*graph, *store, k, ef, hits, found);
        return found;
    }
};

} // namespace rvf::bench
