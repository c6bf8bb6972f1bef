// The inputs of the index fuzzer: a few bytes that say which rows a file has, the payloads of its
// INDEX and QUANT segments, and the operations that follow.
#pragma once

#include "tests/fuzz/entries.h"

namespace rvf::test {

/// Ids go up in threes, so that there is room between them.
constexpr uint64_t kIdStep = 3;

struct IndexInput {
    uint8_t metric = 0;
    uint8_t rows = 0;
    uint8_t dimension = 0;
    uint8_t seed = 0; ///< of the vectors
    uint8_t dead = 0; ///< every so many-th row is deleted; 0: none
    Buffer index = {};
    Buffer quant = {};
    Buffer operations = {};

    bool has_rare() const { return seed % 4 == 0; }
};

inline IndexInput split_index_input(const uint8_t* data, size_t size) {
    Reader reader(data, size);
    IndexInput input;
    input.metric = reader.number<uint8_t>() % 3;
    input.rows = reader.number<uint8_t>() % 64;
    input.dimension = 1 + reader.number<uint8_t>() % 20;
    input.seed = reader.number<uint8_t>();
    input.dead = reader.number<uint8_t>();
    auto quant = reader.number<uint8_t>();
    auto index = reader.number<uint16_t>();
    input.quant = reader.take_some(quant);
    input.index = reader.take_some(index);
    input.operations = reader.take_some(reader.left());
    return input;
}

inline Buffer join(const IndexInput& input) {
    Buffer bytes = {input.metric, input.rows, static_cast<uint8_t>(input.dimension - 1),
                    input.seed,   input.dead, static_cast<uint8_t>(input.quant.size())};
    put(bytes, static_cast<uint16_t>(input.index.size()));
    append(bytes, input.quant);
    append(bytes, input.index);
    append(bytes, input.operations);
    return bytes;
}

/// One that is like others now and then, or has elements that few expect: such make ranges so wide
/// that no code tells anything, so there are files without.
inline std::vector<float> some_vector(Random& random, size_t dimension, bool may_be_rare) {
    const std::vector<float> rare = {0, -0.0f, 1, 1e-40f, 1e-30f, 1e19f, -3e38f};
    uint32_t kind = random.below(8);
    std::vector<float> vector = random.vector(dimension, -1, 1);
    for (float& value : vector) {
        if (kind == 0) value = 0.5f;
        if (!may_be_rare) continue;
        if (kind == 1 || (kind == 2 && random.below(4) == 0)) value = random.pick(rare);
        if (kind == 3) value *= 1000;
    }
    return vector;
}

/// The vectors of the file and what it lists as deleted.
inline FileBuilder file_of_rows(const IndexInput& input) {
    Random random(input.seed);
    FileBuilder file;
    file.dimension = input.dimension;
    file.metric = input.metric;
    std::vector<uint64_t> ids;
    std::vector<float> values;
    for (uint64_t row = 0; row < input.rows; ++row) {
        std::vector<float> vector = some_vector(random, input.dimension, input.has_rare());
        ids.push_back(row * kIdStep);
        values.insert(values.end(), vector.begin(), vector.end());
        if (input.dead && row % input.dead == input.dead - 1u) file.deleted.push_back(ids.back());
    }
    file.add_vectors(ids, values);
    return file;
}

} // namespace rvf::test
