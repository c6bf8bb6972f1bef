// From the bytes of a file to a store.
#pragma once

#include "control/store.h"

namespace rvf {

/// Opens `file`; `metric` -1 takes the stored one. A branch needs the bytes of its parent, other
/// files ignore them. On kOk `store` is a new store that holds copies of everything; on any other
/// status nothing is left behind.
Status open_store(Bytes file, Bytes parent, int32_t metric, Store*& store);

} // namespace rvf
