#include "control/vec_segment.h"

namespace rvf {

VecFit read_wasm_vec(Bytes payload, uint32_t dimension, VecRecords& records) {
    if (!payload.holds(0, kVecFixedBytes)) return VecFit::kLies;
    if (load<uint32_t>(payload.data + 2) != dimension) return VecFit::kOtherDimension;
    uint64_t body = payload.size - kVecFixedBytes;
    records = {body / record_bytes(dimension), payload.data + kVecFixedBytes};
    bool whole = body % record_bytes(dimension) == 0;
    bool counted = (records.count & 0xFFFF) == load<uint16_t>(payload.data);
    return whole && counted ? VecFit::kFits : VecFit::kLies;
}

VecFit read_vec(Bytes payload, uint32_t dimension, VecRecords& records) {
    if (!payload.holds(0, kVecFixedBytes)) return VecFit::kLies;
    uint32_t own_dimension = load<uint16_t>(payload.data);
    uint64_t count = load<uint32_t>(payload.data + 2);
    bool fits = payload.holds(kVecFixedBytes, count * record_bytes(own_dimension));
    if (fits && own_dimension == dimension) {
        records = {count, payload.data + kVecFixedBytes};
        return VecFit::kFits;
    }
    if (read_wasm_vec(payload, dimension, records) == VecFit::kFits) return VecFit::kFits;
    return fits ? VecFit::kOtherDimension : VecFit::kLies;
}

} // namespace rvf
