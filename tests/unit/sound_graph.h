// What holds for every graph, for tests and fuzzers.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "control/hnsw_graph.h"
#include "control/store.h"

namespace rvf::test {

inline bool is_live(const Store& store, uint32_t row) {
    return row < store.row_count && !is_dead(row_at(store, row));
}

inline std::vector<uint32_t> neighbors(const Graph& graph, uint32_t row, uint32_t layer) {
    std::vector<uint32_t> rows(most_links(graph, layer));
    rows.resize(neighbors_of(graph, row, layer, rows.data()));
    return rows;
}

inline std::set<uint32_t> reachable(const Graph& graph) {
    std::set<uint32_t> seen;
    if (graph.entry == kNoRow) return seen;
    std::vector<uint32_t> open = {graph.entry};
    seen.insert(graph.entry);
    while (!open.empty()) {
        uint32_t row = open.back();
        open.pop_back();
        for (uint32_t neighbor : neighbors(graph, row, 0)) {
            if (seen.insert(neighbor).second) open.push_back(neighbor);
        }
    }
    return seen;
}

/// What is wrong with a graph whose rows were all linked here, or nothing: lists are within their
/// bounds and of different rows of that layer, and all rows within reach of an entry on the top
/// layer. Rows that were written again may wait for their links.
inline std::string fault_of(const Graph& graph, const Store& store) {
    uint32_t linked = 0;
    uint32_t top = 0;
    for (uint32_t row = 0; row < store.row_count; ++row) {
        std::string at = " of row " + std::to_string(row);
        uint32_t layers = layers_of(graph, row);
        linked += layers > 0;
        top = std::max(top, layers);
        bool waits = *row_at(store, row).mark & kRewritten;
        if (is_live(store, row) && row < graph.done && layers == 0 && !waits) {
            return "no layer" + at;
        }
        for (uint32_t layer = 0; layer < layers; ++layer) {
            std::vector<uint32_t> list = neighbors(graph, row, layer);
            if (list.size() > most_links(graph, layer)) return "too many links" + at;
            std::set<uint32_t> different(list.begin(), list.end());
            if (different.size() != list.size()) return "a link twice" + at;
            if (different.count(row)) return "a link to itself" + at;
            for (uint32_t neighbor : list) {
                if (layers_of(graph, neighbor) <= layer) return "a link to another layer" + at;
            }
        }
    }
    if (graph.node_count != linked) return "the number of nodes";
    if (graph.layer_count != top) return "the number of layers";
    if (linked == 0) return "";
    if (layers_of(graph, graph.entry) != top) return "the entry";
    return reachable(graph).size() == linked ? "" : "rows out of reach";
}

} // namespace rvf::test
