// Neighbour lists of a graph: which candidates make a good list, and the pinned links that keep
// every row within reach.
#pragma once

#include <stdint.h>

#include "control/hnsw_graph.h"
#include "control/row_distance.h"

namespace rvf {

/// Flag of a candidate: its link is pinned and stays, whatever else is near.
constexpr Candidate kStays = kFlag;

/// Links in a list.
uint32_t list_size(const uint32_t* links, uint32_t most);

void write_list(uint32_t* links, uint32_t most, const uint32_t* rows, uint32_t count);

/// Inserts into an ascending array that has room.
void insert_sorted(Candidate* entries, uint32_t count, Candidate entry);

/// Chooses at most `most` neighbours of `row` from ascending candidates (algorithm 4): one that is
/// clearly nearer to a neighbour chosen before than to the row itself is reached through that
/// neighbour. Copies of a neighbour are, too, so that they do not fill lists. Candidates that stay
/// are always chosen. Answers how many links it wrote to `chosen`.
uint32_t choose(const Space& space, uint32_t row, const Candidate* candidates, uint32_t count,
                uint32_t most, uint32_t* chosen);

/// Adds `link` (a row, pinned or not) to the list of `row`. A full list is chosen anew, with room
/// for some more, because choosing costs a few hundred distances.
void add_link(Graph& graph, const Space& space, uint32_t row, uint32_t layer, uint32_t link);

/// Whether `row` may have one more pinned link: at most half of a list of layer 0 is pinned.
bool takes_pin(const Graph& graph, uint32_t row);

/// The first of the candidates that takes one more pinned link, or else a row beyond the first one:
/// walking along pinned links without turning back ends at a leaf.
uint32_t choose_parent(const Graph& graph, const Candidate* candidates, uint32_t count);

/// Links two rows on layer 0 for good.
void pin(Graph& graph, const Space& space, uint32_t a, uint32_t b);

} // namespace rvf
