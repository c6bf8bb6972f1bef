// Codes made directly, without the exports.
#pragma once

#include "control/sq8.h"
#include "tests/unit/vector_sets.h"

namespace rvf::test {

struct FreeCodes {
    void operator()(Codes* codes) const { free_codes(codes); }
};
using CodesPointer = std::unique_ptr<Codes, FreeCodes>;

inline CodesPointer empty_codes(const Store& store) { return CodesPointer(make_codes(store)); }

inline CodesPointer coded(const Store& store) {
    CodesPointer codes = empty_codes(store);
    train_codes(*codes, store);
    EXPECT_EQ(add_codes(*codes, store, ~0u), kOk);
    return codes;
}

/// Rows of lengths from 1e-30 to 1e30, among them zeros, infinities and NaN.
inline Vectors extreme_set(Random& random, size_t count, size_t dimension) {
    bool wide = random.below(2);
    double middle = random.between(-25, 25);
    Vectors vectors(count);
    for (auto& vector : vectors) {
        double power = wide ? random.between(-30, 30) : middle + random.between(-1, 1);
        vector = random.vector(dimension, -1, 1);
        for (float& value : vector) {
            value = static_cast<float>(value * std::pow(10.0, power));
            if (random.below(40) == 0) value *= random.below(2) ? 1e-8f : 0;
        }
        uint32_t kind = random.below(30);
        if (kind == 0) vector.assign(dimension, 0);
        if (kind == 1) vector[0] = std::nanf("");
        if (kind == 2) vector[dimension / 2] = HUGE_VALF;
        if (kind == 3) vector[dimension / 2] = -3e38f;
        if (kind == 4) vector.assign(dimension, 1e-45f);
    }
    return vectors;
}

} // namespace rvf::test
