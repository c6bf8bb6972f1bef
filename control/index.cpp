#include "control/index.h"

#include "control/address.h"
#include "control/filter.h"
#include "control/handles.h"
#include "control/heap.h"
#include "control/hnsw.h"
#include "control/search.h"
#include "control/search_index.h"
#include "control/store.h"

namespace rvf {
extern "C" {

int32_t rvf_index_create(int32_t handle, uint32_t flags, uint32_t m, uint32_t ef_construction,
                         uint64_t seed) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (flags == 0 || flags > (kGraph | kCodes)) return kInvalidArgument;
    bool graph = flags & kGraph;
    if (graph && (m < kMinLinks || m > kMaxLinks || ef_construction < 1 ||
                  ef_construction > kMaxEfConstruction)) {
        return kInvalidArgument;
    }
    return make_index(*store, {graph ? m : 0, ef_construction, seed, (flags & kCodes) != 0});
}

int32_t rvf_index_drop(int32_t handle) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    drop_index(*store);
    return kOk;
}

int32_t rvf_index_build(int32_t handle, uint32_t max_rows) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (!store->index) return kInvalidArgument;
    uint32_t left = 0;
    Status status = update_index(*store, max_rows, left);
    return status == kOk ? static_cast<int32_t>(left) : status;
}

int32_t rvf_index_search(int32_t handle, uintptr_t queries, int32_t count, int32_t k,
                         int32_t metric, uint32_t ef, uint32_t work, uintptr_t filter,
                         size_t filter_len, uintptr_t out, uintptr_t found) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (k <= 0 || count <= 0) return kInvalidArgument;
    if (metric < -1 || metric > kCosine) return kMetricUnsupported;
    uint64_t all = uint64_t{store->dimension} * static_cast<uint32_t>(count);
    Bytes program = {bytes_at(filter), filter_len};
    IndexQuery query{static_cast<uint32_t>(k), metric == -1 ? store->metric : metric, ef,
                     work ? work : ~0u, program};
    uint64_t hits = uint64_t{hits_for(*store, query.k)} * static_cast<uint32_t>(count);
    if (!caller_owns(queries, all * 4) || !caller_owns(filter, filter_len)) return kInvalidPointer;
    if (hits && !caller_owns(out, hits * kHitBytes)) return kInvalidPointer;
    if (!caller_owns(found, uint64_t{4} * static_cast<uint32_t>(count))) return kInvalidPointer;
    if (!all_finite(bytes_at(queries), all)) return kNotFinite;
    if (filter_len && !is_filter(program)) return kFilterInvalid;
    return search_index(*store, query, bytes_at(queries), static_cast<uint32_t>(count),
                        buffer_at(out), buffer_at(found));
}

int32_t rvf_index_save(int32_t handle) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (!store->index) return kInvalidArgument;
    if (store->frozen) return kSnapshotFrozen;
    return store->pending.bytes.data ? kCommitPending : save_index(*store);
}

int32_t rvf_index_load(int32_t handle, uint64_t seed) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    Status status = load_saved_index(*store, seed);
    if (status != kOk) return status;
    const SearchIndex* index = store->index;
    if (!index) return 0;
    return (index->graph ? kGraph : 0) | (index->codes ? kCodes : 0);
}

int32_t rvf_index_state(int32_t handle, uintptr_t out) {
    const Store* store = any_store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(out, kIndexStateBytes)) return kInvalidPointer;
    const SearchIndex index = store->index ? *store->index : SearchIndex{};
    const uint32_t words[] = {(index.graph ? kGraph : 0u) | (index.codes ? kCodes : 0u),
                              index.graph ? index.graph->m : 0,
                              index.graph ? index.graph->ef_construction : 0,
                              index.graph ? index.graph->done : 0,
                              index.codes ? index.codes->done : 0,
                              store->row_count,
                              index.last_read,
                              static_cast<uint32_t>(index.fault)};
    const uint64_t sizes[] = {index.graph ? graph_bytes(*index.graph) : 0,
                              index.codes ? codes_bytes(*index.codes) : 0};
    __builtin_memcpy(buffer_at(out), words, sizeof(words));
    __builtin_memcpy(buffer_at(out) + sizeof(words), sizes, sizeof(sizes));
    return kOk;
}

} // extern "C"

} // namespace rvf
