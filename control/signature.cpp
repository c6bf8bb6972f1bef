#include "control/signature.h"

#include "control/shake256.h"

namespace rvf {
namespace {

constexpr uint16_t kSignatureBytes[] = {64, 3309, 7856};

/// Of the header: all before the content hash.
constexpr uint32_t kSignedHeaderBytes = 40;
constexpr uint8_t kContext[] = {'R', 'V', 'F', '-', 'v', '1', '-',
                                's', 'e', 'g', 'm', 'e', 'n', 't'};
constexpr uint32_t kDigestBytes = 16;

} // namespace

uint32_t signature_bytes(int32_t kind) {
    return kind >= kEd25519 && kind <= kSlhDsa128s ? kSignatureBytes[kind] : 0;
}

uint32_t footer_bytes(Bytes file, uint64_t offset) {
    if (!file.holds(offset, kFooterFrameBytes)) return 0;
    const uint8_t* footer = file.data + offset;
    uint32_t bytes = signature_bytes(load<uint16_t>(footer));
    uint32_t all = bytes + kFooterFrameBytes;
    bool sound = bytes != 0 && load<uint16_t>(footer + 2) == bytes && file.holds(offset, all) &&
                 load<uint32_t>(footer + 4 + bytes) == all;
    return sound ? all : 0;
}

uint64_t behind_footer(Bytes file, uint64_t end) { return end + footer_bytes(file, end); }

void signing_input(Bytes file, const Segment& segment, uint8_t* out) {
    const uint8_t* header = file.data + segment.offset;
    copy(out, header, kSignedHeaderBytes + kContentHashBytes);
    out += kSignedHeaderBytes + kContentHashBytes;
    copy(out, kContext, sizeof(kContext));
    store(out + sizeof(kContext), segment.id);
    shake256(segment.payload, out + sizeof(kContext) + 8, kDigestBytes);
}

} // namespace rvf
