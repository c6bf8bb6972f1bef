// A store in memory: rows in chunks, ids in a hash map, metadata in one arena; and what is known of
// the file that it came from and goes to.
//
// Invariants between calls:
//   every live id is in the map exactly once and names a row whose ids entry is that id;
//   a dead row is in no map, and its ids entry links to the next dead row;
//   vectors are padded with zeros to a multiple of four elements;
//   norms hold the sum of squares of their row;
//   a row that is not as the file has it is marked as changed.
// Chunks never move once they have their full size, so growing a store copies no vectors.
#pragma once

#include <stdint.h>

#include "control/buffer.h"
#include "control/bytes.h"
#include "control/control.h"
#include "control/simple_hash.h"
#include "kernel/status.h"

namespace rvf {

constexpr uint32_t kNoRow = ~0u;

/// Bits of a row's mark.
enum Mark : uint8_t {
    kDead = 1,            ///< nothing of the row counts
    kVectorChanged = 2,   ///< since the last commit
    kMetadataChanged = 4, ///< since the last commit
    kInherited = 8,       ///< a branch whose parent has the id
    kRewritten = 16,      ///< since it was indexed
};

/// The vectors of a chunk lie in its own memory, its columns behind them; or in the file that the
/// store was opened from, each where its record is.
struct Chunk {
    uint8_t* vectors;  ///< the first of them
    uint8_t* columns;  ///< of all rows: ids, then metadata, norms, homes, first homes and marks
    uint32_t stride;   ///< bytes from one vector to the next
    uint32_t capacity; ///< rows
};

/// What one commit wrote of rows: a VEC segment, a META segment of ours, or both.
struct Layer {
    uint64_t vec_offset;
    uint64_t vec_bytes; ///< of the payload; 0: no VEC segment
    uint64_t vec_id;
    uint64_t meta_offset;
    uint64_t meta_bytes;
    uint64_t meta_id;
    uint32_t records;
    uint32_t first_row; ///< no row before it has a record here
};

/// A segment that is carried on byte for byte.
struct Kept {
    uint64_t offset; ///< in the file; kNotInFile: it was added since the last commit
    size_t at;       ///< in Store::kept, or Store::file
    size_t size;     ///< of header, payload and signature footer
    bool is_mapped;  ///< in Store::file
};
constexpr uint64_t kNotInFile = ~uint64_t{0};

/// A deleted id that VEC segments of the file, or the parent of a branch, still hold.
struct Deleted {
    uint64_t id;
    uint32_t first;     ///< the first layer that holds it, from 1; 0: none
    uint32_t inherited; ///< 1: the parent has it
};

/// A commit that was made and is not acknowledged yet (commit.h).
struct Pending {
    Bytes bytes;          ///< in the module's memory; nullptr: there is none
    size_t data_size;     ///< of what comes before the manifest
    uint64_t offset;      ///< where the bytes go in the file
    bool replaces;        ///< they are a whole file
    int32_t signature;    ///< kind of the segments' footers; -1: they have none
    uint32_t layers_kept; ///< of those that were there before
    size_t kept_at;       ///< of the first kept segment in `bytes`
    size_t witness_at;    ///< of the first witness in `bytes`
    size_t last_witness;  ///< of the last one
    size_t journal_bytes; ///< of Store::journal
    uint64_t next_id;
    uint8_t witness[kSimpleHashBytes];
};

struct SearchIndex;

struct Store {
    uint32_t dimension;
    uint32_t row_bytes; ///< of one padded vector
    int32_t metric;
    uint32_t epoch; ///< of the last commit
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
    Bytes file; ///< that vectors lie in, as rvf_alloc gave it; nullptr: none do

    uint32_t* slots; ///< map: row + 1, 0 is empty
    uint32_t slot_bits;

    uint8_t* query; ///< one padded vector

    SearchIndex* index; ///< search_index.h; nullptr: none
    void (*free_index)(SearchIndex*);
    uint32_t indexed_rows; ///< rows below may be in it
    uint32_t rewritten_count;
    bool codes_lag;          ///< behind some rows that were written again
    bool saved_index_is_old; ///< rows that it knows have changed since rvf_index_save

    Buffer metadata; ///< records: length u32, entries (metadata.h)
    size_t stale;    ///< bytes of it that nothing refers to
    uint32_t about;  ///< where the store's own record is; 0: none
    bool about_changed;
    bool has_metadata; ///< META segments of ours are in the file, or must be

    int32_t derivation; ///< how a child was made from its parent, until it is in a witness; else -1
    bool changed;       ///< since the last commit
    uint64_t version;   ///< another one whenever rows or metadata are
    uint32_t first_changed; ///< no row before it has changed
    bool frozen;
    bool is_outside;          ///< its vectors stay with the host: outside_rows.h
    uint32_t outside_crc;     ///< of the pieces of a VEC payload so far
    uint32_t outside_records; ///< that were taken
    bool is_branch;
    bool excludes; ///< the branch's membership has no bitmap and shows all of the parent
    bool membership_changed;
    uint64_t member_limit;  ///< ids from here on are not in the bitmap
    uint64_t file_size;     ///< of what is committed
    uint64_t next_id;       ///< of segments
    Buffer layers;          ///< of Layer, in the order of the directory
    Buffer deleted;         ///< of Deleted
    Buffer journal;         ///< u64 ids deleted since the last commit
    uint32_t changed_count; ///< rows marked as changed since the last commit, dead ones included
    Buffer kept;            ///< the bytes of kept segments
    Buffer kept_list;       ///< of Kept, in file order
    Buffer witnesses;       ///< segments of runtime witnesses, one after the other
    size_t last_witness;    ///< where the last of them begins
    uint8_t witness[kSimpleHashBytes]; ///< of the last witness payload; zeros: none
    Buffer losses;                     ///< records of rvf_store_losses
    Pending pending;
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
    uint8_t* mark;      ///< set of Mark
    uint32_t* home;     ///< the layer that has the row's last record, from 1; 0: none
    uint32_t* first;    ///< the first layer that has a record of the id, from 1; 0: none
    uint32_t* metadata; ///< where its record is in Store::metadata; 0: none
};
Row row_at(const Store& store, uint32_t row);

inline bool is_dead(const Row& row) { return *row.mark & kDead; }

uint32_t find_row(const Store& store, uint64_t id);

/// Makes room for `count` more rows; kOutOfMemory leaves the store as it was.
Status reserve_rows(Store& store, uint32_t count);

/// Of memory for a row without a vector, about.
constexpr uint32_t kOutsideRowBytes = 20;

/// Makes room for `count` more rows without vectors: row_at gives store.query for all of theirs.
bool reserve_outside(Store& store, uint32_t count);

/// Makes room for `count` more ids in the map.
bool reserve_ids(Store& store, uint64_t count);

/// Of memory for a row whose vector stays in the file, about.
constexpr uint32_t kMappedRowBytes = 32;

/// When the next row begins a chunk and `count` records (u64 id, f32 values) at `records` in `file`
/// fill it: lets the store own the file and its vectors lie where they are, as rows of layer
/// `home`. Answers how many are rows now: the whole chunk, or those before the first whose id is
/// there already. put_vector takes that one and those behind it, which then move up. 0: they do not
/// fill a chunk, or memory is short.
uint32_t map_chunk(Store& store, Bytes file, const uint8_t* records, uint64_t count, uint32_t home);

/// The row of an id, new where there is none; then a row must have been reserved.
uint32_t put_id(Store& store, uint64_t id);

/// Inserts or replaces one vector; answers its row, marked as changed. For a new id a row must have
/// been reserved.
uint32_t put_vector(Store& store, uint64_t id, const uint8_t* vector);

/// Notes that a row is not as the file has it.
void mark_changed(Store& store, uint32_t row, Mark mark);

/// False when the id is not live. reserve_deletes must have made room.
bool delete_id(Store& store, uint64_t id);

/// Makes room for remembering that `count` ids were deleted.
bool reserve_deletes(Store& store, uint32_t count);

/// Whether `count` f32 at any alignment are all finite.
bool all_finite(const uint8_t* values, uint64_t count);

struct StoreMemory {
    uint64_t rows;
    uint64_t ids;
    uint64_t kept; ///< segments and metadata
};
StoreMemory memory_of(const Store& store);

} // namespace rvf
