#include "control/hnsw.h"

#include "control/hits.h"
#include "control/hnsw_links.h"
#include "control/hnsw_repair.h"
#include "control/hnsw_walk.h"
#include "control/row_sums.h"

namespace rvf {
namespace {

/// Copies of a row that are candidates for its neighbours.
constexpr uint32_t kMostEqual = 4;

// --- Insertion ---

/// Marks the candidates to which there is a pinned link, and adds those that the search did not
/// come by. Answers how many there are.
uint32_t add_pinned(const Space& space, const Point& point, const uint32_t* links, uint32_t most,
                    Beam& beam) {
    uint32_t pinned = 0;
    for (uint32_t i = 0; i < list_size(links, most); ++i) {
        if (!(links[i] >> 31)) continue;
        uint32_t row = links[i] & ~kPinned;
        uint32_t at = 0;
        while (at < beam.count && row_of(beam.entries[at]) != row) ++at;
        if (at == beam.count) {
            insert_sorted(beam.entries, beam.count++, compare(space, point, row) | kStays);
        } else {
            beam.entries[at] |= kStays;
        }
        ++pinned;
    }
    return pinned;
}

/// Gives a node of the graph its neighbours: searches from the top as if it were not there
/// (algorithm 1). Pinned links that it has stay.
void link_row(Graph& graph, const Space& space, uint32_t row, uint32_t layers) {
    Point point = row_point(space, row);
    Beam beam{graph.beam, graph.ef_construction + 1, 1, kMostEqual};
    descend(graph, space, point, layers, beam);
    for (uint32_t layer = layers < graph.layer_count ? layers : graph.layer_count; layer-- > 0;) {
        walk_layer(graph, space, point, layer, graph.ef_construction, beam);

        for (uint32_t i = 0; i < beam.count; ++i) beam.entries[i] &= ~kExpanded;
        uint32_t* links = links_of(graph, row, layer);
        uint32_t most = most_links(graph, layer);
        uint32_t pinned = add_pinned(space, point, links, most, beam);
        uint32_t wanted = graph.m + pinned;
        uint32_t chosen[2 * kMaxLinks];
        uint32_t count = choose(space, row, beam.entries, beam.count, wanted, chosen);
        write_list(links, most, chosen, count);
        for (uint32_t i = 0; i < count; ++i) {
            if (!(chosen[i] >> 31)) add_link(graph, space, chosen[i], layer, row);
        }
        if (layer == 0 && pinned == 0 && graph.node_count > 1) {
            pin(graph, space, row, choose_parent(graph, beam.entries, beam.count));
        }
    }
}

bool reserve_for_build(Graph& graph, const Store& store) {
    return reserve_working_memory(graph, graph.ef_construction + 1 + graph.m, store.row_count);
}

bool add_row(Graph& graph, const Space& space, uint32_t row) {
    uint32_t layers = drawn_layers(graph, row);
    if (!add_node(graph, row, layers)) return false;
    if (graph.entry != kNoRow) link_row(graph, space, row, layers);
    if (graph.entry == kNoRow || layers > graph.layer_count) {
        graph.entry = row;
        graph.layer_count = layers;
    }
    return true;
}

} // namespace

Status hnsw_build(Graph& graph, const Store& store, uint32_t max_rows) {
    Space space = space_of(store);
    if (!reserve_for_build(graph, store) || !mend_tree(graph, space)) return kOutOfMemory;
    for (; max_rows > 0 && graph.done < store.row_count; ++graph.done) {
        if (is_dead(space, graph.done) || layers_of(graph, graph.done)) continue;
        if (!add_row(graph, space, graph.done)) return kOutOfMemory;
        --max_rows;
    }
    return kOk;
}

Status hnsw_update(Graph& graph, const Store& store, uint32_t row) {
    Space space = space_of(store);
    if (!reserve_for_build(graph, store) || !mend_tree(graph, space)) return kOutOfMemory;
    uint32_t layers = layers_of(graph, row);
    if (layers == 0) return add_row(graph, space, row) ? kOk : kOutOfMemory;
    link_row(graph, space, row, layers);
    return kOk;
}

Status hnsw_search(Graph& graph, const Store& store, uint32_t k, uint32_t ef, uint8_t* out,
                   uint32_t& found) {
    uint32_t live = live_count(store);
    if (ef < k) ef = k;
    if (ef > live) ef = live;
    found = 0;
    if (live == 0) return kOk;
    // Room for the deleted rows that lie among `ef` live ones, with as much again.
    uint64_t among = uint64_t{2} * ef * store.row_count / live + 64;
    uint32_t capacity = static_cast<uint32_t>(among < store.row_count ? among : store.row_count);
    if (store.dead_count == 0) capacity = ef;
    if (!reserve_working_memory(graph, capacity + 1, store.row_count)) return kOutOfMemory;

    Space space = space_of(store);
    Point query = query_point(space);
    uint32_t most_equal = ef / 8 + 4;
    if (most_equal < k) most_equal = k;
    if (store.dead_count) most_equal = capacity;
    Beam beam{graph.beam, capacity + 1, 1, most_equal};
    if (graph.entry != kNoRow) {
        descend(graph, space, query, 1, beam);
        if (store.dead_count) beam.admission.live_in = &space;
        walk_layer(graph, space, query, 0, ef, beam);
    }
    beam.width = ef;
    for (uint32_t row = graph.done; row < store.row_count; ++row) {
        if (is_dead(space, row) || layers_of(graph, row)) continue;
        beam.offer(compare(space, query, row));
    }

    Hits hits{out, k < live ? k : live};
    for (uint32_t i = 0; i < beam.count; ++i) {
        uint32_t row = row_of(beam.entries[i]);
        float far = distance_of(beam.entries[i]);
        if (is_dead(space, row) || far != far) continue;
        if (space.metric == kL2) {
            // The k-th true distance is near the k-th compared one, so that few more can enter.
            if (far > hits.worst() * 1.0625f) break;
            far = sum_of_squared_differences(row_at(store, row).vector, query.vector,
                                             store.row_bytes);
        }
        if (far <= hits.worst()) hits.offer({load<uint64_t>(row_at(store, row).id), far});
    }
    hits.sort();
    found = hits.count;
    return kOk;
}

} // namespace rvf
