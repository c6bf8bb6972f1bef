// The exports: handle lookup, argument checks, translation to statuses. control.h is the contract.
#include "control/control.h"

#include "control/export.h"
#include "control/heap.h"
#include "control/open.h"
#include "control/search.h"
#include "control/segment.h"
#include "control/store.h"

namespace rvf {
namespace {

constexpr uint32_t kMaxStores = 1024;
constexpr uint32_t kIndexBits = 10;
constexpr uint64_t kMaxExportBytes = 0x7FFFFFFF;

Store* stores[kMaxStores];
uint32_t generations[kMaxStores]; // of the store in the slot; 20 bits, never 0 once used

Store* store_of(int32_t handle) {
    uint32_t bits = static_cast<uint32_t>(handle);
    uint32_t index = bits & (kMaxStores - 1);
    return handle > 0 && generations[index] == bits >> kIndexBits ? stores[index] : nullptr;
}

/// A handle for `store`, or kTooManyStores.
int32_t open_handle(Store* store) {
    for (uint32_t index = 0; index < kMaxStores; ++index) {
        if (stores[index]) continue;
        generations[index] = (generations[index] + 1) & 0xFFFFF;
        if (generations[index] == 0) generations[index] = 1;
        stores[index] = store;
        return static_cast<int32_t>(generations[index] << kIndexBits | index);
    }
    return kTooManyStores;
}

int32_t handle_or_free(Store* store) {
    int32_t handle = open_handle(store);
    if (handle < 0) free_store(store);
    return handle;
}

const uint8_t* bytes_at(uintptr_t address) { return reinterpret_cast<const uint8_t*>(address); }
uint8_t* buffer_at(uintptr_t address) { return reinterpret_cast<uint8_t*>(address); }

bool known_metric(int32_t metric) { return metric >= kL2 && metric <= kCosine; }

/// Walks over at most `limit` complete segments of a buffer; answers how many, `last` is the last.
uint32_t walk_segments(Bytes file, uint32_t limit, Segment& last) {
    uint32_t count = 0;
    Segment segment;
    for (uint64_t offset = 0; count < limit && find_segment(file, offset, segment);) {
        offset = segment.complete ? segment.end() : segment.offset + 1;
        if (!segment.complete) continue;
        last = segment;
        ++count;
    }
    return count;
}

} // namespace

extern "C" {

uintptr_t rvf_alloc(size_t size) { return reinterpret_cast<uintptr_t>(allocate(size)); }

void rvf_free(uintptr_t ptr, size_t size) { release(buffer_at(ptr), size); }

int32_t rvf_memory_limit(size_t max_bytes) {
    limit_memory(max_bytes);
    return kOk;
}

int32_t rvf_store_create(int32_t dimension, int32_t metric) {
    if (dimension < 1 || dimension > static_cast<int32_t>(kMaxDimension)) return kInvalidArgument;
    if (!known_metric(metric)) return kMetricUnsupported;
    Store* store = make_store(static_cast<uint32_t>(dimension), metric);
    return store ? handle_or_free(store) : kOutOfMemory;
}

int32_t rvf_store_open(uintptr_t buf, size_t len) { return rvf_store_open_as(buf, len, -1); }

int32_t rvf_store_open_as(uintptr_t buf, size_t len, int32_t metric) {
    return rvf_store_open_branch(buf, len, buf, 0, metric);
}

int32_t rvf_store_open_branch(uintptr_t buf, size_t len, uintptr_t parent, size_t parent_len,
                              int32_t metric) {
    if (!caller_owns(buf, len) || !caller_owns(parent, parent_len)) return kInvalidPointer;
    if (metric != -1 && !known_metric(metric)) return kMetricUnsupported;
    Store* store = nullptr;
    Status status = open_store({bytes_at(buf), len}, {bytes_at(parent), parent_len}, metric, store);
    return status == kOk ? handle_or_free(store) : status;
}

int32_t rvf_store_close(int32_t handle) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    stores[static_cast<uint32_t>(handle) & (kMaxStores - 1)] = nullptr;
    free_store(store);
    return kOk;
}

int32_t rvf_store_ingest(int32_t handle, uintptr_t vecs, uintptr_t ids, int32_t count) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (count < 0) return kInvalidArgument;
    if (count == 0) return 0;
    uint64_t rows = static_cast<uint32_t>(count);
    uint64_t values = rows * store->dimension;
    if (!caller_owns(vecs, values * 4) || !caller_owns(ids, rows * 8)) return kInvalidPointer;
    if (!all_finite(bytes_at(vecs), values)) return kNotFinite;
    uint32_t added = 0;
    for (uint64_t i = 0; i < rows; ++i) {
        added += find_row(*store, load<uint64_t>(bytes_at(ids) + 8 * i)) == kNoRow;
    }
    Status status = reserve_rows(*store, added);
    if (status != kOk) return status;
    for (uint64_t i = 0; i < rows; ++i) {
        put_vector(*store, load<uint64_t>(bytes_at(ids) + 8 * i),
                   bytes_at(vecs) + 4 * i * store->dimension);
    }
    ++store->epoch;
    return count;
}

int32_t rvf_store_query(int32_t handle, uintptr_t query, int32_t k, int32_t metric, uintptr_t out) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (k <= 0) return kInvalidArgument;
    if (metric != -1 && !known_metric(metric)) return kMetricUnsupported;
    uint64_t query_bytes = uint64_t{4} * store->dimension;
    uint32_t limit = static_cast<uint32_t>(k);
    uint32_t most = limit < live_count(*store) ? limit : live_count(*store);
    if (!caller_owns(query, query_bytes)) return kInvalidPointer;
    if (most && !caller_owns(out, uint64_t{most} * kHitBytes)) return kInvalidPointer;
    if (!all_finite(bytes_at(query), store->dimension)) return kNotFinite;
    if (most == 0) return 0;
    copy(store->query, bytes_at(query), static_cast<size_t>(query_bytes));
    if (metric == -1) metric = store->metric;
    return static_cast<int32_t>(search_exact(*store, metric, limit, buffer_at(out)));
}

int32_t rvf_store_delete(int32_t handle, uintptr_t ids, int32_t count) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (count < 0) return kInvalidArgument;
    if (count == 0) return 0;
    if (!caller_owns(ids, uint64_t{8} * static_cast<uint32_t>(count))) return kInvalidPointer;
    int32_t deleted = 0;
    for (uint32_t i = 0; i < static_cast<uint32_t>(count); ++i) {
        deleted += delete_id(*store, load<uint64_t>(bytes_at(ids) + size_t{8} * i));
    }
    store->epoch += deleted > 0;
    return deleted;
}

int32_t rvf_store_vector(int32_t handle, uintptr_t id, uintptr_t out) {
    const Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    size_t bytes = size_t{4} * store->dimension;
    if (!caller_owns(id, 8) || !caller_owns(out, bytes)) return kInvalidPointer;
    uint32_t row = find_row(*store, load<uint64_t>(bytes_at(id)));
    if (row == kNoRow) return 0;
    copy(buffer_at(out), row_at(*store, row).vector, bytes);
    return 1;
}

int32_t rvf_store_count(int32_t handle) {
    const Store* store = store_of(handle);
    return store ? static_cast<int32_t>(live_count(*store)) : kStoreClosed;
}

int32_t rvf_store_dimension(int32_t handle) {
    const Store* store = store_of(handle);
    return store ? static_cast<int32_t>(store->dimension) : kStoreClosed;
}

int32_t rvf_store_status(int32_t handle, uintptr_t out) {
    const Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(out, kStatusBytes)) return kInvalidPointer;
    const uint32_t words[] = {live_count(*store), store->dimension,
                              static_cast<uint32_t>(store->metric), store->row_count,
                              store->dead_count};
    __builtin_memcpy(buffer_at(out), words, kStatusBytes);
    return kOk;
}

int32_t rvf_store_warnings(int32_t handle) {
    const Store* store = store_of(handle);
    return store ? static_cast<int32_t>(store->warnings) : kStoreClosed;
}

int32_t rvf_store_set_file_id(int32_t handle, uintptr_t id) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(id, kFileIdBytes)) return kInvalidPointer;
    copy(store->identity, bytes_at(id), kFileIdBytes);
    return kOk;
}

int32_t rvf_store_export_size(int32_t handle) {
    const Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    uint64_t size = export_size(*store);
    return size <= kMaxExportBytes ? static_cast<int32_t>(size) : kSegmentTooLarge;
}

int32_t rvf_store_export(int32_t handle, uintptr_t out, size_t len) {
    int32_t size = rvf_store_export_size(handle);
    if (size < 0) return size;
    if (len < static_cast<size_t>(size)) return kBufferTooSmall;
    if (!caller_owns(out, len)) return kInvalidPointer;
    export_store(*store_of(handle), buffer_at(out));
    return size;
}

int32_t rvf_store_memory_usage(int32_t handle, uintptr_t out) {
    const Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(out, kMemoryUsageBytes)) return kInvalidPointer;
    StoreMemory memory = memory_of(*store);
    const uint64_t words[] = {memory.rows, memory.ids, memory.kept, memory_size()};
    __builtin_memcpy(buffer_at(out), words, kMemoryUsageBytes);
    return kOk;
}

int32_t rvf_parse_header(uintptr_t buf, size_t len, uintptr_t out) {
    if (!caller_owns(buf, len) || !caller_owns(out, kHeaderInfoBytes)) return kInvalidPointer;
    if (len < kSegmentHeaderBytes) return kTruncatedSegment;
    Segment segment;
    if (!read_segment({bytes_at(buf), len}, 0, segment)) return kInvalidMagic;
    __builtin_memmove(buffer_at(out), bytes_at(buf), kHeaderInfoBytes);
    return kOk;
}

int32_t rvf_segment_count(uintptr_t buf, size_t len) {
    if (!caller_owns(buf, len)) return kInvalidPointer;
    Segment segment;
    return static_cast<int32_t>(walk_segments({bytes_at(buf), len}, 0x7FFFFFFF, segment));
}

int32_t rvf_segment_info(uintptr_t buf, size_t len, int32_t index, uintptr_t out) {
    if (!caller_owns(buf, len) || !caller_owns(out, kSegmentInfoBytes)) return kInvalidPointer;
    if (index < 0) return kInvalidArgument;
    Segment segment;
    uint32_t needed = static_cast<uint32_t>(index) + 1;
    if (walk_segments({bytes_at(buf), len}, needed, segment) < needed) return kInvalidArgument;
    uint8_t* record = buffer_at(out);
    store(record, segment.id);
    store(record + 8, uint32_t{segment.type});
    store(record + 12, segment.payload_length);
    store(record + 20, segment.offset);
    return kOk;
}

} // extern "C"

} // namespace rvf
