#include "control/row_distance.h"

#include "control/exact_distance.h"
#include "control/marks.h"

namespace rvf {
namespace {

constexpr uint32_t kRowBits = ~0u >> 1;
constexpr float kMaxBoundedNorm = 1e37f; // as in search.cpp

RVF_INLINE const Chunk& chunk_of(const Store& store, uint32_t row) {
    return store.chunks[row >> store.chunk_shift];
}

RVF_INLINE uint32_t index_of(const Store& store, uint32_t row) {
    return row & ((1u << store.chunk_shift) - 1);
}

RVF_INLINE Point point_at(const Space& space, uint32_t row) {
    const Chunk& chunk = chunk_of(space.store, row);
    uint32_t index = index_of(space.store, row);
    const uint8_t* norms = chunk.columns + size_t{chunk.capacity} * 12; // behind ids and metadata
    float norm = load<float>(norms + size_t{index} * sizeof(float));
    return {chunk.vectors + size_t{index} * chunk.stride, norm,
            space.metric == kCosine ? __builtin_sqrtf(norm) : 0};
}

RVF_INLINE float distance(const Space& space, const Point& a, const Point& b) {
    uint32_t bytes = space.store.row_bytes;
    float dot = sum_of_products(b.vector, a.vector, bytes);
    if (space.metric == kInnerProduct) return -dot;
    if (space.metric == kCosine) {
        float lengths = a.length * b.length;
        return lengths < kMinNorms ? 1.0f : 1.0f - dot / lengths;
    }
    float norms = a.norm + b.norm;
    float distance = norms - 2 * dot;
    if (norms < kMaxBoundedNorm && distance > norms * space.least_share) return distance;
    return sum_of_squared_differences(b.vector, a.vector, bytes);
}

RVF_INLINE bool have_codes(const Codes& codes, const uint32_t* rows, uint32_t count) {
    bool all = true;
    for (uint32_t i = 0; i < count; ++i) all &= (rows[i] & kRowBits) < codes.done;
    return all;
}

/// Candidates of four distances, which are not NaN.
RVF_INLINE void put_candidates(v128_t distances, v128_t rows, Candidate* candidates) {
    v128_t sign = wasm_i32x4_splat(~0x7FFFFFFF);
    v128_t ranks = wasm_v128_xor(distances, wasm_v128_or(wasm_i32x4_shr(distances, 31), sign));
    rows = wasm_i32x4_shl(rows, 2);
    wasm_v128_store(candidates, wasm_i32x4_shuffle(rows, ranks, 0, 4, 1, 5));
    wasm_v128_store(candidates + 2, wasm_i32x4_shuffle(rows, ranks, 2, 6, 3, 7));
}

/// Compares by codes; rows with values far outside the ranges by their vectors. Those whose vector
/// is outside of the module and that no code can say anything of are the farthest.
void compare_codes(const Space& space, const Point& point, const uint32_t* rows, uint32_t count,
                   Candidate* candidates) {
    const CodeQuery query = *point.code;
    const float coarse = space.codes->coarse;
    const uint8_t* codes[kMostCompared];
    for (uint32_t i = 0; i < count; ++i) {
        codes[i] = code_at(*space.codes, rows[i] & kRowBits);
        read_ahead(codes[i], space.codes->row_bytes);
    }
    for (uint32_t i = count; i % kTogether; ++i) codes[i] = codes[count - 1];
    for (uint32_t i = 0; i < count; i += kTogether) {
        v128_t errors;
        v128_t distances = code_distances(query, codes + i, errors);
        put_candidates(distances, wasm_v128_load(rows + i), candidates + i);
        uint32_t fine = wasm_i32x4_bitmask(wasm_f32x4_le(errors, wasm_f32x4_splat(coarse)));
        for (uint32_t j = i; fine != 15 && j < count && j < i + kTogether; ++j) {
            uint32_t row = rows[j] & kRowBits;
            if (fine >> (j - i) & 1) continue;
            float far = space.store.is_outside
                            ? __builtin_inff()
                            : distance_between(space, point, point_at(space, row));
            candidates[j] = candidate(far, row);
        }
    }
}

} // namespace

Space space_of(const Store& store) {
    float n = static_cast<float>(store.row_bytes / 4);
    return {store, store.metric, (n / 4 + 48) * 0x1p-18f};
}

Point query_point(const Space& space) {
    const Store& store = space.store;
    float norm = norm_of(store.query, store.row_bytes);
    return {store.query, norm, __builtin_sqrtf(norm)};
}

Point row_point(const Space& space, uint32_t row) { return point_at(space, row); }

float distance_between(const Space& space, const Point& a, const Point& b) {
    return distance(space, a, b);
}

bool is_dead(const Space& space, uint32_t row) { return is_dead(space.store, row); }

// All rows are read into the cache before the first of them is compared: their lines arrive side by
// side then, and a search out of cache runs 1.3 to 1.7 times as fast.
void compare(const Space& space, const Point& point, const uint32_t* rows, uint32_t count,
             Candidate* candidates) {
    if (point.code && have_codes(*space.codes, rows, count)) {
        return compare_codes(space, point, rows, count, candidates);
    }
    for (uint32_t i = 0; count > 1 && i < count; ++i) {
        uint32_t row = rows[i] & kRowBits;
        const Chunk& chunk = chunk_of(space.store, row);
        read_ahead(chunk.vectors + size_t{index_of(space.store, row)} * chunk.stride,
                   space.store.row_bytes);
    }
    for (uint32_t i = 0; i < count; ++i) {
        uint32_t row = rows[i] & kRowBits;
        candidates[i] = candidate(distance_between(space, point, point_at(space, row)), row);
    }
}

} // namespace rvf
