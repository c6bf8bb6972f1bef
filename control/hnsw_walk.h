// Walking through a graph towards a point, layer by layer.
#pragma once

#include <stdint.h>

#include "control/beam.h"
#include "control/hnsw_graph.h"
#include "control/row_distance.h"

namespace rvf {

/// Marks a row of Graph::visited with Graph::epoch; true when it was not marked yet.
inline bool visit(uint8_t* visited, uint8_t epoch, uint32_t row) {
    bool is_fresh = visited[row] != epoch;
    visited[row] = epoch;
    return is_fresh;
}
inline bool visit(Graph& graph, uint32_t row) { return visit(graph.visited, graph.epoch, row); }

/// Compares rows as compare() does, as many as the beam's work allows, and offers them to the beam.
RVF_INLINE void offer_rows(const Space& space, const Point& point, const uint32_t* rows,
                           uint32_t count, Beam& beam) {
    Candidate candidates[kMostCompared];
    count = beam.take_work(count);
    compare(space, point, rows, count, candidates);
    count = beam.keep_nearer(candidates, count);
    for (uint32_t i = 0; i < count; ++i) beam.offer(candidates[i]);
}

/// Offers the rows from `first` on for which `belongs` holds, while the beam's work lasts.
template <typename Belongs>
void offer_rows_from(uint32_t first, const Space& space, const Point& point, Beam& beam,
                     Belongs belongs) {
    uint32_t rows[kMostCompared];
    for (uint32_t row = first; row < space.store.row_count && !beam.cut;) {
        uint32_t count = 0;
        for (; row < space.store.row_count && count < kMostCompared; ++row) {
            rows[count] = row;
            count += belongs(row);
        }
        offer_rows(space, point, rows, count, beam);
    }
}

/// Walks on `layer` from the entries of the beam, as far as they fit `width`, to ever nearer rows
/// until every entry has been expanded (algorithm 2).
void walk_layer(Graph& graph, const Space& space, const Point& point, uint32_t layer,
                uint32_t width, Beam& beam);

/// Walks from the entry of the graph, which must not be empty, down to `layer`, on each layer to
/// the nearest row.
void descend(Graph& graph, const Space& space, const Point& point, uint32_t layer, Beam& beam);

} // namespace rvf
