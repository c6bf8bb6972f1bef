// Mending a graph: after rows died, and after lists came from a file.
#pragma once

#include "control/hnsw_graph.h"
#include "control/row_distance.h"

namespace rvf {

/// Chooses the tree of pinned links anew, so that every row can be reached. False when memory
/// cannot grow: the graph is as it was.
bool mend_tree(Graph& graph, const Space& space);

} // namespace rvf
