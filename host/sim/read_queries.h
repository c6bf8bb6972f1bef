// Queries, as they are given on a command line.
#pragma once

#include <string>
#include <vector>

#include "host/sim/read.h"

namespace rvf::sim {

/// Appends the queries that `text` means to `queries`, at most `most` of them:
///   0.1,-2,3e-1     one vector
///   id:17           the vector of `file` with that id
///   path            all vectors of an .rvf, .fvecs or .bvecs file
/// What begins like a number and has a comma, or is nothing but a number, is a vector; write ./1,2
/// for a file of that name. Answers an empty text, or what is wrong; then `queries` is as before.
/// Every query has the dimension of the file and is finite.
std::string read_queries(const std::string& text, const File& file, size_t most,
                         std::vector<std::vector<float>>& queries);

} // namespace rvf::sim
