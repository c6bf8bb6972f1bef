// CRC32C on the hub's side: the same sum as the kernel's, eight bytes at a time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rvf::hub {

/// CRC32C of `bytes` bytes, going on from `crc` (0 at first).
uint32_t crc32c(uint32_t crc, const void* data, size_t bytes);

} // namespace rvf::hub
