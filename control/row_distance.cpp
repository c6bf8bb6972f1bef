#include "control/row_distance.h"

#include "control/exact_distance.h"
#include "control/marks.h"

namespace rvf {
namespace {

constexpr uint32_t kRowBits = ~0u >> 1;
constexpr uint32_t kCacheLine = 64;
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

/// Loads every line of a row or a code. Nothing depends on what they hold, so that the processor
/// does not wait for one before it asks for the next; wasm has no prefetch instruction.
RVF_INLINE void read_ahead(const uint8_t* begin, uint32_t bytes) {
    const volatile uint8_t* lines = begin;
    for (uint32_t i = 0; i < bytes; i += kCacheLine) (void)lines[i];
}

/// The code of a row that has one, or nullptr.
RVF_INLINE const uint8_t* code_of(const Space& space, const Point& point, uint32_t row) {
    return point.code && row < space.codes->done ? code_at(*space.codes, row) : nullptr;
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

bool is_dead(const Space& space, uint32_t row) { return is_dead(space.store, row); }

// All rows are read into the cache before the first of them is compared: their lines arrive side by
// side then, and a search out of cache runs 1.3 to 1.7 times as fast.
void compare(const Space& space, const Point& point, const uint32_t* rows, uint32_t count,
             Candidate* candidates) {
    for (uint32_t i = 0; count > 1 && i < count; ++i) {
        uint32_t row = rows[i] & kRowBits;
        if (const uint8_t* code = code_of(space, point, row)) {
            read_ahead(code, space.codes->row_bytes);
            continue;
        }
        const Chunk& chunk = chunk_of(space.store, row);
        read_ahead(chunk.vectors + size_t{index_of(space.store, row)} * chunk.stride,
                   space.store.row_bytes);
    }
    for (uint32_t i = 0; i < count; ++i) {
        uint32_t row = rows[i] & kRowBits;
        const uint8_t* code = code_of(space, point, row);
        bool coded = code && load<CodeHead>(code).error <= space.codes->coarse;
        candidates[i] = candidate(
            coded ? code_distance(*point.code, code) : distance(space, point, point_at(space, row)),
            row);
    }
}

} // namespace rvf
