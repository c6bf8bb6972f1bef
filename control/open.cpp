#include "control/open.h"

#include "control/branch.h"
#include "control/control.h"
#include "control/heap.h"
#include "control/manifest.h"
#include "control/segment.h"
#include "control/vec_segment.h"

namespace rvf {
namespace {

VecFit read_records(Bytes payload, const Manifest& manifest, VecRecords& records) {
    return manifest.wasm_layout ? read_wasm_vec(payload, manifest.dimension, records)
                                : read_vec(payload, manifest.dimension, records);
}

/// One entry of the directory that must be a sound vector segment.
Status read_vectors(Bytes file, const DirectoryEntry& entry, const Manifest& manifest,
                    uint32_t& warnings) {
    Segment segment;
    VecRecords records;
    if (!read_segment(file, entry.offset, segment)) return kInvalidChecksum;
    if (!segment.complete) return kTruncatedSegment;
    if (segment.payload_length > kMaxPayloadBytes) return kSegmentTooLarge;
    if (segment.version != kFormatVersion) return kInvalidVersion;
    if (check_hash(file, segment) == HashState::kBad) return kInvalidChecksum;
    VecFit fit = read_records(segment.payload, manifest, records);
    if (fit == VecFit::kLies) return kTruncatedSegment;
    if (fit == VecFit::kOtherDimension) warnings |= kForeignDimension;
    return kOk;
}

/// Of the segment that an entry points at; 0 when none is there.
uint64_t payload_bytes(Bytes file, const DirectoryEntry& entry) {
    Segment segment;
    return read_segment(file, entry.offset, segment) ? segment.payload.size : 0;
}

/// Checks all vector segments before anything is built. They cannot be larger than the file
/// together, unless the directory lists one more than once.
Status check_vectors(Bytes file, const Manifest& manifest, uint32_t& warnings) {
    uint64_t listed = 0;
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        DirectoryEntry entry = directory_entry(manifest, i);
        if (entry.type != kVecSegment) continue;
        listed += kSegmentHeaderBytes + payload_bytes(file, entry);
        if (listed > file.size) return kInvalidManifest;
        Status status = read_vectors(file, entry, manifest, warnings);
        if (status != kOk) return status;
    }
    return kOk;
}

/// Records of all segments in directory order; the later one of equal ids replaces the earlier.
Status fill(Store& store, Bytes file, const Manifest& manifest) {
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        DirectoryEntry entry = directory_entry(manifest, i);
        if (entry.type != kVecSegment) continue;
        Segment segment;
        read_segment(file, entry.offset, segment);
        VecRecords records;
        if (read_records(segment.payload, manifest, records) != VecFit::kFits) continue;
        // Room is made as it is needed, because many records may replace each other.
        for (uint64_t r = 0; r < records.count; ++r) {
            const uint8_t* record = records.first + r * record_bytes(manifest.dimension);
            if (reserve_rows(store, 1) != kOk) return kOutOfMemory;
            put_vector(store, load<uint64_t>(record), record + 8);
            if (!all_finite(record + 8, manifest.dimension)) store.warnings |= kNotFiniteRows;
        }
    }
    for (uint32_t i = 0; i < manifest.deleted_count; ++i) {
        delete_id(store, load<uint64_t>(manifest.deleted + size_t{i} * 8));
    }
    return kOk;
}

/// What an export has to carry on: every kind of segment that it does not write itself.
bool is_kept(uint8_t type) {
    return type != kVecSegment && type != kIndexSegment && type != kJournalSegment &&
           type != kManifestSegment && type != kCowMapSegment && type != kMembershipSegment;
}

/// Calls `use` for every kept segment before the end of `manifest`, and for the witnesses directly
/// behind it, where upstream puts the one of a compaction. The length of a segment whose hash is
/// bad is only believed when the directory lists it; what a torn write left is walked over byte by
/// byte.
template <typename Use>
void for_kept(Bytes file, const Manifest& manifest, Use use) {
    Segment segment;
    uint32_t next = 0; // directory entry; a directory is in file order, and else the hash decides
    uint64_t left_to_hash = file.size; // of segments that are not listed; sound ones do not overlap
    for (uint64_t offset = 0; find_segment(file, offset, segment);) {
        while (next < manifest.entry_count &&
               directory_entry(manifest, next).offset < segment.offset) {
            ++next;
        }
        bool listed =
            next < manifest.entry_count && directory_entry(manifest, next).offset == segment.offset;
        bool behind = segment.offset >= manifest.end;
        if (behind && (segment.offset != offset || segment.type != kWitnessSegment)) break;
        bool sound = segment.complete && listed;
        if (segment.complete && !listed && segment.payload_length <= left_to_hash) {
            left_to_hash -= segment.payload_length;
            sound = check_hash(file, segment) != HashState::kBad;
        }
        if (sound && is_kept(segment.type)) use(segment);
        offset = sound ? segment.end() : segment.offset + 1;
    }
}

Status keep_segments(Store& store, Bytes file, const Manifest& manifest) {
    size_t total = 0;
    for_kept(file, manifest, [&](const Segment& segment) {
        total += kSegmentHeaderBytes + static_cast<size_t>(segment.payload_length);
    });
    if (total == 0) return kOk;
    store.kept = allocate(total);
    if (!store.kept) return kOutOfMemory;
    store.kept_bytes = total;
    uint8_t* target = store.kept;
    for_kept(file, manifest, [&](const Segment& segment) {
        size_t size = kSegmentHeaderBytes + static_cast<size_t>(segment.payload_length);
        copy(target, file.data + segment.offset, size);
        target += size;
    });
    return kOk;
}

int32_t stored_metric(const Manifest& manifest, uint32_t& warnings) {
    if (manifest.wasm_layout) {
        warnings |= kWasmLayout | kMetricAssumed;
        return kL2;
    }
    if (manifest.metric_byte <= kCosine) return manifest.metric_byte;
    warnings |= kMetricAssumed;
    return kL2;
}

} // namespace

Status open_store(Bytes file, Bytes parent, int32_t metric, Store*& store) {
    Manifest manifest;
    uint32_t warnings = 0;
    Status status = find_manifest(file, manifest, warnings);
    if (status != kOk) return status;
    if (manifest.dimension == 0) return kInvalidManifest;
    status = check_vectors(file, manifest, warnings);
    if (status != kOk) return status;
    int32_t stored = stored_metric(manifest, warnings);
    store = make_store(manifest.dimension, metric < 0 ? stored : metric);
    if (!store) return kOutOfMemory;
    store->epoch = manifest.epoch;
    store->profile = manifest.profile;
    store->warnings = warnings;
    if (manifest.identity) copy(store->identity, manifest.identity, kIdentityBytes);
    if (is_branch(manifest)) status = add_parent_rows(*store, file, manifest, parent);
    if (status == kOk) status = fill(*store, file, manifest);
    if (status == kOk) status = keep_segments(*store, file, manifest);
    if (status != kOk) {
        free_store(store);
        store = nullptr;
    }
    return status;
}

} // namespace rvf
