// Vectors as tiles compare them: converted to f16 or i8, cut into blocks.
#pragma once

#include <cstdint>
#include <vector>

#include "host/hub/hub.h"

namespace rvf::hub {

/// The rows of Data in the form in which tiles get them.
struct Stored {
    uint32_t dimension = 0;
    uint32_t dtype = 0;
    uint32_t row_bytes = 0;
    std::vector<uint8_t> rows;
    std::vector<float> sq_pairs; ///< i8: (minimum, maximum) per dimension; else empty
};

/// Converts; i8 is trained on the data: the range of each dimension is cut into 255 steps.
Stored convert(const Data& data, uint32_t dtype);

/// One row as numbers again: what exact answers are compared with.
std::vector<double> decoded_row(const Stored& stored, size_t row);

/// A query as f16, as LOAD_QUERY carries it, padded with zeros to a multiple of 8 elements: a tile
/// decodes eight at a time.
std::vector<uint16_t> half_query(const std::vector<float>& query);

/// Vectors of a block: as many as fit the block area beside what else is loaded, at most 510.
uint32_t block_rows(const Stored& stored);

} // namespace rvf::hub
