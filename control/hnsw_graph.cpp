#include "control/hnsw_graph.h"

#include "control/heap.h"

namespace rvf {
namespace {

constexpr uint32_t kChunkShift = 10;
constexpr uint32_t kChunkNodes = 1u << kChunkShift;
constexpr uint32_t kUpperShift = 8; ///< log2 of the lists of a chunk of upper lists
constexpr uint32_t kUpperLists = 1u << kUpperShift;
constexpr uint32_t kFirstBits = 28; ///< of NodeChunk::upper

static_assert(kMaxLayers <= 1u << (32 - kFirstBits));
constexpr uint32_t kCacheLine = 64;

size_t chunk_bytes(const Graph& graph) {
    return kCacheLine + kChunkNodes * (8 * size_t{graph.m} + sizeof(uint32_t) + 1);
}

size_t upper_bytes(const Graph& graph) { return size_t{4} * graph.m * kUpperLists; }

/// Room for one more in an array that doubles.
template <typename T>
bool reserve_slot(T*& array, uint32_t count, uint32_t& slots) {
    if (count < slots) return true;
    uint32_t grown = slots ? 2 * slots : 8;
    auto* memory = reinterpret_cast<T*>(allocate(grown * sizeof(T)));
    if (!memory) return false;
    for (uint32_t i = 0; i < count; ++i) memory[i] = array[i];
    release(reinterpret_cast<uint8_t*>(array), slots * sizeof(T));
    array = memory;
    slots = grown;
    return true;
}

bool add_chunk(Graph& graph) {
    if (!reserve_slot(graph.chunks, graph.chunk_count, graph.chunk_slots)) return false;
    NodeChunk chunk;
    chunk.memory = allocate(chunk_bytes(graph));
    if (!chunk.memory) return false;
    uintptr_t begin = (reinterpret_cast<uintptr_t>(chunk.memory) + kCacheLine - 1) & ~uintptr_t{63};
    chunk.links = reinterpret_cast<uint32_t*>(begin);
    chunk.upper = chunk.links + kChunkNodes * 2 * graph.m;
    chunk.layers = reinterpret_cast<uint8_t*>(chunk.upper + kChunkNodes);
    __builtin_memset(chunk.upper, 0, kChunkNodes * (sizeof(uint32_t) + 1));
    graph.chunks[graph.chunk_count++] = chunk;
    return true;
}

/// Takes `count` upper lists that lie in one chunk.
bool take_upper(Graph& graph, uint32_t count, uint32_t& first) {
    uint32_t room = graph.upper_count * kUpperLists - graph.upper_used;
    if (room < count) {
        if (!reserve_slot(graph.upper, graph.upper_count, graph.upper_slots)) return false;
        auto* lists = reinterpret_cast<uint32_t*>(allocate(upper_bytes(graph)));
        if (!lists) return false;
        graph.upper_used = graph.upper_count * kUpperLists;
        graph.upper[graph.upper_count++] = lists;
    }
    first = graph.upper_used;
    graph.upper_used += count;
    return true;
}

/// SplitMix64's finalizer.
uint64_t mixed(uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

} // namespace

Graph* make_graph(uint32_t m, uint32_t ef_construction, uint64_t seed) {
    auto* graph = reinterpret_cast<Graph*>(allocate(sizeof(Graph)));
    if (!graph) return nullptr;
    *graph = {};
    graph->m = m;
    graph->ef_construction = ef_construction;
    graph->seed = seed;
    graph->entry = kNoRow;
    graph->tree_is_whole = true;
    return graph;
}

void free_graph(Graph* graph) {
    for (uint32_t i = 0; i < graph->chunk_count; ++i) {
        release(graph->chunks[i].memory, chunk_bytes(*graph));
    }
    for (uint32_t i = 0; i < graph->upper_count; ++i) {
        release(reinterpret_cast<uint8_t*>(graph->upper[i]), upper_bytes(*graph));
    }
    release(reinterpret_cast<uint8_t*>(graph->chunks), graph->chunk_slots * sizeof(NodeChunk));
    release(reinterpret_cast<uint8_t*>(graph->upper), graph->upper_slots * sizeof(uint32_t*));
    release(reinterpret_cast<uint8_t*>(graph->beam), graph->beam_capacity * sizeof(uint64_t));
    release(graph->visited, graph->visited_capacity);
    release(reinterpret_cast<uint8_t*>(graph), sizeof(Graph));
}

uint32_t layers_of(const Graph& graph, uint32_t row) {
    uint32_t chunk = row >> kChunkShift;
    return chunk < graph.chunk_count ? graph.chunks[chunk].layers[row & (kChunkNodes - 1)] : 0;
}

uint32_t* links_of(const Graph& graph, uint32_t row, uint32_t layer) {
    const NodeChunk& chunk = graph.chunks[row >> kChunkShift];
    uint32_t index = row & (kChunkNodes - 1);
    if (layer == 0) return chunk.links + size_t{index} * 2 * graph.m;
    uint32_t list = (chunk.upper[index] & ((1u << kFirstBits) - 1)) + layer - 1;
    return graph.upper[list >> kUpperShift] + (list & (kUpperLists - 1)) * graph.m;
}

uint32_t neighbors_of(const Graph& graph, uint32_t row, uint32_t layer, uint32_t* rows) {
    if (layer >= layers_of(graph, row)) return 0;
    const uint32_t* links = links_of(graph, row, layer);
    uint32_t count = 0;
    for (; count < most_links(graph, layer) && links[count] != kNoRow; ++count) {
        rows[count] = links[count] & ~kPinned;
    }
    return count;
}

uint64_t graph_bytes(const Graph& graph) {
    return sizeof(Graph) + graph.chunk_count * uint64_t{chunk_bytes(graph)} +
           graph.upper_count * uint64_t{upper_bytes(graph)} +
           graph.chunk_slots * uint64_t{sizeof(NodeChunk)} +
           graph.upper_slots * uint64_t{sizeof(uint32_t*)} +
           graph.beam_capacity * uint64_t{sizeof(uint64_t)} + graph.visited_capacity;
}

uint32_t drawn_layers(const Graph& graph, uint32_t row) {
    uint64_t drawn = mixed(graph.seed + (row + uint64_t{1}) * 0x9E3779B97F4A7C15u);
    uint32_t layers = 1;
    for (uint64_t share = ~uint64_t{0} / graph.m; drawn < share && layers < kMaxLayers;
         share /= graph.m) {
        ++layers;
    }
    return layers;
}

bool add_node(Graph& graph, uint32_t row, uint32_t layers) {
    while (graph.chunk_count <= row >> kChunkShift) {
        if (!add_chunk(graph)) return false;
    }
    NodeChunk& chunk = graph.chunks[row >> kChunkShift];
    uint32_t& upper = chunk.upper[row & (kChunkNodes - 1)];
    if (upper >> kFirstBits < layers - 1) { // a node that was there before has them still
        uint32_t first;
        if (!take_upper(graph, layers - 1, first)) return false;
        upper = first | (layers - 1) << kFirstBits;
    }
    chunk.layers[row & (kChunkNodes - 1)] = static_cast<uint8_t>(layers);
    for (uint32_t layer = 0; layer < layers; ++layer) {
        uint32_t* links = links_of(graph, row, layer);
        const uint32_t most = most_links(graph, layer);
        for (uint32_t i = 0; i < most; ++i) links[i] = kNoRow;
    }
    ++graph.node_count;
    return true;
}

void remove_node(Graph& graph, uint32_t row) {
    graph.chunks[row >> kChunkShift].layers[row & (kChunkNodes - 1)] = 0;
    --graph.node_count;
}

uint32_t rows_spanned(const Graph& graph) { return graph.chunk_count << kChunkShift; }

bool reserve_working_memory(Graph& graph, uint32_t capacity, uint32_t rows) {
    if (capacity > graph.beam_capacity) {
        auto* beam = reinterpret_cast<uint64_t*>(allocate(capacity * sizeof(uint64_t)));
        if (!beam) return false;
        release(reinterpret_cast<uint8_t*>(graph.beam), graph.beam_capacity * sizeof(uint64_t));
        graph.beam = beam;
        graph.beam_capacity = capacity;
    }
    if (rows > graph.visited_capacity) {
        uint32_t marks = (rows + rows / 4 + kChunkNodes) & ~(kChunkNodes - 1);
        uint8_t* visited = allocate(marks);
        if (!visited) return false;
        release(graph.visited, graph.visited_capacity);
        __builtin_memset(visited, 0, marks);
        graph.visited = visited;
        graph.visited_capacity = marks;
        graph.epoch = 0;
    }
    return true;
}

void clear_visited(Graph& graph) {
    if (++graph.epoch != 0) return;
    __builtin_memset(graph.visited, 0, graph.visited_capacity);
    graph.epoch = 1;
}

} // namespace rvf
