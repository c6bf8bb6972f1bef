#include "control/segment.h"

#include "control/crc32.h"

namespace rvf {
namespace {

constexpr uint32_t kHashOffset = 0x28;

uint32_t rotated_left(uint32_t word, uint32_t bits) {
    return bits ? word << bits | word >> (32 - bits) : word;
}

/// CRC-32 of the payload in four rotations: the hash that upstream writes and checks.
void rotated_crc(Bytes payload, uint8_t hash[16]) {
    uint32_t crc = crc32(payload);
    for (uint32_t i = 0; i < 4; ++i) store(hash + 4 * i, rotated_left(crc, 8 * i));
}

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
    const uint8_t* stored = file.data + segment.offset + kHashOffset;
    if ((load<uint64_t>(stored) | load<uint64_t>(stored + 8)) == 0) return HashState::kAbsent;
    uint8_t hash[16];
    rotated_crc(segment.payload, hash);
    bool equal = load<uint64_t>(hash) == load<uint64_t>(stored) &&
                 load<uint64_t>(hash + 8) == load<uint64_t>(stored + 8);
    return equal ? HashState::kGood : HashState::kBad;
}

void write_header(uint8_t* target, uint8_t type, uint64_t id, Bytes payload) {
    __builtin_memset(target, 0, kSegmentHeaderBytes);
    store(target, kSegmentMagic);
    target[4] = kFormatVersion;
    target[5] = type;
    store(target + 8, id);
    store(target + 16, uint64_t{payload.size});
    rotated_crc(payload, target + kHashOffset);
}

} // namespace rvf
