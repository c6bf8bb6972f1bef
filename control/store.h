// A store in memory: rows in chunks, ids in a hash map.
//
// Invariants between calls:
//   every live id is in the map exactly once and names a row whose ids entry is that id;
//   a dead row is in no map, and its ids entry links to the next dead row;
//   vectors are padded with zeros to a multiple of four elements;
//   norms hold the sum of squares of their row.
// Chunks never move once they have their full size, so growing a store copies no vectors.
#pragma once

#include <stdint.h>

#include "control/bytes.h"
#include "control/control.h"
#include "kernel/status.h"

namespace rvf {

constexpr uint32_t kNoRow = ~0u;

/// Rows of a chunk lie one after the other: vectors, then ids, norms and dead marks.
struct Chunk {
    uint8_t* memory;
    uint32_t capacity; ///< rows
};

struct Store {
    uint32_t dimension;
    uint32_t row_bytes; ///< of one padded vector
    int32_t metric;
    uint32_t epoch;
    uint8_t profile;
    uint32_t warnings;
    uint8_t
        identity[68]; ///< as in the manifest; none while its first 16 bytes, the file id, are zero

    uint32_t row_count; ///< rows in use, dead ones included
    uint32_t dead_count;
    uint32_t first_dead; ///< kNoRow: none

    uint32_t chunk_shift; ///< log2 of the rows of a full chunk
    Chunk* chunks;
    uint32_t chunk_count;
    uint32_t chunk_slots;

    uint32_t* slots; ///< map: row + 1, 0 is empty
    uint32_t slot_bits;

    uint8_t* query; ///< one padded vector

    uint8_t* kept; ///< segments carried from the opened file to the next one, headers included
    size_t kept_bytes;
};

/// A new, empty store, or nullptr when memory cannot grow.
Store* make_store(uint32_t dimension, int32_t metric);
void free_store(Store* store);

inline uint32_t live_count(const Store& store) { return store.row_count - store.dead_count; }

/// Access to one row.
struct Row {
    uint8_t* vector;
    uint8_t* id;
    float* norm;
    uint8_t* dead;
};
Row row_at(const Store& store, uint32_t row);

uint32_t find_row(const Store& store, uint64_t id);

/// Makes room for `count` more rows; kOutOfMemory leaves the store as it was.
Status reserve_rows(Store& store, uint32_t count);

/// Inserts or replaces one vector. For a new id a row must have been reserved.
void put_vector(Store& store, uint64_t id, const uint8_t* vector);

/// False when the id is not live.
bool delete_id(Store& store, uint64_t id);

/// Whether `count` f32 at any alignment are all finite.
bool all_finite(const uint8_t* values, uint64_t count);

struct StoreMemory {
    uint64_t rows;
    uint64_t ids;
    uint64_t kept;
};
StoreMemory memory_of(const Store& store);

} // namespace rvf
