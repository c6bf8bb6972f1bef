// Segments, witnesses, containers and records read a second time, as docs/format.md says and with
// no code of the store.
#pragma once

#include <set>

#include "kernel/status.h"
#include "tests/fuzz/entries.h"
#include "tests/fuzz/plain_shake.h"

namespace rvf::test {

// --- Segments ---

struct PlainSegment {
    size_t offset;
    size_t payload; ///< where it begins
    size_t end;     ///< of the payload
    bool complete;

    Buffer payload_in(const Buffer& file) const {
        return Buffer(file.begin() + static_cast<long>(payload),
                      file.begin() + static_cast<long>(end));
    }
};

/// Every header; behind a complete segment the search goes on at its end.
inline std::vector<PlainSegment> all_segments(const Buffer& file) {
    std::vector<PlainSegment> segments;
    for (size_t at = 0; at + kHeaderBytes <= file.size();) {
        if (get<uint32_t>(file, at) != kMagic) {
            ++at;
            continue;
        }
        uint64_t length = get<uint64_t>(file, at + 16);
        bool complete = length <= file.size() - at - kHeaderBytes;
        size_t payload = at + kHeaderBytes;
        size_t end = complete ? payload + static_cast<size_t>(length) : payload;
        segments.push_back({at, payload, end, complete});
        at = complete ? end : at + 1;
    }
    return segments;
}

inline uint32_t footer_of(const Buffer& file, const PlainSegment& segment) {
    const std::map<uint16_t, uint32_t> kinds = {{0, 64}, {1, 3309}, {2, 7856}};
    Reader reader(file.data() + segment.end, file.size() - segment.end);
    auto kind = kinds.find(reader.number<uint16_t>());
    auto length = reader.number<uint16_t>();
    if (!reader.ok || kind == kinds.end() || length != kind->second) return 0;
    reader.take(length);
    uint32_t all = reader.number<uint32_t>();
    return reader.ok && all == length + 8u ? all : 0;
}

inline Buffer signing_input_of(const Buffer& file, const PlainSegment& segment) {
    auto header = file.begin() + static_cast<long>(segment.offset);
    Buffer input(header, header + 56);
    for (char letter : std::string("RVF-v1-segment")) input.push_back(static_cast<uint8_t>(letter));
    input.insert(input.end(), header + 8, header + 16);
    append(input, shake256_of(segment.payload_in(file), 16));
    return input;
}

// --- Witnesses ---

constexpr size_t kEntryBytes = 73;
const Buffer kNoHash(32);

inline size_t sound_entries_of(const Buffer& chain) {
    Buffer before = kNoHash;
    size_t count = 0;
    for (size_t at = 0; at + kEntryBytes <= chain.size(); at += kEntryBytes, ++count) {
        auto entry = chain.begin() + static_cast<long>(at);
        if (!std::equal(before.begin(), before.end(), entry)) break;
        before = shake256_of(Buffer(entry, entry + kEntryBytes), 32);
    }
    return count;
}

/// Makes the links of the entries right, but for entry `but`, counted from 1.
inline void link_chain(Buffer& chain, size_t but) {
    Buffer before = kNoHash;
    size_t count = 0;
    for (size_t at = 0; at + kEntryBytes <= chain.size(); at += kEntryBytes) {
        auto entry = chain.begin() + static_cast<long>(at);
        if (++count != but) std::copy(before.begin(), before.end(), entry);
        before = shake256_of(Buffer(entry, entry + kEntryBytes), 32);
    }
}

inline bool is_runtime_witness_of(const Buffer& payload) {
    return payload.size() >= 13 + 32 && payload[0] <= 1 &&
           payload.size() == uint64_t{13 + 32} + get<uint32_t>(payload, 9);
}

/// Links every runtime witness of a file to the one before, and makes its content hash right.
inline void link_witnesses(Buffer& file) {
    Buffer before = kNoHash;
    for (const PlainSegment& segment : all_segments(file)) {
        if (!segment.complete || file[segment.offset + 5] != kWitness) continue;
        if (!is_runtime_witness_of(segment.payload_in(file))) continue;
        std::copy(before.begin(), before.end(), file.begin() + static_cast<long>(segment.end - 32));
        size_t size = segment.end - segment.payload;
        before = simple_hash(file.data() + segment.payload, size);
        write_hash(file.data() + segment.offset, file.data() + segment.payload, size);
    }
}

struct PlainReport {
    uint32_t checked = 0, starts = 0, foreign = 0, broken = 0;
    uint64_t first_broken = 0;
};

inline PlainReport report_of(const Buffer& file) {
    PlainReport report;
    Buffer before = kNoHash;
    for (const PlainSegment& segment : all_segments(file)) {
        if (!segment.complete || file[segment.offset + 5] != kWitness) continue;
        Buffer payload = segment.payload_in(file);
        // The content hash has tests of its own.
        bool broken = rvf_verify_checksum(address(file.data() + segment.offset),
                                          file.size() - segment.offset) < 0;
        if (is_runtime_witness_of(payload)) {
            Buffer link(payload.end() - 32, payload.end());
            ++report.checked;
            if (link == kNoHash) {
                ++report.starts;
            } else if (link != before) {
                broken = true;
            }
            before = simple_hash(payload.data(), payload.size());
        } else if (!payload.empty() && payload.size() % kEntryBytes == 0) {
            auto entries = static_cast<uint32_t>(payload.size() / kEntryBytes);
            report.checked += entries;
            ++report.starts;
            if (sound_entries_of(payload) != entries) broken = true;
        } else {
            ++report.foreign;
        }
        if (broken && report.broken++ == 0) report.first_broken = segment.offset;
    }
    return report;
}

// --- Containers ---

struct PlainImage {
    uint64_t offset = 0, size = 0;
    size_t hash_at = 0;
    bool fits = false;
    int32_t refused = 0; ///< before anything is known of an image
};

inline PlainImage image_of(uint8_t type, const Buffer& payload) {
    struct Layout {
        uint32_t magic;
        size_t header, size_at, hash_at;
        uint64_t most;
    };
    const std::map<uint8_t, Layout> layouts = {
        {0x0E, {0x52564B4E, 128, 0x18, 0x30, 128u << 20}},
        {0x0F, {0x52564250, 64, 0x10, 0x20, 16u << 20}},
        {0x10, {0x5256574D, 64, 0x0C, 0x18, 8u << 20}},
        {0x11, {0x52564442, 64, 0x08, 0x20, 64u << 20}},
    };
    PlainImage image;
    auto found = layouts.find(type);
    if (found == layouts.end()) return image;
    const Layout& layout = found->second;
    image.offset = layout.header;
    image.hash_at = layout.hash_at;
    image.refused = payload.size() < layout.header              ? kTruncatedSegment
                    : get<uint32_t>(payload, 0) != layout.magic ? kInvalidMagic
                    : get<uint16_t>(payload, 4) != 1            ? kInvalidVersion
                                                                : kOk;
    if (image.refused) return image;
    image.size = type == 0x10 ? get<uint32_t>(payload, layout.size_at)
                              : get<uint64_t>(payload, layout.size_at);
    if (image.size > layout.most) image.refused = kSegmentTooLarge;
    uint64_t command_line = type == 0x0E ? get<uint32_t>(payload, 0x78) : 0;
    bool has_binding = type == 0x0E && get<uint64_t>(payload, 0x70) == 256;
    if (has_binding) image.offset = 256 + command_line;
    uint64_t end = image.offset + image.size + (has_binding ? 0 : command_line);
    image.fits = !image.refused && end <= payload.size();
    return image;
}

inline int32_t container_status(uint8_t type, const Buffer& payload) {
    PlainImage image = image_of(type, payload);
    if (image.refused) return image.refused;
    if (image.offset == 0) return kOk; // no container
    if (!image.fits) return kTruncatedSegment;
    auto begin = payload.begin() + static_cast<long>(image.offset);
    Buffer bytes(begin, begin + static_cast<long>(image.size));
    auto hash = payload.begin() + static_cast<long>(image.hash_at);
    Buffer stored(hash, hash + 32);
    return stored == kNoHash || stored == simple_hash(bytes.data(), bytes.size()) ||
                   stored == shake256_of(bytes, 32)
               ? kOk
               : kInvalidChecksum;
}

// --- Records of branches and frozen files ---

inline bool begins(const Buffer& payload, uint32_t magic, size_t fixed) {
    return payload.size() >= fixed && get<uint32_t>(payload, 0) == magic;
}

inline bool is_inside(const Buffer& payload, uint64_t offset, uint64_t size) {
    return offset <= payload.size() && size <= payload.size() - offset;
}

inline bool is_sound_refcount(const Buffer& payload) {
    if (!begins(payload, 0x52565243, 32) || get<uint16_t>(payload, 4) != 1) return false;
    uint64_t width = payload[6], clusters = get<uint32_t>(payload, 8);
    return (width == 1 || width == 2 || width == 4) && payload[7] == 0 &&
           get<uint32_t>(payload, 28) == 0 &&
           is_inside(payload, get<uint64_t>(payload, 16), clusters * width);
}

inline bool is_sound_delta(const Buffer& payload) {
    return begins(payload, 0x5256444C, 64) && get<uint16_t>(payload, 4) == 1 && payload[6] <= 2 &&
           payload[7] == 0 && get<uint64_t>(payload, 56) == 0 &&
           is_inside(payload, 64, get<uint64_t>(payload, 16));
}

inline bool is_sound_map(const Buffer& payload) { return begins(payload, 0x5256434D, 0x51); }

inline bool is_sound_membership(const Buffer& payload) {
    if (!begins(payload, 0x52564D42, 0x60) || payload[6] != 0) return false;
    uint64_t offset = get<uint64_t>(payload, 0x18), size = get<uint32_t>(payload, 0x20);
    if (!is_inside(payload, offset, size) || get<uint64_t>(payload, 8) > size * 8) return false;
    return std::equal(payload.begin() + 0x28, payload.begin() + 0x48,
                      simple_hash(payload.data() + offset, size).begin());
}

inline bool admits_id(const Buffer& membership, uint64_t id) {
    bool set = id < get<uint64_t>(membership, 8) &&
               membership[get<uint64_t>(membership, 0x18) + id / 8] >> id % 8 & 1;
    return set != (membership[7] == 1);
}

} // namespace rvf::test
