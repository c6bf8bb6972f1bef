#include "control/container.h"

#include "control/shake256.h"
#include "control/simple_hash.h"

namespace rvf {
namespace {

struct Container {
    uint32_t magic;
    uint32_t header_bytes;
    uint8_t size_offset; ///< of the image's size: u64, of WASM u32
    uint8_t hash_offset;
    uint32_t most_mib;
};

constexpr Container kContainers[] = {
    {0x52564B4E, 128, 0x18, 0x30, 128}, // KERNEL
    {0x52564250, 64, 0x10, 0x20, 16},   // EBPF
    {0x5256574D, 64, 0x0C, 0x18, 8},    // WASM
    {0x52564442, 64, 0x08, 0x20, 64},   // DASHBOARD
};

constexpr uint32_t kCmdlineOffset = 0x70; // of a KERNEL
constexpr uint32_t kCmdlineLength = 0x78;
constexpr uint32_t kBoundCmdline = 256; // behind a KernelBinding: then the image follows it

} // namespace

Status check_container(uint8_t type, Bytes payload) {
    if (type < kKernelSegment || type > kDashboardSegment) return kOk;
    const Container& container = kContainers[type - kKernelSegment];
    if (!payload.holds(0, container.header_bytes)) return kTruncatedSegment;
    const uint8_t* p = payload.data;
    if (load<uint32_t>(p) != container.magic) return kInvalidMagic;
    if (load<uint16_t>(p + 4) != 1) return kInvalidVersion;
    uint64_t size = load<uint64_t>(p + container.size_offset);
    if (type == kWasmSegment) size = static_cast<uint32_t>(size);
    if (size > uint64_t{container.most_mib} << 20) return kSegmentTooLarge;
    uint64_t at = container.header_bytes;
    uint64_t behind = 0;
    if (type == kKernelSegment) {
        bool is_bound = load<uint64_t>(p + kCmdlineOffset) == kBoundCmdline;
        (is_bound ? at : behind) = load<uint32_t>(p + kCmdlineLength);
        if (is_bound) at += kBoundCmdline;
    }
    if (!payload.holds(at, size + behind)) return kTruncatedSegment;
    Bytes image = payload.part(at, size);
    const uint8_t* stored = p + container.hash_offset;
    uint8_t hash[kSimpleHashBytes] = {};
    if (equal(stored, hash, sizeof(hash)) || simple_hash_is(image, stored)) return kOk;
    shake256(image, hash, sizeof(hash));
    return equal(stored, hash, sizeof(hash)) ? kOk : kInvalidChecksum;
}

} // namespace rvf
