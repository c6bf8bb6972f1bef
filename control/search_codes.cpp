#include "control/search_codes.h"

#include "control/candidate.h"
#include "control/heap.h"
#include "control/hits.h"
#include "control/marks.h"
#include "control/search.h"

namespace rvf {
namespace {

/// Rows that wait to be read. Large enough that few of them are read before the nearest are known,
/// and small enough that the first reading comes soon.
constexpr uint32_t kLeastWaiting = 256;

/// Of codes that a batch compares with all its queries.
constexpr uint32_t kBlockBytes = 64u << 10;

struct Scope {
    const Store& store;
    const Codes& codes;
    const Admission& admission;
};

/// One query on its way: rows that wait to be read, and the best of those read.
struct Search {
    const uint8_t* vector;
    CodeQuery query;
    CodeFilter filter;
    float worst;
    Hits hits;
    Candidate* waiting;
    uint32_t capacity;
    uint32_t count;
    uint32_t rows_read;
};

void read(const Store& store, Search& search, uint32_t row) {
    ++search.rows_read;
    Row at = row_at(store, row);
    float distance = exact_distance(search.query.metric, search.vector, search.query.f32_length,
                                    at.vector, *at.norm, store.row_bytes);
    if (!(distance <= search.hits.worst())) return; // NaN too
    search.hits.offer({load<uint64_t>(at.id), distance});
}

/// Places `one` at `index` or below, in a heap with the least on top.
void sift_down(const Search& search, uint32_t index, Candidate one) {
    Candidate* heap = search.waiting;
    for (uint32_t child; (child = 2 * index + 1) < search.count; index = child) {
        if (child + 1 < search.count && heap[child + 1] < heap[child]) ++child;
        if (heap[child] >= one) break;
        heap[index] = heap[child];
    }
    heap[index] = one;
}

/// Reads those that wait in the order of their bounds until they exclude the rest.
void settle(const Store& store, Search& search) {
    Candidate* heap = search.waiting;
    for (uint32_t i = search.count / 2; i-- > 0;) sift_down(search, i, heap[i]);
    while (search.count > 0 && distance_of(heap[0]) <= search.hits.worst()) {
        read(store, search, row_of(heap[0]));
        Candidate last = heap[--search.count];
        sift_down(search, 0, last);
    }
    search.count = 0;
    search.worst = search.hits.worst();
    search.filter = filter_for(search.query, search.worst);
}

void wait(const Scope& scope, Search& search, uint32_t row, float bound) {
    if (bound > search.worst || !scope.admission.admits(row)) return;
    search.waiting[search.count++] = candidate(bound, row);
    if (search.count == search.capacity) settle(scope.store, search);
}

/// Rows from `row` to `end` that lie in one chunk of both store and codes.
uint32_t rows_together(const Scope& scope, uint32_t row, uint32_t end) {
    uint32_t shift = scope.store.chunk_shift;
    if (scope.codes.chunk_shift < shift) shift = scope.codes.chunk_shift;
    uint32_t rows = (1u << shift) - (row & ((1u << shift) - 1));
    return rows < end - row ? rows : end - row;
}

/// Rows that are admitted, where they are few and known.
void scan_admitted(const Scope& scope, Search& search, uint32_t row, uint32_t end) {
    const uint8_t* bits = scope.admission.bits;
    for (; row < end; ++row) {
        if (row % 8 == 0 && bits[row / 8] == 0) {
            row += 7;
        } else if (has_bit(bits, row)) {
            wait(scope, search, row, code_bound(search.query, code_at(scope.codes, row)));
        }
    }
}

void scan(const Scope& scope, Search& search, uint32_t row, uint32_t end) {
    if (scope.admission.bits && scope.admission.count < scope.store.row_count / 2) {
        return scan_admitted(scope, search, row, end);
    }
    uint32_t stride = scope.codes.row_bytes;
    for (uint32_t rows; row < end; row += rows) {
        rows = rows_together(scope, row, end);
        const uint8_t* marks = marks_from(scope.store, row);
        const uint8_t* code = code_at(scope.codes, row);
        for (uint32_t r = 0; r < rows; r += 4, code += size_t{4} * stride) {
            uint32_t left = rows - r;
            uint32_t some =
                left < 4 ? (1u << left) - 1 : within(search.query, search.filter, code, stride);
            for (; some; some &= some - 1) {
                auto i = static_cast<uint32_t>(__builtin_ctz(some));
                if (marks[r + i] & kDead) continue;
                wait(scope, search, row + r + i, code_bound(search.query, code + i * stride));
            }
        }
    }
}

} // namespace

CodeAnswer search_codes(const Store& store, const Codes& codes, int32_t metric, uint32_t k,
                        uint8_t* out, const Admission& admission) {
    CodeAnswer answer;
    search_codes_batch(store, codes, metric, k, store.query, 1, out, &answer, admission);
    return answer;
}

void search_codes_batch(const Store& store, const Codes& codes, int32_t metric, uint32_t k,
                        const uint8_t* queries, uint32_t count, uint8_t* out, CodeAnswer* answers,
                        const Admission& admission) {
    uint32_t limit = hits_for(store, k);
    uint32_t capacity = kLeastWaiting + 4 * limit;
    size_t weights = weight_bytes(codes);
    size_t bytes = sizeof(Search) + weights + capacity * sizeof(Candidate);
    uint8_t* memory = count <= ~size_t{0} / bytes ? allocate(bytes * count) : nullptr;
    auto* searches = reinterpret_cast<Search*>(memory);
    for (uint32_t i = 0; i < count; ++i) {
        const uint8_t* query = queries + size_t{i} * store.row_bytes;
        uint8_t* hits = out + size_t{i} * limit * kHitBytes;
        size_t place = count * sizeof(Search) + i * (bytes - sizeof(Search));
        CodeQuery prepared;
        if (!memory ||
            !prepare(codes, metric, query, reinterpret_cast<int16_t*>(memory + place), prepared)) {
            search_batch(store, metric, k, query, 1, hits, &answers[i].found, admission);
            answers[i].read = live_count(store);
            if (memory) searches[i].capacity = 0;
            continue;
        }
        constexpr float kAny = __builtin_inff();
        auto* waiting = reinterpret_cast<Candidate*>(memory + place + weights);
        searches[i] = {
            query, prepared, filter_for(prepared, kAny), kAny, {hits, limit}, waiting, capacity,
            0,     0};
    }
    if (!memory) return;

    Scope scope{store, codes, admission};
    uint32_t rows = count > 1 ? (kBlockBytes / codes.row_bytes + 4) & ~3u : codes.done;
    for (uint32_t row = 0, end; limit > 0 && row < codes.done; row = end) {
        end = codes.done - row < rows ? codes.done : row + rows;
        for (uint32_t i = 0; i < count; ++i) {
            if (searches[i].capacity) scan(scope, searches[i], row, end);
        }
    }
    for (uint32_t i = 0; i < count; ++i) {
        Search& search = searches[i];
        if (!search.capacity) continue;
        for (uint32_t row = codes.done; row < store.row_count; ++row) {
            if (!is_dead(store, row)) wait(scope, search, row, -__builtin_inff());
        }
        if (limit > 0) settle(store, search);
        search.hits.sort();
        answers[i] = {search.hits.count, search.rows_read};
    }
    release(memory, bytes * count);
}

} // namespace rvf
