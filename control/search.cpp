#include "control/search.h"

#include "control/filter.h"
#include "control/hits.h"
#include "control/row_sums.h"

namespace rvf {
namespace {

/// Upstream's rule: below this the cosine of two norms is not defined and the distance is 1.
constexpr float kMinNorms = 0x1p-23f;

/// Norms from here on make |q|^2 + |x|^2 meaningless as a bound.
constexpr float kMaxBoundedNorm = 1e37f;

/// More than underflow can take away from any sum of 65,535 products.
constexpr float kUnderflow = 1e-36f;

/// Skips rows for which the dot form |q|^2 + |x|^2 - 2 q x alone shows that they are farther than
/// `worst`: it costs one product an element instead of a difference and a product. What it says of
/// the others is not used, because it cancels for near neighbours; they are computed as a sum of
/// squares.
///
/// Every sum of n products is off by at most (n / 16 + 9) 2^-24 of the sum of their absolute values
/// (longest chain of additions, plus one rounding of the product). With |2 q x| <= |q|^2 + |x|^2
/// and an exact distance of at most 2 (|q|^2 + |x|^2), the dot form and the sum of squares together
/// are off by less than four times that of |q|^2 + |x|^2; `slack` is a little more.
struct L2Bound {
    float query_norm;
    float slack;

    bool excludes(float norm, float dot, float worst) const {
        float norms = query_norm + norm;
        return norms < kMaxBoundedNorm && norms * slack - 2 * dot - kUnderflow > worst;
    }
};

L2Bound l2_bound(const Store& store, float query_norm) {
    float n = static_cast<float>(store.row_bytes / 4);
    return {query_norm, 1 - (n / 4 + 48) * 0x1p-24f};
}

float cosine_distance(float dot, float query_length, float row_norm) {
    float norms = query_length * __builtin_sqrtf(row_norm);
    return norms < kMinNorms ? 1.0f : 1.0f - dot / norms;
}

/// The live rows of one chunk, one at a time: the prefetcher loses several streams.
template <typename Distance>
void scan(const Store& store, Bytes filter, Hits& hits, Distance distance_of) {
    uint32_t row = 0;
    for (uint32_t i = 0; i < store.chunk_count; ++i) {
        uint32_t rows = store.row_count - row;
        if (rows > store.chunks[i].capacity) rows = store.chunks[i].capacity;
        if (rows == 0) break;
        Row first = row_at(store, row);
        float worst = hits.worst();
        for (uint32_t r = 0; r < rows; ++r) {
            if (first.mark[r] & kDead) continue;
            if (filter.size && !admits(filter, store, row_at(store, row + r))) continue;
            const uint8_t* vector = first.vector + size_t{r} * store.row_bytes;
            float distance = distance_of(vector, first.norm[r], worst);
            if (!(distance <= worst)) continue; // NaN too
            hits.offer({load<uint64_t>(first.id + size_t{r} * 8), distance});
            worst = hits.worst();
        }
        row += rows;
    }
}

} // namespace

uint32_t search_exact(const Store& store, int32_t metric, uint32_t k, Bytes filter, uint8_t* out) {
    uint32_t live = live_count(store);
    Hits hits{out, k < live ? k : live};
    const uint8_t* query = store.query;
    uint32_t bytes = store.row_bytes;
    float query_norm = sum_of_products(query, query, bytes);
    if (metric == kL2) {
        L2Bound bound = l2_bound(store, query_norm);
        scan(store, filter, hits, [&](const uint8_t* row, float norm, float worst) {
            float dot = sum_of_products(row, query, bytes);
            if (bound.excludes(norm, dot, worst)) return __builtin_nanf("");
            return sum_of_squared_differences(row, query, bytes);
        });
    } else if (metric == kInnerProduct) {
        scan(store, filter, hits,
             [&](const uint8_t* row, float, float) { return -sum_of_products(row, query, bytes); });
    } else {
        float query_length = __builtin_sqrtf(query_norm);
        scan(store, filter, hits, [&](const uint8_t* row, float norm, float) {
            return cosine_distance(sum_of_products(row, query, bytes), query_length, norm);
        });
    }
    hits.sort();
    return hits.count;
}

} // namespace rvf
