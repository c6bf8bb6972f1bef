#include "control/branch.h"

#include "control/cow.h"
#include "control/kept.h"
#include "control/metadata.h"
#include "control/segment.h"
#include "control/signature.h"

namespace rvf {
namespace {

/// Of the parent that is hashed in search of the state that a branch was made from.
constexpr uint64_t kMostHashed = 256u << 20;

/// Payload of the last segment of that type in the directory: sound, with the magic and of at least
/// `fixed` bytes; else empty.
Bytes last_payload(Bytes file, const Manifest& manifest, uint8_t type, uint32_t magic,
                   uint32_t fixed) {
    for (uint32_t i = manifest.entry_count; i-- > 0;) {
        DirectoryEntry entry = directory_entry(manifest, i);
        if (entry.type != type) continue;
        Segment segment;
        bool sound = read_segment(file, entry.offset, segment) && segment.complete &&
                     segment.payload_length == entry.payload_length &&
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
           simple_hash_is(membership.bitmap, payload.data + 0x28);
}

bool ends_with(Bytes file, uint64_t size, const uint8_t* hash) {
    uint64_t tail = size < kHashedTail ? size : kHashedTail;
    return simple_hash_is(file.part(size - tail, tail), hash);
}

/// The size that the parent had when the branch was made; 0: it never had that state. Upstream's
/// branches do not say which epoch it was.
uint64_t base_size(Bytes parent, Bytes map) {
    const uint8_t* hash = map.data + kBaseHashOffset;
    if (ends_with(parent, parent.size, hash)) return parent.size;
    uint32_t epoch = load<uint32_t>(map.data + kBaseEpochOffset);
    uint64_t left_to_hash = kMostHashed;
    bool may_be = false;
    Segment segment;
    for (uint64_t offset = 0; find_segment(parent, offset, segment);) {
        if (!segment.complete) {
            offset = segment.offset + 1;
            continue;
        }
        offset = behind_footer(parent, segment.end());
        if (segment.type == kManifestSegment) {
            Manifest manifest;
            may_be = parse_manifest(segment.payload, manifest) &&
                     (epoch == 0 || manifest.epoch == epoch);
        } else if (segment.type != kWitnessSegment) {
            may_be = false;
        }
        if (!may_be || left_to_hash < kHashedTail) continue;
        left_to_hash -= kHashedTail;
        if (ends_with(parent, offset, hash)) return offset;
    }
    return 0;
}

/// Why no state of the parent fits.
Status not_the_parent(Bytes parent, Bytes map) {
    Manifest manifest;
    uint32_t warnings = 0;
    if (find_manifest(parent, manifest, warnings) != kOk || !manifest.identity) {
        return kParentHashMismatch;
    }
    const uint8_t* base = map.data + kBaseIdOffset;
    bool is_known = load<uint64_t>(base) | load<uint64_t>(base + 8);
    return is_known && !equal(manifest.identity, base, kFileIdBytes) ? kLineageBroken
                                                                     : kParentHashMismatch;
}

/// Rows of the parent that are admitted, as rows that the child does not write.
template <typename Admits>
Status inherit(Store& child, const Store& parent, Admits admits) {
    if (parent.dimension != child.dimension) return kDimensionMismatch;
    if (!reserve_metadata(child, parent.metadata.size + 4)) return kOutOfMemory;
    for (uint32_t i = 0; i < parent.row_count; ++i) {
        Row row = row_at(parent, i);
        uint64_t id = load<uint64_t>(row.id);
        if (is_dead(row) || !admits(id)) continue;
        if (reserve_rows(child, 1) != kOk) return kOutOfMemory;
        Row mine = row_at(child, put_vector(child, id, row.vector));
        *mine.mark = kInherited;
        set_metadata(child, *mine.metadata, entries_at(parent, *row.metadata));
    }
    set_metadata(child, child.about, entries_at(parent, parent.about));
    child.has_metadata = parent.has_metadata;
    child.warnings |= parent.warnings;
    child.first_changed = kNoRow;
    child.changed_count = 0;
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

Status add_parent_rows(Store& store, const OpenRequest& request, const Manifest& manifest) {
    Bytes file = request.file;
    if (request.parent_count == 0 || request.parents->size == 0) return kParentNotFound;
    Bytes parent = {reinterpret_cast<const uint8_t*>(request.parents->address),
                    request.parents->size};
    Bytes map = last_payload(file, manifest, kCowMapSegment, kCowMapMagic, kCowMapFixedBytes);
    Membership membership;
    if (!map.data || !read_membership(last_payload(file, manifest, kMembershipSegment,
                                                   kMembershipMagic, kMembershipFixedBytes),
                                      membership)) {
        return kCowMapCorrupt;
    }
    store.excludes = membership.excludes;
    store.member_limit = membership.limit;
    uint64_t size = base_size(parent, map);
    if (size == 0) return not_the_parent(parent, map);
    Store* opened = nullptr;
    OpenRequest of_parent = {parent.part(0, size), request.parents + 1, request.parent_count - 1,
                             -1};
    Status status = open_store(of_parent, opened);
    if (status != kOk) return status;
    status = inherit(store, *opened, [&](uint64_t id) { return membership.admits(id); });
    free_store(opened);
    return status;
}

namespace {

/// The bitmap of a branch is as long as its largest id; where that is too long for so few rows, the
/// membership admits all, which upstream reads but cannot add deletions to.
constexpr uint64_t kShortBitmap = 4096;

uint64_t bitmap_bytes(uint64_t limit) { return (limit + 63) / 64 * 8; }

} // namespace

Status add_membership(Store& store) {
    uint64_t limit = store.excludes ? 0 : store.member_limit;
    size_t bytes = static_cast<size_t>(bitmap_bytes(limit));
    Buffer payload;
    uint8_t* p = extend(payload, kMembershipFixedBytes + bytes);
    if (!p) return kOutOfMemory;
    __builtin_memset(p, 0, payload.size);
    uint64_t members = 0;
    uint8_t* bitmap = p + kMembershipFixedBytes;
    for (uint32_t i = 0; i < store.row_count; ++i) {
        Row row = row_at(store, i);
        uint64_t id = load<uint64_t>(row.id);
        if (is_dead(row) || !(*row.mark & kInherited) || id >= limit) continue;
        bitmap[id / 8] = static_cast<uint8_t>(bitmap[id / 8] | 1u << id % 8);
        ++members;
    }
    rvf::store(p, kMembershipMagic);
    p[4] = 1;
    p[7] = store.excludes;
    rvf::store(p + 8, limit);
    rvf::store(p + 16, members);
    rvf::store(p + 24, uint64_t{kMembershipFixedBytes});
    rvf::store(p + 32, static_cast<uint32_t>(bytes));
    rvf::store(p + 36, store.epoch);
    simple_hash({bitmap, bytes}, p + 40);
    drop_segments(store, kMembershipSegment);
    uint64_t id;
    Status status = add_segment(store, kMembershipSegment, {p, payload.size}, id);
    free_buffer(payload);
    if (status == kOk) store.membership_changed = false;
    return status;
}

Status make_branch(Store& child, const Store& parent, Bytes name) {
    uint64_t limit = 0;
    for (uint32_t i = 0; i < parent.row_count; ++i) {
        Row row = row_at(parent, i);
        uint64_t id = load<uint64_t>(row.id);
        if (!is_dead(row) && id >= limit) limit = id == ~uint64_t{0} ? id : id + 1;
    }
    uint64_t room = uint64_t{live_count(parent)} * 8;
    child.excludes = limit / 8 > (room > kShortBitmap ? room : kShortBitmap);
    child.member_limit = limit;
    child.is_branch = true;
    Status status = inherit(child, parent, [](uint64_t) { return true; });
    if (status != kOk) return status;

    constexpr uint32_t kMapBytes = 5; // flat, of no clusters: all in the parent
    Buffer payload;
    uint8_t* p = extend(payload, kCowMapFixedBytes + name.size + kMapBytes);
    if (!p) return kOutOfMemory;
    __builtin_memset(p, 0, payload.size);
    uint32_t row_bytes = 4 * parent.dimension;
    uint32_t cluster = 4096;
    while (cluster < row_bytes) cluster *= 2;
    rvf::store(p, kCowMapMagic);
    p[4] = 1;
    rvf::store(p + 8, cluster);
    rvf::store(p + 12, cluster / row_bytes);
    copy(p + kBaseIdOffset, child.identity + 16, 16 + 32); // parent id and hash
    rvf::store(p + 0x40, row_bytes);
    rvf::store(p + kBaseEpochOffset, parent.epoch);
    rvf::store(p + 0x49, static_cast<uint32_t>(name.size));
    rvf::store(p + 0x4D, kMapBytes);
    copy(p + kCowMapFixedBytes, name.data, name.size);
    uint64_t id;
    status = add_segment(child, kCowMapSegment, {p, payload.size}, id);
    free_buffer(payload);
    return status == kOk ? add_membership(child) : status;
}

} // namespace rvf
