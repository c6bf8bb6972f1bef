#include "control/store.h"

#include "control/heap.h"
#include "control/metadata.h"
#include "control/row_sums.h"

namespace rvf {
namespace {

/// Of vectors, in a full chunk. What lies between the vectors of two chunks breaks the stream that
/// the prefetcher follows, which costs about a microsecond, so chunks are large.
constexpr uint32_t kChunkBytes = 4u << 20;
constexpr uint32_t kFirstRows = 8; ///< capacity of the first chunk, which doubles
constexpr uint32_t kFirstSlotBits = 4;

uint32_t full_capacity(const Store& store) { return 1u << store.chunk_shift; }

/// Of each row: id, metadata, norm, home, first home, mark.
constexpr uint32_t kColumns[] = {8, 4, 4, 4, 4, 1};
constexpr uint32_t kColumnBytes = 25;
constexpr uint32_t kOutsideColumnBytes = 17; ///< norm, home and first home are one column

size_t chunk_bytes(const Store& store, uint32_t capacity) {
    return size_t{capacity} * (store.row_bytes + kColumnBytes);
}

bool is_mapped(const Store& store, const Chunk& chunk) { return chunk.stride != store.row_bytes; }

size_t columns_bytes(const Chunk& chunk) {
    return size_t{chunk.capacity} * (chunk.stride ? kColumnBytes : kOutsideColumnBytes);
}

void free_chunk(const Store& store, const Chunk& chunk) {
    if (is_mapped(store, chunk)) {
        release(chunk.columns, columns_bytes(chunk));
    } else {
        release(chunk.vectors, chunk_bytes(store, chunk.capacity));
    }
}

Row row_in_chunk(const Chunk& chunk, uint32_t index) {
    size_t rows = chunk.capacity;
    size_t step = chunk.stride ? rows : 0;
    auto* metadata = reinterpret_cast<uint32_t*>(chunk.columns + rows * 8) + index;
    uint32_t* norms = metadata + rows;
    uint32_t* firsts = norms + 2 * step;
    return {chunk.vectors + size_t{index} * chunk.stride,
            chunk.columns + size_t{index} * 8,
            reinterpret_cast<float*>(norms),
            reinterpret_cast<uint8_t*>(firsts - index + rows) + index,
            norms + step,
            firsts,
            metadata};
}

uint64_t id_at(const Store& store, uint32_t row) { return load<uint64_t>(row_at(store, row).id); }

uint32_t capacity(const Store& store) {
    if (store.chunk_count == 0) return 0;
    return ((store.chunk_count - 1) << store.chunk_shift) +
           store.chunks[store.chunk_count - 1].capacity;
}

// --- Chunks ---

bool add_chunk_slot(Store& store) {
    if (store.chunk_count < store.chunk_slots) return true;
    uint32_t slots = store.chunk_slots ? store.chunk_slots * 2 : 4;
    auto* chunks = reinterpret_cast<Chunk*>(allocate(slots * sizeof(Chunk)));
    if (!chunks) return false;
    for (uint32_t i = 0; i < store.chunk_count; ++i) chunks[i] = store.chunks[i];
    release(reinterpret_cast<uint8_t*>(store.chunks), store.chunk_slots * sizeof(Chunk));
    store.chunks = chunks;
    store.chunk_slots = slots;
    return true;
}

bool make_chunk(const Store& store, uint32_t rows, Chunk& chunk) {
    uint8_t* memory = allocate(chunk_bytes(store, rows));
    if (!memory) return false;
    chunk = {memory, memory + size_t{rows} * store.row_bytes, store.row_bytes, rows};
    return true;
}

/// Only the first chunk grows, up to the full size; its rows are copied.
bool grow_first_chunk(Store& store, uint32_t rows) {
    Chunk& old = store.chunks[0];
    Chunk grown;
    if (!make_chunk(store, rows, grown)) return false;
    copy(grown.vectors, old.vectors, size_t{old.capacity} * store.row_bytes);
    const uint8_t* from = old.columns;
    uint8_t* to = grown.columns;
    for (uint32_t width : kColumns) {
        copy(to, from, size_t{old.capacity} * width);
        from += size_t{old.capacity} * width;
        to += size_t{rows} * width;
    }
    free_chunk(store, old);
    old = grown;
    return true;
}

uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

bool reserve_chunks(Store& store, uint64_t rows) {
    if (rows <= capacity(store)) return true;
    uint32_t first = store.chunk_count ? store.chunks[0].capacity : kFirstRows;
    while (first < rows && first < full_capacity(store)) first *= 2;
    first = smaller(first, full_capacity(store));
    if (store.chunk_count && store.chunks[0].capacity < first && !grow_first_chunk(store, first)) {
        return false;
    }
    uint32_t had = store.chunk_count;
    while (capacity(store) < rows) {
        Chunk chunk;
        uint32_t size = store.chunk_count ? full_capacity(store) : first;
        if (!add_chunk_slot(store) || !make_chunk(store, size, chunk)) {
            while (store.chunk_count > had) {
                free_chunk(store, store.chunks[--store.chunk_count]);
            }
            return false;
        }
        store.chunks[store.chunk_count++] = chunk;
    }
    return true;
}

// --- Map ---

uint32_t slot_mask(const Store& store) { return (1u << store.slot_bits) - 1; }

/// Fibonacci hashing, the high bits of a product with 2^64 / golden ratio, of 16 ids in a row,
/// which share a cache line.
uint32_t home_slot(const Store& store, uint64_t id) {
    uint64_t hash = ((id >> 4) * 0x9E3779B97F4A7C15u) >> (64 - store.slot_bits);
    return static_cast<uint32_t>(hash ^ (id & 15));
}

/// The slot of the id, or the empty slot where it would go.
uint32_t find_slot(const Store& store, uint64_t id) {
    uint32_t slot = home_slot(store, id);
    while (store.slots[slot] && id_at(store, store.slots[slot] - 1) != id) {
        slot = (slot + 1) & slot_mask(store);
    }
    return slot;
}

size_t map_bytes(uint32_t slot_bits) { return sizeof(uint32_t) << slot_bits; }

bool resize_map(Store& store, uint32_t bits) {
    auto* slots = reinterpret_cast<uint32_t*>(allocate(map_bytes(bits)));
    if (!slots) return false;
    __builtin_memset(slots, 0, map_bytes(bits));
    uint32_t* old = store.slots;
    uint32_t old_bits = store.slot_bits;
    store.slots = slots;
    store.slot_bits = bits;
    if (!old) return true;
    for (uint32_t i = 0; i < 1u << old_bits; ++i) {
        if (old[i]) slots[find_slot(store, id_at(store, old[i] - 1))] = old[i];
    }
    release(reinterpret_cast<uint8_t*>(old), map_bytes(old_bits));
    return true;
}

/// At most 13 of 16 slots are taken.
bool reserve_map(Store& store, uint64_t ids) {
    uint32_t bits = store.slot_bits;
    while (ids * 16 > uint64_t{13} << bits) ++bits;
    return bits == store.slot_bits || resize_map(store, bits);
}

/// Empties a slot and moves back what was pushed past it.
void clear_slot(Store& store, uint32_t slot) {
    uint32_t mask = slot_mask(store);
    for (uint32_t next = (slot + 1) & mask; store.slots[next]; next = (next + 1) & mask) {
        uint32_t home = home_slot(store, id_at(store, store.slots[next] - 1));
        if (((next - home) & mask) < ((next - slot) & mask)) continue;
        store.slots[slot] = store.slots[next];
        slot = next;
    }
    store.slots[slot] = 0;
}

/// A dead row to use again, or the next one.
uint32_t take_row(Store& store) {
    if (store.first_dead == kNoRow) return store.row_count++;
    uint32_t row = store.first_dead;
    store.first_dead = static_cast<uint32_t>(id_at(store, row));
    --store.dead_count;
    return row;
}

} // namespace

Store* make_store(uint32_t dimension, int32_t metric) {
    auto* store = reinterpret_cast<Store*>(allocate(sizeof(Store)));
    if (!store) return nullptr;
    *store = {};
    store->dimension = dimension;
    store->row_bytes = (dimension + 3) / 4 * 16;
    store->metric = metric;
    store->first_dead = kNoRow;
    store->first_changed = kNoRow;
    store->next_id = 1;
    store->derivation = -1;
    while ((uint64_t{store->row_bytes} << (store->chunk_shift + 1)) <= kChunkBytes) {
        ++store->chunk_shift;
    }
    store->query = allocate(store->row_bytes);
    if (!store->query || !resize_map(*store, kFirstSlotBits)) {
        free_store(store);
        return nullptr;
    }
    __builtin_memset(store->query, 0, store->row_bytes);
    return store;
}

void free_store(Store* store) {
    if (store->index) store->free_index(store->index);
    for (uint32_t i = 0; i < store->chunk_count; ++i) {
        free_chunk(*store, store->chunks[i]);
    }
    release(reinterpret_cast<uint8_t*>(store->chunks), store->chunk_slots * sizeof(Chunk));
    if (store->slots)
        release(reinterpret_cast<uint8_t*>(store->slots), map_bytes(store->slot_bits));
    release(store->query, store->row_bytes);
    release(const_cast<uint8_t*>(store->file.data), store->file.size);
    Buffer* const buffers[] = {&store->metadata, &store->layers,   &store->deleted,
                               &store->journal,  &store->kept,     &store->kept_list,
                               &store->losses,   &store->witnesses};
    for (Buffer* buffer : buffers) free_buffer(*buffer);
    release(const_cast<uint8_t*>(store->pending.bytes.data), store->pending.bytes.size);
    release(reinterpret_cast<uint8_t*>(store), sizeof(Store));
}

Row row_at(const Store& store, uint32_t row) {
    const Chunk& chunk = store.chunks[row >> store.chunk_shift];
    return row_in_chunk(chunk, row & (full_capacity(store) - 1));
}

uint32_t find_row(const Store& store, uint64_t id) {
    return store.slots[find_slot(store, id)] - 1; // an empty slot is 0 and gives kNoRow
}

Status reserve_rows(Store& store, uint32_t count) {
    if (!reserve_map(store, uint64_t{live_count(store)} + count)) return kOutOfMemory;
    uint32_t reused = smaller(count, store.dead_count);
    uint64_t rows = uint64_t{store.row_count} + count - reused;
    return rows < kNoRow && reserve_chunks(store, rows) ? kOk : kOutOfMemory;
}

bool reserve_ids(Store& store, uint64_t count) {
    return reserve_map(store, live_count(store) + count);
}

bool reserve_outside(Store& store, uint32_t count) {
    if (!reserve_ids(store, count)) return false;
    while (capacity(store) < uint64_t{store.row_count} + count) {
        uint32_t rows = full_capacity(store);
        if (!add_chunk_slot(store)) return false;
        Chunk chunk = {store.query, nullptr, 0, rows};
        chunk.columns = allocate(columns_bytes(chunk));
        if (!chunk.columns) return false;
        store.chunks[store.chunk_count++] = chunk;
    }
    return true;
}

uint32_t map_chunk(Store& store, Bytes file, const uint8_t* records, uint64_t count,
                   uint32_t home) {
    uint32_t rows = full_capacity(store);
    if (store.dimension % 4 || capacity(store) != store.row_count || count < rows) return 0;
    if (store.row_count & (rows - 1) || !add_chunk_slot(store)) return 0;
    uint8_t* columns = allocate(size_t{rows} * kColumnBytes);
    if (!columns) return 0;
    __builtin_memset(columns, 0, size_t{rows} * kColumnBytes);
    uint8_t* vectors = const_cast<uint8_t*>(records) + sizeof(uint64_t);
    uint32_t stride = store.row_bytes + uint32_t{sizeof(uint64_t)};
    Chunk chunk = {vectors, columns, stride, rows};
    store.chunks[store.chunk_count++] = chunk;
    store.file = file;
    uint32_t taken = 0;
    for (; taken < rows; ++taken) {
        Row row = row_in_chunk(chunk, taken);
        uint64_t id = load<uint64_t>(row.vector - sizeof(uint64_t));
        uint32_t slot = find_slot(store, id);
        if (store.slots[slot]) break;
        store.slots[slot] = ++store.row_count;
        rvf::store(row.id, id);
        *row.norm = sum_of_products(row.vector, row.vector, store.row_bytes);
        *row.home = *row.first = home;
    }
    return taken;
}

uint32_t put_id(Store& store, uint64_t id) {
    uint32_t slot = find_slot(store, id);
    if (store.slots[slot] == 0) {
        store.slots[slot] = take_row(store) + 1;
        Row row = row_at(store, store.slots[slot] - 1);
        ++store.version;
        rvf::store(row.id, id);
        *row.mark = 0;
        *row.home = *row.first = *row.metadata = 0;
    }
    return store.slots[slot] - 1;
}

uint32_t put_vector(Store& store, uint64_t id, const uint8_t* vector) {
    uint32_t live = live_count(store);
    uint32_t number = put_id(store, id);
    Row row = row_at(store, number);
    store.saved_index_is_old |= live_count(store) == live;
    if (row.vector != vector) {
        __builtin_memset(row.vector + store.row_bytes - 16, 0, 16);
        copy(row.vector, vector, size_t{store.dimension} * sizeof(float));
    }
    *row.norm = sum_of_products(row.vector, row.vector, store.row_bytes);
    if (number < store.indexed_rows) {
        store.rewritten_count += !(*row.mark & kRewritten);
        *row.mark |= kRewritten;
        store.codes_lag = true;
    }
    mark_changed(store, number, kVectorChanged);
    return number;
}

void mark_changed(Store& store, uint32_t row, Mark mark) {
    uint8_t& marks = *row_at(store, row).mark;
    store.changed_count += !(marks & (kVectorChanged | kMetadataChanged));
    marks |= mark;
    if (row < store.first_changed) store.first_changed = row;
    store.changed = true;
}

bool reserve_deletes(Store& store, uint32_t count) {
    return reserve(store.deleted, size_t{count} * sizeof(Deleted)) &&
           reserve(store.journal, size_t{count} * 8);
}

bool delete_id(Store& store, uint64_t id) {
    uint32_t slot = find_slot(store, id);
    if (!store.slots[slot]) return false;
    uint32_t number = store.slots[slot] - 1;
    clear_slot(store, slot);
    Row row = row_at(store, number);
    bool inherited = *row.mark & kInherited;
    bool hides = inherited && store.excludes; // otherwise the bitmap hides it
    store.membership_changed |= inherited;
    if (*row.first || hides) {
        auto* entry = reinterpret_cast<Deleted*>(extend(store.deleted, sizeof(Deleted)));
        *entry = {id, *row.first, hides};
    }
    if (*row.first || inherited) rvf::store(extend(store.journal, 8), id);
    set_metadata(store, *row.metadata, {});
    store.changed = store.saved_index_is_old = true;
    *row.mark = kDead;
    rvf::store(row.id, uint64_t{store.first_dead});
    store.first_dead = number;
    ++store.dead_count;
    return true;
}

bool all_finite(const uint8_t* values, uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) {
        if ((load<uint32_t>(values + 4 * i) & 0x7F800000) == 0x7F800000) return false;
    }
    return true;
}

StoreMemory memory_of(const Store& store) {
    uint64_t rows = store.file.size - uint64_t{capacity(store)} * sizeof(uint64_t); // those are ids
    for (uint32_t i = 0; i < store.chunk_count; ++i) {
        const Chunk& chunk = store.chunks[i];
        uint32_t vector = is_mapped(store, chunk) ? 0 : store.row_bytes;
        rows += columns_bytes(chunk) + uint64_t{chunk.capacity} * vector;
    }
    uint64_t ids = uint64_t{capacity(store)} * sizeof(uint64_t) + map_bytes(store.slot_bits);
    return {rows, ids, store.kept.capacity + store.witnesses.capacity + store.metadata.capacity};
}

} // namespace rvf
