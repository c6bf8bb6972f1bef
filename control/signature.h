// Signature footers behind segments (docs/format.md, "Signatures"). The module finds and carries
// them and hands out the bytes to sign; signing is the host's.
#pragma once

#include "control/segment.h"

namespace rvf {

enum SignatureKind : int32_t { kEd25519 = 0, kMlDsa65 = 1, kSlhDsa128s = 2 };

constexpr uint32_t kFooterFrameBytes = 8; ///< kind u16, length u16, ..., length of all u32
constexpr uint32_t kSigningInputBytes = 94;

/// Bytes of a signature; 0: no such kind.
uint32_t signature_bytes(int32_t kind);

/// Bytes of the footer that begins at `offset`; 0: there is none.
uint32_t footer_bytes(Bytes file, uint64_t offset);

/// Where a segment whose payload ends at `end` ends with its signature.
uint64_t behind_footer(Bytes file, uint64_t end);

/// Writes the 94 bytes that a signature of a complete segment is made of.
void signing_input(Bytes file, const Segment& segment, uint8_t* out);

} // namespace rvf
