#include "control/hnsw_walk.h"

namespace rvf {
namespace {

/// Makes the entries of the beam, or as many as fit `width`, the start on the next layer.
void restart(Graph& graph, uint32_t width, Beam& beam) {
    clear_visited(graph);
    beam.width = width;
    if (beam.count > width) beam.count = width;
    beam.admitted = 0;
    beam.next = 0;
    for (uint32_t i = 0; i < beam.count; ++i) {
        beam.entries[i] = beam.admit(beam.entries[i] & ~(kExpanded | kBarred));
        visit(graph, row_of(beam.entries[i]));
    }
}

} // namespace

void walk_layer(Graph& graph, const Space& space, const Point& point, uint32_t layer,
                uint32_t width, Beam& beam) {
    restart(graph, width, beam);
    const uint32_t most = most_links(graph, layer);
    uint8_t* const visited = graph.visited; // marks could be any byte, also of the graph
    const uint8_t epoch = graph.epoch;
    uint32_t fresh[kMostCompared];
    while (beam.next < beam.count) {
        Candidate& best = beam.entries[beam.next++];
        if (best & kExpanded) continue;
        best |= kExpanded;
        const uint32_t* links = links_of(graph, row_of(best), layer);
        uint32_t count = 0;
        for (uint32_t i = 0; i < most && links[i] != kNoRow; ++i) {
            uint32_t row = links[i] & ~kPinned;
            fresh[count] = row;
            count += visit(visited, epoch, row); // half of them: no branch foresees which
        }
        if (beam.next < beam.count) { // probably the next: its links arrive in the meantime
            links = links_of(graph, row_of(beam.entries[beam.next]), layer);
            read_ahead(links, most * sizeof(uint32_t));
        }
        offer_rows(space, point, fresh, count, beam);
    }
}

void descend(Graph& graph, const Space& space, const Point& point, uint32_t layer, Beam& beam) {
    beam.entries[0] = compare(space, point, graph.entry);
    beam.count = 1;
    for (uint32_t at = graph.layer_count; at-- > layer;) {
        walk_layer(graph, space, point, at, 1, beam);
    }
}

} // namespace rvf
