// INDEX segments: an HNSW graph in a file (docs/format.md, "Index"). Nodes are numbered by the
// order of their ids: node k has the k-th smallest. Trusts no byte.
#pragma once

#include <stdint.h>

#include "control/bytes.h"
#include "control/hnsw_graph.h"
#include "control/store.h"

namespace rvf {

/// Why an INDEX segment cannot be used. Nothing else is wrong with a file then: its vectors can be
/// searched exactly, or the graph built anew.
enum class IndexFault : uint8_t {
    kNone,
    kTruncated,  ///< the payload ends inside of what it announces
    kNoTrailer,  ///< it does not end with "RVIX" and the length of the trailer
    kVersion,    ///< a trailer of a version that we do not know
    kNotHnsw,    ///< an index of another kind, or a part of one
    kParameters, ///< M, M0, efConstruction or the restart interval outside their ranges
    kNodeCount,  ///< no nodes, 17 times as many as rows, or counted differently in three places
    kRestart,    ///< a restart point is not where its node begins
    kPadding,    ///< bytes that must be zero are not, or more of them than there must be
    kLayers,     ///< a node on no layer or above the entry, or an entry that is not on the top one
    kDegree,     ///< more neighbours than M or M0
    kNeighbor, ///< a neighbour that is no node, not on that layer, out of order or the node itself
    kIds,      ///< ids that do not ascend, run over 64 bits or end before the last node
    kOutOfMemory, ///< no fault of the segment: memory cannot grow
    kRanges,      ///< no fault of INDEX: QUANT is damaged, of another kind, or memory cannot grow
};

/// Makes the graph of the INDEX segment with `payload` over the rows of `store`. Every byte is
/// checked; `graph` is only set on kNone.
///
/// An index may know ids that are not live in the store: their nodes are taken out and the lists
/// around them chosen anew. It may lack live rows: hnsw_build adds them, from graph->done on.
IndexFault load_index(Bytes payload, const Store& store, uint64_t seed, Graph*& graph);

/// Writes the payload of an INDEX segment, of linked live rows only; links to dead rows are left
/// out (hnsw_unlink_dead mends them before). Use: begin_index, index_bytes, write_index, end_index.
struct IndexWriter {
    const Graph& graph;
    const Store& store;
    uint32_t count = 0;        ///< nodes
    uint32_t* rows = nullptr;  ///< of each node
    uint32_t* nodes = nullptr; ///< of each row; kNoRow: not written
};

/// Numbers the nodes. kInvalidArgument when no live row is linked, kOutOfMemory.
Status begin_index(IndexWriter& writer);

uint64_t index_bytes(const IndexWriter& writer);

/// Writes index_bytes(writer) bytes.
void write_index(const IndexWriter& writer, uint8_t* target);

void end_index(IndexWriter& writer);

} // namespace rvf
