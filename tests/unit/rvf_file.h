// .rvf files written and read byte by byte, from docs/format.md and not with the code under test.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include "tests/unit/support.h"

namespace rvf::test {

constexpr uint32_t kMagic = 0x52564653;
constexpr size_t kHeaderBytes = 64;
constexpr uint8_t kVec = 0x01, kIndex = 0x02, kJournal = 0x04, kManifest = 0x05, kMeta = 0x07,
                  kWitness = 0x0A, kKernelImage = 0x0E, kCowMap = 0x20, kMembership = 0x22;

using Rows = std::map<uint64_t, std::vector<float>>;

template <typename T>
void put(Buffer& bytes, T value) {
    uint8_t raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    bytes.insert(bytes.end(), raw, raw + sizeof(T));
}

template <typename T>
void set(Buffer& bytes, size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof(T));
}

template <typename T>
T get(const Buffer& bytes, size_t at) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    return value;
}

inline void append(Buffer& bytes, const Buffer& more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

/// A reflected CRC, byte by byte.
inline uint32_t crc_of(const uint8_t* bytes, size_t size, uint32_t polynomial) {
    uint32_t table[256];
    for (uint32_t byte = 0; byte < 256; ++byte) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
        table[byte] = crc;
    }
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; ++i) crc = crc >> 8 ^ table[(crc ^ bytes[i]) & 0xFF];
    return ~crc;
}

/// Writes the content hash of a segment: the CRC-32 of the payload, rotated by 0, 8, 16 and 24
/// bits.
inline void write_hash(uint8_t* header, const uint8_t* payload, size_t size) {
    uint32_t crc = crc_of(payload, size, 0xEDB88320);
    for (int word = 0; word < 4; ++word) {
        std::memcpy(header + 0x28 + 4 * word, &crc, 4);
        crc = crc << 8 | crc >> 24;
    }
}

inline Buffer segment(uint8_t type, uint64_t id, const Buffer& payload) {
    Buffer bytes(kHeaderBytes);
    set(bytes, 0, kMagic);
    bytes[4] = 1;
    bytes[5] = type;
    set(bytes, 8, id);
    set(bytes, 16, uint64_t{payload.size()});
    write_hash(bytes.data(), payload.data(), payload.size());
    append(bytes, payload);
    return bytes;
}

inline void put_records(Buffer& payload, const std::vector<uint64_t>& ids,
                        const std::vector<float>& values) {
    size_t dimension = ids.empty() ? 0 : values.size() / ids.size();
    for (size_t i = 0; i < ids.size(); ++i) {
        put(payload, ids[i]);
        for (size_t d = 0; d < dimension; ++d) put(payload, values[i * dimension + d]);
    }
}

inline Buffer vec_payload(uint16_t dimension, const std::vector<uint64_t>& ids,
                          const std::vector<float>& values) {
    Buffer payload;
    put(payload, dimension);
    put(payload, static_cast<uint32_t>(ids.size()));
    put_records(payload, ids, values);
    return payload;
}

/// The layout of upstream's wasm module: the count comes first and wraps.
inline Buffer wasm_vec_payload(uint32_t dimension, const std::vector<uint64_t>& ids,
                               const std::vector<float>& values) {
    Buffer payload;
    put(payload, static_cast<uint16_t>(ids.size()));
    put(payload, dimension);
    put_records(payload, ids, values);
    return payload;
}

struct Entry {
    uint64_t id;
    uint64_t offset;
    uint64_t length;
    uint8_t type;
};

inline void put_entry(Buffer& payload, const Entry& entry) {
    put(payload, entry.id);
    put(payload, entry.offset);
    put(payload, entry.length);
    put(payload, entry.type);
}

/// A file as upstream's runtime grows it: segments, each listed, and a manifest at every commit.
struct FileBuilder {
    uint16_t dimension = 2;
    uint8_t metric = 0;
    uint8_t profile = 0;
    uint32_t epoch = 0;
    std::vector<Entry> directory = {};
    std::vector<uint64_t> deleted = {};
    Buffer identity = {}; ///< 68 bytes or none
    Buffer bytes = {};
    uint64_t next_id = 1;

    /// Appends a segment that the next manifest lists; answers its offset.
    size_t add(uint8_t type, const Buffer& payload) {
        size_t offset = bytes.size();
        directory.push_back({next_id, offset, payload.size(), type});
        append(bytes, segment(type, next_id++, payload));
        return offset;
    }
    size_t add_vectors(const std::vector<uint64_t>& ids, const std::vector<float>& values) {
        return add(kVec, vec_payload(dimension, ids, values));
    }

    Buffer manifest_payload() const {
        Buffer payload;
        put(payload, epoch);
        put(payload, dimension);
        put(payload, uint64_t{0}); // total vectors; readers ignore it
        put(payload, static_cast<uint32_t>(directory.size()));
        put(payload, profile);
        put(payload, metric);
        put(payload, uint16_t{0});
        for (const Entry& entry : directory) put_entry(payload, entry);
        put(payload, static_cast<uint32_t>(deleted.size()));
        for (uint64_t id : deleted) put(payload, id);
        if (!identity.empty()) {
            put(payload, uint32_t{0x46494449});
            append(payload, identity);
        }
        return payload;
    }

    /// Appends a manifest; answers its offset. Earlier manifests are listed, as upstream does.
    size_t commit() {
        size_t offset = add(kManifest, manifest_payload());
        ++epoch;
        return offset;
    }
};

/// Upstream's additive mix, from docs/format.md.
inline Buffer simple_hash(const uint8_t* bytes, size_t size) {
    Buffer hash(32);
    for (size_t i = 0; i < size; ++i) {
        size_t k = i % 32, j = (i + 13) % 32;
        hash[k] = static_cast<uint8_t>(hash[k] + bytes[i]);
        hash[j] = static_cast<uint8_t>(hash[j] + (hash[k] << 3 | hash[k] >> 5));
    }
    return hash;
}

/// What a branch records of its parent: the hash of the parent file's last 64 KiB.
inline Buffer parent_hash(const Buffer& parent) {
    size_t tail = std::min<size_t>(parent.size(), 65536);
    return simple_hash(parent.data() + parent.size() - tail, tail);
}

inline Buffer cow_map_payload(const Buffer& parent) {
    Buffer payload(0x51);
    set(payload, 0, uint32_t{0x5256434D});
    set(payload, 4, uint16_t{1});
    Buffer hash = parent_hash(parent);
    std::copy(hash.begin(), hash.end(), payload.begin() + 0x20);
    return payload;
}

/// `limit` ids with a bit each, behind the header of 96 bytes.
inline Buffer membership_payload(uint64_t limit, const Buffer& bitmap, uint8_t mode = 0) {
    Buffer payload(0x60);
    set(payload, 0, uint32_t{0x52564D42});
    set(payload, 4, uint16_t{1});
    payload[7] = mode;
    set(payload, 8, limit);
    set(payload, 0x18, uint64_t{0x60});
    set(payload, 0x20, static_cast<uint32_t>(bitmap.size()));
    Buffer hash = simple_hash(bitmap.data(), bitmap.size());
    std::copy(hash.begin(), hash.end(), payload.begin() + 0x28);
    append(payload, bitmap);
    return payload;
}

/// The live rows of a store, read out of its export: every record of every VEC segment.
inline Rows rows_of(int32_t store) {
    Buffer file = export_file(store);
    Rows rows;
    for (size_t at = 0; at + kHeaderBytes <= file.size();) {
        size_t payload = at + kHeaderBytes;
        if (file[at + 5] == kVec) {
            size_t dimension = get<uint16_t>(file, payload);
            size_t count = get<uint32_t>(file, payload + 2);
            for (size_t i = 0; i < count; ++i) {
                size_t record = payload + 6 + i * (8 + 4 * dimension);
                std::vector<float>& row = rows[get<uint64_t>(file, record)];
                row.resize(dimension);
                std::memcpy(row.data(), file.data() + record + 8, 4 * dimension);
            }
        }
        at = payload + get<uint64_t>(file, at + 16);
    }
    return rows;
}

} // namespace rvf::test
