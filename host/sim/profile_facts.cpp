// From the bytes of a file to what profiles care about.
#include "control/segment.h"
#include "host/sim/profile.h"
#include "host/sim/read_expand.h"

namespace rvf::sim {
namespace {

constexpr uint32_t kFixedBytes = 64; ///< of INDEX and of QUANT payloads
constexpr uint32_t kCodebookHeadBytes = 6;

enum QuantKind : uint8_t { kScalar = 0, kProduct = 1 };

/// Whether the tables that a QUANT header announces are there.
bool read_quant(Bytes payload, SegmentFacts& facts) {
    facts.kind = payload.data[0];
    uint64_t dimension = load<uint16_t>(payload.data + 2);
    if (facts.kind == kScalar) return payload.holds(kFixedBytes, dimension * 8);
    if (facts.kind != kProduct) return true;
    if (!payload.holds(kFixedBytes, kCodebookHeadBytes)) return false;
    const uint8_t* head = payload.data + kFixedBytes;
    uint64_t subspaces = load<uint16_t>(head);
    uint64_t length = load<uint16_t>(head + 4);
    facts.centroids = load<uint16_t>(head + 2);
    return subspaces > 0 && facts.centroids > 0 && length > 0 &&
           payload.holds(kFixedBytes + kCodebookHeadBytes,
                         subspaces * facts.centroids * length * 4);
}

void read_content(Bytes file, const Segment& segment, SegmentFacts& facts) {
    if (facts.type != kIndexSegment && facts.type != kQuantSegment) return;
    facts.content = SegmentFacts::Content::kUnreadable;
    Bytes payload = segment.payload;
    if (payload.size < kFixedBytes || check_hash(file, segment) == HashState::kBad) return;
    facts.kind = payload.data[0];
    if (facts.type == kIndexSegment) facts.layers = payload.data[1];
    if (facts.type == kQuantSegment && !read_quant(payload, facts)) return;
    facts.content = SegmentFacts::Content::kKnown;
}

} // namespace

FileFacts facts_of(Bytes file, const Manifest& manifest) {
    FileFacts facts;
    facts.profile = manifest.profile;
    facts.dimension = manifest.dimension;
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        DirectoryEntry entry = directory_entry(manifest, i);
        SegmentFacts& each = facts.segments.emplace_back();
        each.offset = entry.offset;
        each.type = entry.type;
        Segment segment;
        if (!read_segment(file, entry.offset, segment)) continue;
        each.compression = compression_of(file, segment);
        if (each.compression == kPlain) read_content(file, segment, each);
    }
    return facts;
}

void add_expanded(FileFacts& facts, Bytes image, const Manifest& image_manifest) {
    for (uint32_t i = 0; i < image_manifest.entry_count; ++i) {
        SegmentFacts& each = facts.segments[i];
        Segment segment;
        if (each.compression != kPlain &&
            read_segment(image, directory_entry(image_manifest, i).offset, segment)) {
            read_content(image, segment, each);
        }
    }
}

} // namespace rvf::sim
