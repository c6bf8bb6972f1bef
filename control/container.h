// What is embedded in a file to run there: KERNEL, EBPF, WASM and DASHBOARD segments
// (docs/format.md, "Containers"). A header, the image, and what follows it.
#pragma once

#include "control/segment.h"
#include "kernel/status.h"

namespace rvf {

/// Whether a payload of one of those types is sound: magic, version 1, the image inside the payload
/// and within the type's limit, its hash (simple or SHAKE-256; a hash of zeros: none). Other types
/// are. kInvalidMagic, kInvalidVersion, kTruncatedSegment, kSegmentTooLarge, kInvalidChecksum.
Status check_container(uint8_t type, Bytes payload);

} // namespace rvf
