#include "control/segment_writer.h"

#include "control/manifest.h"
#include "control/signature.h"

namespace rvf {

void SegmentWriter::list(uint64_t id, uint64_t offset, uint64_t payload_bytes, uint8_t type) {
    if (target) {
        uint8_t* entry = entries + size_t{entry_count} * kDirectoryEntryBytes;
        store(entry, id);
        store(entry + 8, offset);
        store(entry + 16, payload_bytes);
        entry[24] = type;
    }
    ++entry_count;
}

uint64_t SegmentWriter::end(uint8_t type, uint64_t payload, bool listed) {
    uint64_t header = payload - kSegmentHeaderBytes;
    if (target) {
        write_header(target + header, type, next_id,
                     {target + payload, static_cast<size_t>(size - payload)});
        if (signature >= 0) target[header + kFlagsOffset] = kSignedFlag;
    }
    if (listed) list(next_id, base + header, size - payload, type);
    put_footer();
    return next_id++;
}

void SegmentWriter::put_footer() {
    if (signature < 0) return;
    uint32_t bytes = signature_bytes(signature);
    put(static_cast<uint16_t>(signature));
    put(static_cast<uint16_t>(bytes));
    if (target) __builtin_memset(target + size, 0, bytes);
    size += bytes;
    put(bytes + kFooterFrameBytes);
}

} // namespace rvf
