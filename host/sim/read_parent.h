// The file that a branch was branched from (docs/format.md, "Branches").
#pragma once

#include <string>
#include <vector>

#include "control/manifest.h"
#include "kernel/status.h"

namespace rvf::sim {

struct Parent {
    std::string path;
    std::vector<uint8_t> bytes; ///< empty: none is needed
};

/// Reads the parent of the branch `bytes`, which lies at `path`: the file `given`, or when that is
/// empty the one beside `path` whose name the branch tells. Only a name is taken, so that a file
/// cannot lead elsewhere. Answers an empty text, or what is wrong. A parent with compressed
/// segments is refused: branches know their parent by its bytes.
std::string read_parent(const std::string& path, const std::string& given, Bytes bytes,
                        const Manifest& manifest, Parent& parent);

/// Whether opening a branch answered `status` because opening its parent does.
bool is_fault_of(const Parent& parent, Status status);

} // namespace rvf::sim
