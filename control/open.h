// Opening: from the bytes of a file to a store (docs/format.md, "Opening a file").
#pragma once

#include "control/bytes.h"
#include "control/store.h"

namespace rvf {

struct OpenRequest {
    Bytes file;
    const FileBytes* parents; ///< of a branch, the nearest first
    uint32_t parent_count;
    int32_t metric;          ///< overrules the stored one; -1: as stored
    bool salvages = false;   ///< what is damaged is left out and listed in Store::losses
    bool takes_file = false; ///< vectors may lie in it; Store::file says whether some do
};

/// `store` is only set on kOk. The errors are those of rvf_store_open.
Status open_store(const OpenRequest& request, Store*& store);

} // namespace rvf
