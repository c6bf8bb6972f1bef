// The exports: handle lookup, argument checks, translation to statuses. control.h is the contract.
#include "control/control.h"

#include "control/address.h"
#include "control/branch.h"
#include "control/commit.h"
#include "control/container.h"
#include "control/cow.h"
#include "control/filter.h"
#include "control/handles.h"
#include "control/heap.h"
#include "control/kept.h"
#include "control/lineage.h"
#include "control/manifest.h"
#include "control/open.h"
#include "control/search.h"
#include "control/segment.h"
#include "control/signature.h"
#include "control/store.h"

namespace rvf {
namespace {

constexpr uint64_t kMaxExportBytes = 0x7FFFFFFF;

bool known_metric(int32_t metric) { return metric >= kL2 && metric <= kCosine; }

int32_t open_file(const OpenRequest& request) {
    if (request.metric != -1 && !known_metric(request.metric)) return kMetricUnsupported;
    Store* store = nullptr;
    Status status = open_store(request, store);
    if (status != kOk) return status;
    Bytes taken = store->file;
    store->file = {};
    int32_t handle = handle_or_free(store);
    if (handle < 0 || !request.takes_file) return handle;
    store->file = taken;
    if (!taken.data) release(const_cast<uint8_t*>(request.file.data), request.file.size);
    return handle;
}

int32_t open_checked(FileBytes file, FileBytes parent, int32_t metric) {
    if (!caller_owns(file.address, file.size) || !caller_owns(parent.address, parent.size)) {
        return kInvalidPointer;
    }
    return open_file({{bytes_at(file.address), file.size}, &parent, 1, metric});
}

/// A store that takes another segment.
Status store_to_extend(int32_t handle, Store*& store) {
    store = store_of(handle);
    if (!store) return kStoreClosed;
    if (store->frozen) return kSnapshotFrozen;
    return store->pending.bytes.data ? kCommitPending : kOk;
}

/// A child of a store whose file is as the store is.
Status child_of(int32_t handle, uintptr_t file_id, uintptr_t parent, size_t parent_len,
                Store*& child) {
    const Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(file_id, kFileIdBytes) || !caller_owns(parent, parent_len)) {
        return kInvalidPointer;
    }
    uint64_t expected = store->file_size < kHashedTail ? store->file_size : kHashedTail;
    if (parent_len < expected) return kInvalidArgument;
    if (store->changed || store->pending.bytes.data) return kCommitPending;
    if (parent_len > store->file_size) parent_len = static_cast<size_t>(store->file_size);
    child = make_child({*store, {bytes_at(parent), parent_len}}, bytes_at(file_id));
    return child ? kOk : kOutOfMemory;
}

/// The next record of a list of (length u32, entries).
bool next_record(Bytes records, size_t& at, Bytes& entries) {
    if (!records.holds(at, 4)) return false;
    uint32_t size = load<uint32_t>(records.data + at);
    if (!records.holds(at + 4, size)) return false;
    entries = records.part(at + 4, size);
    at += 4 + size;
    return true;
}

/// Copies as many items as fit; answers how many there are.
int32_t list_out(const uint8_t* items, size_t count, size_t item_bytes, uintptr_t out, size_t len) {
    size_t fitting = len / item_bytes < count ? len / item_bytes : count;
    if (fitting && !caller_owns(out, fitting * item_bytes)) return kInvalidPointer;
    if (fitting) copy(buffer_at(out), items, fitting * item_bytes);
    return static_cast<int32_t>(count);
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
    if (!store) return kOutOfMemory;
    store->changed = true;
    return handle_or_free(store);
}

int32_t rvf_store_open(uintptr_t buf, size_t len) { return rvf_store_open_as(buf, len, -1); }

int32_t rvf_store_open_as(uintptr_t buf, size_t len, int32_t metric) {
    return rvf_store_open_branch(buf, len, buf, 0, metric);
}

int32_t rvf_store_open_branch(uintptr_t buf, size_t len, uintptr_t parent, size_t parent_len,
                              int32_t metric) {
    return open_checked({buf, len}, {parent, parent_len}, metric);
}

int32_t rvf_store_open_with(uintptr_t buf, size_t len, uintptr_t parents, int32_t parent_count,
                            int32_t metric, uint32_t flags) {
    uint32_t count = static_cast<uint32_t>(parent_count);
    if (count > kMaxParents || flags > (kSalvage | kTakeFile)) return kInvalidArgument;
    if (!caller_owns(buf, len)) return kInvalidPointer;
    if (count && !caller_owns(parents, count * sizeof(FileBytes))) return kInvalidPointer;
    FileBytes files[kMaxParents];
    for (uint32_t i = 0; i < count; ++i) {
        files[i] = load<FileBytes>(bytes_at(parents) + i * sizeof(FileBytes));
        if (!caller_owns(files[i].address, files[i].size)) return kInvalidPointer;
    }
    bool salvages = flags & kSalvage;
    bool takes_file = flags & kTakeFile;
    return open_file({{bytes_at(buf), len}, files, count, metric, salvages, takes_file});
}

int32_t rvf_store_losses(int32_t handle, uintptr_t out, size_t len) {
    const Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    return list_out(store->losses.data, store->losses.size / kLossBytes, kLossBytes, out, len);
}

int32_t rvf_store_close(int32_t handle) {
    Store* store = any_store_of(handle);
    if (!store) return kStoreClosed;
    forget_handle(handle);
    free_store(store);
    return kOk;
}

int32_t rvf_store_ingest(int32_t handle, uintptr_t vecs, uintptr_t ids, int32_t count) {
    return rvf_store_upsert(handle, vecs, ids, count, vecs, 0);
}

int32_t rvf_store_upsert(int32_t handle, uintptr_t vecs, uintptr_t ids, int32_t count,
                         uintptr_t meta, size_t meta_len) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (store->frozen) return kSnapshotFrozen;
    if (count < 0) return kInvalidArgument;
    if (count == 0) return 0;
    uint64_t rows = static_cast<uint32_t>(count);
    uint64_t values = rows * store->dimension;
    if (!caller_owns(vecs, values * 4) || !caller_owns(ids, rows * 8)) return kInvalidPointer;
    if (!caller_owns(meta, meta_len)) return kInvalidPointer;
    if (!all_finite(bytes_at(vecs), values)) return kNotFinite;
    Bytes records = {bytes_at(meta), meta_len};
    Bytes entries;
    size_t at = 0;
    for (uint64_t i = 0; i < rows && meta_len; ++i) {
        if (!next_record(records, at, entries) || !are_entries(entries)) return kInvalidArgument;
    }
    if (at != meta_len) return kInvalidArgument;
    uint32_t added = 0;
    for (uint64_t i = 0; i < rows; ++i) {
        added += find_row(*store, load<uint64_t>(bytes_at(ids) + 8 * i)) == kNoRow;
    }
    Status status = reserve_rows(*store, added);
    if (status != kOk) return status;
    if (meta_len && !reserve_metadata(*store, meta_len)) return kOutOfMemory;
    at = 0;
    for (uint64_t i = 0; i < rows; ++i) {
        uint32_t row = put_vector(*store, load<uint64_t>(bytes_at(ids) + 8 * i),
                                  bytes_at(vecs) + 4 * i * store->dimension);
        entries = {};
        if (meta_len) next_record(records, at, entries);
        store->has_metadata |= entries.size > 0;
        set_metadata(*store, *row_at(*store, row).metadata, entries);
    }
    return count;
}

int32_t rvf_store_set_metadata(int32_t handle, uintptr_t id, uintptr_t meta, size_t meta_len) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (store->frozen) return kSnapshotFrozen;
    if ((id && !caller_owns(id, 8)) || (meta_len && !caller_owns(meta, meta_len))) {
        return kInvalidPointer;
    }
    Bytes entries = {bytes_at(meta), meta_len};
    if (!are_entries(entries)) return kInvalidArgument;
    uint32_t row = id ? find_row(*store, load<uint64_t>(bytes_at(id))) : 0;
    if (row == kNoRow) return 0;
    if (!reserve_metadata(*store, meta_len + 4)) return kOutOfMemory;
    set_metadata(*store, id ? *row_at(*store, row).metadata : store->about, entries);
    if (id)
        mark_changed(*store, row, kMetadataChanged);
    else
        store->about_changed = true;
    store->changed = store->has_metadata = true;
    return 1;
}

int32_t rvf_store_metadata(int32_t handle, uintptr_t id, uintptr_t out, size_t len) {
    const Store* store = any_store_of(handle);
    if (!store) return kStoreClosed;
    if (id && !caller_owns(id, 8)) return kInvalidPointer;
    uint32_t at = store->about;
    if (id) {
        uint32_t row = find_row(*store, load<uint64_t>(bytes_at(id)));
        if (row == kNoRow) return 0;
        at = *row_at(*store, row).metadata;
    }
    Bytes entries = entries_at(*store, at);
    if (entries.size && len >= entries.size) {
        if (!caller_owns(out, entries.size)) return kInvalidPointer;
        copy(buffer_at(out), entries.data, entries.size);
    }
    return static_cast<int32_t>(entries.size);
}

int32_t rvf_store_query(int32_t handle, uintptr_t query, int32_t k, int32_t metric, uintptr_t out) {
    return rvf_store_search(handle, query, k, metric, query, 0, out);
}

int32_t rvf_store_search(int32_t handle, uintptr_t query, int32_t k, int32_t metric,
                         uintptr_t filter, size_t filter_len, uintptr_t out) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (k <= 0) return kInvalidArgument;
    if (metric != -1 && !known_metric(metric)) return kMetricUnsupported;
    uint64_t query_bytes = uint64_t{4} * store->dimension;
    uint32_t limit = static_cast<uint32_t>(k);
    uint32_t most = limit < live_count(*store) ? limit : live_count(*store);
    if (!caller_owns(query, query_bytes) || !caller_owns(filter, filter_len))
        return kInvalidPointer;
    if (most && !caller_owns(out, uint64_t{most} * kHitBytes)) return kInvalidPointer;
    if (!all_finite(bytes_at(query), store->dimension)) return kNotFinite;
    Bytes program = {bytes_at(filter), filter_len};
    if (filter_len && !is_filter(program)) return kFilterInvalid;
    if (most == 0) return 0;
    copy(store->query, bytes_at(query), static_cast<size_t>(query_bytes));
    if (metric == -1) metric = store->metric;
    Filter asked{program, *store};
    return static_cast<int32_t>(
        search_exact(*store, metric, limit, buffer_at(out), admission_of(asked)));
}

int32_t rvf_store_delete_where(int32_t handle, uintptr_t filter, size_t filter_len) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (store->frozen) return kSnapshotFrozen;
    if (!caller_owns(filter, filter_len)) return kInvalidPointer;
    Bytes program = {bytes_at(filter), filter_len};
    if (!is_filter(program)) return kFilterInvalid;
    uint32_t count = 0;
    for (uint32_t deletes = 0; deletes < 2; ++deletes) { // counts first
        if (deletes && !reserve_deletes(*store, count)) return kOutOfMemory;
        for (uint32_t i = 0; i < store->row_count; ++i) {
            Row row = row_at(*store, i);
            if (is_dead(row) || !admits({program, *store}, row)) continue;
            if (deletes)
                delete_id(*store, load<uint64_t>(row.id));
            else
                ++count;
        }
    }
    return static_cast<int32_t>(count);
}

int32_t rvf_store_ids(int32_t handle, uintptr_t out, size_t len) {
    const Store* store = any_store_of(handle);
    if (!store) return kStoreClosed;
    if (len && !caller_owns(out, len)) return kInvalidPointer;
    for (uint32_t i = 0; i < store->row_count && len >= 8; ++i) {
        Row row = row_at(*store, i);
        if (is_dead(row)) continue;
        copy(buffer_at(out), row.id, 8);
        out += 8;
        len -= 8;
    }
    return static_cast<int32_t>(live_count(*store));
}

int32_t rvf_store_delete(int32_t handle, uintptr_t ids, int32_t count) {
    Store* store = any_store_of(handle);
    if (!store) return kStoreClosed;
    if (store->frozen) return kSnapshotFrozen;
    if (count < 0) return kInvalidArgument;
    if (count == 0) return 0;
    uint32_t most = static_cast<uint32_t>(count);
    if (!caller_owns(ids, uint64_t{8} * most)) return kInvalidPointer;
    if (!reserve_deletes(*store, most < live_count(*store) ? most : live_count(*store))) {
        return kOutOfMemory;
    }
    int32_t deleted = 0;
    for (uint32_t i = 0; i < most; ++i) {
        deleted += delete_id(*store, load<uint64_t>(bytes_at(ids) + size_t{8} * i));
    }
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
    const Store* store = any_store_of(handle);
    return store ? static_cast<int32_t>(live_count(*store)) : kStoreClosed;
}

int32_t rvf_store_dimension(int32_t handle) {
    const Store* store = any_store_of(handle);
    return store ? static_cast<int32_t>(store->dimension) : kStoreClosed;
}

int32_t rvf_store_status(int32_t handle, uintptr_t out) {
    const Store* store = any_store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(out, kStatusBytes)) return kInvalidPointer;
    const uint32_t words[] = {live_count(*store), store->dimension,
                              static_cast<uint32_t>(store->metric), store->row_count,
                              store->dead_count};
    __builtin_memcpy(buffer_at(out), words, kStatusBytes);
    return kOk;
}

int32_t rvf_store_warnings(int32_t handle) {
    const Store* store = any_store_of(handle);
    return store ? static_cast<int32_t>(store->warnings) : kStoreClosed;
}

int32_t rvf_store_set_file_id(int32_t handle, uintptr_t id) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(id, kFileIdBytes)) return kInvalidPointer;
    if (store->frozen) return kSnapshotFrozen;
    copy(store->identity, bytes_at(id), kFileIdBytes);
    store->changed = true;
    return kOk;
}

int32_t rvf_store_commit(int32_t handle, uint64_t time_ns, int32_t signature, uint32_t flags,
                         uintptr_t out) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (store->pending.bytes.data) return kCommitPending;
    if ((signature != -1 && !signature_bytes(signature)) || flags > kCompact)
        return kInvalidArgument;
    if (!caller_owns(out, kCommitInfoBytes)) return kInvalidPointer;
    Status status = make_commit(*store, {time_ns, signature, flags == kCompact});
    if (status != kOk) return status;
    const Pending& pending = store->pending;
    const uint64_t words[] = {pending.offset, reinterpret_cast<uintptr_t>(pending.bytes.data),
                              pending.bytes.size, pending.data_size, pending.replaces};
    uint8_t* info = buffer_at(out);
    __builtin_memset(info, 0, kCommitInfoBytes);
    rvf::store(info, words[0]);
    for (uint32_t i = 1; i < 5; ++i) rvf::store(info + 4 + 4 * i, static_cast<uint32_t>(words[i]));
    return pending.bytes.data != nullptr;
}

int32_t rvf_store_acknowledge(int32_t handle) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (!store->pending.bytes.data) return kCommitPending;
    acknowledge(*store);
    return kOk;
}

int32_t rvf_store_discard(int32_t handle) {
    Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (!store->pending.bytes.data) return kCommitPending;
    discard(*store);
    return kOk;
}

int32_t rvf_store_freeze(int32_t handle) {
    Store* store = nullptr;
    Status status = store_to_extend(handle, store);
    if (status != kOk) return status;
    uint8_t payload[kRefcountBytes] = {};
    rvf::store(payload, kRefcountMagic);
    payload[4] = payload[6] = 1;
    rvf::store(payload + 16, uint64_t{kRefcountBytes});
    uint32_t epoch = store->epoch + 1;
    rvf::store(payload + 24, epoch ? epoch : 1); // 0 would not freeze
    uint64_t id;
    status = add_segment(*store, kRefcountSegment, {payload, sizeof(payload)}, id);
    store->frozen = status == kOk;
    return status;
}

int32_t rvf_store_derive(int32_t handle, int32_t type, uintptr_t file_id, uintptr_t parent,
                         size_t parent_len) {
    Store* child = nullptr;
    Status status = child_of(handle, file_id, parent, parent_len, child);
    if (status != kOk) return status;
    child->derivation = type & 0xFF;
    return handle_or_free(child);
}

int32_t rvf_store_branch(int32_t handle, uintptr_t file_id, uintptr_t parent, size_t parent_len,
                         uintptr_t name, size_t name_len) {
    if (name_len == 0) return kInvalidArgument;
    if (!caller_owns(name, name_len)) return kInvalidPointer;
    Store* child = nullptr;
    Status status = child_of(handle, file_id, parent, parent_len, child);
    if (status != kOk) return status;
    status = make_branch(*child, *store_of(handle), {bytes_at(name), name_len});
    if (status == kOk) return handle_or_free(child);
    free_store(child);
    return status;
}

int32_t rvf_store_lineage(int32_t handle, uintptr_t out) {
    const Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(out, kLineageBytes)) return kInvalidPointer;
    copy(buffer_at(out), store->identity, kLineageBytes);
    return kOk;
}

int32_t rvf_store_state(int32_t handle, uintptr_t out) {
    const Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(out, kStateBytes)) return kInvalidPointer;
    const uint32_t words[] = {static_cast<uint32_t>(store->file_size),
                              static_cast<uint32_t>(store->file_size >> 32),
                              store->epoch,
                              store->frozen,
                              store->is_branch,
                              store->changed,
                              store->pending.bytes.data != nullptr,
                              count_of<Layer>(store->layers),
                              count_of<Deleted>(store->deleted),
                              store->profile,
                              static_cast<uint32_t>(store->metadata.size)};
    __builtin_memcpy(buffer_at(out), words, kStateBytes);
    return kOk;
}

int32_t rvf_store_embed(int32_t handle, int32_t type, uintptr_t payload, size_t len) {
    Store* store = nullptr;
    Status status = store_to_extend(handle, store);
    if (status != kOk) return status;
    if (!caller_owns(payload, len)) return kInvalidPointer;
    if (type < 0 || type > 0xFF) return kInvalidArgument;
    Bytes bytes = {bytes_at(payload), len};
    auto kind = static_cast<uint8_t>(type);
    if (!may_be_added(kind, bytes)) return kInvalidArgument;
    if (len > kMaxPayloadBytes) return kSegmentTooLarge;
    status = check_container(kind, bytes);
    uint64_t id = 0;
    if (status == kOk) status = add_segment(*store, kind, bytes, id);
    return status == kOk ? static_cast<int32_t>(id) : status;
}

int32_t rvf_store_segment(int32_t handle, int32_t index, uintptr_t out) {
    const Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(out, kKeptInfoBytes)) return kInvalidPointer;
    if (static_cast<uint32_t>(index) >= count_of<Kept>(store->kept_list)) return 0;
    const Kept& kept = items_of<Kept>(store->kept_list)[index];
    Segment segment = kept_segment(*store, kept);
    Bytes bytes = {kept_bytes(*store, kept), kept.size};
    Status status = check_hash(bytes, segment) == HashState::kBad
                        ? kInvalidChecksum
                        : check_container(segment.type, segment.payload);
    uint8_t* record = buffer_at(out);
    __builtin_memset(record, 0, kKeptInfoBytes);
    rvf::store(record, segment.id);
    rvf::store(record + 8, kept.offset);
    rvf::store(record + 16, uint32_t{segment.type});
    rvf::store(record + 20,
               static_cast<uint32_t>(reinterpret_cast<uintptr_t>(segment.payload.data)));
    rvf::store(record + 24, static_cast<uint32_t>(segment.payload.size));
    rvf::store(record + 28, static_cast<int32_t>(status));
    return 1;
}

int32_t rvf_store_export_size(int32_t handle) {
    const Store* store = store_of(handle);
    if (!store) return kStoreClosed;
    uint64_t size = image_size(*store);
    return size <= kMaxExportBytes ? static_cast<int32_t>(size) : kSegmentTooLarge;
}

int32_t rvf_store_export(int32_t handle, uintptr_t out, size_t len) {
    int32_t size = rvf_store_export_size(handle);
    if (size < 0) return size;
    if (len < static_cast<size_t>(size)) return kBufferTooSmall;
    if (!caller_owns(out, len)) return kInvalidPointer;
    write_image(*store_of(handle), buffer_at(out));
    return size;
}

int32_t rvf_store_memory_usage(int32_t handle, uintptr_t out) {
    const Store* store = any_store_of(handle);
    if (!store) return kStoreClosed;
    if (!caller_owns(out, kMemoryUsageBytes)) return kInvalidPointer;
    StoreMemory memory = memory_of(*store);
    const uint64_t words[] = {memory.rows, memory.ids, memory.kept, memory_size()};
    __builtin_memcpy(buffer_at(out), words, kMemoryUsageBytes);
    return kOk;
}

} // extern "C"

} // namespace rvf
