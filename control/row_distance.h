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

constexpr uint32_t kMostCompared = 128;
constexpr uint32_t kTogether = 4;

/// Loads every cache line of a row, a code or a list. Nothing depends on what they hold, so that
/// the processor does not wait for one before it asks for the next; wasm has no prefetch
/// instruction.
template <typename T>
RVF_INLINE void read_ahead(const T* begin, uint32_t bytes) {
    constexpr uint32_t kCacheLine = 64;
    const volatile uint8_t* lines = reinterpret_cast<const uint8_t*>(begin);
    for (uint32_t i = 0; i < bytes; i += kCacheLine) (void)lines[i];
}

Space space_of(const Store& store);

/// The query in store.query.
Point query_point(const Space& space);
Point row_point(const Space& space, uint32_t row);

/// By their vectors, as compare() without codes.
float distance_between(const Space& space, const Point& a, const Point& b);

bool is_dead(const Space& space, uint32_t row);

/// Compares `point` with `count` rows, at most kMostCompared, whose bit 31 is not looked at, and
/// writes a candidate for each; both have room for a multiple of kTogether if the point has a code.
/// By codes, if all have them: with about the distance. Otherwise, inner product and cosine: with
/// the distance that search_exact answers, bit for bit; L2: within Space::least_share of it.
void compare(const Space& space, const Point& point, const uint32_t* rows, uint32_t count,
             Candidate* candidates);

inline Candidate compare(const Space& space, const Point& point, uint32_t row) {
    uint32_t rows[kTogether] = {row};
    Candidate candidates[kTogether];
    compare(space, point, rows, 1, candidates);
    return candidates[0];
}

} // namespace rvf
