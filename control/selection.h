// The rows that a filter admits, found once and kept for queries with the same filter until the
// store changes: then a search asks a bit for each row, and knows how many there are.
#pragma once

#include "control/admission.h"
#include "control/buffer.h"
#include "control/filter.h"

namespace rvf {

struct Selection {
    Buffer program;   ///< of the filter that was asked for last
    uint64_t version; ///< of the store then
    Buffer bits;      ///< one for each row; none: they were not found yet
    uint32_t count;   ///< of rows that are admitted
};

/// Remembers a filter. True when the same one of the same state of the store was asked for last.
bool is_asked_again(Selection& selection, const Filter& filter);

/// Whether a filter admits listed ids only, so that its rows are found without asking all.
bool is_list_of_ids(const Filter& filter);

/// Finds the rows of the filter that was asked for last, if they are not found yet. False when
/// memory cannot grow.
bool select_rows(Selection& selection, const Filter& filter);

Admission admission_of(const Selection& selection);

void free_selection(Selection& selection);

} // namespace rvf
