// The exports for files that need not be opened: segments, hashes, witnesses. control.h is the
// contract.
#include "control/address.h"
#include "control/control.h"
#include "control/heap.h"
#include "control/segment.h"
#include "control/shake256.h"
#include "control/signature.h"
#include "control/simple_hash.h"
#include "control/witness.h"

namespace rvf {
namespace {

/// Walks over at most `limit` complete segments of a buffer; answers how many, `last` is the last.
uint32_t walk_segments(Bytes file, uint32_t limit, Segment& last) {
    uint32_t count = 0;
    Segment segment;
    for (uint64_t offset = 0; count < limit && find_segment(file, offset, segment);) {
        offset = segment.complete ? segment.end() : segment.offset + 1;
        if (!segment.complete) continue;
        last = segment;
        ++count;
    }
    return count;
}

/// The segment at the beginning of a buffer.
Status first_segment(uintptr_t buf, size_t len, Segment& segment) {
    if (!caller_owns(buf, len)) return kInvalidPointer;
    if (len < kSegmentHeaderBytes) return kTruncatedSegment;
    if (!read_segment({bytes_at(buf), len}, 0, segment)) return kInvalidMagic;
    return segment.complete ? kOk : kTruncatedSegment;
}

} // namespace

extern "C" {

int32_t rvf_parse_header(uintptr_t buf, size_t len, uintptr_t out) {
    if (!caller_owns(buf, len) || !caller_owns(out, kHeaderInfoBytes)) return kInvalidPointer;
    if (len < kSegmentHeaderBytes) return kTruncatedSegment;
    Segment segment;
    if (!read_segment({bytes_at(buf), len}, 0, segment)) return kInvalidMagic;
    __builtin_memmove(buffer_at(out), bytes_at(buf), kHeaderInfoBytes);
    return kOk;
}

int32_t rvf_segment_count(uintptr_t buf, size_t len) {
    if (!caller_owns(buf, len)) return kInvalidPointer;
    Segment segment;
    return static_cast<int32_t>(walk_segments({bytes_at(buf), len}, 0x7FFFFFFF, segment));
}

int32_t rvf_segment_info(uintptr_t buf, size_t len, int32_t index, uintptr_t out) {
    if (!caller_owns(buf, len) || !caller_owns(out, kSegmentInfoBytes)) return kInvalidPointer;
    if (index < 0) return kInvalidArgument;
    Segment segment;
    uint32_t needed = static_cast<uint32_t>(index) + 1;
    if (walk_segments({bytes_at(buf), len}, needed, segment) < needed) return kInvalidArgument;
    uint8_t* record = buffer_at(out);
    store(record, segment.id);
    store(record + 8, uint32_t{segment.type});
    store(record + 12, segment.payload_length);
    store(record + 20, segment.offset);
    return kOk;
}

int32_t rvf_segment_at(uintptr_t buf, size_t len, size_t offset, uintptr_t out) {
    if (!caller_owns(buf, len) || !caller_owns(out, kInspectBytes)) return kInvalidPointer;
    Bytes file = {bytes_at(buf), len};
    Segment segment;
    if (!find_segment(file, offset, segment)) return 0;
    uint32_t state = segment.complete ? static_cast<uint32_t>(check_hash(file, segment)) : 3;
    uint8_t* record = buffer_at(out);
    __builtin_memset(record, 0, kInspectBytes);
    store(record, segment.id);
    store(record + 8, segment.offset);
    store(record + 16, segment.payload_length);
    record[24] = segment.type;
    record[25] = segment.version;
    copy(record + 26, file.data + segment.offset + kFlagsOffset, 2);
    store(record + 28, state);
    if (segment.complete) store(record + 32, footer_bytes(file, segment.end()));
    return 1;
}

int32_t rvf_verify_checksum(uintptr_t buf, size_t len) {
    Segment segment;
    Status status = first_segment(buf, len, segment);
    if (status != kOk) return status;
    HashState state = check_hash({bytes_at(buf), len}, segment);
    return state == HashState::kBad ? kInvalidChecksum : static_cast<int32_t>(state);
}

int32_t rvf_signing_input(uintptr_t buf, size_t len, uintptr_t out) {
    Segment segment;
    Status status = first_segment(buf, len, segment);
    if (status != kOk) return status;
    if (!caller_owns(out, kSigningInputBytes)) return kInvalidPointer;
    signing_input({bytes_at(buf), len}, segment, buffer_at(out));
    return kOk;
}

int32_t rvf_hash(int32_t kind, uintptr_t buf, size_t len, uintptr_t out) {
    if (kind != 0 && kind != 1) return kInvalidArgument;
    if (!caller_owns(buf, len) || !caller_owns(out, kSimpleHashBytes)) return kInvalidPointer;
    uint8_t hash[kSimpleHashBytes];
    Bytes bytes = {bytes_at(buf), len};
    if (kind == 0)
        simple_hash(bytes, hash);
    else
        shake256(bytes, hash, sizeof(hash));
    copy(buffer_at(out), hash, sizeof(hash));
    return kOk;
}

int32_t rvf_witness_report(uintptr_t buf, size_t len, uintptr_t out) {
    if (!caller_owns(buf, len) || !caller_owns(out, kWitnessReportBytes)) return kInvalidPointer;
    WitnessReport report = verify_witnesses({bytes_at(buf), len});
    __builtin_memcpy(buffer_at(out), &report, kWitnessReportBytes);
    return report.broken == 0;
}

int32_t rvf_witness_verify(uintptr_t chain, size_t len) {
    if (len % kWitnessEntryBytes) return kTruncatedSegment;
    int32_t sound = rvf_witness_count(chain, len);
    int32_t all = static_cast<int32_t>(len / kWitnessEntryBytes);
    return sound == all || sound < 0 ? sound : kInvalidChecksum;
}

int32_t rvf_witness_count(uintptr_t chain, size_t len) {
    if (!caller_owns(chain, len)) return kInvalidPointer;
    return static_cast<int32_t>(sound_entries({bytes_at(chain), len}));
}

int32_t rvf_witness_entry(uintptr_t chain, size_t len, uintptr_t action, uint64_t time_ns,
                          int32_t type, uintptr_t out) {
    if (!caller_owns(chain, len) || !caller_owns(action, 32)) return kInvalidPointer;
    if (!caller_owns(out, kWitnessEntryBytes)) return kInvalidPointer;
    if (len % kWitnessEntryBytes) return kTruncatedSegment;
    uint8_t entry[kWitnessEntryBytes];
    write_witness_entry({bytes_at(chain), len}, bytes_at(action), time_ns,
                        static_cast<uint8_t>(type), entry);
    copy(buffer_at(out), entry, sizeof(entry));
    return kOk;
}

} // extern "C"

} // namespace rvf
