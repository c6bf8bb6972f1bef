// Branches: files that show the vectors of a parent file, less what they deleted, under their own
// (docs/format.md, "Branches").
#pragma once

#include "control/manifest.h"
#include "control/open.h"
#include "control/store.h"

namespace rvf {

/// Whether the directory of `manifest` makes the file a branch.
bool is_branch(const Manifest& manifest);

/// Adds the parent's live vectors that the branch admits, and their metadata, to `store`, which
/// must be empty. The parent is taken as it was when the branch was made, whatever it has committed
/// since. kParentNotFound without a parent; kLineageBroken when it is another file;
/// kParentHashMismatch when the state that the branch was made from is not in it any more;
/// kCowMapCorrupt when the branch's own records are damaged; kDimensionMismatch when the parent's
/// is another; and whatever opening the parent answers.
Status add_parent_rows(Store& store, const OpenRequest& request, const Manifest& manifest);

/// Makes `child` a branch of `parent`: rows, metadata, and the records of what it was made from.
/// `name` is the parent's file as the child's folder knows it. kOutOfMemory leaves `child` half
/// made.
Status make_branch(Store& child, const Store& parent, Bytes name);

/// Makes the MEMBERSHIP segment of the next commit.
Status add_membership(Store& store);

} // namespace rvf
