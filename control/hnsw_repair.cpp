#include "control/hnsw_repair.h"

#include "control/heap.h"
#include "control/hnsw.h"
#include "control/hnsw_links.h"
#include "control/hnsw_walk.h"

namespace rvf {
namespace {

bool is_gone(const Space& space, uint32_t row) {
    return row >= space.store.row_count || is_dead(space, row);
}

/// Calls `use` for every row of the graph.
template <typename Use>
void for_rows(const Graph& graph, Use use) {
    for (uint32_t row = 0; row < rows_spanned(graph); ++row) {
        if (layers_of(graph, row)) use(row);
    }
}

// --- The tree ---

/// Sets of rows that hang together; each is named after one of its rows.
struct Sets {
    uint32_t* parent;

    uint32_t of(uint32_t row) {
        while (parent[row] != row) row = parent[row] = parent[parent[row]];
        return row;
    }
    void join(uint32_t a, uint32_t b) { parent[of(a)] = of(b); }
};

bool links_to(const Graph& graph, uint32_t row, uint32_t other) {
    const uint32_t* links = links_of(graph, row, 0);
    for (uint32_t i = list_size(links, most_links(graph, 0)); i-- > 0;) {
        if ((links[i] & ~kPinned) == other) return true;
    }
    return false;
}

/// Pins links that go both ways already, as far as they join sets.
void pin_links(Graph& graph, const Space& space, uint32_t row, Sets& sets) {
    uint32_t neighbors[2 * kMaxLinks];
    uint32_t size = neighbors_of(graph, row, 0, neighbors);
    for (uint32_t i = 0; i < size; ++i) {
        uint32_t other = neighbors[i];
        if (sets.of(row) == sets.of(other) || !links_to(graph, other, row)) continue;
        if (!takes_pin(graph, row) || !takes_pin(graph, other)) continue;
        pin(graph, space, row, other);
        sets.join(row, other);
    }
}

/// Pins a link from `row`, which is not in the entry's set, to a near row that is.
void join_to_entry(Graph& graph, const Space& space, uint32_t row, Sets& sets) {
    Point point = row_point(space, row);
    Beam beam{graph.beam, graph.ef_construction + 1, 1, graph.ef_construction};
    descend(graph, space, point, 1, beam);
    walk_layer(graph, space, point, 0, graph.ef_construction, beam);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < beam.count; ++i) {
        Candidate entry = beam.entries[i];
        if (sets.of(row_of(entry)) == sets.of(graph.entry)) beam.entries[kept++] = entry;
    }
    if (kept == 0) beam.entries[kept++] = candidate(0, graph.entry);
    // The row may have all its pins taken; a leaf of its own tree has not.
    Candidate own = candidate(0, row);
    pin(graph, space, choose_parent(graph, &own, 1), choose_parent(graph, beam.entries, kept));
    sets.join(row, graph.entry);
}

// --- Lists ---

/// Offers the live neighbours of `row` on `layer` to the beam, and those behind gone ones.
void offer_neighbors(Graph& graph, const Space& space, const Point& point, uint32_t row,
                     uint32_t layer, bool behind_gone, Beam& beam) {
    uint32_t neighbors[2 * kMaxLinks];
    uint32_t size = neighbors_of(graph, row, layer, neighbors);
    for (uint32_t i = 0; i < size; ++i) {
        uint32_t other = neighbors[i];
        if (is_gone(space, other)) {
            if (behind_gone) offer_neighbors(graph, space, point, other, layer, false, beam);
        } else if (visit(graph, other)) {
            beam.offer(compare(space, point, other));
        }
    }
}

bool has_gone(const Graph& graph, const Space& space, uint32_t row, uint32_t layer) {
    uint32_t neighbors[2 * kMaxLinks];
    uint32_t size = neighbors_of(graph, row, layer, neighbors);
    for (uint32_t i = 0; i < size; ++i) {
        if (is_gone(space, neighbors[i])) return true;
    }
    return false;
}

/// Chooses a list that holds gone rows anew, from what is left of it and of theirs.
void choose_again(Graph& graph, const Space& space, uint32_t row, uint32_t layer) {
    Point point = row_point(space, row);
    Beam beam{graph.beam, graph.ef_construction + 1, graph.ef_construction, graph.ef_construction};
    clear_visited(graph);
    visit(graph, row);
    offer_neighbors(graph, space, point, row, layer, true, beam);
    uint32_t chosen[2 * kMaxLinks];
    uint32_t most = most_links(graph, layer);
    uint32_t count = choose(space, row, beam.entries, beam.count, most, chosen);
    write_list(links_of(graph, row, layer), most, chosen, count);
}

void unpin(Graph& graph, uint32_t row) {
    uint32_t* links = links_of(graph, row, 0);
    for (uint32_t i = list_size(links, most_links(graph, 0)); i-- > 0;) links[i] &= ~kPinned;
}

bool reserve_for_repair(Graph& graph) {
    return reserve_working_memory(graph, graph.ef_construction + 1 + graph.m, rows_spanned(graph));
}

uint32_t* make_sets(const Graph& graph) {
    uint32_t count = rows_spanned(graph);
    auto* parent = reinterpret_cast<uint32_t*>(allocate(count * sizeof(uint32_t)));
    for (uint32_t row = 0; parent && row < count; ++row) parent[row] = row;
    return parent;
}

void pin_tree(Graph& graph, const Space& space, Sets& sets) {
    for_rows(graph, [&](uint32_t row) { unpin(graph, row); });
    for_rows(graph, [&](uint32_t row) { pin_links(graph, space, row, sets); });
    for_rows(graph, [&](uint32_t row) {
        if (sets.of(row) != sets.of(graph.entry)) join_to_entry(graph, space, row, sets);
    });
    graph.tree_is_whole = true;
}

void free_sets(const Graph& graph, uint32_t* parent) {
    release(reinterpret_cast<uint8_t*>(parent), rows_spanned(graph) * sizeof(uint32_t));
}

} // namespace

bool mend_tree(Graph& graph, const Space& space) {
    if (graph.tree_is_whole) return true;
    uint32_t* parent = reserve_for_repair(graph) ? make_sets(graph) : nullptr;
    if (!parent) return false;
    Sets sets{parent};
    pin_tree(graph, space, sets);
    free_sets(graph, parent);
    return true;
}

Status hnsw_unlink_dead(Graph& graph, const Store& store) {
    Space space = space_of(store);
    uint32_t gone = 0;
    for_rows(graph, [&](uint32_t row) { gone += is_gone(space, row); });
    if (gone == 0) return kOk;
    uint32_t* parent = reserve_for_repair(graph) ? make_sets(graph) : nullptr;
    if (!parent) return kOutOfMemory;

    uint32_t entry = kNoRow;
    for_rows(graph, [&](uint32_t row) {
        if (is_gone(space, row)) return;
        if (entry == kNoRow || layers_of(graph, row) > layers_of(graph, entry)) entry = row;
        for (uint32_t layer = 0; layer < layers_of(graph, row); ++layer) {
            if (has_gone(graph, space, row, layer)) {
                if (layer == 0) unpin(graph, row);
                choose_again(graph, space, row, layer);
            }
        }
    });
    for_rows(graph, [&](uint32_t row) {
        if (is_gone(space, row)) remove_node(graph, row);
    });
    graph.entry = entry;
    graph.layer_count = entry == kNoRow ? 0 : layers_of(graph, entry);
    Sets sets{parent};
    pin_tree(graph, space, sets);
    free_sets(graph, parent);
    return kOk;
}

} // namespace rvf
