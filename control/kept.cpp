#include "control/kept.h"

#include "control/cow.h"
#include "control/manifest.h"
#include "control/metadata.h"
#include "control/signature.h"
#include "control/witness.h"

namespace rvf {
namespace {

constexpr uint32_t kKinds = 3;

/// Of the kinds of which only the last in the directory counts; kKinds: all of them do.
uint32_t record_kind(uint8_t type) {
    constexpr uint8_t kTypes[] = {kIndexSegment, kCowMapSegment, kMembershipSegment};
    uint32_t kind = 0;
    while (kind < kKinds && kTypes[kind] != type) ++kind;
    return kind;
}

/// `is_record`: of its kind the one that counts.
bool is_kept(const Segment& segment, bool is_record) {
    uint8_t type = segment.type;
    if (record_kind(type) < kKinds) return is_record;
    if (type == kMetaSegment) return !is_our_meta(segment.payload);
    return type != kVecSegment && type != kJournalSegment && type != kManifestSegment;
}

bool is_sound_witness(Bytes file, const Segment& segment) {
    return segment.type == kWitnessSegment && is_runtime_witness(segment.payload) &&
           check_hash(file, segment) != HashState::kBad;
}

/// Whether the next manifest from `offset` on, which then is behind it, is sound. A write that was
/// interrupted may have left all of its segments, and a manifest with holes.
bool is_committed(Bytes file, uint64_t& offset) {
    Segment segment;
    while (find_segment(file, offset, segment)) {
        offset = segment.complete ? behind_footer(file, segment.end()) : segment.offset + 1;
        if (!segment.complete || segment.type != kManifestSegment) continue;
        return check_hash(file, segment) != HashState::kBad;
    }
    return true;
}

/// What the segments that freeze a file, and those that nobody writes, say.
void read_record(Store& store, Bytes file, const Segment& segment) {
    bool is_refcount = segment.type == kRefcountSegment;
    if (!is_refcount && segment.type != kDeltaSegment) return;
    bool sound =
        check_hash(file, segment) != HashState::kBad &&
        (is_refcount ? is_refcount_header(segment.payload) : is_delta_header(segment.payload));
    if (!sound) store.warnings |= kDamagedRecord;
    if (sound && is_refcount) store.frozen |= load<uint32_t>(segment.payload.data + 24) != 0;
}

/// A store that owns its file, which it does when all headers are right, leaves them where they
/// are.
bool keep(Store& store, Bytes file, const Segment& segment, size_t size) {
    bool is_witness = is_sound_witness(file, segment);
    bool is_mapped = !is_witness && store.file.data;
    Buffer& bytes = is_witness ? store.witnesses : store.kept;
    size_t at = is_mapped ? static_cast<size_t>(segment.offset) : bytes.size;
    if (!reserve(store.kept_list, sizeof(Kept))) return false;
    if (!is_mapped) {
        uint8_t* copied = extend(bytes, size);
        if (!copied) return false;
        copy(copied, file.data + segment.offset, size);
        copied[kTypeOffset] = segment.type;
    }
    if (segment.id >= store.next_id) store.next_id = segment.id + 1;
    if (is_witness) {
        simple_hash(segment.payload, store.witness);
        store.last_witness = at;
        return true;
    }
    *reinterpret_cast<Kept*>(extend(store.kept_list, sizeof(Kept))) = {segment.offset, at, size,
                                                                       is_mapped};
    read_record(store, file, segment);
    return true;
}

} // namespace

const uint8_t* kept_bytes(const Store& store, const Kept& kept) {
    return (kept.is_mapped ? store.file.data : store.kept.data) + kept.at;
}

Segment kept_segment(const Store& store, const Kept& kept) {
    Segment segment;
    read_segment({kept_bytes(store, kept), kept.size}, 0, segment);
    return segment;
}

bool may_be_added(uint8_t type, Bytes payload) {
    Segment segment = {};
    segment.type = type;
    segment.payload = payload;
    bool is_ours =
        type == kRefcountSegment || (type == kWitnessSegment && is_runtime_witness(payload));
    return type != 0 && !is_ours && is_kept(segment, false);
}

Status add_segment(Store& store, uint8_t type, Bytes payload, uint64_t& id) {
    size_t size = kSegmentHeaderBytes + payload.size;
    if (!reserve(store.kept_list, sizeof(Kept)) || !reserve(store.kept, size)) return kOutOfMemory;
    auto* kept = reinterpret_cast<Kept*>(extend(store.kept_list, sizeof(Kept)));
    *kept = {kNotInFile, store.kept.size, size, false};
    uint8_t* segment = extend(store.kept, size);
    copy(segment + kSegmentHeaderBytes, payload.data, payload.size);
    id = store.next_id++;
    write_header(segment, type, id, payload);
    store.changed = true;
    return kOk;
}

void drop_segment(Store& store, uint32_t place) {
    Kept* list = items_of<Kept>(store.kept_list);
    Kept gone = list[place];
    uint32_t left = count_of<Kept>(store.kept_list) - 1;
    for (uint32_t i = place; i < left; ++i) list[i] = list[i + 1];
    store.kept_list.size = left * sizeof(Kept);
    if (gone.is_mapped) return;
    uint8_t* bytes = store.kept.data + gone.at;
    store.kept.size -= gone.size;
    __builtin_memmove(bytes, bytes + gone.size, store.kept.size - gone.at);
    for (uint32_t i = 0; i < left; ++i) {
        if (!list[i].is_mapped && list[i].at > gone.at) list[i].at -= gone.size;
    }
}

void drop_segments(Store& store, uint8_t type, bool only_in_file) {
    for (uint32_t i = count_of<Kept>(store.kept_list); i-- > 0;) {
        const Kept& kept = items_of<Kept>(store.kept_list)[i];
        if (kept_bytes(store, kept)[kTypeOffset] != type) continue;
        if (!only_in_file || kept.offset != kNotInFile) drop_segment(store, i);
    }
}

/// Takes over every kept segment before the end of `manifest`, and the witnesses directly behind
/// it, where upstream puts the one of a compaction. The length of a segment is not believed when it
/// reaches into the next listed one and no hash vouches for it, or when its hash is bad and no
/// directory lists it; what a torn write left is walked over byte by byte. The next commit goes
/// where what is committed ends.
Status keep_segments(Store& store, Bytes file, const Manifest& manifest) {
    uint64_t committed = behind_footer(file, manifest.end);
    Segment segment;
    uint32_t next = 0;   // directory entry; a directory is in file order, and else the hash decides
    uint64_t judged = 0; // what is not listed before here counts, or not
    bool counts = true;
    uint64_t records[kKinds + 1] = {}; // one past the offset of the last in the directory
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        DirectoryEntry entry = directory_entry(manifest, i);
        records[record_kind(entry.type)] = entry.offset + 1;
    }
    // To the next entry at or after an offset; nothing is listed behind its manifest.
    auto pass = [&](uint32_t& entry, uint64_t from) {
        for (; entry < manifest.entry_count; ++entry) {
            uint64_t at = directory_entry(manifest, entry).offset;
            if (at >= from && at < manifest.end) break;
        }
    };
    uint64_t left_to_hash = file.size; // of segments that are not listed; sound ones do not overlap
    for (uint64_t offset = 0; find_segment(file, offset, segment);) {
        pass(next, segment.offset);
        bool listed =
            next < manifest.entry_count && directory_entry(manifest, next).offset == segment.offset;
        if (listed)
            segment.type = directory_entry(manifest, next).type; // the header may be damaged
        bool behind = segment.offset >= manifest.end;
        if (behind && (segment.offset != committed || segment.type != kWitnessSegment)) break;
        uint32_t after = next;
        pass(after, segment.offset + 1);
        uint64_t limit = after < manifest.entry_count ? directory_entry(manifest, after).offset
                         : behind                     ? uint64_t{file.size}
                                                      : manifest.end;
        bool fits = segment.complete && segment.end() <= limit;
        bool sound = fits && listed;
        if (segment.complete && fits != listed && segment.payload_length <= left_to_hash) {
            left_to_hash -= segment.payload_length;
            HashState hash = check_hash(file, segment); // when it is listed, the next entry may lie
            sound = hash == HashState::kGood || (fits && hash == HashState::kAbsent);
        }
        uint64_t end = behind_footer(file, segment.end());
        bool is_record = segment.offset + 1 == records[record_kind(segment.type)];
        if (sound && !listed && end > judged) counts = is_committed(file, judged = end);
        bool is_lost = sound && listed && segment.type == kMetaSegment &&
                       !is_compressed(file, segment) &&
                       check_hash(file, segment) == HashState::kBad;
        if (sound && (listed || counts) && is_kept(segment, is_record) && !is_lost) {
            if (!keep(store, file, segment, static_cast<size_t>(end - segment.offset)))
                return kOutOfMemory;
            records[record_kind(segment.type)] = 0; // found
        }
        offset = sound ? end : segment.offset + 1;
        if (behind && sound) committed = end;
    }
    store.file_size = committed;
    if (!store.is_branch || !(records[1] | records[2])) return kOk;
    if (!(store.warnings & kLosses)) return kCowMapCorrupt;
    // Salvaged: what it shows becomes its own, because the next commit could not name its parent.
    store.is_branch = false;
    drop_segments(store, kCowMapSegment);
    drop_segments(store, kMembershipSegment);
    return kOk;
}

} // namespace rvf
