// Mutations that know the format: fields of headers and manifests, segments that are appended, and
// hashes that are right again afterwards, because a file with a wrong one is refused before
// anything interesting happens.
#pragma once

#include "tests/unit/rvf_file.h"

namespace rvf::test {

/// Offsets of all headers, by walking as a reader would.
inline std::vector<size_t> find_headers(const Buffer& file) {
    const uint8_t* data = file.data();
    size_t size = file.size();
    std::vector<size_t> headers;
    for (size_t at = 0; at + kHeaderBytes <= size;) {
        uint32_t magic;
        uint64_t length;
        std::memcpy(&magic, data + at, 4);
        std::memcpy(&length, data + at + 16, 8);
        if (magic != kMagic) {
            ++at;
            continue;
        }
        headers.push_back(at);
        bool complete = length <= size - at - kHeaderBytes;
        at += complete ? kHeaderBytes + static_cast<size_t>(length) : 1;
    }
    return headers;
}

/// A hash of the parent as it is, or as it was at one of its commits.
inline Buffer some_parent_hash(const Buffer& parent, Random& random) {
    std::vector<size_t> sizes = {parent.size()};
    for (size_t at : find_headers(parent)) {
        uint64_t end = get<uint64_t>(parent, at + 16) + at + kHeaderBytes;
        if (parent[at + 5] == kManifest && end < parent.size()) sizes.push_back(end);
    }
    size_t size = random.pick(sizes);
    return parent_hash(Buffer(parent.begin(), parent.begin() + static_cast<long>(size)));
}

/// Makes a record of a branch agree with the parent that it gets, and with its own bitmap.
inline void fix_branch_record(uint8_t type, uint8_t* payload, size_t size, const Buffer& parent,
                              Random& random) {
    if (type == kCowMap && size >= 0x51) {
        std::memcpy(payload + 0x20, some_parent_hash(parent, random).data(), 32);
    }
    if (type == kMembership && size >= 0x60) {
        uint64_t offset;
        uint32_t length;
        std::memcpy(&offset, payload + 0x18, 8);
        std::memcpy(&length, payload + 0x20, 4);
        if (offset > size || length > size - offset) return;
        Buffer hash = simple_hash(payload + offset, length);
        std::memcpy(payload + 0x28, hash.data(), 32);
    }
}

/// Gives every complete segment that has a hash the right one.
inline void fix_hashes(Buffer& file, const Buffer& parent, Random& random) {
    for (size_t at : find_headers(file)) {
        uint8_t* header = file.data() + at;
        uint64_t length = get<uint64_t>(file, at + 16);
        bool has_hash = get<uint64_t>(file, at + 0x28) | get<uint64_t>(file, at + 0x30);
        if (length > file.size() - at - kHeaderBytes) continue;
        auto size = static_cast<size_t>(length);
        fix_branch_record(header[5], header + kHeaderBytes, size, parent, random);
        if (has_hash) write_hash(header, header + kHeaderBytes, size);
    }
}

template <typename T>
void overwrite(Buffer& file, size_t at, T value) {
    if (at + sizeof(T) <= file.size()) set(file, at, value);
}

/// Changes one field of one header, or one number of its payload.
inline void change_field(Buffer& file, Random& random) {
    std::vector<size_t> headers = find_headers(file);
    if (headers.empty()) return;
    size_t at = random.pick(headers), payload = at + kHeaderBytes;
    const std::vector<uint8_t> types = {1,    2,    4,    5,    7,    0x0A, 0x0E,
                                        0x10, 0x20, 0x21, 0x22, 0x23, 0xF0};
    const std::vector<uint64_t> lengths = {0,  1,        6,        22,    44,
                                           64, 1u << 28, 1u << 31, ~0ull, ~0ull - 63};
    const std::vector<uint32_t> counts = {0, 1, 2, 3, 255, 0xFFFF, 0x10000, ~0u};
    uint64_t length = get<uint64_t>(file, at + 16);
    switch (random.below(10)) {
        case 0:
            file[at + 5] = random.pick(types);
            break;
        case 1:
            overwrite(file, at + 16, random.pick(lengths));
            break;
        case 2:
            overwrite(file, at + 16, length + random.below(65) - 32);
            break;
        case 3:
            overwrite(file, at + 4, static_cast<uint8_t>(random.below(3)));
            break;
        case 4:
            std::memset(file.data() + at + 0x28, 0, 16);
            break;
        case 5:
            overwrite(file, payload, static_cast<uint16_t>(random.below(6)));
            break;
        case 6:
            overwrite(file, payload + 2, random.pick(counts));
            break;
        case 7:
            overwrite(file, payload + 4, static_cast<uint16_t>(random.below(6)));
            break;
        case 8:
            overwrite(file, payload + 14, random.pick(counts));
            break;
        default:
            overwrite(file, payload + 22 + 25 * random.below(6) + 8,
                      uint64_t{random.pick(headers)});
    }
}

/// Entries of metadata, of all types.
inline Buffer random_entries(Random& random) {
    Buffer entries;
    uint16_t field = 0;
    while (random.below(3)) {
        auto type = static_cast<uint8_t>(random.below(6));
        uint32_t size = type < 3 ? 8 : type == 4 ? 1 : random.below(12);
        field = static_cast<uint16_t>(field + 1 + random.below(3));
        put(entries, field);
        put(entries, type);
        put(entries, size);
        for (uint32_t i = 0; i < size; ++i) {
            entries.push_back(static_cast<uint8_t>(random.below(type == 4 ? 2 : 256)));
        }
    }
    return entries;
}

/// A META payload of ours, about the store and ids that seeds have.
inline Buffer random_meta(Random& random) {
    Buffer payload;
    put(payload, uint32_t{0x444D5652});
    put(payload, static_cast<uint16_t>(random.below(8) ? 1 : 2));
    put(payload, static_cast<uint16_t>(random.below(2)));
    while (random.below(4)) {
        Buffer entries = random_entries(random);
        put(payload, uint64_t{random.below(12)});
        put(payload, static_cast<uint32_t>(entries.size()));
        append(payload, entries);
    }
    return payload;
}

/// REFCOUNT or DELTA, sound or nearly so.
inline Buffer random_record(uint8_t type, Random& random) {
    bool is_refcount = type == 0x21;
    Buffer payload(is_refcount ? 32 : 64 + random.below(8));
    set(payload, 0, is_refcount ? 0x52565243u : 0x5256444Cu);
    set(payload, 4, uint16_t{1});
    payload[6] = static_cast<uint8_t>(random.below(4));
    set(payload, 16, uint64_t{is_refcount ? 32 : payload.size() - 64});
    set(payload, 24, random.below(2));
    return payload;
}

/// Appends a segment of one of many types, now and then with a footer for a signature.
inline void append_segment(Buffer& file, Random& random) {
    const std::vector<uint8_t> types = {kVec, kMeta, kMeta, kMeta, 0x0A, 0x21, 0x23, 0x10, 0xF0};
    uint8_t type = random.pick(types);
    Buffer payload(random.below(64), static_cast<uint8_t>(random.below(256)));
    if (type == kMeta) payload = random_meta(random);
    if (type == 0x21 || type == 0x23) payload = random_record(type, random);
    if (type == kVec) payload = vec_payload(2, {random.below(8)}, {1, 2});
    append(file, segment(type, 1 + random.below(20), payload));
    if (random.below(4)) return;
    put(file, uint16_t{0});
    put(file, uint16_t{64});
    file.resize(file.size() + 64, static_cast<uint8_t>(random.below(256)));
    put(file, uint32_t{72});
}

/// Appends a manifest that lists every segment.
inline void append_manifest(Buffer& file, Random& random) {
    FileBuilder builder;
    builder.dimension = static_cast<uint16_t>(1 + random.below(5));
    builder.metric = static_cast<uint8_t>(random.below(4));
    for (size_t at : find_headers(file)) {
        builder.directory.push_back(
            {get<uint64_t>(file, at + 8), at, get<uint64_t>(file, at + 16), file[at + 5]});
        if (file[at + 5] == kVec && at + kHeaderBytes + 2 <= file.size()) {
            builder.dimension = get<uint16_t>(file, at + kHeaderBytes);
        }
    }
    while (random.below(3) == 0) builder.deleted.push_back(random.below(10));
    if (random.below(2)) builder.identity = Buffer(68, 1);
    append(file, segment(kManifest, 9, builder.manifest_payload()));
}

} // namespace rvf::test
