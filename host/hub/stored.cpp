#include "host/hub/stored.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernel/half.h"
#include "kernel/memory_map.h"

namespace rvf::hub {

namespace {

std::vector<float> train(const Data& data) {
    std::vector<float> pairs(2 * size_t{data.dimension});
    for (size_t d = 0; d < data.dimension; ++d) {
        float low = data.rows.empty() ? 0 : data.rows[d];
        float high = low;
        for (size_t at = d; at < data.rows.size(); at += data.dimension) {
            low = std::min(low, data.rows[at]);
            high = std::max(high, data.rows[at]);
        }
        pairs[2 * d] = low;
        pairs[2 * d + 1] = high;
    }
    return pairs;
}

int8_t code_of(float value, float low, float high) {
    if (high <= low) return -128;
    double step = (double{value} - low) / (double{high} - low) * 255;
    return static_cast<int8_t>(std::lround(std::clamp(step, 0.0, 255.0)) - 128);
}

} // namespace

Stored convert(const Data& data, uint32_t dtype) {
    Stored stored;
    stored.dimension = data.dimension;
    stored.dtype = dtype;
    uint32_t element = dtype == tile::kF16 ? 2 : dtype == tile::kI8 ? 1 : 4;
    stored.row_bytes = element * data.dimension;
    stored.rows.resize(element * data.rows.size());
    if (dtype == tile::kI8) stored.sq_pairs = train(data);
    for (size_t i = 0; i < data.rows.size(); ++i) {
        uint8_t* at = stored.rows.data() + element * i;
        if (dtype == tile::kF16) {
            uint16_t half = float_to_half(data.rows[i]);
            std::memcpy(at, &half, 2);
        } else if (dtype == tile::kF32) {
            std::memcpy(at, &data.rows[i], 4);
        } else {
            const float* pair = &stored.sq_pairs[2 * (i % data.dimension)];
            int8_t code = code_of(data.rows[i], pair[0], pair[1]);
            std::memcpy(at, &code, 1);
        }
    }
    return stored;
}

std::vector<double> decoded_row(const Stored& stored, size_t row) {
    std::vector<double> values(stored.dimension);
    const uint8_t* at = stored.rows.data() + row * stored.row_bytes;
    for (size_t d = 0; d < values.size(); ++d) {
        if (stored.dtype == tile::kF16) {
            uint16_t half;
            std::memcpy(&half, at + 2 * d, 2);
            values[d] = half_to_float(half);
        } else if (stored.dtype == tile::kF32) {
            float value;
            std::memcpy(&value, at + 4 * d, 4);
            values[d] = value;
        } else {
            double low = stored.sq_pairs[2 * d];
            double high = stored.sq_pairs[2 * d + 1];
            int8_t code;
            std::memcpy(&code, at + d, 1);
            values[d] = low + (code + 128) / 255.0 * (high - low);
        }
    }
    return values;
}

std::vector<uint16_t> half_query(const std::vector<float>& query) {
    std::vector<uint16_t> halves((query.size() + 7) / 8 * 8);
    std::transform(query.begin(), query.end(), halves.begin(), float_to_half);
    return halves;
}

uint32_t block_rows(const Stored& stored) {
    constexpr uint32_t kMostIds =
        (tile::kNeighborCacheBytes - sizeof(tile::NeighborList)) / sizeof(uint64_t);
    uint32_t area = (stored.sq_pairs.empty() ? tile::kQuery : tile::kTables) - tile::kBlock;
    return std::min(area / stored.row_bytes, kMostIds);
}

} // namespace rvf::hub
