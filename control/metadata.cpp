#include "control/metadata.h"

namespace rvf {
namespace {

constexpr size_t kLeastWaste = 4096;

/// Copies what is referred to. Without memory for that the waste stays.
void collect(Store& store) {
    Buffer fresh;
    if (!reserve(fresh, store.metadata.size)) return;
    extend(fresh, kLengthBytes); // no record begins at 0
    auto move = [&](uint32_t& at) {
        if (at == 0) return;
        size_t size = kLengthBytes + entries_at(store, at).size;
        const uint8_t* record = store.metadata.data + at;
        at = static_cast<uint32_t>(fresh.size);
        copy(extend(fresh, size), record, size);
    };
    for (uint32_t i = 0; i < store.row_count; ++i) {
        Row row = row_at(store, i);
        if (!is_dead(row)) move(*row.metadata);
    }
    move(store.about);
    free_buffer(store.metadata);
    store.metadata = fresh;
    store.stale = 0;
}

} // namespace

bool read_value(Bytes bytes, size_t& at, Value& value) {
    if (!bytes.holds(at, 5)) return false;
    uint32_t size = load<uint32_t>(bytes.data + at + 1);
    value.type = bytes.data[at];
    at += 5;
    if (!bytes.holds(at, size)) return false;
    value.bytes = bytes.part(at, size);
    at += size;
    if (value.type <= kF64) return size == 8;
    if (value.type == kBool) return size == 1 && *value.bytes.data <= 1;
    return value.type <= kBytes;
}

bool are_entries(Bytes bytes) {
    if (bytes.size > kMostMetadataBytes) return false;
    int32_t last = -1;
    Value value;
    for (size_t at = 0; at < bytes.size;) {
        if (!bytes.holds(at, 2)) return false;
        int32_t field = load<uint16_t>(bytes.data + at);
        at += 2;
        if (field <= last || field == kIdField || !read_value(bytes, at, value)) return false;
        last = field;
    }
    return true;
}

bool reserve_metadata(Store& store, size_t bytes) {
    if (store.stale > kLeastWaste && store.stale > store.metadata.size / 2) collect(store);
    return bytes <= 0x7FFFFFFF - kLengthBytes - store.metadata.size &&
           reserve(store.metadata, bytes + kLengthBytes);
}

void set_metadata(Store& store, uint32_t& at, Bytes entries) {
    ++store.version;
    if (at) store.stale += kLengthBytes + entries_at(store, at).size;
    at = 0;
    if (entries.size == 0) return;
    if (store.metadata.size == 0) extend(store.metadata, kLengthBytes);
    at = static_cast<uint32_t>(store.metadata.size);
    uint8_t* record = extend(store.metadata, kLengthBytes + entries.size);
    rvf::store(record, static_cast<uint32_t>(entries.size));
    copy(record + kLengthBytes, entries.data, entries.size);
}

bool is_our_meta(Bytes payload) {
    return payload.holds(0, kMetaFixedBytes) && load<uint32_t>(payload.data) == kMetaMagic;
}

Status read_meta(Store& store, Bytes payload, uint32_t home) {
    if (load<uint16_t>(payload.data + 4) != kMetaVersion) return kInvalidVersion;
    bool is_about = load<uint16_t>(payload.data + 6) & kMetaAboutStore;
    store.has_metadata |= home > 0;
    for (size_t at = kMetaFixedBytes; at < payload.size; is_about = false) {
        if (!payload.holds(at, kMetaRecordBytes)) return kTruncatedSegment;
        uint64_t id = load<uint64_t>(payload.data + at);
        uint32_t size = load<uint32_t>(payload.data + at + 8);
        at += kMetaRecordBytes;
        if (!payload.holds(at, size)) return kTruncatedSegment;
        Bytes entries = payload.part(at, size);
        if (!are_entries(entries)) return kTruncatedSegment;
        at += size;
        if (home == 0) continue;
        uint32_t number = is_about ? 0 : find_row(store, id);
        if (number == kNoRow) continue;
        if (!reserve_metadata(store, kLengthBytes + size)) return kOutOfMemory;
        if (is_about) {
            set_metadata(store, store.about, entries);
            continue;
        }
        Row row = row_at(store, number);
        set_metadata(store, *row.metadata, entries);
        if (*row.home < home) *row.home = home;
    }
    return kOk;
}

} // namespace rvf
