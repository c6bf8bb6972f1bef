#include "control/segment.h"

namespace rvf {
namespace {

constexpr uint32_t kHashOffset = 0x28;

} // namespace

bool read_segment(Bytes file, uint64_t offset, Segment& segment) {
    if (!file.holds(offset, kSegmentHeaderBytes)) return false;
    const uint8_t* header = file.data + offset;
    if (load<uint32_t>(header) != kSegmentMagic) return false;
    segment.offset = offset;
    segment.version = header[4];
    segment.type = header[5];
    segment.id = load<uint64_t>(header + 8);
    segment.payload_length = load<uint64_t>(header + 16);
    segment.complete = file.holds(offset + kSegmentHeaderBytes, segment.payload_length);
    segment.payload = {};
    if (segment.complete) {
        segment.payload = file.part(offset + kSegmentHeaderBytes, segment.payload_length);
    }
    return true;
}

bool find_segment(Bytes file, uint64_t offset, Segment& segment) {
    for (; file.holds(offset, kSegmentHeaderBytes); ++offset) {
        if (read_segment(file, offset, segment)) return true;
    }
    return false;
}

HashState check_hash(Bytes file, const Segment& segment) {
    return check_content_hash(file.data + segment.offset + kHashOffset, segment.payload);
}

void write_header(uint8_t* target, uint8_t type, uint64_t id, Bytes payload) {
    __builtin_memset(target, 0, kSegmentHeaderBytes);
    store(target, kSegmentMagic);
    target[4] = kFormatVersion;
    target[5] = type;
    store(target + 8, id);
    store(target + 16, uint64_t{payload.size});
    write_content_hash(target + kHashOffset, payload);
}

} // namespace rvf
