// Scalar-quantized codes beside the rows of a store: a byte for each dimension, and for each row a
// bound on how far its code is from it. From both follows a number that the distance of a query
// from the row, as search_exact computes it, is not below: docs/exact-search.md has the proof.
//
// Codes belong to one store, and the caller keeps both in step: rows that were added are coded by
// add_codes; after a row below codes.done was written again, update_code comes before the next
// search. Deleting a row needs nothing. Chunks never move once they have their full size.
//
// A code c of a dimension stands for low + c (high - low) / 255. Values outside low..high become
// the nearer end; what that loses is in the row's error.
#pragma once

#include <stdint.h>

#include "control/exact_distance.h"
#include "control/store.h"

namespace rvf {

/// More than underflow takes away from any f32 sum, twice.
constexpr double kUnderflow = 2e-36;

/// A row's code begins with this; then a byte for each dimension, padded with zeros to a multiple
/// of 16.
struct CodeHead {
    float error;  ///< at least |row - decoded| plus what f32 sums may be off by; infinite: no code
    float share;  ///< at most norm - error^2
    float length; ///< of the row: the root of the store's norm
    float norm;   ///< at most |decoded - middle|^2, the middle being that of low and high
};
static_assert(sizeof(CodeHead) == 16);

struct Codes {
    uint32_t dimension;
    uint32_t row_bytes; ///< of one code with its head
    uint32_t done;      ///< every row below has a code
    float* low;         ///< of each dimension, padded with zeros like a row; so are the next three
    float* high;
    float* scale; ///< 255 / (high - low)
    float* step;  ///< (high - low) / 255
    double slip;  ///< what rounding in double may do to a decoded row
    float coarse; ///< a row with a larger error has values far outside the ranges

    uint8_t** chunks;
    uint32_t chunk_count;
    uint32_t chunk_slots;
    uint32_t chunk_shift;    ///< log2 of the rows of a full chunk
    uint32_t first_capacity; ///< rows of the first chunk, which doubles until it is full
};

/// Codes of no rows and with no range, or nullptr when memory cannot grow.
Codes* make_codes(const Store& store);
void free_codes(Codes* codes);

/// Makes the range of each dimension that of the rows of the store and forgets all codes. Rows far
/// longer than most are left out: one of them would take the precision from all others.
void train_codes(Codes& codes, const Store& store);

/// Takes the ranges from elsewhere, such as a file, and forgets all codes: `dimension` f32 each,
/// at any alignment. False, and nothing has changed, unless all are finite and low <= high.
bool set_ranges(Codes& codes, const uint8_t* low, const uint8_t* high);

/// Makes room for the codes of that many rows in all.
bool reserve_codes(Codes& codes, uint32_t rows);

/// Codes up to `max_rows` more rows; how far it is: codes.done of store.row_count. kOutOfMemory
/// leaves the codes as they were.
Status add_codes(Codes& codes, const Store& store, uint32_t max_rows);

/// Codes a row below codes.done by its present vector.
void update_code(Codes& codes, const Store& store, uint32_t row);

/// Writes the code of a padded vector, whose squares sum up to `norm`, in a place of code_at.
void write_code(const Codes& codes, const uint8_t* vector, float norm, uint8_t* code);

/// Bytes that the codes hold.
uint64_t codes_bytes(const Codes& codes);

RVF_INLINE uint8_t* code_at(const Codes& codes, uint32_t row) {
    uint32_t index = row & ((1u << codes.chunk_shift) - 1);
    return codes.chunks[row >> codes.chunk_shift] + size_t{index} * codes.row_bytes;
}

// --- Queries ---

/// A query prepared for one metric: its products with codes are sums of integers.
struct CodeQuery {
    int16_t* weights; ///< an i16 for each byte of a code
    uint32_t bytes;   ///< of a code without its head
    int32_t metric;
    double offset;    ///< of the value below, less all that it may be off by
    double factor;    ///< of the sum of products
    double length;    ///< of the query, at least
    double l2_share;  ///< what f32 sums leave of a squared distance
    float f32_length; ///< of the query, as search_exact computes it
};

/// Tells from codes which rows are farther than some distance, in f32 and four rows at a time.
struct CodeFilter {
    v128_t heads; ///< a factor for each part of a head
    v128_t sums;  ///< and for the sum of products
    v128_t offset;
    v128_t limit; ///< what exceeds it is farther
};
CodeFilter filter_for(const CodeQuery& query, float distance);

/// Bytes that the weights of a query take.
inline uint32_t weight_bytes(const Codes& codes) {
    return 2 * (codes.row_bytes - static_cast<uint32_t>(sizeof(CodeHead)));
}

/// Prepares a padded vector; `weights` holds weight_bytes and is 16-aligned. False when nothing
/// can be said of distances from it: it is not finite, or so long that f32 sums overflow.
bool prepare(const Codes& codes, int32_t metric, const uint8_t* vector, int16_t* weights,
             CodeQuery& query);

/// The sum of the products of weights and codes, in four parts.
RVF_INLINE v128_t code_sums(const CodeQuery& query, const uint8_t* code) {
    v128_t even = wasm_i32x4_splat(0);
    v128_t odd = even;
    const int16_t* weights = query.weights;
    code += sizeof(CodeHead);
    for (const uint8_t* end = code + query.bytes; code != end; code += 16, weights += 16) {
        v128_t first = wasm_u16x8_load8x8(code);
        v128_t second = wasm_u16x8_load8x8(code + 8);
        even = wasm_i32x4_add(even, wasm_i32x4_dot_i16x8(first, wasm_v128_load(weights)));
        odd = wasm_i32x4_add(odd, wasm_i32x4_dot_i16x8(second, wasm_v128_load(weights + 8)));
    }
    return wasm_i32x4_add(even, odd);
}

/// The sums of four codes, which share the loads of the weights.
RVF_INLINE v128_t sums_of_four(const CodeQuery& query, const uint8_t* const* codes) {
    v128_t of[4] = {};
    const int16_t* weights = query.weights;
    for (uint32_t i = sizeof(CodeHead); i != sizeof(CodeHead) + query.bytes; i += 16) {
        v128_t first = wasm_v128_load(weights), second = wasm_v128_load(weights + 8);
        RVF_UNROLL for (uint32_t j = 0; j < 4; ++j) {
            v128_t low = wasm_i32x4_dot_i16x8(wasm_u16x8_load8x8(codes[j] + i), first);
            v128_t high = wasm_i32x4_dot_i16x8(wasm_u16x8_load8x8(codes[j] + i + 8), second);
            of[j] = wasm_i32x4_add(of[j], wasm_i32x4_add(low, high));
        }
        weights += 16;
    }
    auto fold = [](v128_t a, v128_t b) {
        return wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 4, 1, 5),
                              wasm_i32x4_shuffle(a, b, 2, 6, 3, 7));
    };
    v128_t ab = fold(of[0], of[1]), cd = fold(of[2], of[3]);
    return wasm_i32x4_add(wasm_i32x4_shuffle(ab, cd, 0, 1, 4, 5),
                          wasm_i32x4_shuffle(ab, cd, 2, 3, 6, 7));
}

/// L2: at most |query - decoded|^2. Inner product and cosine: at most - query decoded.
RVF_INLINE double code_value(const CodeQuery& query, const uint8_t* code) {
    v128_t sums = code_sums(query, code);
    sums = wasm_i32x4_add(sums, wasm_i32x4_shuffle(sums, sums, 2, 3, 0, 1));
    int32_t sum = wasm_i32x4_extract_lane(sums, 0) + wasm_i32x4_extract_lane(sums, 1);
    double value = query.offset - query.factor * sum;
    if (query.metric == kL2) value += static_cast<double>(load<CodeHead>(code).norm);
    return value;
}

/// The distances of four decoded rows, about, and the errors of their codes.
RVF_INLINE v128_t code_distances(const CodeQuery& query, const uint8_t* const* codes,
                                 v128_t& errors) {
    v128_t sums = wasm_f32x4_convert_i32x4(sums_of_four(query, codes));
    v128_t a = wasm_v128_load(codes[0]), b = wasm_v128_load(codes[1]);
    v128_t c = wasm_v128_load(codes[2]), d = wasm_v128_load(codes[3]);
    v128_t ab = wasm_i32x4_shuffle(a, b, 0, 4, 3, 7), cd = wasm_i32x4_shuffle(c, d, 0, 4, 3, 7);
    errors = wasm_i32x4_shuffle(ab, cd, 0, 1, 4, 5);
    v128_t value =
        wasm_f32x4_sub(wasm_f32x4_splat(static_cast<float>(query.offset)),
                       wasm_f32x4_mul(wasm_f32x4_splat(static_cast<float>(query.factor)), sums));
    if (query.metric == kL2) return wasm_f32x4_add(value, wasm_i32x4_shuffle(ab, cd, 2, 3, 6, 7));
    if (query.metric == kInnerProduct) return value;
    v128_t lengths = wasm_i32x4_shuffle(wasm_i32x4_shuffle(a, b, 2, 6, 2, 6),
                                        wasm_i32x4_shuffle(c, d, 2, 6, 2, 6), 0, 1, 4, 5);
    lengths = wasm_f32x4_mul(wasm_f32x4_splat(query.f32_length), lengths);
    v128_t one = wasm_f32x4_splat(1);
    return wasm_v128_bitselect(one, wasm_f32x4_add(one, wasm_f32x4_div(value, lengths)),
                               wasm_f32x4_lt(lengths, wasm_f32x4_splat(kMinNorms)));
}

/// A number that the row's distance, as search_exact computes it, is not below; never NaN.
RVF_INLINE float code_bound(const CodeQuery& query, const uint8_t* code) {
    auto head = load<CodeHead>(code);
    if (!(head.error < __builtin_inff())) return -__builtin_inff();
    double value = code_value(query, code);
    double error = static_cast<double>(head.error);
    if (query.metric == kL2) {
        double root = value > 0 ? __builtin_sqrt(value) - error : 0;
        value = root > 0 ? root * root * query.l2_share : 0;
    } else {
        value -= error * query.length;
    }
    if (query.metric == kCosine) {
        float lengths = query.f32_length * head.length;
        if (lengths < kMinNorms) return 1;
        value = (value - __builtin_fabs(value) * 0x1p-20) / static_cast<double>(lengths);
        value += 1 - 0x1p-20;
    }
    return static_cast<float>(value - __builtin_fabs(value) * 0x1p-23 - kUnderflow);
}

/// What the filter compares with its limit, in four parts.
RVF_INLINE v128_t filter_parts(const CodeQuery& query, const CodeFilter& filter,
                               const uint8_t* code) {
    v128_t sums = wasm_f32x4_convert_i32x4(code_sums(query, code));
    return wasm_f32x4_add(wasm_f32x4_mul(sums, filter.sums),
                          wasm_f32x4_mul(wasm_v128_load(code), filter.heads));
}

/// Adds lanes 0 and 2, and 1 and 3, of both: a, b, a, b.
RVF_INLINE v128_t fold(v128_t a, v128_t b) {
    return wasm_f32x4_add(wasm_i32x4_shuffle(a, b, 0, 4, 1, 5),
                          wasm_i32x4_shuffle(a, b, 2, 6, 3, 7));
}

/// Which of four codes, `stride` bytes apart, may be those of rows within the filter's distance: a
/// bit for each.
RVF_INLINE uint32_t within(const CodeQuery& query, const CodeFilter& filter, const uint8_t* code,
                           uint32_t stride) {
    v128_t a = filter_parts(query, filter, code);
    v128_t b = filter_parts(query, filter, code + stride);
    v128_t ab = fold(a, b);
    a = filter_parts(query, filter, code + size_t{2} * stride);
    b = filter_parts(query, filter, code + size_t{3} * stride);
    v128_t cd = fold(a, b);
    v128_t sums = wasm_f32x4_add(wasm_i32x4_shuffle(ab, cd, 0, 1, 4, 5),
                                 wasm_i32x4_shuffle(ab, cd, 2, 3, 6, 7));
    v128_t farther = wasm_f32x4_gt(wasm_f32x4_add(sums, filter.offset), filter.limit);
    return wasm_i32x4_bitmask(farther) ^ 15; // NaN is not farther
}

} // namespace rvf
