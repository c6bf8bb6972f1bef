#include "control/row_distance.h"

#include "control/row_sums.h"

namespace rvf {
namespace {

constexpr uint32_t kRowBits = ~0u >> 1;
constexpr uint32_t kCacheLine = 64;
constexpr float kMinNorms = 0x1p-23f;    // as in search.cpp
constexpr float kMaxBoundedNorm = 1e37f; // as in search.cpp

struct Place {
    const uint8_t* rows; ///< of the chunk
    uint32_t capacity;
    uint32_t index;
};

RVF_INLINE Place place_of(const Store& store, uint32_t row) {
    const Chunk& chunk = store.chunks[row >> store.chunk_shift];
    return {chunk.memory, chunk.capacity, row & ((1u << store.chunk_shift) - 1)};
}

RVF_INLINE Point point_at(const Space& space, uint32_t row) {
    Place place = place_of(space.store, row);
    uint32_t bytes = space.store.row_bytes;
    const uint8_t* norms = place.rows + size_t{place.capacity} * (bytes + sizeof(uint64_t));
    float norm = load<float>(norms + size_t{place.index} * sizeof(float));
    return {place.rows + size_t{place.index} * bytes, norm,
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

/// Loads every line of a row. Nothing depends on what they hold, so that the processor does not
/// wait for one before it asks for the next; wasm has no prefetch instruction.
RVF_INLINE void read_ahead(const Store& store, uint32_t row) {
    Place place = place_of(store, row);
    const volatile uint8_t* vector = place.rows + size_t{place.index} * store.row_bytes;
    for (uint32_t i = 0; i < store.row_bytes; i += kCacheLine) (void)vector[i];
}

} // namespace

Space space_of(const Store& store) {
    float n = static_cast<float>(store.row_bytes / 4);
    return {store, store.metric, (n / 4 + 48) * 0x1p-18f};
}

Point query_point(const Space& space) {
    const Store& store = space.store;
    float norm = sum_of_products(store.query, store.query, store.row_bytes);
    return {store.query, norm, __builtin_sqrtf(norm)};
}

Point row_point(const Space& space, uint32_t row) { return point_at(space, row); }

bool is_dead(const Space& space, uint32_t row) {
    Place place = place_of(space.store, row);
    uint64_t before = space.store.row_bytes + sizeof(uint64_t) + sizeof(float);
    return place.rows[size_t{place.capacity} * before + place.index] & kDead;
}

// All rows are read into the cache before the first of them is compared: their lines arrive side by
// side then, and a search out of cache runs 1.3 to 1.7 times as fast.
void compare(const Space& space, const Point& point, const uint32_t* rows, uint32_t count,
             Candidate* candidates) {
    if (count > 1) {
        for (uint32_t i = 0; i < count; ++i) read_ahead(space.store, rows[i] & kRowBits);
    }
    for (uint32_t i = 0; i < count; ++i) {
        uint32_t row = rows[i] & kRowBits;
        candidates[i] = candidate(distance(space, point, point_at(space, row)), row);
    }
}

} // namespace rvf
