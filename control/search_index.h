// What a store is searched by besides its rows: an HNSW graph, codes, or both. It belongs to one
// store and follows it: rows that were added or written again since are brought in by update_index,
// and searches are right before that too.
#pragma once

#include "control/hnsw_graph.h"
#include "control/index_segment.h"
#include "control/selection.h"
#include "control/sq8.h"
#include "control/store.h"

namespace rvf {

struct SearchIndex {
    Graph* graph;          ///< nullptr: none
    Codes* codes;          ///< nullptr: none
    bool has_ranges;       ///< of the codes
    bool ranges_are_old;   ///< rows have come or changed since they were found
    uint32_t trained_rows; ///< of the store when they were found
    uint32_t last_read;    ///< vectors of rows that the last exact search by codes took
    IndexFault fault;      ///< of the INDEX segment that the file has
    Selection selection;
};

/// What an index is made of.
struct IndexParts {
    uint32_t m; ///< 0: no graph
    uint32_t ef_construction;
    uint64_t seed;
    bool codes;
};

/// Gives the store an empty index, in place of the one it has. kOutOfMemory leaves it as it was.
Status make_index(Store& store, const IndexParts& parts);

void drop_index(Store& store);

/// Brings up to `max_rows` rows in, those that were written again first; `left` is how many remain.
/// The first call finds the ranges of the codes, and one with four times as many rows finds them
/// anew. kOutOfMemory: what was brought in stays.
Status update_index(Store& store, uint32_t max_rows, uint32_t& left);

struct IndexQuery {
    uint32_t k;
    int32_t metric;
    uint32_t ef;   ///< 0: exact, by codes if there are any
    uint32_t work; ///< the most rows that a walk compares
    Bytes filter;  ///< a sound program (filter.h); empty: all rows are admitted
};

/// Answers `count` f32 queries at any alignment as rvf_index_search does; how many hits all of them
/// have, or a Status. With an `ef` of 0 queries share the traffic of rows where memory allows.
int32_t search_index(Store& store, const IndexQuery& query, const uint8_t* queries, uint32_t count,
                     uint8_t* out, uint8_t* found);

/// Adds INDEX and QUANT segments for the next commit, in place of those that there were. Dead rows
/// leave the graph, and rows that were written again are brought in; ranges are found anew when
/// rows have come or changed. kOutOfMemory, kInvalidArgument when nothing is linked: what was saved
/// before stays.
Status save_index(Store& store);

/// Makes the codes of a store without rows ready by the ranges of the QUANT segment of the opened
/// file. False when there are no sound ones, or memory is short.
bool load_saved_ranges(Store& store);

/// Takes the index from the INDEX and QUANT segments of the opened file, if there are any that are
/// sound; a store without one is left without. Codes are made from the rows by update_index.
/// kOutOfMemory.
Status load_saved_index(Store& store, uint64_t seed);

} // namespace rvf
