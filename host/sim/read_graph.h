// The HNSW graph of an opened file: the one that it brings, or one built here.
#pragma once

#include <functional>
#include <string>

#include "host/sim/read.h"

namespace rvf::sim {

struct GraphOptions {
    bool use_index = true;          ///< of the file, when there is a sound one; it brings its own M
    uint32_t m = 16;                ///< 2 to 64
    uint32_t ef_construction = 200; ///< 1 to 4,096
    uint64_t seed = 1;
    std::function<void(uint64_t linked, uint64_t rows)> progress; ///< while building; may be empty
};

struct GraphReport {
    bool from_index = false;
    std::string
        why; ///< built: why there was no index to take; else what was done to it, or nothing
    uint32_t m = 0;
    uint32_t ef_construction = 0;
    uint32_t layers = 0;
    uint64_t links = 0; ///< in all lists
};

/// The graph over the rows of file.data; the same file and options give the same graph everywhere.
/// Answers an empty text, or what is wrong with the options, the file (no vectors) or the machine.
std::string read_graph(const File& file, const GraphOptions& options, hub::Graph& graph,
                       GraphReport& report);

} // namespace rvf::sim
