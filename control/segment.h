// Segments: the 64-byte header and the walk from one to the next (docs/format.md, "Segments").
// Trusts no byte.
#pragma once

#include <stdint.h>

#include "control/bytes.h"
#include "control/content_hash.h"

namespace rvf {

constexpr uint32_t kSegmentMagic = 0x52564653; ///< on disk 53 46 56 52
constexpr uint8_t kFormatVersion = 1;
constexpr uint32_t kSegmentHeaderBytes = 64;
constexpr uint64_t kMaxPayloadBytes = 256u << 20; ///< what upstream's readers take

constexpr uint32_t kTypeOffset = 0x05;  ///< in a header
constexpr uint32_t kFlagsOffset = 0x06; ///< in a header
constexpr uint8_t kSignedFlag = 0x04;
constexpr uint32_t kCompressionOffset = 0x21; ///< in a header

enum SegmentType : uint8_t {
    kVecSegment = 0x01,
    kIndexSegment = 0x02,
    kJournalSegment = 0x04,
    kManifestSegment = 0x05,
    kQuantSegment = 0x06,
    kMetaSegment = 0x07,
    kWitnessSegment = 0x0A,
    kKernelSegment = 0x0E,
    kEbpfSegment = 0x0F,
    kWasmSegment = 0x10,
    kDashboardSegment = 0x11,
    kCowMapSegment = 0x20,
    kRefcountSegment = 0x21,
    kMembershipSegment = 0x22,
    kDeltaSegment = 0x23,
};

struct Segment {
    uint64_t offset; ///< of the header in the file
    uint64_t id;
    uint64_t payload_length; ///< as the header claims
    uint8_t version;
    uint8_t type;
    Bytes payload; ///< empty unless it lies inside the file
    bool complete; ///< the payload lies inside the file

    uint64_t end() const { return offset + kSegmentHeaderBytes + payload_length; }
};

/// Reads the header at `offset`; false when it does not fit or has no magic.
bool read_segment(Bytes file, uint64_t offset, Segment& segment);

/// Finds the next segment at or after `offset` by looking for the magic; the way over damage.
bool find_segment(Bytes file, uint64_t offset, Segment& segment);

/// Whether the header names a compression; then the content hash may be that of what it expands to.
inline bool is_compressed(Bytes file, const Segment& segment) {
    return file.data[segment.offset + kCompressionOffset] != 0;
}

/// The content hash of a complete segment.
HashState check_hash(Bytes file, const Segment& segment);

/// Writes a header with its content hash.
void write_header(uint8_t* target, uint8_t type, uint64_t id, Bytes payload);

} // namespace rvf
