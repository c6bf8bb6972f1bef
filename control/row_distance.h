// Distances between rows, and of a query from rows, as a graph search compares them: from one dot
// product and the norms that the store keeps (docs/format.md, "Distances").
#pragma once

#include "control/candidate.h"
#include "control/sq8.h"
#include "control/store.h"

namespace rvf {

/// A padded vector and what is known of it.
struct Point {
    const uint8_t* vector;
    float norm;                      ///< sum of squares
    float length;                    ///< its root; only set for the cosine
    const CodeQuery* code = nullptr; ///< set: it is compared with codes where rows have them
};

/// How points of one store are compared.
struct Space {
    const Store& store;
    int32_t metric;
    /// The part of |a|^2 + |b|^2 below which |a|^2 + |b|^2 - 2 a b is too far off to be used: 64
    /// times the bound on its error (control/search.cpp), so that what is used is off by 1.6 % at
    /// most, and by 1e-6 where it is not tiny.
    float least_share;
    const Codes* codes = nullptr; ///< for points with a code
};

Space space_of(const Store& store);

/// The query in store.query.
Point query_point(const Space& space);
Point row_point(const Space& space, uint32_t row);

bool is_dead(const Space& space, uint32_t row);

/// Compares `point` with `count` rows, whose bit 31 is not looked at, and writes a candidate for
/// each. By codes: with about the distance. Otherwise, inner product and cosine: with the distance
/// that search_exact answers, bit for bit; L2: within Space::least_share of it.
void compare(const Space& space, const Point& point, const uint32_t* rows, uint32_t count,
             Candidate* candidates);

inline Candidate compare(const Space& space, const Point& point, uint32_t row) {
    Candidate one;
    compare(space, point, &row, 1, &one);
    return one;
}

} // namespace rvf
