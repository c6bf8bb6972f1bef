#include "control/sq8.h"

#include "control/exact_distance.h"
#include "control/heap.h"
#include "control/marks.h"

namespace rvf {
namespace {

constexpr uint32_t kChunkBytes = 1u << 20;
constexpr uint32_t kFirstRows = 64;
constexpr double kMiddle = 127.5; ///< of the codes of a dimension
constexpr double kCodeShare = 1.0 / 255;
constexpr float kMaxBoundedNorm = 1e37f; ///< from here on f32 sums may overflow
constexpr double kMaxSquare = 1e37;

uint32_t full_capacity(const Codes& codes) { return 1u << codes.chunk_shift; }

uint32_t capacity(const Codes& codes) {
    if (codes.chunk_count == 0) return 0;
    return codes.first_capacity + ((codes.chunk_count - 1) << codes.chunk_shift);
}

uint32_t padded(const Codes& codes) { return (codes.dimension + 3) & ~3u; }

size_t range_bytes(const Codes& codes) { return padded(codes) * 4 * sizeof(float); }

// --- Chunks ---

bool add_chunk(Codes& codes, uint32_t rows) {
    if (codes.chunk_count == codes.chunk_slots) {
        uint32_t slots = codes.chunk_slots ? 2 * codes.chunk_slots : 8;
        auto** chunks = reinterpret_cast<uint8_t**>(allocate(slots * sizeof(uint8_t*)));
        if (!chunks) return false;
        for (uint32_t i = 0; i < codes.chunk_count; ++i) chunks[i] = codes.chunks[i];
        release(reinterpret_cast<uint8_t*>(codes.chunks), codes.chunk_slots * sizeof(uint8_t*));
        codes.chunks = chunks;
        codes.chunk_slots = slots;
    }
    uint8_t* chunk = allocate(size_t{rows} * codes.row_bytes);
    if (!chunk) return false;
    codes.chunks[codes.chunk_count++] = chunk;
    return true;
}

// --- Ranges ---

void begin_codes(Codes& codes) {
    codes.done = 0;
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < codes.dimension; ++i) {
        double low = static_cast<double>(codes.low[i]), high = static_cast<double>(codes.high[i]);
        double ends = __builtin_fabs(low) + __builtin_fabs(high);
        sum += ends * ends;
        squares += (high - low) * (high - low);
    }
    for (uint32_t i = 0; i < padded(codes); ++i) {
        float range = codes.high[i] - codes.low[i];
        codes.scale[i] = 255 / range;
        codes.step[i] = range * static_cast<float>(kCodeShare);
    }
    codes.slip = 0x1p-23 * __builtin_sqrt(sum) + 0x1p-21 * __builtin_sqrt(squares);
    // Rounding alone makes half of a step at most in each dimension. Long rows and f32 sums may add
    // to it as much again.
    codes.coarse =
        static_cast<float>(__builtin_sqrt(squares) * kCodeShare + 0x1p-19 * __builtin_sqrt(sum));
}

/// The exponent of a norm, which is positive or NaN.
uint32_t exponent(float norm) { return __builtin_bit_cast(uint32_t, norm) >> 23 & 255; }

template <typename Each>
void for_live_rows(const Store& store, Each each) {
    for (uint32_t i = 0; i < store.row_count; ++i) {
        Row row = row_at(store, i);
        if (!is_dead(store, i) && *row.norm < kMaxBoundedNorm) each(row);
    }
}

/// Rows of the norms' exponents up to this: four more than seven of eight rows have, which is
/// four times their length.
uint32_t longest_exponent(const Store& store) {
    uint32_t counts[256] = {};
    uint32_t rows = 0;
    for_live_rows(store, [&](const Row& row) {
        ++counts[exponent(*row.norm)];
        ++rows;
    });
    uint32_t most = 0;
    for (uint32_t below = counts[0]; below < rows - rows / 8; below += counts[most]) ++most;
    return most + 4;
}

RVF_INLINE v128_t add_square(v128_t sum, v128_t value) {
    return wasm_f32x4_add(sum, wasm_f32x4_mul(value, value));
}

double sum_of(v128_t lanes) {
    return static_cast<double>(wasm_f32x4_extract_lane(lanes, 0)) +
           static_cast<double>(wasm_f32x4_extract_lane(lanes, 1)) +
           static_cast<double>(wasm_f32x4_extract_lane(lanes, 2)) +
           static_cast<double>(wasm_f32x4_extract_lane(lanes, 3));
}

} // namespace

bool reserve_codes(Codes& codes, uint32_t rows) {
    uint32_t first = codes.chunk_count ? codes.first_capacity : kFirstRows;
    while (first < rows && first < full_capacity(codes)) first *= 2;
    if (first > full_capacity(codes)) first = full_capacity(codes);
    if (codes.chunk_count == 0) {
        if (!add_chunk(codes, first)) return false;
        codes.first_capacity = first;
    } else if (first > codes.first_capacity) {
        uint8_t* grown = allocate(size_t{first} * codes.row_bytes);
        if (!grown) return false;
        size_t bytes = size_t{codes.first_capacity} * codes.row_bytes;
        copy(grown, codes.chunks[0], bytes);
        release(codes.chunks[0], bytes);
        codes.chunks[0] = grown;
        codes.first_capacity = first;
    }
    while (capacity(codes) < rows) {
        if (!add_chunk(codes, full_capacity(codes))) return false;
    }
    return true;
}

Codes* make_codes(const Store& store) {
    auto* codes = reinterpret_cast<Codes*>(allocate(sizeof(Codes)));
    if (!codes) return nullptr;
    *codes = {};
    codes->dimension = store.dimension;
    codes->row_bytes = ((store.dimension + 15) & ~15u) + static_cast<uint32_t>(sizeof(CodeHead));
    while ((uint64_t{codes->row_bytes} << (codes->chunk_shift + 1)) <= kChunkBytes) {
        ++codes->chunk_shift;
    }
    codes->low = reinterpret_cast<float*>(allocate(range_bytes(*codes)));
    if (!codes->low) {
        free_codes(codes);
        return nullptr;
    }
    __builtin_memset(codes->low, 0, range_bytes(*codes));
    codes->high = codes->low + padded(*codes);
    codes->scale = codes->high + padded(*codes);
    codes->step = codes->scale + padded(*codes);
    return codes;
}

void free_codes(Codes* codes) {
    for (uint32_t i = 0; i < codes->chunk_count; ++i) {
        uint32_t rows = i ? full_capacity(*codes) : codes->first_capacity;
        release(codes->chunks[i], size_t{rows} * codes->row_bytes);
    }
    release(reinterpret_cast<uint8_t*>(codes->chunks), codes->chunk_slots * sizeof(uint8_t*));
    release(reinterpret_cast<uint8_t*>(codes->low), range_bytes(*codes));
    release(reinterpret_cast<uint8_t*>(codes), sizeof(Codes));
}

void train_codes(Codes& codes, const Store& store) {
    uint32_t longest = longest_exponent(store);
    bool first = true;
    for_live_rows(store, [&](const Row& row) {
        if (exponent(*row.norm) > longest) return;
        for (uint32_t i = 0; i < padded(codes); i += 4) {
            v128_t x = wasm_v128_load(row.vector + size_t{i} * sizeof(float));
            v128_t low = first ? x : wasm_f32x4_pmin(wasm_v128_load(codes.low + i), x);
            v128_t high = first ? x : wasm_f32x4_pmax(wasm_v128_load(codes.high + i), x);
            wasm_v128_store(codes.low + i, low);
            wasm_v128_store(codes.high + i, high);
        }
        first = false;
    });
    begin_codes(codes);
}

bool set_ranges(Codes& codes, const uint8_t* low, const uint8_t* high) {
    if (!all_finite(low, codes.dimension) || !all_finite(high, codes.dimension)) return false;
    for (uint32_t i = 0; i < codes.dimension; ++i) {
        if (load<float>(low + i * sizeof(float)) > load<float>(high + i * sizeof(float))) {
            return false;
        }
    }
    copy(reinterpret_cast<uint8_t*>(codes.low), low, codes.dimension * sizeof(float));
    copy(reinterpret_cast<uint8_t*>(codes.high), high, codes.dimension * sizeof(float));
    begin_codes(codes);
    return true;
}

Status add_codes(Codes& codes, const Store& store, uint32_t max_rows) {
    uint32_t left = store.row_count - codes.done;
    uint32_t end = codes.done + (max_rows < left ? max_rows : left);
    if (!reserve_codes(codes, end)) return kOutOfMemory;
    while (codes.done < end) update_code(codes, store, codes.done++);
    return kOk;
}

void update_code(Codes& codes, const Store& store, uint32_t row) {
    Row from = row_at(store, row);
    write_code(codes, from.vector, *from.norm, code_at(codes, row));
}

void write_code(const Codes& codes, const uint8_t* vector, float norm, uint8_t* code) {
    const CodeHead not_coded = {__builtin_inff(), 0, __builtin_sqrtf(norm), 0};
    CodeHead head = not_coded;
    wasm_v128_store(code + codes.row_bytes - 16, wasm_i32x4_splat(0)); // padding is there
    if (norm < kMaxBoundedNorm) {
        const v128_t zero = wasm_f32x4_splat(0);
        const v128_t rounder = wasm_f32x4_splat(0x1.8p23f); // what is added to it ends at the point
        const float *lows = codes.low, *scales = codes.scale, *steps = codes.step;
        v128_t errors[] = {zero, zero}, norms[] = {zero, zero}; // sums that need not wait
        auto four_codes = [&](uint32_t i, uint32_t odd) {
            v128_t low = wasm_v128_load(lows + i);
            v128_t step = wasm_v128_load(steps + i);
            v128_t x = wasm_v128_load(vector + size_t{i} * sizeof(float));
            v128_t c = wasm_f32x4_mul(wasm_f32x4_sub(x, low), wasm_v128_load(scales + i));
            c = wasm_f32x4_pmin(wasm_f32x4_pmax(zero, c), // NaN where a range is empty
                                wasm_f32x4_splat(255));
            v128_t rounded = wasm_f32x4_add(c, rounder);
            c = wasm_f32x4_sub(rounded, rounder);
            v128_t decoded = wasm_f32x4_add(low, wasm_f32x4_mul(c, step));
            v128_t middle = wasm_f32x4_sub(c, wasm_f32x4_splat(static_cast<float>(kMiddle)));
            errors[odd] = add_square(errors[odd], wasm_f32x4_sub(x, decoded));
            norms[odd] = add_square(norms[odd], wasm_f32x4_mul(middle, step));
            return wasm_v128_and(rounded, wasm_i32x4_splat(255));
        };
        uint8_t* bytes = code + sizeof(CodeHead);
        uint32_t i = 0;
        for (; i + 8 <= padded(codes); i += 8) { // of 16 the registers would not suffice
            v128_t a = wasm_i16x8_narrow_i32x4(four_codes(i, 0), four_codes(i + 4, 1));
            wasm_v128_store64_lane(bytes + i, wasm_u8x16_narrow_i16x8(a, a), 0);
        }
        if (i < padded(codes)) {
            v128_t a = four_codes(i, 0);
            a = wasm_i16x8_narrow_i32x4(a, a);
            wasm_v128_store32_lane(bytes + i, wasm_u8x16_narrow_i16x8(a, a), 0);
        }
        // docs/exact-search.md, "What is known of a row".
        double n = padded(codes);
        double lost = (n / 4 + 32) * 0x1p-23;
        double length = static_cast<double>(head.length);
        double error = __builtin_sqrt(sum_of(wasm_f32x4_add(errors[0], errors[1])) * (1 + lost)) +
                       codes.slip + (n / 16 + 16) * 0x1p-24 * length * (1 + 0x1p-10) +
                       0x1p-62 * __builtin_sqrt(n);
        head.error = static_cast<float>(error * (1 + 0x1p-22) + 1e-38);
        double decoded = sum_of(wasm_f32x4_add(norms[0], norms[1])) * (1 - lost);
        double square = static_cast<double>(head.error) * static_cast<double>(head.error);
        head.norm = static_cast<float>(decoded * (1 - 0x1p-22));
        head.share = static_cast<float>(decoded - square - (decoded + square) * 0x1p-19);
        if (!(head.norm < kMaxBoundedNorm && square < kMaxSquare)) head = not_coded;
    } else {
        __builtin_memset(code, 0, codes.row_bytes);
    }
    rvf::store(code, head);
}

uint64_t codes_bytes(const Codes& codes) {
    return sizeof(Codes) + uint64_t{capacity(codes)} * codes.row_bytes + range_bytes(codes) +
           codes.chunk_slots * uint64_t{sizeof(uint8_t*)};
}

bool prepare(const Codes& codes, int32_t metric, const uint8_t* vector, int16_t* weights,
             CodeQuery& query) {
    uint32_t n = padded(codes);
    float norm = norm_of(vector, n * 4);
    if (!(norm < kMaxBoundedNorm)) return false;
    auto weight = [&](uint32_t i, double& q, double& middle) {
        double low = static_cast<double>(codes.low[i]);
        double step = (static_cast<double>(codes.high[i]) - low) * kCodeShare;
        middle = low + kMiddle * step;
        q = static_cast<double>(load<float>(vector + size_t{i} * 4));
        return (metric == kL2 ? q - middle : q) * step;
    };
    double most = 0, total = 0, squares = 0, products = 0, doubt = 0, q, middle;
    for (uint32_t i = 0; i < codes.dimension; ++i) {
        double w = __builtin_fabs(weight(i, q, middle));
        if (w > most) most = w;
        total += w;
        squares += q * q;
        double part = metric == kL2 ? (q - middle) * (q - middle) : -q * middle;
        products += part;
        doubt += __builtin_fabs(part);
    }
    // No weight above 32,767, and no sum of products above 2^31.
    double scale = most / 32767;
    double least = total * 255 / (0x1p31 - 256.0 * 65536);
    if (scale < least) scale = least;
    if (scale == 0) scale = 1;

    double lost = 0, sum = 0;
    __builtin_memset(weights, 0, weight_bytes(codes));
    for (uint32_t i = 0; i < codes.dimension; ++i) {
        double w = weight(i, q, middle);
        double rounded = __builtin_rint(w / scale);
        weights[i] = static_cast<int16_t>(rounded);
        sum += rounded;
        lost += __builtin_fabs(w - rounded * scale);
    }
    double factor = metric == kL2 ? 2 * scale : scale;
    double offset = products + kMiddle * factor * sum;
    double magnitude = __builtin_fabs(offset) + factor * 0x1p31;
    if (!(magnitude < kMaxSquare)) return false;
    doubt =
        doubt * 0x1p-36 + kMiddle * (factor / scale) * lost * (1 + 0x1p-20) + 0x1p-50 * magnitude;
    query = {weights,
             codes.row_bytes - static_cast<uint32_t>(sizeof(CodeHead)),
             metric,
             offset - doubt,
             factor,
             __builtin_sqrt(squares) * (1 + 0x1p-30),
             1 - (n / 16 + 24) * 0x1p-24,
             __builtin_sqrtf(norm)};
    return true;
}

CodeFilter filter_for(const CodeQuery& query, float distance) {
    constexpr double kSlack = 0x1p-19; // more than seven roundings to f32
    double far = static_cast<double>(distance) + kUnderflow;
    double share = 0, error = query.length, length = 0, limit = far + __builtin_fabs(far) * kSlack;
    if (query.metric == kL2) {
        double root = __builtin_sqrt(far / query.l2_share);
        share = 1;
        error = 2 * root;
        limit = root * root * (1 + kSlack);
    } else if (query.metric == kCosine) {
        length = (1 - 0x1p-19 - far) * static_cast<double>(query.f32_length);
        length -= __builtin_fabs(length) * kSlack;
        limit = distance < 1 ? 0 : static_cast<double>(__builtin_inff());
    }
    if (!(distance < __builtin_inff())) error = length = 0;
    double magnitude = __builtin_fabs(query.offset) + query.factor * 0x1p31;
    return {
        wasm_f32x4_make(static_cast<float>(-error * (1 + kSlack) - 2e-38),
                        static_cast<float>(share), static_cast<float>(length), 0),
        wasm_f32x4_splat(static_cast<float>(-query.factor)),
        wasm_f32x4_splat(static_cast<float>(query.offset - magnitude * kSlack - 2 * kUnderflow)),
        wasm_f32x4_splat(static_cast<float>(limit))};
}

} // namespace rvf
