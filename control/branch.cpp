#include "control/branch.h"

#include "control/open.h"
#include "control/segment.h"

namespace rvf {
namespace {

constexpr uint32_t kCowMapMagic = 0x5256434D;     // on disk "MCVR"
constexpr uint32_t kMembershipMagic = 0x52564D42; // on disk "BMVR"
constexpr uint32_t kParentHashOffset = 0x20;      // in a COW_MAP
constexpr uint32_t kCowMapFixedBytes = 0x51;
constexpr uint32_t kMembershipFixedBytes = 0x60;
constexpr uint32_t kHashedTail = 65536; // of the parent file
constexpr uint32_t kSimpleHashBytes = 32;

/// Upstream's additive mix. Not cryptographic: it tells that a file has changed, not by whom.
void simple_hash(Bytes bytes, uint8_t hash[kSimpleHashBytes]) {
    __builtin_memset(hash, 0, kSimpleHashBytes);
    for (size_t i = 0; i < bytes.size; ++i) {
        uint8_t& sum = hash[i % kSimpleHashBytes];
        sum = static_cast<uint8_t>(sum + bytes.data[i]);
        uint8_t& other = hash[(i + 13) % kSimpleHashBytes];
        other = static_cast<uint8_t>(other + (sum << 3 | sum >> 5));
    }
}

bool hash_equals(Bytes bytes, const uint8_t* stored) {
    uint8_t hash[kSimpleHashBytes];
    simple_hash(bytes, hash);
    uint8_t difference = 0;
    for (uint32_t i = 0; i < kSimpleHashBytes; ++i) difference |= hash[i] ^ stored[i];
    return difference == 0;
}

/// Payload of the last segment of that type in the directory: sound, with the magic and of at least
/// `fixed` bytes; else empty.
Bytes last_payload(Bytes file, const Manifest& manifest, uint8_t type, uint32_t magic,
                   uint32_t fixed) {
    for (uint32_t i = manifest.entry_count; i-- > 0;) {
        DirectoryEntry entry = directory_entry(manifest, i);
        if (entry.type != type) continue;
        Segment segment;
        bool sound = read_segment(file, entry.offset, segment) && segment.complete &&
                     check_hash(file, segment) != HashState::kBad &&
                     segment.payload.holds(0, fixed) &&
                     load<uint32_t>(segment.payload.data) == magic;
        return sound ? segment.payload : Bytes{};
    }
    return {};
}

/// Which of the parent's ids the branch shows: a bitmap over ids.
struct Membership {
    Bytes bitmap;
    uint64_t limit;
    bool excludes; ///< a set bit hides instead of showing

    bool admits(uint64_t id) const {
        bool set = id < limit && (bitmap.data[id / 8] >> (id % 8) & 1);
        return set != excludes;
    }
};

bool read_membership(Bytes payload, Membership& membership) {
    if (!payload.data || payload.data[6] != 0) return false; // only the bitmap is ever written
    uint64_t offset = load<uint64_t>(payload.data + 0x18);
    uint32_t size = load<uint32_t>(payload.data + 0x20);
    if (!payload.holds(offset, size)) return false;
    membership.bitmap = payload.part(offset, size);
    membership.limit = load<uint64_t>(payload.data + 8);
    membership.excludes = payload.data[7] == 1;
    return membership.limit <= uint64_t{size} * 8 &&
           hash_equals(membership.bitmap, payload.data + 0x28);
}

Status add_admitted(Store& store, const Store& parent, const Membership& membership) {
    if (parent.dimension != store.dimension) return kDimensionMismatch;
    for (uint32_t i = 0; i < parent.row_count; ++i) {
        Row row = row_at(parent, i);
        uint64_t id = load<uint64_t>(row.id);
        if (*row.dead || !membership.admits(id)) continue;
        if (reserve_rows(store, 1) != kOk) return kOutOfMemory;
        put_vector(store, id, row.vector);
    }
    store.warnings |= parent.warnings;
    return kOk;
}

} // namespace

bool is_branch(const Manifest& manifest) {
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        uint8_t type = directory_entry(manifest, i).type;
        if (type == kCowMapSegment || type == kMembershipSegment) return true;
    }
    return false;
}

Status add_parent_rows(Store& store, Bytes file, const Manifest& manifest, Bytes parent) {
    if (parent.size == 0) return kParentNotFound;
    Bytes map = last_payload(file, manifest, kCowMapSegment, kCowMapMagic, kCowMapFixedBytes);
    Membership membership;
    if (!map.data || !read_membership(last_payload(file, manifest, kMembershipSegment,
                                                   kMembershipMagic, kMembershipFixedBytes),
                                      membership)) {
        return kCowMapCorrupt;
    }
    size_t tail = parent.size < kHashedTail ? parent.size : kHashedTail;
    if (!hash_equals(parent.part(parent.size - tail, tail), map.data + kParentHashOffset)) {
        return kParentHashMismatch;
    }
    Store* opened = nullptr;
    Status status = open_store(parent, {}, -1, opened);
    if (status != kOk) return status;
    status = add_admitted(store, *opened, membership);
    free_store(opened);
    return status;
}

} // namespace rvf
