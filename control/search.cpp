#include "control/search.h"

#include "control/exact_distance.h"
#include "control/hits.h"
#include "control/marks.h"

namespace rvf {
namespace {

/// Norms from here on make |q|^2 + |x|^2 meaningless as a bound.
constexpr float kMaxBoundedNorm = 1e37f;

/// More than underflow can take away from any sum of 65,535 products.
constexpr float kUnderflow = 1e-36f;

/// Of rows that a batch compares with all its queries: they stay in the second cache.
constexpr uint32_t kBlockBytes = 128u << 10;

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

/// The admitted rows from `row` to `end`, one at a time: the prefetcher loses several streams.
template <typename Distance>
void scan(const Store& store, uint32_t row, uint32_t end, Admission admission, Hits& hits,
          Distance distance_of) {
    for (uint32_t rows; row < end; row += rows) {
        const Chunk& chunk = store.chunks[row >> store.chunk_shift];
        rows = chunk.capacity - (row & ((1u << store.chunk_shift) - 1));
        if (rows > end - row) rows = end - row;
        Row first = row_at(store, row);
        const uint8_t* marks = marks_from(store, row);
        float worst = hits.worst();
        for (uint32_t r = 0; r < rows; ++r) {
            if (marks[r] & kDead || !admission.admits(row + r)) continue;
            const uint8_t* vector = first.vector + size_t{r} * chunk.stride;
            float distance = distance_of(vector, first.norm[r], worst);
            if (!(distance <= worst)) continue; // NaN too
            hits.offer({load<uint64_t>(first.id + size_t{r} * 8), distance});
            worst = hits.worst();
        }
    }
}

void scan_rows(const Store& store, int32_t metric, const uint8_t* query, uint32_t row, uint32_t end,
               const Admission& admission, Hits& hits) {
    uint32_t bytes = store.row_bytes;
    float query_norm = norm_of(query, bytes);
    if (metric == kL2) {
        L2Bound bound = l2_bound(store, query_norm);
        scan(store, row, end, admission, hits, [&](const uint8_t* x, float norm, float worst) {
            float dot = sum_of_products(x, query, bytes);
            if (bound.excludes(norm, dot, worst)) return __builtin_nanf("");
            return sum_of_squared_differences(x, query, bytes);
        });
        return;
    }
    float query_length = __builtin_sqrtf(query_norm);
    scan(store, row, end, admission, hits, [&](const uint8_t* x, float norm, float) {
        float dot = sum_of_products(x, query, bytes);
        return metric == kInnerProduct ? -dot : cosine_distance(dot, query_length, norm);
    });
}

} // namespace

uint32_t search_exact(const Store& store, int32_t metric, uint32_t k, uint8_t* out,
                      const Admission& admission) {
    uint32_t found;
    search_batch(store, metric, k, store.query, 1, out, &found, admission);
    return found;
}

void search_batch(const Store& store, int32_t metric, uint32_t k, const uint8_t* queries,
                  uint32_t count, uint8_t* out, uint32_t* found, const Admission& admission) {
    uint32_t limit = hits_for(store, k);
    for (uint32_t i = 0; i < count; ++i) found[i] = 0;
    if (limit == 0) return;
    uint32_t rows = count > 1 ? kBlockBytes / store.row_bytes + 1 : store.row_count;
    for (uint32_t row = 0, end; row < store.row_count; row = end) {
        end = store.row_count - row < rows ? store.row_count : row + rows;
        for (uint32_t i = 0; i < count; ++i) {
            Hits hits{out + size_t{i} * limit * kHitBytes, limit, found[i]};
            const uint8_t* query = queries + size_t{i} * store.row_bytes;
            scan_rows(store, metric, query, row, end, admission, hits);
            found[i] = hits.count;
        }
    }
    for (uint32_t i = 0; i < count; ++i) {
        Hits{out + size_t{i} * limit * kHitBytes, limit, found[i]}.sort();
    }
}

} // namespace rvf
