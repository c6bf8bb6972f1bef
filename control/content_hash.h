// The content hash of a segment header (docs/format.md, "Content hash"): sixteen bytes about the
// payload.
#pragma once

#include <stdint.h>

#include "control/bytes.h"

namespace rvf {

constexpr uint32_t kContentHashBytes = 16;

/// What a stored content hash says about the payload.
enum class HashState { kAbsent, kGood, kBad };

/// Takes the hash of every writer there is, whatever algorithm the header names; upstream's
/// readers ignore that field and most of its writers leave it 0.
HashState check_content_hash(const uint8_t* stored, Bytes payload);

/// Whether a stored content hash is absent or that CRC, rotated.
bool holds_crc(const uint8_t* stored, uint32_t crc);

/// Writes the one that upstream's runtime checks: the CRC-32, rotated by 0, 8, 16 and 24 bits.
void write_content_hash(uint8_t* target, Bytes payload);

} // namespace rvf
