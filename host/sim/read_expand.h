// Compressed segments of a file (docs/format.md, "Header"): whole payloads, as the field
// `compression` says. control/ reads plain segments only, so they are expanded before it sees them.
//
// A segment counts as compressed when its header names an algorithm and an uncompressed length.
// Upstream's readers ignore all three fields, and flags or an algorithm over a plain payload occur.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/manifest.h"
#include "control/segment.h"

namespace rvf::sim {

enum Compression : uint8_t {
    kPlain = 0,
    kLz4 = 1,    ///< one LZ4 block, without a frame
    kZstd = 2,   ///< Zstandard frames
    kCustom = 3, ///< a name without a definition
};

/// The algorithm of a segment; kPlain when it is not compressed. Values above kCustom occur.
uint8_t compression_of(Bytes file, const Segment& segment);

/// The uncompressed length that the header claims.
uint32_t expanded_bytes_of(Bytes file, const Segment& segment);

/// "LZ4", "ZSTD", "custom compression", "unknown compression 9".
std::string compression_name(uint8_t compression);

constexpr uint8_t kQuantSegment = 0x06;

/// Types that a reader of vectors looks into; others may stay compressed.
constexpr bool is_expanded_type(uint8_t type) {
    return type == kVecSegment || type == kIndexSegment || type == kQuantSegment ||
           type == kCowMapSegment || type == kMembershipSegment;
}

/// Bytes that all compressed segments of a file may have together after expanding.
constexpr uint64_t kMostExpandedBytes = uint64_t{1} << 30;

/// Makes the plain file that says the same as `file` with `manifest`: the segments above, in the
/// order of the directory, and a manifest of good content hash. Entries of the directory keep their
/// places; those that were not taken over point nowhere.
///
/// Empty, or what is wrong. Every length is checked before there is memory for it: a segment must
/// not expand beyond 256 MiB, all of them not beyond `most`, and each to exactly what it claims.
/// Its content hash must be that of the stored or of the expanded bytes.
std::string expand_segments(Bytes file, const Manifest& manifest, uint64_t most,
                            std::vector<uint8_t>& image);

/// Offset of a compressed manifest that decides what `file` holds: `manifest` itself, or one behind
/// it. Its offset is the size of the file when there is none. Manifests have to be plain: it is
/// they that lead to everything else.
uint64_t compressed_manifest(Bytes file, const Manifest& manifest);

} // namespace rvf::sim
