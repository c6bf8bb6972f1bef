#include "control/commit.h"

#include "control/branch.h"
#include "control/heap.h"
#include "control/kept.h"
#include "control/layers.h"
#include "control/manifest.h"
#include "control/metadata.h"
#include "control/segment_writer.h"
#include "control/signature.h"
#include "control/vec_segment.h"
#include "control/witness.h"

namespace rvf {
namespace {

/// Of the VEC and META payloads of a layer together; upstream's readers refuse more than 256 MiB.
constexpr uint64_t kLayerBytes = 128u << 20;

constexpr uint16_t kDeleteEntryKind = 0x0001; ///< then a zero byte and a length of 8

static_assert(sizeof(Store::identity) == kIdentityBytes);

/// One run over the store: what is written, and what the writing finds out.
struct Commit {
    const Store& store;
    SegmentWriter writer;
    uint32_t layers_kept = 0; ///< rows of later layers are written anew
    bool replaces = false;
    /// An image: every row is written, also those of a branch's parent, and no JOURNAL or WITNESS.
    bool whole = false;
    uint64_t time_ns = 0;
    uint32_t epoch = 0;

    Layer* new_layers = nullptr;
    uint32_t layer_count = 0;
    uint32_t rows = 0;
    uint32_t ingested = 0;     ///< of them, those that are new or replaced
    uint32_t next_deleted = 0; ///< of Store::deleted, to be written as records that hide
    uint64_t kept_at = 0;
    uint64_t witness_at = 0;
    uint64_t last_witness = 0;
    uint8_t witness[kSimpleHashBytes] = {};
    uint64_t manifest_at = 0;
    uint32_t entry_count = 0;

    bool takes_vector(const Row& row) const {
        return whole || *row.mark & kVectorChanged || *row.home > layers_kept;
    }
    bool takes(const Row& row) const {
        return !is_dead(row) && (takes_vector(row) || *row.mark & kMetadataChanged);
    }
    /// Of a branch: an id that the parent has and no layer that stays hides.
    bool takes(const Deleted& deleted) const {
        return !whole && deleted.inherited && (deleted.first == 0 || deleted.first > layers_kept);
    }
    /// An id that a layer that stays, or the parent, still holds.
    bool lists(const Deleted& deleted) const {
        return !whole && (deleted.inherited || deleted.first <= layers_kept);
    }
    /// An image is no branch, and an INDEX may know rows that are gone.
    bool keeps(const Segment& segment, const Kept& kept) const {
        bool is_branch = segment.type == kCowMapSegment || segment.type == kMembershipSegment;
        bool is_old_index = segment.type == kIndexSegment && kept.offset != kNotInFile;
        return !(whole && (is_branch || is_old_index));
    }
    bool is_new(const Kept& kept) const { return replaces || kept.offset == kNotInFile; }
};

uint32_t first_row(const Commit& commit) {
    if (commit.whole) return 0;
    uint32_t first = commit.store.first_changed;
    const Layer* layers = items_of<Layer>(commit.store.layers);
    for (uint32_t i = commit.layers_kept; i < count_of<Layer>(commit.store.layers); ++i) {
        if (layers[i].first_row < first) first = layers[i].first_row;
    }
    return first;
}

// --- Layers ---

/// Vectors of the rows from `row` on, as many as a layer holds; answers the row behind the last.
uint32_t write_vec(Commit& commit, uint32_t row, Layer& layer) {
    const Store& store = commit.store;
    SegmentWriter& writer = commit.writer;
    uint64_t payload = writer.begin();
    writer.put(static_cast<uint16_t>(store.dimension));
    writer.put(uint32_t{0});
    uint32_t count = 0;
    uint64_t metadata = 0;
    uint64_t most = payload + kLayerBytes - record_bytes(store.dimension);
    uint32_t deleted_count = count_of<Deleted>(store.deleted);
    for (uint32_t& i = commit.next_deleted; i < deleted_count && writer.size <= most; ++i) {
        const Deleted& deleted = items_of<Deleted>(store.deleted)[i];
        if (!commit.takes(deleted)) continue;
        // It hides the parent's vector, and the list of deleted ids hides it.
        writer.put(deleted.id);
        for (uint32_t d = 0; d < store.dimension; ++d) writer.put(0.0f);
        ++count;
    }
    for (; row < store.row_count && writer.size + metadata <= most; ++row) {
        Row source = row_at(store, row);
        if (!commit.takes(source)) continue;
        ++layer.records;
        metadata += kMetaRecordBytes + entries_at(store, *source.metadata).size;
        if (!commit.takes_vector(source)) continue;
        commit.ingested += (*source.mark & kVectorChanged) != 0;
        writer.put(source.id, 8);
        writer.put(source.vector, uint64_t{4} * store.dimension);
        ++count;
    }
    if (count == 0) {
        writer.size = payload - kSegmentHeaderBytes;
        return row;
    }
    if (writer.target) rvf::store(writer.target + payload + 2, count);
    layer.vec_offset = writer.base + payload - kSegmentHeaderBytes;
    layer.vec_bytes = writer.size - payload;
    layer.vec_id = writer.end(kVecSegment, payload, true);
    return row;
}

void put_record(SegmentWriter& writer, uint64_t id, Bytes entries) {
    writer.put(id);
    writer.put(static_cast<uint32_t>(entries.size));
    writer.put(entries.data, entries.size);
}

/// Metadata of the layer's rows. Rows without any have a record too where an earlier one may exist.
void write_meta(Commit& commit, uint32_t row, uint32_t end, Layer& layer) {
    const Store& store = commit.store;
    if (!store.has_metadata) return;
    SegmentWriter& writer = commit.writer;
    // Upstream's compaction lists segments again that have left the directory.
    bool overrules = !commit.replaces || (store.is_branch && !commit.whole);
    bool drops = commit.layer_count == 0 && commit.layers_kept < count_of<Layer>(store.layers);
    bool needed = overrules ? store.about_changed || drops : store.about != 0;
    auto takes = [&](const Row& source) {
        return commit.takes(source) && (overrules || *source.metadata);
    };
    for (uint32_t i = row; i < end && !needed; ++i) needed = takes(row_at(store, i));
    if (!needed) return; // nothing is put before: the directory, behind, is there already
    uint64_t payload = writer.begin();
    writer.put(kMetaMagic);
    writer.put(kMetaVersion);
    writer.put(kMetaAboutStore);
    put_record(writer, 0, entries_at(store, store.about));
    for (; row < end; ++row) {
        Row source = row_at(store, row);
        if (takes(source)) {
            put_record(writer, load<uint64_t>(source.id), entries_at(store, *source.metadata));
        }
    }
    layer.meta_offset = writer.base + payload - kSegmentHeaderBytes;
    layer.meta_bytes = writer.size - payload;
    layer.meta_id = writer.end(kMetaSegment, payload, true);
}

void write_layers(Commit& commit) {
    uint32_t row = first_row(commit);
    do {
        Layer layer = {};
        layer.first_row = row;
        uint32_t end = write_vec(commit, row, layer);
        write_meta(commit, row, end, layer);
        row = end;
        commit.rows += layer.records;
        if (layer.vec_bytes == 0 && layer.meta_bytes == 0) continue;
        if (commit.new_layers) commit.new_layers[commit.layer_count] = layer;
        ++commit.layer_count;
    } while (row < commit.store.row_count ||
             commit.next_deleted < count_of<Deleted>(commit.store.deleted));
}

// --- Other segments ---

/// Segments that were added, or all when the file is written anew.
void write_kept(Commit& commit) {
    const Store& store = commit.store;
    SegmentWriter& writer = commit.writer;
    commit.kept_at = writer.size;
    uint32_t count = count_of<Kept>(store.kept_list);
    for (uint32_t i = 0; i < count; ++i) {
        const Kept& kept = items_of<Kept>(store.kept_list)[i];
        Segment segment = kept_segment(store, kept);
        if (!commit.is_new(kept) || !commit.keeps(segment, kept)) continue;
        writer.list(segment.id, writer.base + writer.size, segment.payload_length, segment.type);
        uint64_t at = writer.size;
        writer.put(kept_bytes(store, kept), kept.size);
        if (writer.signature < 0 || kept.offset != kNotInFile) continue;
        if (writer.target) writer.target[at + kFlagsOffset] |= kSignedFlag;
        writer.put_footer();
    }
    if (!commit.replaces || store.witnesses.size == 0) return;
    if (commit.whole) {
        const uint8_t* last = store.witnesses.data + store.last_witness;
        writer.list(load<uint64_t>(last + 8), writer.base + writer.size + store.last_witness,
                    load<uint64_t>(last + 16), kWitnessSegment);
    }
    writer.put(store.witnesses.data, store.witnesses.size);
}

void write_journal(Commit& commit) {
    const Store& store = commit.store;
    uint32_t count = count_of<uint64_t>(store.journal);
    if (count == 0) return;
    SegmentWriter& writer = commit.writer;
    uint64_t payload = writer.begin();
    writer.put(count);
    writer.put(commit.epoch);
    writer.put(uint64_t{0});
    for (uint32_t i = 0; i < count; ++i) {
        writer.put(kDeleteEntryKind);
        writer.put(uint16_t{8});
        writer.put(items_of<uint64_t>(store.journal)[i]);
    }
    writer.end(kJournalSegment, payload, true);
}

void write_manifest(Commit& commit) {
    const Store& store = commit.store;
    SegmentWriter& writer = commit.writer;
    commit.manifest_at = writer.size;
    commit.entry_count = writer.entry_count;
    uint64_t payload = writer.begin();
    uint32_t listed = count_of<Deleted>(store.deleted);
    uint32_t deleted = 0;
    for (uint32_t i = 0; i < listed; ++i) {
        deleted += commit.lists(items_of<Deleted>(store.deleted)[i]);
    }
    writer.put(commit.epoch);
    writer.put(static_cast<uint16_t>(store.dimension));
    writer.put(uint64_t{live_count(store)} + deleted);
    writer.put(commit.entry_count);
    writer.put(store.profile);
    writer.put(static_cast<uint8_t>(store.metric));
    writer.put(uint16_t{0});
    writer.size += uint64_t{commit.entry_count} * kDirectoryEntryBytes; // they are there already
    writer.put(deleted);
    for (uint32_t i = 0; i < listed; ++i) {
        const Deleted& entry = items_of<Deleted>(store.deleted)[i];
        if (commit.lists(entry)) writer.put(entry.id);
    }
    if (load<uint64_t>(store.identity) | load<uint64_t>(store.identity + 8)) {
        writer.put(kIdentityMarker);
        writer.put(store.identity, kIdentityBytes);
    }
    writer.end(kManifestSegment, payload, false);
}

void write(Commit& commit) {
    if (!commit.replaces) list_what_stays(commit.store, commit.layers_kept, commit.writer);
    write_layers(commit);
    write_kept(commit);
    if (!commit.whole) {
        write_journal(commit);
        commit.witness_at = commit.writer.size;
        Events events{commit.replaces ? commit.rows : commit.ingested,
                      count_of<uint64_t>(commit.store.journal),
                      commit.replaces,
                      commit.store.derivation,
                      commit.epoch,
                      commit.time_ns};
        copy(commit.witness, commit.store.witness, kSimpleHashBytes);
        commit.last_witness = write_witnesses(events, commit.writer, commit.witness);
    }
    write_manifest(commit);
}

/// The same with the bytes, after a run without them.
void write_to(uint8_t* target, const Commit& counted, Commit& commit) {
    commit.writer.target = target;
    commit.writer.entries = target + static_cast<size_t>(counted.manifest_at) +
                            kSegmentHeaderBytes + kManifestFixedBytes;
    write(commit);
}

/// The rows that were written are as the file has them.
void settle_rows(Store& store, const Commit& commit) {
    const Layer* layers = items_of<Layer>(store.layers);
    uint32_t home = commit.layers_kept + 1;
    uint32_t left = commit.layer_count ? layers[home - 1].records : 0;
    for (uint32_t i = first_row(commit); i < store.row_count; ++i) {
        Row row = row_at(store, i);
        if (!commit.takes(row)) continue;
        while (left == 0) left = layers[home++].records;
        --left;
        if (commit.takes_vector(row) && (*row.first == 0 || *row.first > commit.layers_kept)) {
            *row.first = home;
        }
        *row.home = home;
        *row.mark &= static_cast<uint8_t>(~(kVectorChanged | kMetadataChanged));
    }
    for (uint32_t i = 0; i < count_of<Deleted>(store.deleted); ++i) {
        Deleted& deleted = items_of<Deleted>(store.deleted)[i];
        if (commit.takes(deleted)) deleted.first = commit.layers_kept + commit.layer_count;
    }
    store.first_changed = kNoRow;
}

Commit image_of(const Store& store) {
    Commit commit{store, {}};
    commit.replaces = commit.whole = true;
    commit.epoch = store.epoch + store.changed;
    return commit;
}

void forget_pending(Store& store) {
    release(const_cast<uint8_t*>(store.pending.bytes.data), store.pending.bytes.size);
    store.pending = {};
}

} // namespace

Status make_commit(Store& store, const CommitRequest& request) {
    if (!store.changed && !request.replaces) return kOk;
    if (request.replaces || store.first_changed != kNoRow || store.journal.size) {
        drop_segments(store, kIndexSegment,
                      !store.saved_index_is_old); // it knows rows that are gone
    }
    forget_live(store);
    if (store.membership_changed && !store.excludes && add_membership(store) != kOk) {
        return kOutOfMemory;
    }
    Commit counted{store, {}};
    counted.replaces = request.replaces;
    counted.layers_kept = request.replaces ? 0 : layers_to_keep(store);
    forget_merged(store, kNoRow); // sorts
    counted.time_ns = request.time_ns;
    counted.epoch = store.epoch + 1;
    counted.writer.base = request.replaces ? 0 : store.file_size;
    counted.writer.next_id = store.next_id;
    counted.writer.signature = request.signature;
    Commit commit = counted;
    write(counted);

    size_t bytes_kept = counted.layers_kept * sizeof(Layer);
    size_t size = static_cast<size_t>(counted.writer.size);
    size_t kept_more = static_cast<size_t>(counted.witness_at - counted.kept_at);
    size_t witnesses_more = static_cast<size_t>(counted.manifest_at - counted.witness_at);
    size_t new_layers = counted.layer_count * sizeof(Layer);
    uint8_t* bytes = size == counted.writer.size && reserve(store.layers, new_layers) &&
                             reserve(store.kept, kept_more) &&
                             reserve(store.witnesses, witnesses_more)
                         ? allocate(size)
                         : nullptr;
    if (!bytes) return kOutOfMemory;
    forget_merged(store, counted.layers_kept);
    commit.new_layers = reinterpret_cast<Layer*>(store.layers.data + store.layers.size);
    write_to(bytes, counted, commit);
    __builtin_memmove(store.layers.data + bytes_kept, commit.new_layers, new_layers);
    store.layers.size = bytes_kept + new_layers;
    settle_rows(store, commit);

    Pending& pending = store.pending;
    pending.bytes = {bytes, size};
    pending.data_size = static_cast<size_t>(commit.manifest_at);
    pending.offset = commit.writer.base;
    pending.replaces = commit.replaces;
    pending.signature = request.signature;
    pending.layers_kept = commit.layers_kept;
    pending.kept_at = static_cast<size_t>(commit.kept_at);
    pending.witness_at = static_cast<size_t>(commit.witness_at);
    pending.last_witness = static_cast<size_t>(commit.last_witness);
    pending.journal_bytes = store.journal.size;
    pending.next_id = commit.writer.next_id;
    copy(pending.witness, commit.witness, kSimpleHashBytes);
    store.changed = store.about_changed = false;
    store.changed_count = 0;
    return kOk;
}

void acknowledge(Store& store) {
    Pending& pending = store.pending;
    uint64_t offset = pending.offset + pending.kept_at;
    uint32_t count = count_of<Kept>(store.kept_list);
    bool moves = pending.signature >= 0; // what is new gets a footer; all of it lies at the end
    for (uint32_t i = 0; i < count; ++i) {
        Kept& kept = items_of<Kept>(store.kept_list)[i];
        bool is_new = kept.offset == kNotInFile;
        if (!is_new && !pending.replaces) continue;
        size_t at = static_cast<size_t>(offset - pending.offset);
        if (is_new && pending.signature >= 0) {
            if (moves) store.kept.size = kept.at;
            moves = false;
            kept.size += signature_bytes(pending.signature) + kFooterFrameBytes;
            kept.at = store.kept.size;
            copy(extend(store.kept, kept.size), pending.bytes.data + at, kept.size);
        }
        kept.offset = offset;
        offset += kept.size;
    }
    size_t size = pending.data_size - pending.witness_at;
    store.last_witness = store.witnesses.size + pending.last_witness - pending.witness_at;
    copy(extend(store.witnesses, size), pending.bytes.data + pending.witness_at, size);
    store.file_size = pending.offset + pending.bytes.size;
    ++store.epoch;
    store.next_id = pending.next_id;
    store.derivation = -1;
    copy(store.witness, pending.witness, kSimpleHashBytes);
    store.journal.size -= pending.journal_bytes;
    __builtin_memmove(store.journal.data, store.journal.data + pending.journal_bytes,
                      store.journal.size);
    forget_pending(store);
}

void discard(Store& store) {
    Pending& pending = store.pending;
    store.layers.size = pending.layers_kept * sizeof(Layer);
    for (uint32_t i = 0; i < store.row_count; ++i) {
        Row row = row_at(store, i);
        if (is_dead(row) || *row.home <= pending.layers_kept) continue;
        mark_changed(store, i, kVectorChanged);
        *row.home = 0;
        if (*row.first > pending.layers_kept) *row.first = 0;
    }
    forget_merged(store, pending.layers_kept);
    store.changed = store.about_changed = true;
    forget_pending(store);
}

uint64_t image_size(const Store& store) {
    Commit commit = image_of(store);
    write(commit);
    return commit.writer.size;
}

void write_image(const Store& store, uint8_t* target) {
    Commit counted = image_of(store);
    Commit commit = counted;
    write(counted);
    write_to(target, counted, commit);
}

} // namespace rvf
