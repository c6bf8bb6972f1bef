#include "control/manifest.h"

#include "control/control.h"
#include "control/signature.h"

namespace rvf {
namespace {

constexpr uint32_t kWasmManifestBytes = 44;

enum class Verdict { kUnreadable, kDamaged, kNewer, kGood };

/// Does every entry point at what it says?
bool directory_holds(Bytes file, const Manifest& manifest) {
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        DirectoryEntry entry = directory_entry(manifest, i);
        Segment segment;
        if (!read_segment(file, entry.offset, segment) || segment.type != entry.type) return false;
    }
    return true;
}

/// The next segment of the chain at or after `offset`: directly there, or behind zeros that align
/// it. More of them may be a block that a crash has left empty.
bool next_in_chain(Bytes file, uint64_t offset, Segment& segment) {
    uint64_t limit = offset + kSegmentHeaderBytes - 1;
    while (offset < limit && file.holds(offset, 1) && file.data[offset] == 0) ++offset;
    return read_segment(file, offset, segment) && segment.complete;
}

/// Was the manifest written where it lies? A writer appends it behind what it lists; only manifests
/// and padding may lie between. The directory of another file, whose bytes are somebody's payload,
/// ends elsewhere.
bool is_at_home(Bytes file, uint64_t offset, const Manifest& manifest) {
    uint64_t end = 0;
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        DirectoryEntry entry = directory_entry(manifest, i);
        if (!file.holds(entry.offset, kSegmentHeaderBytes) || entry.payload_length > file.size) {
            return false;
        }
        uint64_t entry_end = entry.offset + kSegmentHeaderBytes + entry.payload_length;
        if (entry_end > end) end = entry_end;
    }
    end = behind_footer(file, end);
    Segment segment;
    while (end < offset && next_in_chain(file, end, segment) && segment.offset < offset &&
           segment.type == kManifestSegment) {
        end = behind_footer(file, segment.end());
    }
    while (end < offset && file.data[end] == 0) ++end;
    return end == offset;
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
    if (hash == HashState::kBad || !(on_chain || is_at_home(file, segment.offset, manifest))) {
        return Verdict::kDamaged;
    }
    if (newer) return Verdict::kNewer;
    // An absent hash may also be a block of zeros that a crash left in the middle of the manifest.
    bool is_zeroed = hash == HashState::kAbsent && !(manifest.epoch && manifest.dimension);
    bool counts = segment.version == kFormatVersion && !is_zeroed &&
                  (hash == HashState::kGood || directory_holds(file, manifest));
    return counts ? Verdict::kGood : Verdict::kDamaged;
}

/// Whether nothing but witnesses, which upstream's compaction writes there, and zeros lies behind
/// `offset`.
bool nothing_behind(Bytes file, uint64_t offset) {
    Segment segment;
    offset = behind_footer(file, offset);
    while (next_in_chain(file, offset, segment) && segment.type == kWitnessSegment) {
        offset = behind_footer(file, segment.end());
    }
    while (file.holds(offset, 1) && file.data[offset] == 0) ++offset;
    return offset == file.size;
}

/// The last manifest of the chain of segments, when that chain makes up the whole file. A header
/// that a torn write left may promise just the bytes that later sessions wrote behind it; what no
/// manifest follows must have a sound hash.
bool last_in_chain(Bytes file, Segment& last) {
    uint64_t end = 0;
    uint64_t committed = 0;
    Segment segment;
    while (next_in_chain(file, end, segment)) {
        end = behind_footer(file, segment.end());
        if (segment.type != kManifestSegment) continue;
        last = segment;
        committed = end;
    }
    while (file.holds(end, 1) && file.data[end] == 0) ++end;
    if (committed == 0 || end != file.size) return false;
    for (; next_in_chain(file, committed, segment);
         committed = behind_footer(file, segment.end())) {
        if (check_hash(file, segment) == HashState::kBad) return false;
    }
    return true;
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
    Segment segment;
    Verdict verdict = Verdict::kUnreadable;
    if (last_in_chain(file, segment)) verdict = judge(file, segment, true, manifest);
    if (verdict == Verdict::kGood && !nothing_behind(file, manifest.end)) warnings |= kTornTail;

    bool skipped = false;
    Manifest damaged; // the last one that can be read but does not count
    uint64_t limit = file.size;
    // Manifests of writers do not overlap. Without this a file of nested ones would be read once
    // for each of them.
    uint64_t left_to_read = 2 * uint64_t{file.size};
    while (verdict < Verdict::kNewer && last_by_magic(file, limit, segment)) {
        if (segment.payload_length > left_to_read) break;
        left_to_read -= segment.payload_length;
        verdict = judge(file, segment, false, manifest);
        if (verdict == Verdict::kGood) warnings |= skipped ? kSkippedManifest : kTornTail;
        if (verdict == Verdict::kDamaged && !damaged.entries) damaged = manifest;
        // A good one that is not at home is somebody's payload.
        skipped |= verdict != Verdict::kDamaged || check_hash(file, segment) != HashState::kGood ||
                   segment.version != kFormatVersion;
        limit = segment.offset;
    }
    if (verdict == Verdict::kGood) return kOk;
    if (verdict == Verdict::kNewer) return kInvalidVersion;
    if (!damaged.entries) return kManifestNotFound;
    manifest = damaged;
    warnings |= kDamagedManifest;
    return kOk;
}

} // namespace rvf
