// For native callers of control.h, whose addresses do not fit the u32 of its records: the store
// behind a handle. The modules do not have this.
#pragma once

#include "control/store.h"

#if !defined(__wasm__)

namespace rvf {

/// The store of a handle, or nullptr; its pending commit and kept segments are in it.
const Store* native_store(int32_t handle);

} // namespace rvf

#endif
