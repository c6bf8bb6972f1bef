// Exact search: every live row, the k nearest kept in a heap; for one query or many at once.
#pragma once

#include <stdint.h>

#include "control/admission.h"
#include "control/store.h"

namespace rvf {

/// Finds the `k` (at least 1) nearest rows to the query in store.query that are admitted and writes
/// them as 12-byte hits to `out`, ascending by (distance, id). `out` holds min(k, live rows) hits
/// and is used as working memory. Answers how many were found; rows whose distance is NaN are never
/// among them.
uint32_t search_exact(const Store& store, int32_t metric, uint32_t k, uint8_t* out,
                      const Admission& admission = {});

/// search_exact for `count` padded vectors at once: each block of rows is compared with all of them
/// while it is in the cache. Query i has its hits at i times the bytes that search_exact needs, and
/// their number in found[i].
void search_batch(const Store& store, int32_t metric, uint32_t k, const uint8_t* queries,
                  uint32_t count, uint8_t* out, uint32_t* found, const Admission& admission = {});

/// Hits that a query has room for.
inline uint32_t hits_for(const Store& store, uint32_t k) {
    return k < live_count(store) ? k : live_count(store);
}

} // namespace rvf
