// Raw vectors as in the TEXMEX corpora (SIFT, GIST): per vector its dimension as i32, then
// elements, f32 in .fvecs files and u8 in .bvecs files.
#pragma once

#include <string>
#include <vector>

#include "control/bytes.h"

namespace rvf::sim {

/// By the end of the name, in any case.
bool is_vecs_path(const std::string& path);

struct Vecs {
    uint32_t dimension = 0;
    std::vector<float> rows; ///< one after the other
    size_t count() const { return dimension ? rows.size() / dimension : 0; }
};

/// Reads what the name of `path` says `bytes` are; answers an empty text, or what is wrong. Takes
/// vectors of one dimension, 1 to 65,535, with finite elements; at least one of them.
std::string parse_vecs(const std::string& path, Bytes bytes, Vecs& vecs);

} // namespace rvf::sim
