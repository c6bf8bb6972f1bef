// Upstream's 32-byte additive mix, which its tools write wherever their documents say SHAKE-256: it
// tells that bytes have changed by accident, not that nobody forged them (docs/format.md,
// "Hashes").
#pragma once

#include "control/bytes.h"

namespace rvf {

constexpr uint32_t kSimpleHashBytes = 32;

void simple_hash(Bytes bytes, uint8_t* hash);

/// Whether the hash of `bytes` is the stored one.
bool simple_hash_is(Bytes bytes, const uint8_t* stored);

} // namespace rvf
