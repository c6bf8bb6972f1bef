// Building and searching an HNSW graph over the rows of a store.
//
// The graph belongs to one store and its metric, and takes rows in the order of their numbers. The
// caller keeps both in step: rows that were added are linked by hnsw_build, in slices of any size;
// after a row that is already below graph.done was written again (an id replaced, a dead row used
// for another id), hnsw_update comes before the next search. Deleting a row needs nothing: it stays
// a way to others and is in no answer.
//
// Everything is deterministic: the same store, parameters, seed and calls give the same graph on
// every machine.
#pragma once

#include <stdint.h>

#include "control/admission.h"
#include "control/hnsw_graph.h"
#include "control/sq8.h"
#include "control/store.h"

namespace rvf {

constexpr uint32_t kMaxEfConstruction = 4096;

/// Links up to `max_rows` more live rows; how far it is: graph.done of store.row_count. With
/// `codes` candidates for links are looked for by codes, and chosen by the rows themselves.
/// kOutOfMemory when memory cannot grow: the rows linked so far stay, and everything works on.
Status hnsw_build(Graph& graph, const Store& store, uint32_t max_rows,
                  const Codes* codes = nullptr);

/// Links a row below graph.done by its present vector. kOutOfMemory leaves the graph as it was.
Status hnsw_update(Graph& graph, const Store& store, uint32_t row, const Codes* codes = nullptr);

/// Takes dead rows out of the graph and mends the lists around them, so that an index without them
/// can be written and searches do not walk through them. kOutOfMemory leaves the graph as it was.
/// Where most rows are dead, building anew gives the better graph and takes less time.
Status hnsw_unlink_dead(Graph& graph, const Store& store);

struct SearchOptions {
    /// Set: the walk compares codes where rows have them, and of the `ef` best those rows are read
    /// that their bounds do not exclude. It moves a quarter of the bytes. Not used where codes are
    /// no smaller than rows: below 12 dimensions.
    const Codes* codes = nullptr;
    /// Set: only rows that it admits are answered. Where few are, they are all compared, which is
    /// exact; so it is when a walk comes by fewer than k of them: k are found if there are k and
    /// `work` allows for it.
    Admission admission = {};
    /// The most rows that a walk compares. Where more would have been, `found` has kCut.
    uint32_t work = ~0u;
};

/// In the number of hits: there may be nearer ones, because the search was cut short.
constexpr uint32_t kCut = 1u << 31;

/// Whether comparing all rows that are admitted is likely to take less time than a walk.
bool scan_is_faster(const Graph& graph, const Store& store, const Admission& admission, uint32_t ef,
                    bool by_codes);

/// Finds about the `k` nearest live rows to the padded query in store.query, comparing the `ef`
/// best (at least k) at a time: more of them, more of the true ones. Rows that are not linked yet
/// are all compared; of several rows at one distance any may be answered. Writes 12-byte hits as
/// search_exact does, with the same distances to the bit and the same order, to `out`, which must
/// hold min(k, live rows) of them. kOutOfMemory when there is no room for the candidates.
Status hnsw_search(Graph& graph, const Store& store, uint32_t k, uint32_t ef, uint8_t* out,
                   uint32_t& found, const SearchOptions& options = {});

/// The rows that such a search would read, by codes alone, about the nearest first: up to `ef` (at
/// most the live rows, of which there must be one) go to `rows`. kOutOfMemory; kNotFinite: the
/// query is so long that codes tell nothing.
Status hnsw_find(Graph& graph, const Store& store, uint32_t ef, uint32_t* rows, uint32_t& found,
                 const SearchOptions& options);

} // namespace rvf
