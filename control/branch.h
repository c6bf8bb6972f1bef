// Branches: files that show the vectors of a parent file, less what they deleted, under their own
// (docs/format.md, "Branches").
#pragma once

#include "control/manifest.h"
#include "control/store.h"

namespace rvf {

/// Whether the directory of `manifest` makes the file a branch.
bool is_branch(const Manifest& manifest);

/// Adds the parent's live vectors that `file` admits to `store`, which must be empty.
/// kParentNotFound without a parent (size 0), or when the parent is a branch itself;
/// kParentHashMismatch when the parent is not as it was when the branch was made; kCowMapCorrupt
/// when the branch's own records are damaged; kDimensionMismatch when the parent's is another; and
/// whatever opening the parent answers.
Status add_parent_rows(Store& store, Bytes file, const Manifest& manifest, Bytes parent);

} // namespace rvf
