// Headers of the copy-on-write segments (docs/format.md, "Branches", "Freezing").
#pragma once

#include "control/bytes.h"
#include "control/simple_hash.h"

namespace rvf {

// --- COW_MAP: which file a branch was made from ---

constexpr uint32_t kCowMapMagic = 0x5256434D; ///< on disk "MCVR"
constexpr uint32_t kCowMapFixedBytes = 0x51;  ///< then the parent's name, then the map

constexpr uint32_t kBaseIdOffset = 0x10;
constexpr uint32_t kBaseHashOffset = 0x20;  ///< of the last 64 KiB of the parent
constexpr uint32_t kBaseEpochOffset = 0x45; ///< the parent's; upstream writes 0 and keeps it
constexpr uint32_t kHashedTail = 65536;

// --- MEMBERSHIP: which of the parent's ids it shows ---

constexpr uint32_t kMembershipMagic = 0x52564D42; ///< on disk "BMVR"
constexpr uint32_t kMembershipFixedBytes = 0x60;  ///< then the bitmap

// --- REFCOUNT: an epoch that is not zero freezes the file ---

constexpr uint32_t kRefcountMagic = 0x52565243;
constexpr uint32_t kRefcountBytes = 32;

/// Magic, version, width and padding as they must be, and the array inside the payload.
bool is_refcount_header(Bytes payload);

// --- DELTA: carried on; nobody writes one ---

constexpr uint32_t kDeltaMagic = 0x5256444C;
constexpr uint32_t kDeltaBytes = 64;

/// The same of a DELTA, and its length.
bool is_delta_header(Bytes payload);

} // namespace rvf
