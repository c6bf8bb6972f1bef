// The six kinds of vectors that searches are tested on, in any dimension, and points to ask for.
#pragma once

#include <fstream>

#include "tests/unit/graph_store.h"

namespace rvf::test {

inline double normal(Random& random) {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += random.between(0, 1);
    return sum - 6;
}

inline Vectors uniform_set(Random& random, size_t count, size_t dimension) {
    Vectors vectors(count);
    for (auto& vector : vectors) vector = random.vector(dimension, -1, 1);
    return vectors;
}

inline Vectors clustered_set(Random& random, size_t count, size_t dimension) {
    Vectors centres = uniform_set(random, 30, dimension);
    Vectors vectors(count);
    for (auto& vector : vectors) {
        vector = random.pick(centres);
        for (float& value : vector) value += 0.1f * static_cast<float>(normal(random));
    }
    return vectors;
}

/// Real descriptors: their first values, or several of them one after the other.
inline Vectors sift_set(Random&, size_t count, size_t dimension) {
    constexpr size_t kBytes = 128;
    std::ifstream file(RVF_FIXTURES "/../sift10k/base.bvecs", std::ios::binary);
    Vectors vectors(count);
    for (auto& vector : vectors) {
        while (vector.size() < dimension) {
            uint8_t record[4 + kBytes]; // dimension u32, then elements
            EXPECT_TRUE(file.read(reinterpret_cast<char*>(record), sizeof(record)));
            vector.insert(vector.end(), record + 4, record + sizeof(record));
        }
        vector.resize(dimension);
    }
    return vectors;
}

/// Forty different vectors, each many times.
inline Vectors duplicates_set(Random& random, size_t count, size_t dimension) {
    Vectors originals = uniform_set(random, 40, dimension);
    Vectors vectors(count);
    for (auto& vector : vectors) vector = random.pick(originals);
    return vectors;
}

inline Vectors all_equal_set(Random& random, size_t count, size_t dimension) {
    return Vectors(count, random.vector(dimension, -1, 1));
}

inline Vectors one_outlier_set(Random& random, size_t count, size_t dimension) {
    Vectors vectors = uniform_set(random, count, dimension);
    for (float& value : vectors[count / 3]) value *= 1e6f;
    return vectors;
}

struct VectorSet {
    const char* name;
    Vectors (*make)(Random&, size_t, size_t);
};
constexpr VectorSet kVectorSets[] = {
    {"uniform", uniform_set},       {"clustered", clustered_set}, {"sift", sift_set},
    {"duplicates", duplicates_set}, {"all equal", all_equal_set}, {"one outlier", one_outlier_set},
};
constexpr size_t kDimensions[] = {1, 2, 3, 7, 64, 128, 384, 1536};
constexpr int32_t kMetrics[] = {kL2, kInnerProduct, kCosine};

/// As many rows as a test of this dimension has time for.
inline size_t rows_for(size_t dimension) { return dimension > 128 ? 220 : 900; }

/// Points like those of the vectors, none of them a vector but by chance.
inline Vectors points_near(Random& random, const Vectors& vectors, size_t count) {
    Vectors points(count);
    for (auto& point : points) {
        const auto &a = random.pick(vectors), &b = random.pick(vectors);
        point = a;
        for (size_t i = 0; i < a.size(); ++i) point[i] += 0.2f * (b[i] - a[i]);
    }
    return points;
}

} // namespace rvf::test
