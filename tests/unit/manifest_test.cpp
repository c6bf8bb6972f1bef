// Manifests: what is read out of one, and which one of a file counts.
#include "control/manifest.h"

#include <gtest/gtest.h>

#include "control/control.h"
#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::append;
using test::Buffer;
using test::FileBuilder;
using test::kHeaderBytes;
using test::kManifest;
using test::kMeta;
using test::segment;
using test::set;

bool parse(const Buffer& payload, Manifest& manifest) {
    return parse_manifest({payload.data(), payload.size()}, manifest);
}

struct Found {
    Status status;
    uint32_t epoch;
    uint32_t warnings;

    bool operator==(const Found& other) const = default;
    friend std::ostream& operator<<(std::ostream& out, const Found& found) {
        return out << "status " << found.status << ", epoch " << found.epoch << ", warnings "
                   << found.warnings;
    }
};

Found find(const Buffer& file) {
    auto copy = test::exact_copy(file);
    Manifest manifest;
    uint32_t warnings = 0;
    Status status = find_manifest({copy.get(), file.size()}, manifest, warnings);
    return {status, status == kOk ? manifest.epoch : 0, warnings};
}

/// Commits with epochs 1, 2 and 3, the last with a vector segment and a deleted id.
FileBuilder three_commits() {
    FileBuilder file;
    file.epoch = 1;
    file.commit();
    file.add_vectors({1, 2}, {1, 2, 3, 4});
    file.commit();
    file.add_vectors({3}, {5, 6});
    file.deleted = {2};
    file.commit();
    return file;
}

size_t last_manifest(const FileBuilder& file) { return file.directory.back().offset; }

TEST(ParseManifest, ReadsEveryField) {
    FileBuilder file;
    file.dimension = 0xABCD;
    file.metric = 2;
    file.profile = 0x42;
    file.epoch = 0x12345678;
    file.directory = {{1, 2, 3, 4}, {~0ull, ~0ull - 1, ~0ull - 2, 255}};
    file.deleted = {7, ~0ull};
    file.identity = Buffer(68, 0x5A);
    Buffer payload = file.manifest_payload();
    Manifest manifest;
    ASSERT_TRUE(parse(payload, manifest));
    EXPECT_EQ(manifest.epoch, 0x12345678u);
    EXPECT_EQ(manifest.dimension, 0xABCD);
    EXPECT_EQ(manifest.profile, 0x42);
    EXPECT_EQ(manifest.metric_byte, 2);
    ASSERT_EQ(manifest.entry_count, 2u);
    DirectoryEntry entry = directory_entry(manifest, 1);
    EXPECT_EQ(entry.id, ~0ull);
    EXPECT_EQ(entry.offset, ~0ull - 1);
    EXPECT_EQ(entry.payload_length, ~0ull - 2);
    EXPECT_EQ(entry.type, 255);
    ASSERT_EQ(manifest.deleted_count, 2u);
    EXPECT_EQ(test::get<uint64_t>(payload, payload.size() - 72 - 8), ~0ull);
    EXPECT_EQ(manifest.identity, payload.data() + payload.size() - 68);
}

TEST(ParseManifest, CutAnywhereNeverReadsPastItsEnd) {
    FileBuilder file = three_commits();
    file.identity = Buffer(68, 0x5A);
    Buffer whole = file.manifest_payload();
    size_t directory_end = 22 + 25 * file.directory.size();
    for (size_t size = 0; size <= whole.size(); ++size) {
        auto copy = test::exact_copy({whole.begin(), whole.begin() + static_cast<long>(size)});
        Manifest manifest;
        ASSERT_EQ(parse_manifest({copy.get(), size}, manifest), size >= directory_end) << size;
        uint32_t ids_that_fit = size >= directory_end + 12 ? 1 : 0;
        ASSERT_EQ(manifest.deleted_count, ids_that_fit) << size;
        ASSERT_EQ(manifest.identity != nullptr, size == whole.size()) << size;
    }
}

TEST(ParseManifest, RefusesADirectoryThatDoesNotFit) {
    Buffer payload = three_commits().manifest_payload();
    for (uint32_t count : {100u, 0x0A3D70A4u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
        set(payload, 14, count);
        Manifest manifest;
        EXPECT_FALSE(parse(payload, manifest)) << count;
    }
}

TEST(ParseManifest, TakesAsManyDeletedIdsAsThereAre) {
    FileBuilder file = three_commits();
    file.deleted = {5, 6, 7};
    Buffer payload = file.manifest_payload();
    size_t at = payload.size() - 28;
    for (uint32_t count : {4u, 0x20000000u, 0xFFFFFFFFu}) {
        set(payload, at, count);
        Manifest manifest;
        ASSERT_TRUE(parse(payload, manifest));
        EXPECT_EQ(manifest.deleted_count, 3u) << count;
    }
}

TEST(ParseManifest, TakesNoIdentityWithoutItsMarker) {
    FileBuilder file;
    file.identity = Buffer(68, 1);
    Buffer payload = file.manifest_payload();
    payload[payload.size() - 72] ^= 1;
    Manifest manifest;
    ASSERT_TRUE(parse(payload, manifest));
    EXPECT_EQ(manifest.identity, nullptr);
}

TEST(ParseWasmManifest, ReadsTheOtherOrderOfFields) {
    Buffer payload;
    test::put(payload, uint32_t{9});
    test::put(payload, uint16_t{4});
    test::put(payload, uint64_t{100});
    test::put(payload, uint8_t{3});
    test::put(payload, uint32_t{1});
    test::put_entry(payload, {1, 0, 1234, 1});
    ASSERT_EQ(payload.size(), 44u);
    Manifest manifest;
    ASSERT_TRUE(parse_wasm_manifest({payload.data(), payload.size()}, manifest));
    EXPECT_TRUE(manifest.wasm_layout);
    EXPECT_EQ(manifest.epoch, 9u);
    EXPECT_EQ(manifest.dimension, 4);
    EXPECT_EQ(manifest.total_vectors, 100u);
    EXPECT_EQ(manifest.profile, 3);
    EXPECT_EQ(directory_entry(manifest, 0).payload_length, 1234u);
    Buffer two_entries = payload;
    two_entries[15] = 2;
    EXPECT_FALSE(parse_wasm_manifest({two_entries.data(), two_entries.size()}, manifest));
    payload.push_back(0);
    EXPECT_FALSE(parse_wasm_manifest({payload.data(), payload.size()}, manifest));
}

TEST(FindManifest, TakesTheLastOfAChain) {
    EXPECT_EQ(find(three_commits().bytes), (Found{kOk, 3, 0}));
}

TEST(FindManifest, FindsNoneInNothing) {
    EXPECT_EQ(find({}).status, kManifestNotFound);
    EXPECT_EQ(find(Buffer(63)).status, kManifestNotFound);
    EXPECT_EQ(find(Buffer(5000)).status, kManifestNotFound);
    EXPECT_EQ(find(segment(kMeta, 1, Buffer(100, 7))).status, kManifestNotFound);
}

Buffer two_commits_with_zeros(size_t between, size_t behind) {
    FileBuilder file;
    file.epoch = 1;
    file.commit();
    file.bytes.resize(file.bytes.size() + between);
    file.commit();
    file.bytes.resize(file.bytes.size() + behind);
    return file.bytes;
}

TEST(FindManifest, PassesOverZeroPaddingWithoutAWarning) {
    for (size_t padding : {1u, 3u, 63u}) {
        EXPECT_EQ(find(two_commits_with_zeros(padding, padding)), (Found{kOk, 2, 0})) << padding;
    }
    for (size_t padding : {64u, 4096u}) {
        EXPECT_EQ(find(two_commits_with_zeros(0, padding)), (Found{kOk, 2, 0})) << padding;
    }
}

// More zeros than alignment needs may be a block that a crash left empty, and what follows them
// anybody's bytes.
TEST(FindManifest, TellsOfMoreZerosBetweenSegmentsThanPadding) {
    for (size_t zeros : {64u, 4096u}) {
        EXPECT_EQ(find(two_commits_with_zeros(zeros, 0)), (Found{kOk, 2, kTornTail})) << zeros;
    }
}

// A block of zeros in a manifest takes its content hash, which then counts as absent.
TEST(FindManifest, PassesOverOneWhoseHashAndFieldsAreZeros) {
    for (size_t last : {0x28u + 16, 64u + 4, 64u + 6, 64u + 22}) {
        FileBuilder file;
        file.epoch = 1;
        file.add_vectors({1}, {1, 2});
        file.commit();
        auto second = static_cast<long>(file.commit());
        std::fill(file.bytes.begin() + second + 0x20,
                  file.bytes.begin() + second + static_cast<long>(last), 0);
        bool counts = last <= 64; // nothing but the hash is gone
        EXPECT_EQ(find(file.bytes), counts ? (Found{kOk, 2, 0}) : (Found{kOk, 1, kSkippedManifest}))
            << last;
    }
}

// A file that was being embedded when the host crashed: its manifest is not one of this file.
TEST(FindManifest, TakesAManifestInATornPayloadForNoManifest) {
    FileBuilder inner;
    inner.add_vectors({1}, {1, 2});
    inner.commit();
    FileBuilder file;
    file.epoch = 1;
    file.add_vectors({1}, {1, 2});
    file.commit();
    file.add(kMeta, inner.bytes);
    append(file.bytes, Buffer(9, 0x53));
    EXPECT_EQ(find(file.bytes), (Found{kOk, 1, kTornTail}));
}

TEST(FindManifest, IgnoresGarbageBehindTheLastCommit) {
    Buffer file = three_commits().bytes;
    append(file, Buffer(1000, 0xEE));
    EXPECT_EQ(find(file), (Found{kOk, 3, kTornTail}));
}

TEST(FindManifest, FindsACommitBehindGarbage) {
    FileBuilder file = three_commits();
    append(file.bytes, Buffer(1000, 0xEE));
    file.add_vectors({4}, {7, 8});
    file.commit();
    EXPECT_EQ(find(file.bytes), (Found{kOk, 4, kTornTail}));
}

TEST(FindManifest, NeverLooksInsideAPayloadOfTheChain) {
    FileBuilder inner;
    inner.epoch = 99;
    inner.commit();
    FileBuilder file = three_commits();
    file.add(kMeta, inner.bytes);
    EXPECT_EQ(find(file.bytes), (Found{kOk, 3, kTornTail}));
}

// Version 2 with a good or an absent hash is a commit that we cannot read; an older state would
// lie.
TEST(FindManifest, RefusesALastCommitOfANewerVersion) {
    FileBuilder file = three_commits();
    file.bytes[last_manifest(file) + 4] = 2;
    EXPECT_EQ(find(file.bytes).status, kInvalidVersion);
    std::fill_n(file.bytes.begin() + static_cast<long>(last_manifest(file)) + 0x28, 16, uint8_t{0});
    EXPECT_EQ(find(file.bytes).status, kInvalidVersion);
}

// What cannot be read has a directory count that nothing has checked.
TEST(FindManifest, AnUnreadableOneIsNeverTakenWhateverItsVersionAndHash) {
    for (uint8_t version : {uint8_t{0}, uint8_t{1}, uint8_t{2}, uint8_t{255}}) {
        for (bool good_hash : {false, true}) {
            FileBuilder file;
            Buffer payload = file.manifest_payload();
            set(payload, 14, 1000u);
            append(file.bytes, segment(kManifest, 1, payload));
            file.bytes[4] = version;
            if (!good_hash) file.bytes[0x28] ^= 1;
            Found found = find(file.bytes);
            EXPECT_TRUE(found.status == kManifestNotFound || found.status == kInvalidVersion)
                << int{version} << " " << good_hash << " " << found;
        }
    }
}

TEST(FindManifest, PassesOverADamagedOneAndSaysSo) {
    FileBuilder file = three_commits();
    file.bytes[last_manifest(file) + kHeaderBytes] ^= 1; // its epoch, against its hash
    EXPECT_EQ(find(file.bytes), (Found{kOk, 2, kSkippedManifest}));
}

TEST(FindManifest, OneOfVersion0IsDamaged) {
    FileBuilder file = three_commits();
    file.bytes[last_manifest(file) + 4] = 0;
    EXPECT_EQ(find(file.bytes), (Found{kOk, 2, kSkippedManifest}));
}

TEST(FindManifest, TakesTheLastReadableOneWhenNoneIsGood) {
    FileBuilder file = three_commits();
    for (const test::Entry& entry : file.directory) {
        if (entry.type == kManifest) file.bytes[entry.offset + 0x28] ^= 1;
    }
    Found found = find(file.bytes);
    EXPECT_EQ(found.epoch, 3u);
    EXPECT_TRUE(found.warnings & kDamagedManifest);
}

TEST(FindManifest, WithoutAHashNeedsADirectoryThatHolds) {
    FileBuilder file = three_commits();
    size_t at = last_manifest(file);
    std::fill_n(file.bytes.begin() + static_cast<long>(at) + 0x28, 16, uint8_t{0});
    EXPECT_EQ(find(file.bytes), (Found{kOk, 3, 0}));
    Buffer wrong_type = file.bytes;
    wrong_type[at + kHeaderBytes + 22 + 24] = 9;
    EXPECT_EQ(find(wrong_type), (Found{kOk, 2, kSkippedManifest}));
    for (uint64_t offset : {uint64_t{1}, uint64_t{file.bytes.size()}, uint64_t{1} << 32,
                            ~uint64_t{0}, ~uint64_t{63}}) {
        Buffer wrong_offset = file.bytes;
        set(wrong_offset, at + kHeaderBytes + 22 + 8, offset);
        EXPECT_EQ(find(wrong_offset), (Found{kOk, 2, kSkippedManifest})) << offset;
    }
}

TEST(FindManifest, OneWithALyingDirectoryCountIsNone) {
    FileBuilder file = three_commits();
    set(file.bytes, last_manifest(file) + kHeaderBytes + 14, 0xFFFFFFFFu);
    EXPECT_EQ(find(file.bytes).epoch, 2u);
}

TEST(FindManifest, OneThatIsTooLargeOrCutIsNone) {
    for (uint64_t length :
         {uint64_t{1} << 32, uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 64}) {
        FileBuilder file = three_commits();
        set(file.bytes, last_manifest(file) + 16, length);
        EXPECT_EQ(find(file.bytes), (Found{kOk, 2, kTornTail})) << length;
    }
}

} // namespace
} // namespace rvf
