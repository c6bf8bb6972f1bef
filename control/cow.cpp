#include "control/cow.h"

namespace rvf {
namespace {

bool begins(Bytes payload, uint32_t magic, uint32_t size) {
    return payload.holds(0, size) && load<uint32_t>(payload.data) == magic &&
           load<uint16_t>(payload.data + 4) == 1 && payload.data[7] == 0;
}

} // namespace

bool is_refcount_header(Bytes payload) {
    if (!begins(payload, kRefcountMagic, kRefcountBytes)) return false;
    uint8_t width = payload.data[6];
    uint64_t array = uint64_t{load<uint32_t>(payload.data + 8)} * width;
    return (width == 1 || width == 2 || width == 4) && load<uint32_t>(payload.data + 28) == 0 &&
           payload.holds(load<uint64_t>(payload.data + 16), array);
}

bool is_delta_header(Bytes payload) {
    return begins(payload, kDeltaMagic, kDeltaBytes) && payload.data[6] <= 2 &&
           load<uint64_t>(payload.data + 56) == 0 &&
           payload.holds(kDeltaBytes, load<uint64_t>(payload.data + 16));
}

} // namespace rvf
