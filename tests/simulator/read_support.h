// What the tests of host/sim's reading share: files on disk, and a writer of compressed segments
// with the real libraries.
#pragma once

#include <gtest/gtest.h>
#include <lz4.h>
#include <unistd.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "host/sim/read.h"
#include "tests/unit/rvf_file.h"

namespace rvf::test {

constexpr uint8_t kQuant = 0x06;

inline std::string fixture_path(const std::string& name) {
    return std::string(RVF_FIXTURES "/") + name;
}

inline Buffer load_bytes(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    EXPECT_TRUE(stream) << path;
    return Buffer((std::istreambuf_iterator<char>(stream)), {});
}

inline Buffer fixture_bytes(const std::string& name) { return load_bytes(fixture_path(name)); }

/// A folder of this test process; gone at the end of the scope.
class Folder {
public:
    Folder() {
        static int count = 0;
        path_ = std::filesystem::temp_directory_path() /
                ("rvf_read_" + std::to_string(getpid()) + "_" + std::to_string(count++));
        std::filesystem::create_directories(path_);
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string put(const std::string& name, const Buffer& bytes) const {
        std::string path = (path_ / name).string();
        std::ofstream stream(path, std::ios::binary);
        stream.write(reinterpret_cast<const char*>(bytes.data()),
                     static_cast<std::streamsize>(bytes.size()));
        return path;
    }
    std::string path(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

/// An opened file, or why not.
struct Reading {
    sim::File file;
    std::string error;
};

inline Reading read_path(const std::string& path, const sim::ReadOptions& options = {}) {
    Reading reading;
    reading.error = sim::read_file(path, options, reading.file);
    return reading;
}

inline Reading read_bytes_as_file(const Buffer& bytes, const sim::ReadOptions& options = {}) {
    Reading reading;
    reading.error = sim::read_file_bytes("file.rvf", bytes, options, reading.file);
    return reading;
}

inline sim::ReadOptions reader(uint8_t profile, uint32_t dtype = 0) {
    sim::ReadOptions options;
    options.reader = {profile, dtype};
    return options;
}

/// Rows by id, as bits, so that NaN compares.
inline std::map<uint64_t, std::vector<uint32_t>> rows_of(const sim::File& file) {
    std::map<uint64_t, std::vector<uint32_t>> rows;
    uint32_t dimension = file.data.dimension;
    for (size_t i = 0; i < file.data.ids.size(); ++i) {
        auto& row = rows[file.data.ids[i]];
        for (uint32_t d = 0; d < dimension; ++d) {
            row.push_back(bits_of(file.data.rows[i * dimension + d]));
        }
    }
    EXPECT_EQ(rows.size(), file.data.ids.size());
    EXPECT_EQ(file.data.rows.size(), file.data.ids.size() * dimension);
    return rows;
}

inline std::string error_of(const Buffer& bytes, const sim::ReadOptions& options = {}) {
    return read_bytes_as_file(bytes, options).error;
}

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}
#define EXPECT_SAYS(text, part)                      \
    do {                                             \
        std::string said_ = (text);                  \
        EXPECT_TRUE(contains(said_, part)) << said_; \
    } while (false)

/// Two vectors of two dimensions.
inline FileBuilder small_file() {
    FileBuilder file;
    file.add_vectors({7, 3}, {1, 2, 3, 4});
    return file;
}

inline Buffer vec_of_two() { return vec_payload(2, {7, 3}, {1, 2, 3, 4}); }

/// `count` random rows of eight values each, which compress.
inline Buffer large_vec(uint32_t count, uint16_t dimension) {
    Random random(count);
    std::vector<uint64_t> ids(count);
    std::vector<float> values(size_t{count} * dimension);
    for (size_t i = 0; i < count; ++i) ids[i] = 5 * i + 1;
    for (float& value : values) value = static_cast<float>(random.below(8));
    return vec_payload(dimension, ids, values);
}

inline Buffer fvecs(uint32_t dimension, const std::vector<float>& values) {
    Buffer bytes;
    for (size_t i = 0; i < values.size(); ++i) {
        if (i % dimension == 0) put(bytes, dimension);
        put(bytes, values[i]);
    }
    return bytes;
}

// --- Compressed segments ---

enum class HashOf { kStored, kExpanded, kNothing };

inline Buffer lz4(const Buffer& plain) {
    Buffer bytes(static_cast<size_t>(LZ4_compressBound(static_cast<int>(plain.size()))));
    int size = LZ4_compress_default(reinterpret_cast<const char*>(plain.data()),
                                    reinterpret_cast<char*>(bytes.data()),
                                    static_cast<int>(plain.size()), static_cast<int>(bytes.size()));
    bytes.resize(static_cast<size_t>(size));
    return bytes;
}

inline Buffer zstd(const Buffer& plain) {
    Buffer bytes(ZSTD_compressBound(plain.size()));
    bytes.resize(ZSTD_compress(bytes.data(), bytes.size(), plain.data(), plain.size(), 3));
    return bytes;
}

/// The same without the length of the content, as streaming writers leave it out.
inline Buffer zstd_without_length(const Buffer& plain) {
    Buffer bytes(ZSTD_compressBound(plain.size()) + 64);
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    bytes.resize(ZSTD_compress2(context, bytes.data(), bytes.size(), plain.data(), plain.size()));
    ZSTD_freeCCtx(context);
    return bytes;
}

/// A segment whose header says `compression` (1 LZ4, 2 ZSTD), over `stored`, which stands for
/// `plain`.
inline Buffer compressed_segment(uint8_t type, uint64_t id, const Buffer& plain,
                                 const Buffer& stored, uint8_t compression,
                                 HashOf hash = HashOf::kExpanded) {
    Buffer bytes = segment(type, id, stored);
    set(bytes, 0x06, uint16_t{0x0001});
    bytes[0x21] = compression;
    set(bytes, 0x38, static_cast<uint32_t>(plain.size()));
    if (hash == HashOf::kExpanded) write_hash(bytes.data(), plain.data(), plain.size());
    if (hash == HashOf::kNothing) std::fill_n(bytes.begin() + 0x28, 16, uint8_t{0});
    return bytes;
}

inline Buffer compress(uint8_t compression, const Buffer& plain) {
    return compression == 1 ? lz4(plain) : zstd(plain);
}

/// FileBuilder::add for a compressed segment.
inline size_t add_compressed(FileBuilder& file, uint8_t type, const Buffer& plain,
                             uint8_t compression, HashOf hash = HashOf::kExpanded) {
    Buffer stored = compress(compression, plain);
    size_t offset = file.bytes.size();
    file.directory.push_back({file.next_id, offset, stored.size(), type});
    append(file.bytes, compressed_segment(type, file.next_id++, plain, stored, compression, hash));
    return offset;
}

/// Where the last manifest of a chain of segments begins.
inline size_t last_manifest(const Buffer& file) {
    size_t found = file.size();
    for (size_t at = 0; at + kHeaderBytes <= file.size();) {
        if (file[at + 5] == kManifest) found = at;
        at += kHeaderBytes + get<uint64_t>(file, at + 16);
    }
    return found;
}

/// Puts a changed payload back into its segment, with the hash that it should have.
inline void rehash(Buffer& file, size_t at) {
    write_hash(file.data() + at, file.data() + at + kHeaderBytes, get<uint64_t>(file, at + 16));
}

/// The same file with its vectors, index and branch records compressed. Takes a chain of segments
/// whose last manifest has the runtime layout.
inline Buffer compressed_file(const Buffer& file, uint8_t compression, HashOf hash) {
    size_t manifest = last_manifest(file);
    Buffer payload(file.begin() + static_cast<long>(manifest + kHeaderBytes),
                   file.begin() + static_cast<long>(manifest + kHeaderBytes +
                                                    get<uint64_t>(file, manifest + 16)));
    Buffer result;
    for (uint32_t i = 0; i < get<uint32_t>(payload, 14); ++i) {
        size_t entry = 22 + 25 * size_t{i};
        size_t at = get<uint64_t>(payload, entry + 8);
        size_t end = at + kHeaderBytes + get<uint64_t>(file, at + 16);
        Buffer bytes(file.begin() + static_cast<long>(at), file.begin() + static_cast<long>(end));
        uint8_t type = payload[entry + 24];
        set(payload, entry + 8, uint64_t{result.size()});
        if (type == kVec || type == kIndex || type == kCowMap || type == kMembership) {
            Buffer plain(bytes.begin() + kHeaderBytes, bytes.end());
            bytes = compressed_segment(type, get<uint64_t>(bytes, 8), plain,
                                       compress(compression, plain), compression, hash);
            set(payload, entry + 16, uint64_t{bytes.size() - kHeaderBytes});
        }
        append(result, bytes);
    }
    append(result, segment(kManifest, 99, payload));
    return result;
}

} // namespace rvf::test
