#include "host/sim/read_expand.h"

#include <zstd.h>

#include "host/sim/lz4_codec.h"

namespace rvf::sim {
namespace {

// In a segment header.
constexpr uint32_t kFlagsOffset = 0x06;
constexpr uint32_t kLengthOffset = 0x10;
constexpr uint32_t kHashOffset = 0x28;
constexpr uint32_t kExpandedOffset = 0x38;
constexpr uint16_t kCompressedFlag = 0x0001;

constexpr uint32_t kWasmManifestFixedBytes = 19; ///< before its directory
constexpr uint64_t kNowhere = ~uint64_t{0};

std::string place(const Segment& segment) {
    return "the segment at offset " + std::to_string(segment.offset);
}

/// Why the claimed length cannot be true, as far as that can be told without expanding.
std::string check_claim(const Segment& segment, uint8_t compression, uint64_t size) {
    Bytes stored = segment.payload;
    if (size > kMaxPayloadBytes) {
        return place(segment) + " claims to expand to " + std::to_string(size) +
               " bytes; at most 268435456 (256 MiB) are read";
    }
    bool possible = true;
    if (compression == kLz4) possible = size <= most_lz4_bytes(stored.size);
    if (compression == kZstd) {
        unsigned long long first = ZSTD_getFrameContentSize(stored.data, stored.size);
        if (first == ZSTD_CONTENTSIZE_ERROR) return place(segment) + " is not ZSTD";
        bool only = ZSTD_findFrameCompressedSize(stored.data, stored.size) == stored.size;
        if (first != ZSTD_CONTENTSIZE_UNKNOWN) possible = only ? first == size : first <= size;
    }
    if (possible) return "";
    return place(segment) + " claims to expand to " + std::to_string(size) + " bytes, which its " +
           std::to_string(stored.size) + " bytes of " + compression_name(compression) +
           " do not give";
}

bool expand_bytes(Bytes stored, uint8_t compression, uint8_t* target, size_t size) {
    if (compression == kLz4) return expand_lz4(stored.data, stored.size, target, size);
    size_t written = ZSTD_decompress(target, size, stored.data, stored.size);
    return !ZSTD_isError(written) && written == size;
}

/// Appends the plain form of a compressed segment to `image`.
std::string append_expanded(Bytes file, const Segment& segment, std::vector<uint8_t>& image) {
    uint8_t compression = compression_of(file, segment);
    size_t size = expanded_bytes_of(file, segment);
    size_t at = image.size();
    image.resize(at + kSegmentHeaderBytes + size);
    uint8_t* header = image.data() + at;
    uint8_t* target = header + kSegmentHeaderBytes;
    if (!expand_bytes(segment.payload, compression, target, size)) {
        return place(segment) + " is not " + std::to_string(size) + " bytes of " +
               compression_name(compression) + ": it is damaged";
    }
    Bytes payload{target, size};
    if (check_hash(file, segment) == HashState::kBad &&
        check_content_hash(file.data + segment.offset + kHashOffset, payload) == HashState::kBad) {
        return place(segment) +
               " is damaged: its content hash fits neither the stored nor the "
               "expanded bytes";
    }
    copy(header, file.data + segment.offset, kSegmentHeaderBytes);
    uint16_t flags = load<uint16_t>(header + kFlagsOffset);
    store(header + kFlagsOffset, static_cast<uint16_t>(flags & ~kCompressedFlag));
    store(header + kLengthOffset, uint64_t{size});
    header[kCompressionOffset] = kPlain;
    store(header + kExpandedOffset, uint32_t{0});
    write_content_hash(header + kHashOffset, payload);
    return "";
}

void append_bytes(std::vector<uint8_t>& image, const uint8_t* bytes, uint64_t size) {
    image.insert(image.end(), bytes, bytes + size);
}

/// Whether the segment of an entry goes into the image.
bool is_taken(Bytes file, const DirectoryEntry& entry, Segment& segment) {
    return is_expanded_type(entry.type) && read_segment(file, entry.offset, segment) &&
           segment.complete;
}

/// Before anything is expanded: can all of it be, and is it not too much? `expanded` is how much.
std::string check_all(Bytes file, const Manifest& manifest, uint64_t most, uint64_t& expanded) {
    uint64_t listed = 0;
    expanded = 0;
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        Segment segment;
        if (!is_taken(file, directory_entry(manifest, i), segment)) continue;
        listed += kSegmentHeaderBytes + segment.payload_length;
        if (listed > file.size) return "the manifest lists a segment more than once";
        uint8_t compression = compression_of(file, segment);
        if (compression == kPlain) continue;
        if (compression != kLz4 && compression != kZstd) {
            return place(segment) + " has " + compression_name(compression) +
                   "; only LZ4 (1) and ZSTD (2) can be expanded";
        }
        uint64_t size = expanded_bytes_of(file, segment);
        std::string error = check_claim(segment, compression, size);
        if (!error.empty()) return error;
        expanded += size;
        if (expanded > most) {
            return "its compressed segments expand to more than " + std::to_string(most) +
                   " bytes, the limit";
        }
    }
    return "";
}

/// Where the payload of `manifest` begins in its file.
const uint8_t* payload_of(const Manifest& manifest) {
    return manifest.entries -
           (manifest.wasm_layout ? kWasmManifestFixedBytes : kManifestFixedBytes);
}

} // namespace

uint32_t expanded_bytes_of(Bytes file, const Segment& segment) {
    return load<uint32_t>(file.data + segment.offset + kExpandedOffset);
}

uint8_t compression_of(Bytes file, const Segment& segment) {
    return expanded_bytes_of(file, segment) == 0 ? static_cast<uint8_t>(kPlain)
                                                 : file.data[segment.offset + kCompressionOffset];
}

std::string compression_name(uint8_t compression) {
    switch (compression) {
        case kPlain:
            return "no compression";
        case kLz4:
            return "LZ4";
        case kZstd:
            return "ZSTD";
        case kCustom:
            return "custom compression (3)";
        default:
            return "unknown compression (" + std::to_string(compression) + ")";
    }
}

std::string expand_segments(Bytes file, const Manifest& manifest, uint64_t most,
                            std::vector<uint8_t>& image) {
    image.clear();
    uint64_t expanded = 0;
    std::string error = check_all(file, manifest, most, expanded);
    if (!error.empty()) return error;
    image.reserve(file.size + expanded); // a copy of a gigabyte, and twice the memory, saved
    const uint8_t* payload = payload_of(manifest);
    std::vector<uint8_t> commit(payload, file.data + manifest.end);
    uint8_t* entries = commit.data() + (manifest.entries - payload);
    uint32_t taken = 0;
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        Segment segment;
        DirectoryEntry entry = directory_entry(manifest, i);
        if (!is_expanded_type(entry.type)) continue;
        bool is_there = is_taken(file, entry, segment); // else opening the image says so
        uint64_t at = is_there ? image.size() : kNowhere;
        if (is_there && compression_of(file, segment) == kPlain) {
            append_bytes(image, file.data + segment.offset, segment.end() - segment.offset);
        } else if (is_there) {
            error = append_expanded(file, segment, image);
            if (!error.empty()) return error;
        }
        uint64_t length = at == kNowhere ? 0 : image.size() - at - kSegmentHeaderBytes;
        uint8_t* target = entries + size_t{taken++} * kDirectoryEntryBytes;
        store(target, entry.id);
        store(target + 8, at);
        store(target + 16, length);
        target[24] = entry.type;
    }
    auto left = commit.begin() + (entries - commit.data());
    commit.erase(left + static_cast<ptrdiff_t>(taken * kDirectoryEntryBytes),
                 left + static_cast<ptrdiff_t>(manifest.entry_count * kDirectoryEntryBytes));
    store(commit.data() + (manifest.wasm_layout ? 15 : 14), taken);
    uint8_t header[kSegmentHeaderBytes];
    write_header(header, kManifestSegment, 1, {commit.data(), commit.size()});
    append_bytes(image, header, sizeof header);
    append_bytes(image, commit.data(), commit.size());
    return "";
}

uint64_t compressed_manifest(Bytes file, const Manifest& manifest) {
    uint64_t offset = 0;
    if (manifest.entries) {
        offset = static_cast<uint64_t>(payload_of(manifest) - file.data) - kSegmentHeaderBytes;
    }
    Segment segment;
    while (find_segment(file, offset, segment)) {
        if (segment.type == kManifestSegment && segment.complete &&
            compression_of(file, segment) != kPlain) {
            return segment.offset;
        }
        offset = segment.complete ? segment.end() : segment.offset + 1;
    }
    return file.size;
}

} // namespace rvf::sim
