#include "control/manifest.h"

#include "control/control.h"

namespace rvf {
namespace {

constexpr uint32_t kWasmManifestBytes = 44;

enum class Verdict { kNone, kNewer, kDamaged, kGood };

/// For a manifest without a hash: does every entry point at what it says?
bool directory_holds(Bytes file, const Manifest& manifest) {
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        DirectoryEntry entry = directory_entry(manifest, i);
        Segment segment;
        if (!read_segment(file, entry.offset, segment) || segment.type != entry.type) return false;
    }
    return true;
}

Verdict judge(Bytes file, const Segment& segment, Manifest& manifest) {
    if (segment.type != kManifestSegment || !segment.complete) return Verdict::kNone;
    if (segment.payload_length > kMaxPayloadBytes) return Verdict::kNone;
    HashState hash = check_hash(file, segment);
    if (segment.version > kFormatVersion && hash != HashState::kBad) return Verdict::kNewer;
    manifest = {};
    manifest.end = segment.end();
    if (!parse_wasm_manifest(segment.payload, manifest) &&
        !parse_manifest(segment.payload, manifest)) {
        return Verdict::kNone;
    }
    bool counts = segment.version == kFormatVersion &&
                  (hash == HashState::kGood ||
                   (hash == HashState::kAbsent && directory_holds(file, manifest)));
    return counts ? Verdict::kGood : Verdict::kDamaged;
}

/// The next segment of the chain at or after `offset`: directly there, or behind zero padding.
bool next_in_chain(Bytes file, uint64_t offset, Segment& segment) {
    while (file.holds(offset, 1) && file.data[offset] == 0) ++offset;
    return read_segment(file, offset, segment) && segment.complete;
}

/// Where the chain of complete segments ends; the size of the file when nothing but zeros follows.
uint64_t chain_end(Bytes file) {
    uint64_t end = 0;
    Segment segment;
    while (next_in_chain(file, end, segment)) end = segment.end();
    uint64_t rest = end;
    while (file.holds(rest, 1) && file.data[rest] == 0) ++rest;
    return rest == file.size ? rest : end;
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

/// The last header of a manifest in [begin, limit), by its magic.
bool last_by_magic(Bytes file, uint64_t begin, uint64_t limit, Segment& found) {
    for (uint64_t offset = limit; offset-- > begin;) {
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
    uint64_t chain = chain_end(file);
    if (chain != file.size) warnings |= kTornTail;
    Manifest damaged;                    // the last one that parses but does not count
    bool searching = chain != file.size; // byte by byte behind the chain, then along it
    uint64_t limit = file.size;
    for (;;) {
        Segment segment;
        bool found = searching ? last_by_magic(file, chain, limit, segment)
                               : last_in_chain(file, limit, segment);
        if (!found && !searching) break;
        if (!found) {
            searching = false;
            limit = chain;
            continue;
        }
        limit = segment.offset;
        Verdict verdict = judge(file, segment, manifest);
        if (verdict == Verdict::kNewer) return kInvalidVersion;
        if (verdict == Verdict::kGood) {
            if (damaged.entries) warnings |= kSkippedManifest;
            return kOk;
        }
        if (verdict == Verdict::kDamaged && !damaged.entries) damaged = manifest;
    }
    if (!damaged.entries) return kManifestNotFound;
    manifest = damaged;
    warnings |= kDamagedManifest;
    return kOk;
}

} // namespace rvf
