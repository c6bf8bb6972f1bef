#include "control/open.h"

#include "control/branch.h"
#include "control/control.h"
#include "control/heap.h"
#include "control/kept.h"
#include "control/manifest.h"
#include "control/metadata.h"
#include "control/segment.h"
#include "control/vec_segment.h"

namespace rvf {
namespace {

struct Opening {
    const OpenRequest& request;
    Store& store;
    Manifest manifest;
    /// Vectors may lie where they are in the file: most of it are vectors, and they share no byte
    /// with anything else that is listed, because records that replace others move them.
    bool maps;

    Bytes file() const { return request.file; }
};

// --- Salvage ---

Status lose(Opening& opening, const DirectoryEntry& entry, Status why) {
    if (!opening.request.salvages || why == kOutOfMemory) return why;
    uint8_t* loss = extend(opening.store.losses, kLossBytes);
    if (!loss) return kOutOfMemory;
    store(loss, entry.offset);
    store(loss + 8, entry.payload_length);
    store(loss + 16, entry.id);
    store(loss + 24, uint32_t{entry.type});
    store(loss + 28, static_cast<int32_t>(why));
    opening.store.warnings |= kLosses;
    return kOk;
}

/// Without a manifest: a directory of every sound segment with vectors or metadata, in file order.
/// The dimension is that of the first vectors.
Status list_sound_segments(Bytes file, Buffer& directory, Manifest& manifest) {
    Segment segment;
    for (uint64_t offset = 0; find_segment(file, offset, segment);) {
        bool sound = segment.complete && check_hash(file, segment) != HashState::kBad;
        offset = sound ? segment.end() : segment.offset + 1;
        bool wanted = segment.type == kVecSegment || segment.type == kMetaSegment;
        if (!sound || !wanted || !segment.payload.holds(0, kVecFixedBytes)) continue;
        if (segment.type == kVecSegment && manifest.dimension == 0) {
            manifest.dimension = load<uint16_t>(segment.payload.data);
        }
        uint8_t* entry = extend(directory, kDirectoryEntryBytes);
        if (!entry) return kOutOfMemory;
        store(entry, segment.id);
        store(entry + 8, segment.offset);
        store(entry + 16, segment.payload_length);
        entry[24] = segment.type;
        ++manifest.entry_count;
    }
    manifest.entries = directory.data;
    manifest.end = file.size;
    return manifest.entry_count ? kOk : kManifestNotFound;
}

// --- Layers ---

VecFit read_records(const Opening& opening, Bytes payload, VecRecords& records) {
    uint32_t dimension = opening.manifest.dimension;
    return opening.manifest.wasm_layout ? read_wasm_vec(payload, dimension, records)
                                        : read_vec(payload, dimension, records);
}

/// A segment that the directory lists and that must be sound. What its header says of it otherwise
/// is not believed.
Status read_listed(Opening& opening, const DirectoryEntry& entry, Segment& segment) {
    if (!read_segment(opening.file(), entry.offset, segment)) return kInvalidChecksum;
    // What lies behind the manifest was written later, and the next commit goes there.
    if (!segment.complete || segment.end() > opening.manifest.end) return kTruncatedSegment;
    bool is_foreign = entry.type != kVecSegment && !is_our_meta(segment.payload);
    if (!is_foreign && segment.payload_length > kMaxPayloadBytes) return kSegmentTooLarge;
    if (!is_foreign && segment.version != kFormatVersion) return kInvalidVersion;
    bool may_differ = is_foreign && is_compressed(opening.file(), segment);
    if (!may_differ && check_hash(opening.file(), segment) == HashState::kBad) {
        return kInvalidChecksum;
    }
    if (is_foreign) return kOk;
    if (entry.type != kVecSegment) return read_meta(opening.store, segment.payload, 0);
    VecRecords records;
    VecFit fit = read_records(opening, segment.payload, records);
    if (fit == VecFit::kOtherDimension) opening.store.warnings |= kForeignDimension;
    return fit == VecFit::kLies ? kTruncatedSegment : kOk;
}

/// A header that does not agree with the directory is damaged.
bool agrees(Bytes file, const DirectoryEntry& entry) {
    Segment segment;
    return read_segment(file, entry.offset, segment) && segment.type == entry.type &&
           segment.id == entry.id && segment.payload_length == entry.payload_length;
}

Layer* add_layer(Store& store) {
    auto* layer = reinterpret_cast<Layer*>(extend(store.layers, sizeof(Layer)));
    if (layer) *layer = {};
    return layer;
}

/// Checks all segments with vectors and metadata before anything is built, and makes the layers.
/// The segments cannot be larger than the file together, unless the directory lists one more than
/// once.
Status read_layers(Opening& opening) {
    Store& store = opening.store;
    const Manifest& manifest = opening.manifest;
    uint64_t listed = 0;
    uint64_t vectors = 0;
    uint64_t end = 0;
    Layer* layer = nullptr;
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        DirectoryEntry entry = directory_entry(manifest, i);
        if (entry.id >= store.next_id) store.next_id = entry.id + 1;
        if (!agrees(opening.file(), entry)) store.warnings |= kDamagedHeader;
        opening.maps &=
            entry.offset >= end && opening.file().holds(entry.offset, entry.payload_length);
        end = entry.offset + kSegmentHeaderBytes + entry.payload_length;
        bool is_vec = entry.type == kVecSegment;
        if (!is_vec && entry.type != kMetaSegment) continue;
        Segment segment = {};
        Status status = read_listed(opening, entry, segment);
        listed += kSegmentHeaderBytes + segment.payload.size;
        if (listed > opening.file().size) return kInvalidManifest;
        if (status != kOk) {
            status = lose(opening, entry, status);
            if (status != kOk) return status;
            continue;
        }
        if (!is_vec && !is_our_meta(segment.payload)) continue;
        if (is_vec || !layer || layer->meta_bytes) layer = add_layer(store);
        if (!layer) return kOutOfMemory;
        if (is_vec) {
            layer->vec_offset = entry.offset;
            layer->vec_bytes = segment.payload_length;
            layer->vec_id = entry.id;
            vectors += segment.payload_length;
        } else {
            layer->meta_offset = entry.offset;
            layer->meta_bytes = segment.payload_length;
            layer->meta_id = entry.id;
        }
    }
    opening.maps &= !(store.warnings & kDamagedHeader) && vectors / 3 >= opening.file().size / 4 &&
                    opening.file().data + end <= manifest.entries;
    if (opening.maps) { // what is not: metadata, columns, and the rows at the ends of layers
        uint64_t rows = vectors / record_bytes(store.dimension);
        uint64_t chunks = count_of<Layer>(store.layers);
        grow_once(static_cast<size_t>(listed - vectors + rows * kMappedRowBytes +
                                      (chunks * store.row_bytes << store.chunk_shift)));
    }
    return kOk;
}

void note_not_finite(Store& store, const Row& row) {
    if (*row.norm - *row.norm == 0) return; // then the elements are finite, too
    if (!all_finite(row.vector, store.dimension)) store.warnings |= kNotFiniteRows;
}

/// Records of all layers in order; the later one of equal ids replaces the earlier.
Status read_vectors(Opening& opening) {
    Store& store = opening.store;
    for (uint32_t home = 1; home <= count_of<Layer>(store.layers); ++home) {
        Layer& layer = items_of<Layer>(store.layers)[home - 1];
        layer.first_row = kNoRow;
        Segment segment;
        VecRecords records;
        if (layer.vec_bytes == 0) continue;
        read_segment(opening.file(), layer.vec_offset, segment);
        if (read_records(opening, segment.payload, records) != VecFit::kFits) continue;
        layer.records = static_cast<uint32_t>(records.count);
        if (!reserve_ids(store, records.count)) return kOutOfMemory;
        // Room is made as it is needed, because many records may replace each other.
        for (uint64_t r = 0; r < records.count;) {
            const uint8_t* record = records.first + r * record_bytes(store.dimension);
            uint32_t number = store.row_count;
            uint32_t taken = 0;
            if (opening.maps) {
                taken = map_chunk(store, opening.file(), record, records.count - r, home);
            }
            if (taken == 0) {
                if (reserve_rows(store, 1) != kOk) return kOutOfMemory;
                number = put_vector(store, load<uint64_t>(record), record + 8);
                Row row = row_at(store, number);
                *row.mark &= static_cast<uint8_t>(~kVectorChanged);
                *row.home = home;
                if (*row.first == 0) *row.first = home;
                taken = 1;
            }
            if (number < layer.first_row) layer.first_row = number;
            for (r += taken; taken-- > 0; ++number) note_not_finite(store, row_at(store, number));
        }
    }
    return kOk;
}

Status read_metadata(Opening& opening) {
    Store& store = opening.store;
    for (uint32_t home = 1; home <= count_of<Layer>(store.layers); ++home) {
        Layer& layer = items_of<Layer>(store.layers)[home - 1];
        Segment segment;
        if (layer.meta_bytes == 0) continue;
        read_segment(opening.file(), layer.meta_offset, segment);
        layer.first_row = 0;
        if (read_meta(store, segment.payload, home) != kOk) return kOutOfMemory;
    }
    return kOk;
}

Status delete_listed(Store& store, const Manifest& manifest) {
    if (!reserve_deletes(store, manifest.deleted_count)) return kOutOfMemory;
    for (uint32_t i = 0; i < manifest.deleted_count; ++i) {
        delete_id(store, load<uint64_t>(manifest.deleted + size_t{i} * 8));
    }
    store.journal.size = 0;
    return kOk;
}

int32_t stored_metric(const Manifest& manifest, uint32_t& warnings) {
    if (manifest.wasm_layout) warnings |= kWasmLayout;
    if (!manifest.wasm_layout && manifest.metric_byte <= kCosine) return manifest.metric_byte;
    warnings |= kMetricAssumed;
    return kL2;
}

/// The first commit writes all rows anew: upstream's runtime cannot read what its wasm module
/// wrote, and a branch that lost the records of its parent has no other place for the parent's
/// rows.
void forget_layers(Store& store) {
    store.layers.size = store.deleted.size = 0;
    store.membership_changed = false;
    store.about_changed = true;
    for (uint32_t i = 0; i < store.row_count; ++i) {
        Row row = row_at(store, i);
        *row.home = *row.first = 0;
        *row.mark &= static_cast<uint8_t>(~kInherited);
        if (!is_dead(row)) mark_changed(store, i, kVectorChanged);
    }
}

Status read(Opening& opening) {
    Store& store = opening.store;
    const Manifest& manifest = opening.manifest;
    store.epoch = manifest.epoch;
    store.profile = manifest.profile;
    if (manifest.identity) copy(store.identity, manifest.identity, kIdentityBytes);
    Status status = kOk;
    bool is_damaged = store.warnings & (kSkippedManifest | kDamagedManifest); // not its parent
    if (is_branch(manifest)) {
        store.is_branch = true;
        status = add_parent_rows(store, opening.request, manifest);
        if (status != kOk) status = lose(opening, {0, 0, 0, kCowMapSegment}, status);
    }
    if (status == kOk) status = read_layers(opening);
    if (status == kOk) status = read_vectors(opening);
    if (status == kOk) status = read_metadata(opening);
    if (status == kOk) status = delete_listed(store, manifest);
    if (status == kOk) status = keep_segments(store, opening.file(), manifest);
    if (is_damaged || store.warnings & kLosses) {
        store.file_size = opening.file().size; // what is there may be somebody's last copy
    }
    store.first_changed = kNoRow;
    store.changed_count = 0;
    if (manifest.wasm_layout || is_branch(manifest) != store.is_branch) forget_layers(store);
    store.changed = false;
    return status;
}

} // namespace

Status open_store(const OpenRequest& request, Store*& store) {
    Manifest manifest;
    Buffer directory;
    uint32_t warnings = 0;
    Status found = find_manifest(request.file, manifest, warnings);
    Status status = found;
    if (found == kManifestNotFound && request.salvages) {
        manifest = {};
        status = list_sound_segments(request.file, directory, manifest);
    }
    if (status == kOk && manifest.dimension == 0) status = kInvalidManifest;
    Store* made = nullptr;
    if (status == kOk) {
        int32_t stored = found == kOk ? stored_metric(manifest, warnings) : kL2;
        made = make_store(manifest.dimension, request.metric < 0 ? stored : request.metric);
        if (!made) status = kOutOfMemory;
    }
    if (made) {
        made->warnings = warnings;
        Opening opening{request, *made, manifest, request.takes_file && !request.salvages};
        DirectoryEntry lost = {0, 0, 0, kManifestSegment};
        if (found != kOk) {
            made->warnings |= kMetricAssumed;
            status = lose(opening, lost, found);
        }
        if (status == kOk) status = read(opening);
        if (status != kOk) {
            made->file = {};
            free_store(made);
        }
    }
    free_buffer(directory);
    if (status == kOk) store = made;
    return status;
}

} // namespace rvf
