// Metadata: typed fields of a row, or of the store itself (docs/format.md, "Metadata").
//
// Entries are one after the other, fields ascending: field u16, type u8, length u32, value. They
// look the same in a call, in memory and in a META segment. Records lie in Store::metadata, behind
// their length (u32); what is replaced stays there as waste until it makes up half.
#pragma once

#include "control/store.h"

namespace rvf {

enum ValueType : uint8_t {
    kU64 = 0,
    kI64 = 1,
    kF64 = 2,
    kString = 3, ///< UTF-8
    kBool = 4,   ///< one byte, 0 or 1
    kBytes = 5,
};

/// In a filter this field is the row's id, a u64; entries cannot have it.
constexpr uint16_t kIdField = 0xFFFE;

constexpr uint32_t kMostMetadataBytes = 16u << 20; ///< of one row's entries

/// A value and where the next thing begins.
struct Value {
    uint8_t type;
    Bytes bytes;
};

/// Reads type, length and value at `at`, which moves behind them; false when they are not sound.
bool read_value(Bytes bytes, size_t& at, Value& value);

/// Whether the bytes are entries as above, and nothing else, of at most kMostMetadataBytes.
bool are_entries(Bytes bytes);

constexpr uint32_t kEntryBytes = 7;  ///< field, type, length; then the value
constexpr uint32_t kLengthBytes = 4; ///< before the entries of a record

/// Finds the value of a field in sound entries.
inline bool find_field(Bytes entries, uint16_t field, Value& value) {
    const uint8_t* end = entries.data + entries.size;
    for (const uint8_t* at = entries.data; at != end;) {
        uint16_t here = load<uint16_t>(at);
        uint32_t size = load<uint32_t>(at + 3);
        if (here > field) return false;
        value = {at[2], {at + kEntryBytes, size}};
        if (here == field) return true;
        at += kEntryBytes + size;
    }
    return false;
}

/// The entries of the record at `at`; 0: none.
inline Bytes entries_at(const Store& store, uint32_t at) {
    if (at == 0) return {};
    const uint8_t* record = store.metadata.data + at;
    return {record + kLengthBytes, load<uint32_t>(record)};
}

/// Makes room for records of `bytes` in all, their lengths included. What `at` of rows say may
/// change.
bool reserve_metadata(Store& store, size_t bytes);

/// Replaces the record at `at`. reserve_metadata must have made room, but not for no entries.
void set_metadata(Store& store, uint32_t& at, Bytes entries);

// --- META segments ---

constexpr uint32_t kMetaMagic = 0x444D5652; ///< on disk "RVMD"
constexpr uint16_t kMetaVersion = 1;
constexpr uint32_t kMetaFixedBytes = 8;   ///< magic, version u16, flags u16
constexpr uint16_t kMetaAboutStore = 1;   ///< flag: the first record is the store's own
constexpr uint32_t kMetaRecordBytes = 12; ///< id u64, length u32; then entries

/// Whether a META payload is one of ours; others are carried on unread.
bool is_our_meta(Bytes payload);

/// Applies the records of one of ours; those of ids that are not live are passed over. A row whose
/// record is here gets `home`, unless its own is later. With a `home` of 0 it is only checked.
/// kTruncatedSegment or kInvalidVersion when the payload is not sound, kOutOfMemory.
Status read_meta(Store& store, Bytes payload, uint32_t home);

} // namespace rvf
