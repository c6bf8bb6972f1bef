// Signatures of the segments of .rvf files (docs/format.md, "Signatures"), made and verified on the
// host. Plain functions over bytes; the formats are control/segment.h's and control/signature.h's.
//
// What a signature says. It covers the first 40 bytes of the segment's header, the content hash and
// the payload. It does not cover header bytes 0x38 to 0x3F, which no reader uses, nor where the
// segment lies, nor that others are there too: a file may have lost a signed segment at its end, or
// be an older state of itself. What a commit consists of is in its manifest, which is signed as
// well.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "control/signature.h"
#include "host/signing/ed25519.h"

namespace rvf::signing {

/// Signs the segments of `bytes`, a pending commit or a file, that have room for it: an Ed25519
/// footer whose signature is all zeros, as rvf_store_commit with signature 0 leaves it. Footers
/// that are filled already stay as they are, and so do segments without one. Answers how many
/// segments were signed; nothing when OpenSSL fails, and then no byte has changed.
std::optional<size_t> sign_segments(std::span<uint8_t> bytes, const PrivateKey& key);

enum class SignatureState {
    kAbsent,    ///< no footer, and the header does not promise one
    kGood,      ///< made with the key, of just these bytes
    kBad,       ///< not: changed, unsigned, made with another key; or promised and not there
    kOtherKind, ///< a footer of another algorithm, of which nothing is said here
};

struct SegmentSignature {
    uint64_t offset; ///< of the header in the file
    uint64_t id;
    uint8_t type;
    SignatureState state;
};

struct Verification {
    std::vector<SegmentSignature> segments; ///< in the order of the file
    uint64_t stray_bytes;                   ///< in no segment and no footer, and not zero

    /// Whether every byte of the file that means something is signed with the key; not for a file
    /// without segments.
    bool all_good() const;
};

/// Verifies all segments of a file. The walk goes from one to the next; over damage it looks for
/// the next magic. A segment that the file's end cuts off is in the list too.
Verification verify_signatures(std::span<const uint8_t> file, const PublicKey& key);

} // namespace rvf::signing
