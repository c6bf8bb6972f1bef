#include "host/sim/read_graph.h"

#include <new>

#include "control/hnsw.h"
#include "control/index_segment.h"

namespace rvf::sim {
namespace {

constexpr uint32_t kSlice = 256; ///< rows between two reports of progress

struct FreeGraph {
    void operator()(Graph* graph) const { free_graph(graph); }
};
using GraphPointer = std::unique_ptr<Graph, FreeGraph>;

const char* fault_text(IndexFault fault) {
    switch (fault) {
        case IndexFault::kNone:
            return "";
        case IndexFault::kTruncated:
            return "its index ends too early";
        case IndexFault::kNoTrailer:
            return "its index has no trailer";
        case IndexFault::kVersion:
            return "its index is of an unknown version";
        case IndexFault::kNotHnsw:
            return "its index is not a whole HNSW graph";
        case IndexFault::kParameters:
            return "its index has parameters outside their ranges";
        case IndexFault::kNodeCount:
            return "its index counts its nodes differently in two places";
        case IndexFault::kRestart:
            return "a restart point of its index lies";
        case IndexFault::kPadding:
            return "its index has bytes where zeros must be";
        case IndexFault::kLayers:
            return "the layers of its index do not fit together";
        case IndexFault::kDegree:
            return "a list of its index is too long";
        case IndexFault::kNeighbor:
            return "its index names a neighbour that is none";
        case IndexFault::kIds:
            return "the ids of its index do not ascend or are too few";
        case IndexFault::kOutOfMemory:
            return "there is not enough memory for its index";
        case IndexFault::kRanges:
            return "the ranges of its codes are not sound";
    }
    return "";
}

/// The file's graph, or nullptr and why not.
GraphPointer load_graph(const File& file, const GraphOptions& options, std::string& why) {
    if (!options.use_index) why = "the index was not asked for";
    if (options.use_index && !file.has_index) why = "the file has no index";
    if (options.use_index && file.has_index && file.index.empty()) why = "its index is damaged";
    if (!why.empty()) return nullptr;
    Graph* made = nullptr;
    IndexFault fault =
        load_index({file.index.data(), file.index.size()}, *file.store, options.seed, made);
    why = fault_text(fault);
    return GraphPointer(made);
}

/// Links what is not yet linked.
bool build(Graph& graph, const Store& store, const GraphOptions& options) {
    while (graph.done < store.row_count) {
        if (hnsw_build(graph, store, kSlice) != kOk) return false;
        if (options.progress) options.progress(graph.done, store.row_count);
    }
    return true;
}

void copy_lists(const Graph& from, const File& file, hub::Graph& graph, GraphReport& report) {
    graph.entry = file.data_rows[from.entry];
    graph.lists.assign(file.data.ids.size(), {});
    uint32_t neighbors[2 * kMaxLinks];
    for (uint32_t row = 0; row < file.store->row_count; ++row) {
        if (file.data_rows[row] == kNoRow) continue;
        auto& lists = graph.lists[file.data_rows[row]];
        lists.resize(layers_of(from, row));
        for (uint32_t layer = 0; layer < lists.size(); ++layer) {
            uint32_t count = neighbors_of(from, row, layer, neighbors);
            for (uint32_t i = 0; i < count; ++i) {
                // A row that was deleted since is in no graph that comes here.
                lists[layer].push_back(file.data_rows[neighbors[i]]);
            }
            report.links += count;
        }
    }
}

} // namespace

std::string read_graph(const File& file, const GraphOptions& options, hub::Graph& graph,
                       GraphReport& report) try {
    report = {};
    graph = {};
    if (options.m < kMinLinks || options.m > kMaxLinks) {
        return "M is " + std::to_string(options.m) + "; it goes from 2 to 64";
    }
    if (options.ef_construction < 1 || options.ef_construction > kMaxEfConstruction) {
        return "efConstruction is " + std::to_string(options.ef_construction) +
               "; it goes from 1 to 4096";
    }
    if (file.data.ids.empty()) return file.path + " holds no vectors, so there is no graph";
    GraphPointer made = load_graph(file, options, report.why);
    report.from_index = made != nullptr;
    uint32_t brought = made ? made->node_count : 0;
    if (!made) made.reset(make_graph(options.m, options.ef_construction, options.seed));
    if (!made || !build(*made, *file.store, options)) {
        return "there is not enough memory for a graph of " + file.path;
    }
    if (report.from_index && made->node_count > brought) {
        report.why = std::to_string(made->node_count - brought) +
                     " vectors that were not in the index were added";
    }
    report.m = made->m;
    report.ef_construction = made->ef_construction;
    report.layers = made->layer_count;
    copy_lists(*made, file, graph, report);
    return "";
} catch (const std::bad_alloc&) {
    return "there is not enough memory for a graph of " + file.path;
}

} // namespace rvf::sim
