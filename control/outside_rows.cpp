#include "control/outside_rows.h"

#include "control/address.h"
#include "control/content_hash.h"
#include "control/crc32.h"
#include "control/exact_distance.h"
#include "control/filter.h"
#include "control/handles.h"
#include "control/heap.h"
#include "control/hits.h"
#include "control/hnsw.h"
#include "control/hnsw_walk.h"
#include "control/metadata.h"
#include "control/search_index.h"
#include "control/segment.h"
#include "control/vec_segment.h"

namespace rvf {
namespace {

constexpr int32_t kMostFound = 1 << 20;
constexpr int32_t kCutShort = 1 << 30;

Store* outside_store_of(int32_t handle) {
    Store* store = any_store_of(handle);
    return store && store->is_outside ? store : nullptr;
}

Status take_record(Store& store, const uint8_t* record) {
    Codes& codes = *store.index->codes;
    if (!reserve_outside(store, 1) || !reserve_codes(codes, store.row_count + 1)) {
        return kOutOfMemory;
    }
    const uint8_t* vector = record + sizeof(uint64_t);
    if (store.dimension % 4) { // it is padded
        copy(store.query, vector, size_t{4} * store.dimension);
        vector = store.query;
    }
    uint32_t row = put_id(store, load<uint64_t>(record));
    write_code(codes, vector, norm_of(vector, store.row_bytes), code_at(codes, row));
    codes.done = store.row_count;
    *row_at(store, row).first =
        ++store.outside_records; // not 0: read_meta writes homes above theirs
    return kOk;
}

/// Writes the `ef` rows whose codes are about the nearest of all.
Status scan_codes(const Store& store, uint32_t ef, const Admission& admission, uint32_t* rows,
                  uint32_t& found) {
    const Codes& codes = *store.index->codes;
    size_t beam_bytes = ((size_t{ef} + 2) & ~size_t{1}) * sizeof(Candidate); // weights are aligned
    size_t bytes = beam_bytes + weight_bytes(codes);
    uint8_t* memory = allocate(bytes);
    if (!memory) return kOutOfMemory;
    Beam beam{reinterpret_cast<Candidate*>(memory), ef + 1, ef, ef};
    CodeQuery query;
    auto* weights = reinterpret_cast<int16_t*>(memory + beam_bytes);
    bool can = prepare(codes, store.metric, store.query, weights, query);
    if (can) {
        Space space = space_of(store);
        space.codes = &codes;
        Point point = query_point(space);
        point.code = &query;
        offer_rows_from(0, space, point, beam, [&](uint32_t row) {
            return !is_dead(store, row) && admission.admits(row);
        });
    }
    for (found = 0; found < beam.count; ++found) rows[found] = row_of(beam.entries[found]);
    release(memory, bytes);
    return can ? kOk : kNotFinite;
}

} // namespace

extern "C" {

int32_t rvf_rows_begin(int32_t handle, uint32_t rows, size_t more) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (store->row_count || !load_saved_ranges(*store)) return kInvalidArgument;
    Codes& codes = *store->index->codes;
    uint64_t bytes = uint64_t{rows} * (kOutsideRowBytes + codes.row_bytes) + more;
    if (bytes > ~size_t{0} || !reserve_ids(*store, rows)) return kOutOfMemory;
    grow_once(static_cast<size_t>(bytes));
    codes.coarse = 0x1.fffffep127f; // no row can be read instead of its code, if it has one
    store->is_outside = true;
    store->outside_crc = ~0u;
    return kOk;
}

int32_t rvf_rows_take(int32_t handle, uintptr_t piece, size_t len, size_t skip, uintptr_t hash) {
    Store* store = outside_store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(piece, len)) return kInvalidPointer;
    if (hash && !caller_owns(hash, kContentHashBytes)) return kInvalidPointer;
    if (store->index->graph || skip > len) return kInvalidArgument;
    Bytes bytes = {bytes_at(piece), len};
    store->outside_crc = crc32_more(store->outside_crc, bytes);
    if (hash) {
        bool is_good = holds_crc(bytes_at(hash), ~store->outside_crc);
        store->outside_crc = ~0u;
        if (!is_good) return kInvalidChecksum;
    }
    uint64_t count = (len - skip) / record_bytes(store->dimension);
    for (uint64_t i = 0; i < count; ++i) {
        const uint8_t* record = bytes.data + skip + i * record_bytes(store->dimension);
        Status status = take_record(*store, record);
        if (status != kOk) return status;
    }
    return static_cast<int32_t>(count);
}

int32_t rvf_rows_metadata(int32_t handle, uintptr_t payload, size_t len) {
    Store* store = outside_store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(payload, len)) return kInvalidPointer;
    Bytes bytes = {bytes_at(payload), len};
    return is_our_meta(bytes) ? read_meta(*store, bytes, 1) : kOk;
}

int32_t rvf_rows_link(int32_t handle, uintptr_t segment, size_t len, uint64_t seed) {
    Store* store = outside_store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(segment, len)) return kInvalidPointer;
    SearchIndex& index = *store->index;
    if (index.graph) return kInvalidArgument;
    Bytes bytes = {bytes_at(segment), len};
    Segment saved;
    bool is_sound = read_segment(bytes, 0, saved) && saved.complete &&
                    check_hash(bytes, saved) != HashState::kBad;
    index.fault =
        is_sound ? load_index(saved.payload, *store, seed, index.graph) : IndexFault::kTruncated;
    return index.fault == IndexFault::kOutOfMemory ? int32_t{kOutOfMemory} : index.graph != nullptr;
}

int32_t rvf_rows_find(int32_t handle, uintptr_t query, int32_t ef, uint32_t work, uintptr_t filter,
                      size_t filter_len, uintptr_t out) {
    Store* store = outside_store_of(handle);
    if (!store) return kStoreClosed;
    if (ef < 1 || ef > kMostFound) return kInvalidArgument;
    uint32_t most = static_cast<uint32_t>(ef);
    if (most > live_count(*store)) most = live_count(*store);
    size_t query_bytes = size_t{4} * store->dimension;
    if (!caller_owns(query, query_bytes) || !caller_owns(filter, filter_len)) {
        return kInvalidPointer;
    }
    if (most && !caller_owns(out, size_t{most} * kFoundRowBytes)) return kInvalidPointer;
    if (out % alignof(uint32_t)) return kInvalidPointer;
    if (!all_finite(bytes_at(query), store->dimension)) return kNotFinite;
    Filter asked{{bytes_at(filter), filter_len}, *store};
    if (filter_len && !is_filter(asked.program)) return kFilterInvalid;
    if (most == 0) return 0;
    copy(store->query, bytes_at(query), query_bytes);
    SearchIndex& index = *store->index;
    Admission admission = admission_of(asked);
    if (filter_len) {
        is_asked_again(index.selection, asked);
        if (!select_rows(index.selection, asked)) return kOutOfMemory;
        admission = admission_of(index.selection);
    }
    auto* rows = reinterpret_cast<uint32_t*>(buffer_at(out));
    uint32_t found = 0;
    bool walks = index.graph && !scan_is_faster(*index.graph, *store, admission, most, true);
    Status status = walks ? hnsw_find(*index.graph, *store, most, rows, found,
                                      {index.codes, admission, work ? work : ~0u})
                          : scan_codes(*store, most, admission, rows, found);
    uint32_t admitted = admission.bits ? admission.count : live_count(*store);
    if (status == kOk && walks && found < most && found < admitted) { // and the walk was not cut
        if (work)
            found |= kCut;
        else
            status = scan_codes(*store, most, admission, rows, found);
    }
    if (status != kOk) return status;
    uint32_t count = found & ~kCut;
    for (uint32_t i = count; i-- > 0;) { // spread out in place
        uint32_t row = rows[i];
        rows[2 * i] = row;
        rows[2 * i + 1] = *row_at(*store, row).first - 1;
    }
    return static_cast<int32_t>(count) | (found & kCut ? kCutShort : 0);
}

int32_t rvf_rows_compare(int32_t handle, uintptr_t query, uintptr_t rows, uintptr_t vectors,
                         int32_t count, int32_t k, uintptr_t out) {
    Store* store = outside_store_of(handle);
    if (!store) return kStoreClosed;
    if (count < 0 || k < 1) return kInvalidArgument;
    uint32_t limit = static_cast<uint32_t>(k < count ? k : count);
    size_t bytes = size_t{4} * store->dimension;
    uint64_t all = uint64_t{bytes} * static_cast<uint32_t>(count);
    if (count == 0) return 0;
    if (!caller_owns(query, bytes) || !caller_owns(vectors, all)) return kInvalidPointer;
    if (!caller_owns(rows, uint64_t{4} * static_cast<uint32_t>(count))) return kInvalidPointer;
    if (!caller_owns(out, uint64_t{limit} * kHitBytes)) return kInvalidPointer;
    uint8_t* vector = allocate(store->row_bytes);
    if (!vector) return kOutOfMemory;
    __builtin_memset(vector, 0, store->row_bytes);
    copy(store->query, bytes_at(query), bytes);
    float length = __builtin_sqrtf(norm_of(store->query, store->row_bytes));
    Hits hits{buffer_at(out), limit};
    for (uint32_t i = 0; i < static_cast<uint32_t>(count); ++i) {
        uint32_t row = load<uint32_t>(bytes_at(rows) + size_t{4} * i);
        if (row >= store->row_count || is_dead(*store, row)) continue;
        copy(vector, bytes_at(vectors) + i * bytes, bytes);
        float far = exact_distance(store->metric, store->query, length, vector,
                                   norm_of(vector, store->row_bytes), store->row_bytes);
        if (far == far) hits.offer({load<uint64_t>(row_at(*store, row).id), far});
    }
    release(vector, store->row_bytes);
    hits.sort();
    return static_cast<int32_t>(hits.count);
}

} // extern "C"

} // namespace rvf
