// Handles: the stores that are open, by index and generation.
#pragma once

#include "control/store.h"

namespace rvf {

/// nullptr: the handle names no open store, or one whose vectors stay outside.
Store* store_of(int32_t handle);

/// The same for what needs no vectors: also one whose vectors stay outside.
Store* any_store_of(int32_t handle);

/// A handle for `store`, or kTooManyStores; then the store is freed.
int32_t handle_or_free(Store* store);

/// The handle of an open store is dead from now on; the store stays.
void forget_handle(int32_t handle);

} // namespace rvf
