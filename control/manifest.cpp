#include "control/manifest.h"

#include "control/control.h"

namespace rvf {
namespace {

constexpr uint32_t kWasmManifestBytes = 44;

enum class Verdict { kUnreadable, kDamaged, kNewer, kGood };

bool entry_holds(Bytes file, const DirectoryEntry& entry) {
    Segment segment;
    return read_segment(file, entry.offset, segment) && segment.type == entry.type;
}

/// Does every entry point at what it says?
bool directory_holds(Bytes file, const Manifest& manifest) {
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        if (!entry_holds(file, directory_entry(manifest, i))) return false;
    }
    return true;
}

/// Was the manifest written where it lies? The bytes of another file inside a payload give
/// themselves away by their last entry, which fits that file, and by an empty directory, which only
/// the first segment of a file has.
bool is_at_home(Bytes file, const Segment& segment, const Manifest& manifest) {
    if (manifest.entry_count == 0) return segment.offset == 0;
    DirectoryEntry last = directory_entry(manifest, manifest.entry_count - 1);
    return entry_holds(file, last) ||
           last.offset + kSegmentHeaderBytes + last.payload_length == segment.offset;
}

/// `on_chain`: the segment is known to be one, and not bytes inside another's payload.
Verdict judge(Bytes file, const Segment& segment, bool on_chain, Manifest& manifest) {
    manifest = {};
    manifest.end = segment.end();
    bool parses = segment.payload_length <= kMaxPayloadBytes &&
                  (parse_wasm_manifest(segment.payload, manifest) ||
                   parse_manifest(segment.payload, manifest));
    bool newer = segment.version > kFormatVersion;
    if (!parses && !(newer && on_chain)) return Verdict::kUnreadable;
    HashState hash = check_hash(file, segment);
    if (hash == HashState::kBad || !(on_chain || is_at_home(file, segment, manifest))) {
        return Verdict::kDamaged;
    }
    if (newer) return Verdict::kNewer;
    bool counts = segment.version == kFormatVersion &&
                  (hash == HashState::kGood || directory_holds(file, manifest));
    return counts ? Verdict::kGood : Verdict::kDamaged;
}

/// The next segment of the chain at or after `offset`: directly there, or behind zero padding.
bool next_in_chain(Bytes file, uint64_t offset, Segment& segment) {
    while (file.holds(offset, 1) && file.data[offset] == 0) ++offset;
    return read_segment(file, offset, segment) && segment.complete;
}

/// Whether the chain of complete segments makes up the whole file.
bool chain_is_whole(Bytes file) {
    uint64_t end = 0;
    Segment segment;
    while (next_in_chain(file, end, segment)) end = segment.end();
    while (file.holds(end, 1) && file.data[end] == 0) ++end;
    return end == file.size;
}

/// Whether nothing but witnesses, which upstream's compaction writes there, and zeros lies behind
/// `offset`.
bool nothing_behind(Bytes file, uint64_t offset) {
    Segment segment;
    while (next_in_chain(file, offset, segment) && segment.type == kWitnessSegment) {
        offset = segment.end();
    }
    while (file.holds(offset, 1) && file.data[offset] == 0) ++offset;
    return offset == file.size;
}

/// The last manifest of the chain that begins before `limit`.
bool last_in_chain(Bytes file, uint64_t limit, Segment& found) {
    bool any = false;
    Segment segment;
    for (uint64_t offset = 0; next_in_chain(file, offset, segment) && segment.offset < limit;
         offset = segment.end()) {
        if (segment.type != kManifestSegment) continue;
        found = segment;
        any = true;
    }
    return any;
}

/// The last complete manifest before `limit`, by its magic.
bool last_by_magic(Bytes file, uint64_t limit, Segment& found) {
    for (uint64_t offset = limit; offset-- > 0;) {
        if (!read_segment(file, offset, found)) continue;
        if (found.type == kManifestSegment && found.complete) return true;
    }
    return false;
}

} // namespace

DirectoryEntry directory_entry(const Manifest& manifest, uint32_t index) {
    const uint8_t* entry = manifest.entries + size_t{index} * kDirectoryEntryBytes;
    return {load<uint64_t>(entry), load<uint64_t>(entry + 8), load<uint64_t>(entry + 16),
            entry[24]};
}

bool parse_manifest(Bytes payload, Manifest& manifest) {
    if (!payload.holds(0, kManifestFixedBytes)) return false;
    const uint8_t* p = payload.data;
    manifest.epoch = load<uint32_t>(p);
    manifest.dimension = load<uint16_t>(p + 4);
    manifest.total_vectors = load<uint64_t>(p + 6);
    manifest.entry_count = load<uint32_t>(p + 14);
    manifest.profile = p[18];
    manifest.metric_byte = p[19];
    manifest.entries = p + kManifestFixedBytes;
    uint64_t directory_bytes = uint64_t{manifest.entry_count} * kDirectoryEntryBytes;
    if (!payload.holds(kManifestFixedBytes, directory_bytes)) return false;
    uint64_t at = kManifestFixedBytes + directory_bytes;
    if (!payload.holds(at, 4)) return true;
    manifest.deleted_count = load<uint32_t>(p + at);
    at += 4;
    uint64_t room = (payload.size - at) / 8;
    if (manifest.deleted_count > room) manifest.deleted_count = static_cast<uint32_t>(room);
    manifest.deleted = p + at;
    at += uint64_t{manifest.deleted_count} * 8;
    if (payload.holds(at, 4 + kIdentityBytes) && load<uint32_t>(p + at) == kIdentityMarker) {
        manifest.identity = p + at + 4;
    }
    return true;
}

bool parse_wasm_manifest(Bytes payload, Manifest& manifest) {
    const uint8_t* p = payload.data;
    if (payload.size != kWasmManifestBytes || load<uint32_t>(p + 15) != 1) return false;
    manifest.epoch = load<uint32_t>(p);
    manifest.dimension = load<uint16_t>(p + 4);
    manifest.total_vectors = load<uint64_t>(p + 6);
    manifest.profile = p[14];
    manifest.entry_count = 1;
    manifest.entries = p + 19;
    manifest.wasm_layout = true;
    return true;
}

Status find_manifest(Bytes file, Manifest& manifest, uint32_t& warnings) {
    bool whole = chain_is_whole(file);
    bool skipped = false;
    Manifest damaged; // the last one that can be read but does not count
    Segment segment;
    for (uint64_t limit = file.size;
         whole ? last_in_chain(file, limit, segment) : last_by_magic(file, limit, segment);
         limit = segment.offset) {
        Verdict verdict = judge(file, segment, whole, manifest);
        if (verdict == Verdict::kNewer) return kInvalidVersion;
        if (verdict == Verdict::kGood) {
            if (skipped) {
                warnings |= kSkippedManifest;
            } else if (!whole || !nothing_behind(file, manifest.end)) {
                warnings |= kTornTail;
            }
            return kOk;
        }
        skipped = true;
        if (verdict == Verdict::kDamaged && !damaged.entries) damaged = manifest;
    }
    if (!damaged.entries) return kManifestNotFound;
    manifest = damaged;
    warnings |= kDamagedManifest;
    if (!whole) warnings |= kTornTail;
    return kOk;
}

} // namespace rvf
