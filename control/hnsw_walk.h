// Walking through a graph towards a point, layer by layer.
#pragma once

#include <stdint.h>

#include "control/beam.h"
#include "control/hnsw_graph.h"
#include "control/row_distance.h"

namespace rvf {

/// Marks a row; true when it was not marked yet.
inline bool visit(Graph& graph, uint32_t row) {
    bool is_fresh = graph.visited[row] != graph.epoch;
    graph.visited[row] = graph.epoch;
    return is_fresh;
}

/// Walks on `layer` from the entries of the beam, as far as they fit `width`, to ever nearer rows
/// until every entry has been expanded (algorithm 2).
void walk_layer(Graph& graph, const Space& space, const Point& point, uint32_t layer,
                uint32_t width, Beam& beam);

/// Walks from the entry of the graph, which must not be empty, down to `layer`, on each layer to
/// the nearest row.
void descend(Graph& graph, const Space& space, const Point& point, uint32_t layer, Beam& beam);

} // namespace rvf
