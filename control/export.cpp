#include "control/export.h"

#include "control/manifest.h"
#include "control/segment.h"
#include "control/vec_segment.h"

namespace rvf {
namespace {

/// Payload of one VEC segment; upstream's readers refuse more than 256 MiB.
constexpr uint64_t kVecPayloadBytes = 128u << 20;

uint64_t rows_per_segment(const Store& store) {
    return (kVecPayloadBytes - kVecFixedBytes) / record_bytes(store.dimension);
}

uint64_t vec_segment_count(const Store& store) {
    uint64_t rows = rows_per_segment(store);
    return (live_count(store) + rows - 1) / rows;
}

uint32_t kept_count(const Store& store) {
    uint32_t count = 0;
    Segment segment;
    for (uint64_t at = 0; read_segment({store.kept, store.kept_bytes}, at, segment); ++count) {
        at = segment.end();
    }
    return count;
}

static_assert(sizeof(Store::identity) == kIdentityBytes);

bool identity_is_set(const Store& store) {
    return (load<uint64_t>(store.identity) | load<uint64_t>(store.identity + 8)) != 0;
}

uint64_t manifest_payload_bytes(const Store& store) {
    uint64_t entries = vec_segment_count(store) + kept_count(store);
    return kManifestFixedBytes + entries * kDirectoryEntryBytes + 4 +
           (identity_is_set(store) ? 4 + kIdentityBytes : 0);
}

/// Writes segments one after the other and their directory entries as it goes.
struct Writer {
    uint8_t* file;
    uint8_t* at;
    uint8_t* entry; ///< next directory entry
    uint64_t last_id = 0;

    void list(uint64_t id, uint64_t payload_bytes, uint8_t type) {
        store(entry, id);
        store(entry + 8, static_cast<uint64_t>(at - file));
        store(entry + 16, payload_bytes);
        entry[24] = type;
        entry += kDirectoryEntryBytes;
        if (id > last_id) last_id = id;
    }
};

/// The next `count` live rows from `row` on as one segment; answers the row after the last.
uint32_t write_vectors(const Store& store, Writer& writer, uint32_t row, uint32_t count) {
    uint8_t* payload = writer.at + kSegmentHeaderBytes;
    rvf::store(payload, static_cast<uint16_t>(store.dimension));
    rvf::store(payload + 2, count);
    uint8_t* record = payload + kVecFixedBytes;
    for (; count > 0; ++row) {
        Row source = row_at(store, row);
        if (*source.dead) continue;
        copy(record, source.id, 8);
        copy(record + 8, source.vector, size_t{store.dimension} * 4);
        record += record_bytes(store.dimension);
        --count;
    }
    size_t payload_bytes = static_cast<size_t>(record - payload);
    uint64_t id = writer.last_id + 1;
    write_header(writer.at, kVecSegment, id, {payload, payload_bytes});
    writer.list(id, payload_bytes, kVecSegment);
    writer.at = record;
    return row;
}

void write_kept(const Store& store, Writer& writer) {
    Segment segment;
    for (uint64_t at = 0; read_segment({store.kept, store.kept_bytes}, at, segment);) {
        size_t size = kSegmentHeaderBytes + static_cast<size_t>(segment.payload_length);
        copy(writer.at, store.kept + at, size);
        writer.list(segment.id, segment.payload_length, segment.type);
        writer.at += size;
        at = segment.end();
    }
}

} // namespace

uint64_t export_size(const Store& store) {
    return vec_segment_count(store) * (kSegmentHeaderBytes + kVecFixedBytes) +
           live_count(store) * record_bytes(store.dimension) + store.kept_bytes +
           kSegmentHeaderBytes + manifest_payload_bytes(store);
}

void export_store(const Store& store, uint8_t* target) {
    size_t payload_bytes = static_cast<size_t>(manifest_payload_bytes(store));
    uint8_t* payload = target + static_cast<size_t>(export_size(store)) - payload_bytes;
    __builtin_memset(payload, 0, payload_bytes);
    Writer writer{target, target, payload + kManifestFixedBytes};
    uint32_t row = 0;
    for (uint64_t left = live_count(store); left > 0;) {
        uint64_t count = left < rows_per_segment(store) ? left : rows_per_segment(store);
        row = write_vectors(store, writer, row, static_cast<uint32_t>(count));
        left -= count;
    }
    write_kept(store, writer);
    rvf::store(payload, store.epoch);
    rvf::store(payload + 4, static_cast<uint16_t>(store.dimension));
    rvf::store(payload + 6, uint64_t{live_count(store)});
    rvf::store(payload + 14, static_cast<uint32_t>(vec_segment_count(store) + kept_count(store)));
    payload[18] = store.profile;
    payload[19] = static_cast<uint8_t>(store.metric);
    if (identity_is_set(store)) {
        rvf::store(writer.entry + 4, kIdentityMarker); // behind an empty list of deleted ids
        copy(writer.entry + 8, store.identity, kIdentityBytes);
    }
    write_header(writer.at, kManifestSegment, writer.last_id + 1, {payload, payload_bytes});
}

} // namespace rvf
