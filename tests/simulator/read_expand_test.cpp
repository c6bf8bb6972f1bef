// Compressed segments: the same file plain and compressed, and everything that is refused.
#include "control/control.h"
#include "tests/simulator/read_support.h"

namespace rvf {
namespace {

using namespace test;
using sim::ReadOptions;
using test::Buffer;

constexpr uint8_t kCompressions[] = {1, 2}; // LZ4, ZSTD

TEST(Expand, CompressedFilesHoldWhatPlainOnesHold) {
    for (const char* name :
         {"made_multi_ingest.rvf", "made_deletes.rvf", "made_metric_cosine.rvf", "compacted.rvf",
          "made_index_then_deletes.rvf", "made_dim1536.rvf", "made_duplicate_ids.rvf",
          "made_kernel.rvf", "security_hardened.rvf", "crafted_two_dimensions.rvf"}) {
        Reading plain = read_path(fixture_path(name));
        for (uint8_t compression : kCompressions) {
            for (HashOf hash : {HashOf::kStored, HashOf::kExpanded, HashOf::kNothing}) {
                SCOPED_TRACE(std::string(name) + " " + std::to_string(compression));
                Buffer bytes = compressed_file(fixture_bytes(name), compression, hash);
                Reading reading = read_bytes_as_file(bytes);
                ASSERT_EQ(reading.error, "");
                EXPECT_GT(reading.file.expanded_bytes, 0u);
                EXPECT_EQ(rows_of(reading.file), rows_of(plain.file));
                EXPECT_EQ(reading.file.data.ids, plain.file.data.ids);
                EXPECT_EQ(reading.file.metric, plain.file.metric);
                EXPECT_EQ(reading.file.warnings, plain.file.warnings);
                EXPECT_EQ(reading.file.index, plain.file.index);
            }
        }
    }
}

// control/, which checks hashes and the directory, reads the image without a warning.
TEST(Expand, TheImageIsASoundFile) {
    FileBuilder file;
    file.metric = kCosine;
    file.profile = sim::kHot;
    file.identity = Buffer(68, 5);
    add_compressed(file, kVec, vec_of_two(), 1);
    file.add(kMeta, {1, 2, 3}); // not looked into, so left out
    file.commit();
    file.add_vectors({9}, {5, 6});
    file.deleted = {3};
    file.commit();
    Manifest manifest;
    uint32_t warnings = 0;
    ASSERT_EQ(find_manifest({file.bytes.data(), file.bytes.size()}, manifest, warnings), kOk);
    Buffer image;
    ASSERT_EQ(
        sim::expand_segments({file.bytes.data(), file.bytes.size()}, manifest, 1 << 20, image), "");
    StoreHandle store(open_file(image));
    ASSERT_GT(store, 0);
    EXPECT_EQ(rvf_store_warnings(store), 0);
    EXPECT_EQ(test::rows_of(store), (Rows{{7, {1, 2}}, {9, {5, 6}}}));

    // By bytes: the VEC segment as its writer would have written it without compression.
    Buffer plain = segment(kVec, 1, vec_of_two());
    EXPECT_TRUE(std::equal(plain.begin(), plain.end(), image.begin()));
    size_t at = last_manifest(image);
    EXPECT_EQ(get<uint64_t>(image, at + 64 + 22 + 8), 0u);
    EXPECT_EQ(get<uint64_t>(image, at + 64 + 22 + 16), vec_of_two().size());
    EXPECT_EQ(image[at + 64 + 18], sim::kHot);
    EXPECT_EQ(image[at + 64 + 19], kCosine);
}

TEST(Expand, StreamedZstdWithoutItsLength) {
    FileBuilder file;
    Buffer plain = large_vec(500, 6);
    file.dimension = 6;
    Buffer stored = zstd_without_length(plain);
    file.directory.push_back({1, 0, stored.size(), kVec});
    append(file.bytes, compressed_segment(kVec, 1, plain, stored, 2));
    file.commit();
    EXPECT_EQ(read_bytes_as_file(file.bytes).file.data.ids.size(), 500u);
}

// Nothing but the number of bytes that come out shows that these claims lie.
TEST(Expand, LiesAboutZstdWithoutItsLengthAreFound) {
    Buffer plain = large_vec(500, 6);
    Buffer stored = zstd_without_length(plain);
    auto size = static_cast<uint32_t>(plain.size());
    for (uint32_t claim : {size - 1, size + 1, size + 100'000}) {
        FileBuilder file;
        file.directory.push_back({1, 0, stored.size(), kVec});
        append(file.bytes, compressed_segment(kVec, 1, plain, stored, 2, HashOf::kNothing));
        set(file.bytes, 0x38, claim);
        file.commit();
        EXPECT_SAYS(error_of(file.bytes), "is not " + std::to_string(claim) + " bytes of ZSTD");
    }
}

// The image is sound; what was wrong with the file is told all the same.
TEST(Expand, WarningsOfTheFileStay) {
    FileBuilder file;
    add_compressed(file, kVec, vec_of_two(), 1);
    file.commit();
    append(file.bytes, Buffer(100, 7));
    Reading reading = read_bytes_as_file(file.bytes);
    EXPECT_EQ(reading.error, "");
    EXPECT_EQ(reading.file.warnings, kTornTail);
}

TEST(Expand, ACompressedBranch) {
    Folder folder;
    folder.put("made_branch_parent.rvf", fixture_bytes("made_branch_parent.rvf"));
    Buffer child = fixture_bytes("made_branch_child_edited.rvf");
    Reading plain = read_path(folder.put("plain.rvf", child));
    Reading reading =
        read_path(folder.put("lz4.rvf", compressed_file(child, 1, HashOf::kExpanded)));
    ASSERT_EQ(reading.error, "");
    EXPECT_EQ(rows_of(reading.file), rows_of(plain.file));
    folder.put("made_branch_parent.rvf",
               compressed_file(fixture_bytes("made_branch_parent.rvf"), 1, HashOf::kExpanded));
    EXPECT_SAYS(read_path(folder.path("plain.rvf")).error, "which is compressed");
}

// Upstream ignores these fields, and its files have them over plain payloads.
TEST(Expand, FieldsThatDoNotAgreeMeanPlain) {
    for (const char* name :
         {"crafted_header_fields_set.rvf", "damaged_flip_vec_header_flags.rvf"}) {
        Reading reading = read_path(fixture_path(name));
        EXPECT_EQ(reading.error, "");
        EXPECT_EQ(reading.file.expanded_bytes, 0u);
    }
    FileBuilder file = small_file();
    file.commit();
    set(file.bytes, 0x38, uint32_t{100}); // a length, but no algorithm
    EXPECT_EQ(error_of(file.bytes), "");
}

TEST(Expand, ALengthThatIsMissingIsTold) {
    FileBuilder file;
    add_compressed(file, kVec, vec_of_two(), 1, HashOf::kStored);
    file.commit();
    set(file.bytes, 0x38, uint32_t{0});
    EXPECT_SAYS(error_of(file.bytes),
                "The segment at offset 0 names a compression but no uncompressed length");
}

TEST(Expand, LengthsThatLieAreRefused) {
    for (uint8_t compression : kCompressions) {
        FileBuilder file;
        Buffer plain = large_vec(100, 2);
        size_t at = add_compressed(file, kVec, plain, compression);
        file.commit();
        auto size = static_cast<uint32_t>(plain.size());
        for (uint32_t claim : {size - 1, size + 1, 1u, size * 255, 1u << 28}) {
            Buffer bytes = file.bytes;
            set(bytes, at + 0x38, claim);
            EXPECT_SAYS(error_of(bytes), "cannot be expanded: the segment at offset 0");
        }
        for (uint32_t claim : {(1u << 28) + 1, ~0u}) {
            Buffer bytes = file.bytes;
            set(bytes, at + 0x38, claim);
            EXPECT_SAYS(error_of(bytes), "at most 268435456 (256 MiB)");
        }
    }
}

// 240 MB of zeros in a few kilobytes, four times and a fifth.
TEST(Expand, BombsStopAtTheLimit) {
    FileBuilder file;
    Buffer zeros(240'000'000);
    Buffer stored = zstd(zeros);
    EXPECT_LT(stored.size(), 50'000u);
    for (uint64_t i = 0; i < 5; ++i) {
        file.directory.push_back({i + 1, file.bytes.size(), stored.size(), kVec});
        append(file.bytes, compressed_segment(kVec, i + 1, zeros, stored, 2, HashOf::kNothing));
    }
    file.commit();
    EXPECT_SAYS(error_of(file.bytes), "expand to more than 1073741824 bytes");
    ReadOptions options;
    options.most_expanded_bytes = 1000;
    FileBuilder small;
    add_compressed(small, kVec, large_vec(200, 2), 2);
    small.commit();
    EXPECT_SAYS(error_of(small.bytes, options), "expand to more than 1000 bytes");
    options.most_expanded_bytes = large_vec(200, 2).size();
    EXPECT_EQ(error_of(small.bytes, options), "");
}

TEST(Expand, OneSegmentListedOftenIsNotExpandedOften) {
    FileBuilder file;
    add_compressed(file, kVec, large_vec(3000, 2), 2);
    for (int i = 0; i < 10; ++i) file.directory.push_back(file.directory[0]);
    file.commit();
    EXPECT_SAYS(error_of(file.bytes), "lists a segment more than once");
}

TEST(Expand, DamageIsFound) {
    for (uint8_t compression : kCompressions) {
        for (HashOf hash : {HashOf::kStored, HashOf::kExpanded}) {
            FileBuilder file;
            size_t at = add_compressed(file, kVec, large_vec(60, 3), compression, hash);
            size_t end = file.bytes.size();
            file.dimension = 3;
            file.commit();
            ASSERT_EQ(error_of(file.bytes), "");
            auto rows = rows_of(read_bytes_as_file(file.bytes).file);
            size_t found = 0;
            for (size_t i = at + kHeaderBytes; i < end; i += 7) {
                Buffer bytes = file.bytes;
                bytes[i] ^= 0x10;
                Reading reading = read_bytes_as_file(bytes);
                found += !reading.error.empty();
                if (hash == HashOf::kExpanded && reading.error.empty()) {
                    // Another way to say the same, or a bit without a meaning.
                    EXPECT_EQ(rows_of(reading.file), rows);
                } else {
                    EXPECT_SAYS(reading.error, "cannot be expanded: the segment at offset 0");
                }
            }
            EXPECT_GT(found, 20u);
        }
    }
}

TEST(Expand, OtherAlgorithmsAreNamed) {
    FileBuilder file;
    size_t at = add_compressed(file, kVec, vec_of_two(), 1);
    file.commit();
    file.bytes[at + 0x21] = 3;
    EXPECT_SAYS(error_of(file.bytes), "has custom compression (3); only LZ4 (1) and ZSTD (2)");
    file.bytes[at + 0x21] = 9;
    EXPECT_SAYS(error_of(file.bytes), "has unknown compression (9)");
}

// What vectors do not need may be compressed in any way.
TEST(Expand, OtherSegmentsStayAsTheyAre) {
    FileBuilder file = small_file();
    size_t at = add_compressed(file, kMeta, Buffer(100, 1), 1);
    file.commit();
    file.bytes[at + 0x21] = 3;
    Reading reading = read_bytes_as_file(file.bytes);
    EXPECT_EQ(reading.error, "");
    EXPECT_EQ(reading.file.expanded_bytes, 0u);
}

// Without this a compressed last commit would be passed over, and an older state answer.
TEST(Expand, ACompressedManifestIsRefused) {
    FileBuilder file = small_file();
    file.commit();
    file.add_vectors({4}, {5, 6});
    size_t at = file.bytes.size();
    Buffer plain = file.manifest_payload();
    for (size_t i = 0; i < 2; ++i) {
        Buffer bytes =
            i ? Buffer(file.bytes.begin(), file.bytes.begin() + static_cast<long>(at)) : Buffer();
        size_t offset = bytes.size();
        append(bytes, compressed_segment(kManifest, 9, plain, lz4(plain), 1));
        EXPECT_SAYS(error_of(bytes), "a compressed manifest at offset " + std::to_string(offset));
    }
}

TEST(Expand, SurvivesDamageEverywhere) {
    FileBuilder file;
    file.dimension = 4;
    add_compressed(file, kVec, large_vec(20, 4), 1, HashOf::kNothing);
    add_compressed(file, kVec, large_vec(25, 4), 2, HashOf::kNothing);
    add_compressed(file, kQuant, Buffer(96, 0), 1, HashOf::kNothing);
    add_compressed(file, kIndex, Buffer(200, 0), 2, HashOf::kNothing);
    file.commit();
    std::fill_n(file.bytes.begin() + static_cast<long>(last_manifest(file.bytes) + 0x28), 16,
                uint8_t{0});
    Random random(7);
    ReadOptions options;
    options.most_expanded_bytes = 1 << 20;
    int opened = 0;
    for (int round = 0; round < 4000; ++round) {
        Buffer bytes = file.bytes;
        for (uint32_t i = 0; i <= random.below(3); ++i) {
            size_t at = random.bits() % bytes.size();
            bytes[at] = random.below(2) ? static_cast<uint8_t>(random.bits())
                                        : static_cast<uint8_t>(bytes[at] ^ 1u << random.below(8));
        }
        Reading reading = read_bytes_as_file(bytes, options);
        EXPECT_EQ(reading.error.empty(),
                  reading.file.store && !sim::refuses(reading.file.violations));
        opened += reading.error.empty();
    }
    EXPECT_GT(opened, 400);
    EXPECT_LT(opened, 3600);
}

} // namespace
} // namespace rvf
