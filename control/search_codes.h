// Exact search that reads codes instead of rows: a row is read only when the bound from its code
// does not show that it is farther than the k-th nearest so far. docs/exact-search.md proves that
// nothing is missed.
#pragma once

#include <stdint.h>

#include "control/admission.h"
#include "control/sq8.h"
#include "control/store.h"

namespace rvf {

struct CodeAnswer {
    uint32_t found;
    uint32_t read; ///< rows of which the vector was read: what the speed depends on
};

/// Answers as search_exact does, to the bit, for any codes of this store: how many rows are read is
/// all that depends on them. Rows that have no code yet are read. Where few rows are admitted,
/// search_exact is faster: it asks first. Where memory cannot grow by some
/// KiB and 32 bytes for each of the k hits, it is search_exact.
CodeAnswer search_codes(const Store& store, const Codes& codes, int32_t metric, uint32_t k,
                        uint8_t* out, const Admission& admission = {});

/// search_codes for `count` padded vectors at once, laid out as for search_batch; each block of
/// codes is compared with all of them while it is in the cache.
void search_codes_batch(const Store& store, const Codes& codes, int32_t metric, uint32_t k,
                        const uint8_t* queries, uint32_t count, uint8_t* out, CodeAnswer* answers,
                        const Admission& admission = {});

} // namespace rvf
