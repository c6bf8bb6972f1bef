// Layers of a file: which of them a commit keeps, and which deleted ids it must still list.
#pragma once

#include "control/segment_writer.h"
#include "control/store.h"

namespace rvf {

/// How many of the first layers the next commit keeps. The rows of the others are written anew with
/// what has changed: eight small layers of about one size become one, as large ones are not; all do
/// when the directory and the deleted ids grow beyond what upstream's SDK searches for a manifest.
uint32_t layers_to_keep(const Store& store);

/// Takes ids that are live again from the list of deleted ones; their rows know since when the file
/// has them.
void forget_live(Store& store);

/// Takes ids from the list that no layer up to `layers_kept` holds, and sorts it.
void forget_merged(Store& store, uint32_t layers_kept);

/// Lists the layers and kept segments that stay where they are, in file order.
void list_what_stays(const Store& store, uint32_t layers_kept, SegmentWriter& writer);

} // namespace rvf
