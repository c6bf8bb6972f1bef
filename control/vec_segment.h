// VEC segments: vectors as rows of (id u64, dimension times f32), behind a six-byte header of which
// two layouts exist (docs/format.md, "Vectors").
#pragma once

#include <stdint.h>

#include "control/bytes.h"

namespace rvf {

constexpr uint32_t kVecFixedBytes = 6;

inline uint64_t record_bytes(uint32_t dimension) { return 8 + uint64_t{4} * dimension; }

enum class VecFit {
    kFits,
    kOtherDimension, ///< a sound segment, of vectors of another dimension
    kLies,           ///< the counts do not fit the payload
};

struct VecRecords {
    uint64_t count;
    const uint8_t* first; ///< record_bytes apart
};

/// Runtime layout: dimension u16, count u32. Bytes after the last record are allowed.
/// Falls back to the layout of upstream's wasm module when only that fits.
VecFit read_vec(Bytes payload, uint32_t dimension, VecRecords& records);

/// The wasm module's layout: count u16, dimension u32. The count wraps above 65,535, so the length
/// of the payload decides.
VecFit read_wasm_vec(Bytes payload, uint32_t dimension, VecRecords& records);

} // namespace rvf
