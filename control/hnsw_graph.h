// An HNSW graph in memory: which rows of a store are linked to which, layer by layer (Malkov and
// Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical Navigable
// Small World graphs"). Rows are the store's row numbers; the graph holds no vectors.
//
// Invariants between calls:
//   a list holds different rows, never its own, each of which is on that layer too;
//   a list of layer 0 has 2 m places, those above have m; free places come last and hold kNoRow;
//   pinned links of layer 0 (bit 31 of a place) go both ways and make a tree of all linked rows, so
//     that each of them can be reached from each other one, whatever is pruned: see
//     Graph::tree_is_whole for the one exception.
// Nodes lie in chunks that never move, so a growing graph copies no links. A list of layer 0 begins
// on a cache line; with m = 16 it is two of them.
#pragma once

#include <stdint.h>

#include "control/bytes.h"
#include "control/store.h"

namespace rvf {

constexpr uint32_t kMinLinks = 2;  ///< least m
constexpr uint32_t kMaxLinks = 64; ///< most m
constexpr uint32_t kMaxLayers = 16;
constexpr uint32_t kPinned = 1u << 31;

/// 1,024 nodes: layer-0 lists, then where each node's upper lists begin, then layer counts.
struct NodeChunk {
    uint8_t* memory;
    uint32_t* links;
    uint32_t* upper; ///< and how many, in the top four bits; a node taken out keeps them
    uint8_t* layers; ///< 0: the row is not in the graph
};

struct Graph {
    uint32_t m;
    uint32_t ef_construction;
    uint64_t seed;

    uint32_t entry;       ///< kNoRow while no row is linked
    uint32_t layer_count; ///< of the entry
    uint32_t node_count;  ///< linked rows, dead ones included
    uint32_t done;        ///< every live row below is linked
    bool tree_is_whole;   ///< false after reading lists from a file, until the next change

    NodeChunk* chunks;
    uint32_t chunk_count;
    uint32_t chunk_slots;

    uint32_t** upper; ///< chunks of upper lists
    uint32_t upper_count;
    uint32_t upper_slots;
    uint32_t upper_used; ///< lists in use, gaps included

    uint64_t* beam; ///< working memory of a search
    uint32_t beam_capacity;
    uint8_t* visited; ///< a row is visited when its mark is the epoch
    uint32_t visited_capacity;
    uint8_t epoch;
};

/// An empty graph, or nullptr when memory cannot grow. `m` from kMinLinks to kMaxLinks,
/// `ef_construction` at least 1; the same seed gives every row the same layers.
Graph* make_graph(uint32_t m, uint32_t ef_construction, uint64_t seed);
void free_graph(Graph* graph);

/// Layers that `row` is on, counted from layer 0; 0 when it is not in the graph. Any row number.
uint32_t layers_of(const Graph& graph, uint32_t row);

/// Most neighbours on `layer`.
inline uint32_t most_links(const Graph& graph, uint32_t layer) {
    return layer ? graph.m : 2 * graph.m;
}

/// Writes the neighbours of `row` on `layer`, at most most_links of them, and answers how many;
/// 0 when the row is not on that layer.
uint32_t neighbors_of(const Graph& graph, uint32_t row, uint32_t layer, uint32_t* rows);

/// Bytes that the graph holds, working memory included.
uint64_t graph_bytes(const Graph& graph);

// --- For those who build graphs: hnsw.cpp and index_segment.cpp ---

/// The layers of `row` by the graph's seed: 1 with a share of 1 - 1/m of all rows, 2 with 1/m of
/// the rest, and so on.
uint32_t drawn_layers(const Graph& graph, uint32_t row);

/// Adds a node without neighbours; the row must not be in the graph. False when memory cannot
/// grow: nothing has changed then.
bool add_node(Graph& graph, uint32_t row, uint32_t layers);

/// Takes a row out; links to it are the caller's to remove.
void remove_node(Graph& graph, uint32_t row);

/// Row numbers below which all rows of the graph are, with some room.
uint32_t rows_spanned(const Graph& graph);

/// The places of a list; the row must be on that layer. Bits kPinned are included.
uint32_t* links_of(const Graph& graph, uint32_t row, uint32_t layer);

/// Room for a beam of `capacity` entries and for marks on `rows` rows; false when memory cannot
/// grow.
bool reserve_working_memory(Graph& graph, uint32_t capacity, uint32_t rows);

/// Makes every row unvisited.
void clear_visited(Graph& graph);

} // namespace rvf
