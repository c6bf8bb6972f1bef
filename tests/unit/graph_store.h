// Stores and graphs made directly, without the exports, and what tests ask of them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "control/heap.h"
#include "control/hnsw.h"
#include "control/search.h"
#include "tests/unit/sound_graph.h"
#include "tests/unit/support.h"

namespace rvf::test {

using Vectors = std::vector<std::vector<float>>;

struct FreeStore {
    void operator()(Store* store) const { free_store(store); }
};
struct FreeGraph {
    void operator()(Graph* graph) const { free_graph(graph); }
};
using StorePointer = std::unique_ptr<Store, FreeStore>;
using GraphPointer = std::unique_ptr<Graph, FreeGraph>;

inline StorePointer empty_store(size_t dimension, int32_t metric) {
    return StorePointer(make_store(static_cast<uint32_t>(dimension), metric));
}

inline uint32_t put_row(Store& store, uint64_t id, const std::vector<float>& vector) {
    EXPECT_EQ(reserve_rows(store, 1), kOk);
    put_vector(store, id, reinterpret_cast<const uint8_t*>(vector.data()));
    return find_row(store, id);
}

/// Ids are indexes, and so are the rows.
inline StorePointer store_of(const Vectors& vectors, int32_t metric) {
    StorePointer store = empty_store(vectors[0].size(), metric);
    for (size_t i = 0; i < vectors.size(); ++i) put_row(*store, i, vectors[i]);
    return store;
}

inline GraphPointer empty_graph(uint32_t m = 16, uint32_t ef_construction = 100,
                                uint64_t seed = 1) {
    return GraphPointer(make_graph(m, ef_construction, seed));
}

inline GraphPointer built(const Store& store, uint32_t m = 16, uint32_t ef_construction = 100,
                          uint64_t seed = 1) {
    GraphPointer graph = empty_graph(m, ef_construction, seed);
    EXPECT_EQ(hnsw_build(*graph, store, ~0u), kOk);
    return graph;
}

/// Every list of a graph, in order.
using Lists = std::map<std::pair<uint32_t, uint32_t>, std::vector<uint32_t>>;
inline Lists lists_of(const Graph& graph, uint32_t rows) {
    Lists lists;
    for (uint32_t row = 0; row < rows; ++row) {
        for (uint32_t layer = 0; layer < layers_of(graph, row); ++layer) {
            lists[{row, layer}] = neighbors(graph, row, layer);
        }
    }
    return lists;
}

inline void expect_sound(const Graph& graph, const Store& store) {
    ASSERT_EQ(fault_of(graph, store), "");
}

inline void set_query(Store& store, const std::vector<float>& point) {
    std::memset(store.query, 0, store.row_bytes);
    std::memcpy(store.query, point.data(), point.size() * sizeof(float));
}

inline std::vector<Answer> answers_in(const Buffer& hits, uint32_t count) {
    std::vector<Answer> answers(count);
    for (size_t i = 0; i < count; ++i) {
        std::memcpy(&answers[i].id, hits.data() + i * kHitBytes, 8);
        std::memcpy(&answers[i].distance, hits.data() + i * kHitBytes + 8, 4);
    }
    return answers;
}

/// The result buffer is exactly as long as the header asks for.
inline std::vector<Answer> search_graph(Graph& graph, Store& store, const std::vector<float>& point,
                                        uint32_t k, uint32_t ef) {
    set_query(store, point);
    Buffer hits(size_t{std::min(k, live_count(store))} * kHitBytes);
    uint32_t found = 0;
    EXPECT_EQ(hnsw_search(graph, store, k, ef, hits.data(), found), kOk);
    return answers_in(hits, found);
}

inline std::vector<Answer> search_rows(Store& store, const std::vector<float>& point, uint32_t k) {
    set_query(store, point);
    Buffer hits(size_t{std::min(k, live_count(store))} * kHitBytes);
    return answers_in(hits, search_exact(store, store.metric, k, hits.data()));
}

inline double exact_distance(int32_t metric, const std::vector<float>& a,
                             const std::vector<float>& b) {
    double squares = 0, dot = 0, a_norm = 0, b_norm = 0;
    for (size_t i = 0; i < a.size(); ++i) {
        double x = a[i], y = b[i];
        squares += (x - y) * (x - y);
        dot += x * y;
        a_norm += x * x;
        b_norm += y * y;
    }
    if (metric == kL2) return squares;
    if (metric == kInnerProduct) return -dot;
    double norms = std::sqrt(a_norm) * std::sqrt(b_norm);
    return norms < 0x1p-23 ? 1 : 1 - dot / norms;
}

} // namespace rvf::test
