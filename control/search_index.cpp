#include "control/search_index.h"

#include "control/heap.h"
#include "control/hnsw.h"
#include "control/kept.h"
#include "control/search.h"
#include "control/search_codes.h"

namespace rvf {
namespace {

/// Ranges are found anew, and all codes with them, for so many times the rows of which they are.
constexpr uint32_t kOutgrown = 4;

/// One row in so many is linked anew before a walk.
constexpr uint32_t kLinkedShare = 1024;
constexpr uint32_t kQuantFixedBytes = 64; ///< kind u8 (0 scalar), tier u8, dimension u16, zeros

void free_index(SearchIndex* index) {
    if (index->graph) free_graph(index->graph);
    if (index->codes) free_codes(index->codes);
    free_selection(index->selection);
    release(reinterpret_cast<uint8_t*>(index), sizeof(SearchIndex));
}

/// Takes ownership of the parts, also when it fails.
Status attach(Store& store, Graph* graph, Codes* codes) {
    auto* index = reinterpret_cast<SearchIndex*>(allocate(sizeof(SearchIndex)));
    if (!index) {
        if (graph) free_graph(graph);
        if (codes) free_codes(codes);
        return kOutOfMemory;
    }
    drop_index(store);
    *index = {graph, codes, false, false, 0, 0, IndexFault::kNone, {}};
    store.index = index;
    store.free_index = free_index;
    return kOk;
}

/// Rows that every part has.
uint32_t done(const Store& store) {
    uint32_t rows = store.row_count;
    const SearchIndex& index = *store.index;
    if (index.graph && index.graph->done < rows) rows = index.graph->done;
    if (index.codes && index.codes->done < rows) rows = index.codes->done;
    return rows;
}

/// Rows that any part has: of these it must be known when they are written again.
void note_rows(Store& store) {
    const SearchIndex& index = *store.index;
    store.indexed_rows = 0;
    if (index.graph) store.indexed_rows = rows_spanned(*index.graph); // some lie behind done
    if (store.indexed_rows > store.row_count) store.indexed_rows = store.row_count;
    if (index.graph && index.graph->done > store.indexed_rows) {
        store.indexed_rows = index.graph->done; // behind the last of the graph some are dead
    }
    if (index.codes && index.codes->done > store.indexed_rows) {
        store.indexed_rows = index.codes->done;
    }
}

/// Codes all rows that were written again, and links up to `max_rows` of them; takes from it what
/// it used.
Status update_rewritten(Store& store, uint32_t& max_rows) {
    if (store.rewritten_count == 0) return kOk;
    SearchIndex& index = *store.index;
    // All codes first: linking compares with those of other rows.
    for (uint32_t i = 0; store.codes_lag && index.codes && i < index.codes->done; ++i) {
        if (*row_at(store, i).mark & kRewritten) update_code(*index.codes, store, i);
        index.ranges_are_old = true;
    }
    store.codes_lag = false;
    for (uint32_t i = 0; store.rewritten_count && i < store.indexed_rows; ++i) {
        if (index.graph && max_rows == 0) return kOk;
        Row row = row_at(store, i);
        if (!(*row.mark & kRewritten)) continue;
        max_rows -= index.graph != nullptr;
        if (index.graph && (i < index.graph->done || layers_of(*index.graph, i))) {
            Status status = hnsw_update(*index.graph, store, i, index.codes);
            if (status != kOk) return status;
        }
        *row.mark = static_cast<uint8_t>(*row.mark & ~kRewritten);
        --store.rewritten_count;
    }
    store.rewritten_count = 0; // rows that died since
    return kOk;
}

void train(const Store& store) {
    SearchIndex& index = *store.index;
    train_codes(*index.codes, store);
    index.has_ranges = true;
    index.ranges_are_old = false;
    index.trained_rows = store.row_count;
}

bool is_sound(const Segment& segment) {
    const uint8_t* header = segment.payload.data - kSegmentHeaderBytes;
    return check_hash({header, kSegmentHeaderBytes + segment.payload.size}, segment) !=
           HashState::kBad;
}

bool are_ranges(const Store& store, Bytes payload) {
    return payload.size == kQuantFixedBytes + size_t{8} * store.dimension && payload.data[0] == 0 &&
           load<uint16_t>(payload.data + 2) == store.dimension;
}

/// Whether a segment is one that an index is saved as, or was before it was damaged. QUANT of other
/// kinds is somebody else's.
bool is_saved(const Store& store, const Segment& segment, uint8_t type) {
    if (segment.type != type) return false;
    return type != kQuantSegment || are_ranges(store, segment.payload) || !is_sound(segment);
}

Segment find_saved(const Store& store, uint8_t type) {
    Segment found = {};
    for (uint32_t i = 0; i < count_of<Kept>(store.kept_list); ++i) {
        Segment segment = kept_segment(store, items_of<Kept>(store.kept_list)[i]);
        if (is_saved(store, segment, type)) found = segment;
    }
    return found;
}

void drop_saved(Store& store, uint8_t type) {
    for (uint32_t i = count_of<Kept>(store.kept_list); i-- > 0;) {
        Segment segment = kept_segment(store, items_of<Kept>(store.kept_list)[i]);
        if (is_saved(store, segment, type)) drop_segment(store, i);
    }
}

Codes* load_ranges(const Store& store) {
    Segment quant = find_saved(store, kQuantSegment);
    if (!quant.payload.data || !is_sound(quant) || !are_ranges(store, quant.payload))
        return nullptr;
    size_t range = size_t{4} * store.dimension;
    const uint8_t* low = quant.payload.data + kQuantFixedBytes;
    Codes* codes = make_codes(store);
    if (codes && !set_ranges(*codes, low, low + range)) {
        free_codes(codes);
        codes = nullptr;
    }
    return codes;
}

Status put_graph(Graph& graph, Store& store, Buffer& payload) {
    Status status = hnsw_unlink_dead(graph, store);
    IndexWriter writer{graph, store};
    if (status == kOk) status = begin_index(writer);
    if (status != kOk) return status;
    uint8_t* bytes = extend(payload, static_cast<size_t>(index_bytes(writer)));
    if (bytes) write_index(writer, bytes);
    end_index(writer);
    return bytes ? kOk : kOutOfMemory;
}

Status put_ranges(const Codes& codes, Buffer& payload) {
    size_t range = size_t{4} * codes.dimension;
    uint8_t* p = extend(payload, kQuantFixedBytes + 2 * range);
    if (!p) return kOutOfMemory;
    __builtin_memset(p, 0, kQuantFixedBytes);
    store(p + 2, static_cast<uint16_t>(codes.dimension));
    copy(p + kQuantFixedBytes, reinterpret_cast<const uint8_t*>(codes.low), range);
    copy(p + kQuantFixedBytes + range, reinterpret_cast<const uint8_t*>(codes.high), range);
    return kOk;
}

/// Puts a payload that is not empty in the place of those saved before; there is room for it.
void replace_saved(Store& store, uint8_t type, const Buffer& payload) {
    uint64_t id;
    if (payload.size == 0) return;
    drop_saved(store, type);
    add_segment(store, type, {payload.data, payload.size}, id);
}

} // namespace

void drop_index(Store& store) {
    if (store.index) free_index(store.index);
    store.index = nullptr;
    for (uint32_t i = 0; store.rewritten_count && i < store.indexed_rows; ++i) {
        uint8_t& mark = *row_at(store, i).mark;
        mark = static_cast<uint8_t>(mark & ~kRewritten);
    }
    store.indexed_rows = store.rewritten_count = 0;
}

Status make_index(Store& store, const IndexParts& parts) {
    Graph* graph = parts.m ? make_graph(parts.m, parts.ef_construction, parts.seed) : nullptr;
    Codes* codes = parts.codes ? make_codes(store) : nullptr;
    if ((parts.m && !graph) || (parts.codes && !codes)) {
        if (graph) free_graph(graph);
        if (codes) free_codes(codes);
        return kOutOfMemory;
    }
    return attach(store, graph, codes);
}

Status update_index(Store& store, uint32_t max_rows, uint32_t& left) {
    SearchIndex& index = *store.index;
    Status status = update_rewritten(store, max_rows);
    if (status == kOk && index.codes && index.codes->done < store.row_count) {
        index.ranges_are_old = true;
        if (!index.has_ranges || store.row_count / kOutgrown >= index.trained_rows) train(store);
        status = add_codes(*index.codes, store, max_rows);
    }
    if (status == kOk && index.graph)
        status = hnsw_build(*index.graph, store, max_rows, index.codes);
    note_rows(store);
    left = store.row_count - done(store) + store.rewritten_count;
    return status;
}

namespace {

/// A query and what is found out for all of its vectors.
struct Search {
    Store& store;
    const IndexQuery& query;
    const Codes* codes; ///< nullptr: none
    Admission admission;
    bool walks; ///< through the graph; otherwise the rows that are admitted are all compared
};

/// Whether the rows that the filter admits are worth finding: it is asked for again, by many
/// vectors, or all rows have to be asked anyway.
void choose_admission(Search& search, const Filter& filter, uint32_t count) {
    SearchIndex* index = search.store.index;
    search.admission = admission_of(filter);
    if (!index || !search.admission) return;
    Selection& selection = index->selection;
    bool all = is_asked_again(selection, filter) || count > 1 || is_list_of_ids(filter) ||
               (search.query.ef && scan_is_faster(*index->graph, search.store, search.admission,
                                                  search.query.ef, search.codes != nullptr));
    if (all && select_rows(selection, filter)) search.admission = admission_of(selection);
}

Status search_one(Search& search, uint8_t* out, uint32_t& found) {
    Store& store = search.store;
    const IndexQuery& query = search.query;
    if (search.walks) {
        return hnsw_search(*store.index->graph, store, query.k, query.ef, out, found,
                           {search.codes, search.admission, query.work});
    }
    if (!search.codes) {
        found = search_exact(store, query.metric, query.k, out, search.admission);
        return kOk;
    }
    CodeAnswer answer =
        search_codes(store, *search.codes, query.metric, query.k, out, search.admission);
    found = answer.found;
    store.index->last_read += answer.read;
    return kOk;
}

/// All queries side by side; false when there is no memory for that.
bool search_together(Search& search, const uint8_t* queries, uint32_t count, uint8_t* out,
                     uint8_t* found) {
    Store& store = search.store;
    const IndexQuery& query = search.query;
    Buffer padded;
    Buffer answers;
    size_t bytes = size_t{4} * store.dimension;
    bool fits = count <= ~size_t{0} / store.row_bytes;
    bool room = fits && extend(padded, size_t{count} * store.row_bytes) &&
                extend(answers, size_t{count} * sizeof(CodeAnswer));
    if (room) {
        __builtin_memset(padded.data, 0, padded.size);
        for (uint32_t i = 0; i < count; ++i) {
            copy(padded.data + size_t{i} * store.row_bytes, queries + i * bytes, bytes);
        }
        auto* each = items_of<CodeAnswer>(answers);
        auto* plain = items_of<uint32_t>(answers);
        if (search.codes) {
            search_codes_batch(store, *search.codes, query.metric, query.k, padded.data, count, out,
                               each, search.admission);
        } else {
            search_batch(store, query.metric, query.k, padded.data, count, out, plain,
                         search.admission);
        }
        for (uint32_t i = 0; i < count; ++i) {
            rvf::store(found + size_t{4} * i, search.codes ? each[i].found : plain[i]);
            if (search.codes) store.index->last_read += each[i].read;
        }
    }
    free_buffer(padded);
    free_buffer(answers);
    return room;
}

/// Answers queries that find the filter as known as the first of them does.
int32_t search_alike(Store& store, const IndexQuery& query, const uint8_t* queries, uint32_t count,
                     uint8_t* out, uint8_t* found) {
    SearchIndex* index = store.index;
    // Linking a row anew costs as much as comparing thousands: it goes on a little with every walk,
    // and until all are linked the rows are scanned.
    uint32_t some = query.ef ? store.row_count / kLinkedShare + 1 : 0;
    Status status = index ? update_rewritten(store, some) : kOk;
    if (status != kOk && query.ef) return status;
    Search search{store, query, nullptr, {}, query.ef && !store.rewritten_count};
    // They are not of the rows as they are when not all could be brought up to date.
    if (status == kOk && index && index->codes && index->codes->done) search.codes = index->codes;
    Filter filter{query.filter, store};
    choose_admission(search, filter, count);
    if (search.admission.bits && search.walks) {
        search.walks = !scan_is_faster(*index->graph, store, search.admission, query.ef,
                                       search.codes != nullptr);
    }
    bool done = !search.walks && count > 1 && search_together(search, queries, count, out, found);
    int32_t all = 0;
    size_t bytes = size_t{4} * store.dimension;
    for (uint32_t i = 0; i < count; ++i) {
        uint32_t here = done ? load<uint32_t>(found + size_t{4} * i) : 0;
        if (!done && live_count(store)) {
            copy(store.query, queries + i * bytes, bytes);
            status = search_one(search, out, here);
            if (status != kOk) return status;
            out += size_t{hits_for(store, query.k)} * kHitBytes;
        }
        rvf::store(found + size_t{4} * i, here);
        all += static_cast<int32_t>(here & ~kCut);
    }
    return all;
}

} // namespace

int32_t search_index(Store& store, const IndexQuery& query, const uint8_t* queries, uint32_t count,
                     uint8_t* out, uint8_t* found) {
    SearchIndex* index = store.index;
    if (query.ef && !(index && index->graph)) return kInvalidArgument;
    if (query.ef && query.metric != store.metric) return kMetricUnsupported;
    if (index) index->last_read = 0;
    // A walk with a filter that was not asked for before knows less of it than those that follow.
    uint32_t alone = query.ef && query.filter.size && count > 1;
    int32_t first = alone ? search_alike(store, query, queries, 1, out, found) : 0;
    if (first < 0) return first;
    int32_t others =
        search_alike(store, query, queries + alone * size_t{4} * store.dimension, count - alone,
                     out + alone * size_t{hits_for(store, query.k)} * kHitBytes, found + 4 * alone);
    return others < 0 ? others : first + others;
}

Status save_index(Store& store) {
    const SearchIndex& index = *store.index;
    if (!index.graph && !index.has_ranges) return kInvalidArgument;
    uint32_t all = ~0u;
    Status status = update_rewritten(store, all);
    bool are_old = index.ranges_are_old || index.trained_rows != store.row_count;
    if (status == kOk && index.codes && are_old) {
        train(store); // a searcher has nothing else to tell rows by
        status = add_codes(*index.codes, store, ~0u);
        note_rows(store);
    }
    Buffer graph;
    Buffer ranges;
    if (status == kOk && index.graph) status = put_graph(*index.graph, store, graph);
    if (status == kOk && index.has_ranges) status = put_ranges(*index.codes, ranges);
    size_t room = graph.size + ranges.size + 2 * kSegmentHeaderBytes;
    bool fits = reserve(store.kept_list, 2 * sizeof(Kept)) && reserve(store.kept, room);
    if (status == kOk && !fits) status = kOutOfMemory;
    if (status == kOk) {
        replace_saved(store, kIndexSegment, graph);
        replace_saved(store, kQuantSegment, ranges);
        store.saved_index_is_old &= graph.size == 0;
    }
    free_buffer(graph);
    free_buffer(ranges);
    return status;
}

bool load_saved_ranges(Store& store) {
    Codes* codes = load_ranges(store);
    if (!codes || attach(store, nullptr, codes) != kOk) return false;
    store.index->has_ranges = true;
    return true;
}

Status load_saved_index(Store& store, uint64_t seed) {
    Segment saved = find_saved(store, kIndexSegment);
    Graph* graph = nullptr;
    IndexFault fault = IndexFault::kNone;
    if (saved.payload.data) {
        fault = is_sound(saved) ? load_index(saved.payload, store, seed, graph)
                                : IndexFault::kTruncated;
    }
    Codes* codes = load_ranges(store);
    bool has_quant = find_saved(store, kQuantSegment).payload.data;
    if (!codes && has_quant && fault == IndexFault::kNone) fault = IndexFault::kRanges;
    bool is_damaged = fault != IndexFault::kNone;
    if (!graph && (store.index ? is_damaged || !codes : !is_damaged && !codes)) {
        if (codes) free_codes(codes);
        if (store.index) store.index->fault = fault; // it stays
        return kOk;
    }
    Status status = attach(store, graph, codes);
    if (status != kOk) return status;
    store.index->has_ranges = store.index->ranges_are_old = codes != nullptr;
    store.index->trained_rows = store.row_count;
    store.index->fault = fault;
    note_rows(store);
    for (uint32_t i = 0; store.saved_index_is_old && i < store.indexed_rows; ++i) {
        uint8_t& mark = *row_at(store, i).mark;
        if (!(mark & kVectorChanged)) continue;
        mark |= kRewritten;
        ++store.rewritten_count;
    }
    return kOk;
}

} // namespace rvf
