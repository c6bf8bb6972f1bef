// Exact search: every live row, the k nearest kept in a heap.
#pragma once

#include <stdint.h>

#include "control/store.h"

namespace rvf {

/// Finds the `k` (at least 1) nearest rows to the query in store.query that `filter` admits (an
/// empty one: all) and writes them as 12-byte hits to `out`, ascending by (distance, id). `out`
/// holds min(k, live rows) hits and is used as working memory. Answers how many were found; rows
/// whose distance is NaN are never among them.
uint32_t search_exact(const Store& store, int32_t metric, uint32_t k, Bytes filter, uint8_t* out);

} // namespace rvf
