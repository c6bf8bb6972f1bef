// rvf_store_export: exact sizes, exact bytes, and nothing lost between export and open.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::address;
using test::append;
using test::Buffer;
using test::export_file;
using test::FileBuilder;
using test::ingest;
using test::kIndex;
using test::kJournal;
using test::kKernelImage;
using test::kManifest;
using test::kMeta;
using test::kVec;
using test::kWitness;
using test::open_file;
using test::Random;
using test::rows_of;
using test::segment;
using test::StoreHandle;

/// The segments of a file whose chain is whole, headers included.
std::vector<Buffer> segments_of(const Buffer& file) {
    std::vector<Buffer> segments;
    for (size_t at = 0; at < file.size();) {
        auto size = static_cast<long>(test::kHeaderBytes + test::get<uint64_t>(file, at + 16));
        auto begin = file.begin() + static_cast<long>(at);
        segments.emplace_back(begin, begin + size);
        at += static_cast<size_t>(size);
    }
    return segments;
}

TEST(Export, WritesTheBytesOfTheFormat) {
    StoreHandle store(2, kCosine);
    ASSERT_EQ(ingest(store, {7, 3}, {1, 2, 3, 4}), 2);
    Buffer expected = segment(kVec, 1, test::vec_payload(2, {7, 3}, {1, 2, 3, 4}));
    FileBuilder manifest;
    manifest.epoch = 1;
    manifest.metric = 2;
    manifest.directory = {{1, 0, 38, kVec}};
    Buffer payload = manifest.manifest_payload();
    test::set(payload, 6, uint64_t{2});
    append(expected, segment(kManifest, 2, payload));
    EXPECT_EQ(export_file(store), expected);
}

TEST(Export, OfAnEmptyStoreIsOneManifest) {
    StoreHandle store(9, kL2);
    FileBuilder manifest;
    manifest.dimension = 9;
    manifest.epoch = 1;
    EXPECT_EQ(export_file(store), segment(kManifest, 1, manifest.manifest_payload()));
}

TEST(Export, CarriesTheFileIdOfACreatedStore) {
    StoreHandle store(2, kL2);
    Buffer id(16, 0xAB);
    ASSERT_EQ(rvf_store_set_file_id(store, address(id.data())), 0);
    FileBuilder manifest;
    manifest.epoch = 1;
    manifest.identity = id;
    manifest.identity.resize(68);
    EXPECT_EQ(export_file(store), segment(kManifest, 1, manifest.manifest_payload()));
}

TEST(Export, LeavesOutAFileIdOfZeros) {
    StoreHandle store(2, kL2);
    size_t without = export_file(store).size();
    ASSERT_EQ(rvf_store_set_file_id(store, address(Buffer(16).data())), 0);
    EXPECT_EQ(export_file(store).size(), without);
}

TEST(Export, RefusesABufferOneByteTooSmallAndTouchesNothing) {
    StoreHandle store(2, kL2);
    ASSERT_EQ(ingest(store, {1}, {1, 2}), 1);
    auto size = static_cast<size_t>(rvf_store_export_size(store));
    Buffer out(size + 1, 0xEE);
    EXPECT_EQ(rvf_store_export(store, address(out.data()), size - 1), kBufferTooSmall);
    EXPECT_EQ(rvf_store_export(store, address(out.data()), 0), kBufferTooSmall);
    EXPECT_EQ(out, Buffer(size + 1, 0xEE));
    EXPECT_EQ(rvf_store_export(store, 0, size), kInvalidPointer);
    EXPECT_EQ(rvf_store_export(store, address(out.data()), size + 1), static_cast<int32_t>(size));
    EXPECT_EQ(out[size], 0xEE);
}

TEST(Export, ThenOpenGivesTheSameRowsMetricAndAnswers) {
    Random random(80);
    for (int32_t dimension : {1, 3, 4, 97, 1000}) {
        for (int32_t metric : {kL2, kInnerProduct, kCosine}) {
            StoreHandle store(dimension, metric);
            auto size = static_cast<size_t>(dimension);
            for (int i = 0; i < 5; ++i) {
                std::vector<uint64_t> ids(40);
                for (uint64_t& id : ids) id = random.below(150);
                ASSERT_EQ(ingest(store, ids, random.vector(40 * size, -9, 9)), 40);
                ids.resize(10);
                test::remove_ids(store, ids);
            }
            Buffer file = export_file(store);
            StoreHandle copy(open_file(file));
            ASSERT_GT(copy, 0);
            EXPECT_EQ(rvf_store_warnings(copy), 0);
            EXPECT_EQ(rows_of(copy), rows_of(store));
            std::vector<float> point = random.vector(size, -9, 9);
            EXPECT_EQ(query(copy, point, 20), query(store, point, 20));
            EXPECT_EQ(export_file(copy), file);
        }
    }
}

TEST(Export, KeepsEverySegmentThatIsNotRebuiltByteForByte) {
    FileBuilder file;
    file.commit();
    std::vector<Buffer> kept;
    auto add = [&](uint8_t type, const Buffer& payload, bool is_kept) {
        size_t at = file.add(type, payload);
        file.bytes[at + 6] = 0x34; // flags and timestamp, which the hash does not cover
        file.bytes[at + 0x1F] = 0x12;
        if (is_kept)
            kept.emplace_back(file.bytes.begin() + static_cast<long>(at), file.bytes.end());
    };
    add(kWitness, Buffer(73, 1), true);
    file.add_vectors({1}, {1, 2});
    add(kJournal, Buffer(28, 2), false);
    add(kIndex, Buffer(300, 3), false);
    add(kKernelImage, Buffer(500, 4), true);
    add(kMeta, {}, true);
    add(0xF7, Buffer(9, 5), true);
    file.commit();
    StoreHandle store(open_file(file.bytes));
    std::vector<Buffer> written = segments_of(export_file(store));
    ASSERT_EQ(written.size(), kept.size() + 2);
    EXPECT_EQ(std::vector<Buffer>(written.begin() + 1, written.end() - 1), kept);
}

// Upstream puts the witness of a compaction directly behind the manifest. Anything else there was
// never committed.
TEST(Export, KeepsWitnessesDirectlyBehindTheManifest) {
    FileBuilder file;
    file.commit();
    const Buffer witness = segment(kWitness, 50, Buffer(20, 1));
    append(file.bytes, witness);
    append(file.bytes, segment(kMeta, 51, Buffer(9, 2)));
    append(file.bytes, segment(kWitness, 52, Buffer(20, 3)));
    StoreHandle store(open_file(file.bytes));
    std::vector<Buffer> written = segments_of(export_file(store));
    ASSERT_EQ(written.size(), 2u);
    EXPECT_EQ(written[0], witness);
}

TEST(Export, LeavesOutVectorsThatWereNeverCommitted) {
    FileBuilder file;
    file.commit();
    file.add_vectors({1}, {1, 2});
    StoreHandle store(open_file(file.bytes));
    EXPECT_EQ(segments_of(export_file(store)).size(), 1u);
}

// What an export writes anew is numbered from 1; what it carries on keeps its number.
TEST(Export, NumbersItsOwnSegmentsFromOne) {
    FileBuilder file;
    file.add_vectors({1}, {1, 2});
    for (uint64_t id : {9u, 3u, 0u}) {
        file.next_id = id;
        file.add(kMeta, Buffer(4, 1));
    }
    file.commit();
    StoreHandle store(open_file(file.bytes));
    std::vector<uint64_t> ids;
    for (const Buffer& written : segments_of(export_file(store))) {
        ids.push_back(test::get<uint64_t>(written, 8));
    }
    EXPECT_EQ(ids, (std::vector<uint64_t>{1, 9, 3, 0, 2}));
}

// The epoch of a file is that of its last commit; what has changed since is one commit more.
TEST(Export, CountsAllThatHasChangedAsOneCommit) {
    FileBuilder file;
    file.epoch = 41;
    file.add_vectors({1, 2}, {1, 2, 3, 4});
    file.commit();
    StoreHandle store(open_file(file.bytes));
    auto epoch = [&] {
        return test::get<uint32_t>(segments_of(export_file(store)).back(), test::kHeaderBytes);
    };
    EXPECT_EQ(epoch(), 41u);
    test::remove_ids(store, {1});
    ingest(store, {3}, {5, 6});
    EXPECT_EQ(epoch(), 42u);
}

Buffer runtime_witness(uint64_t time) {
    Buffer payload = {1};
    test::put(payload, time);
    test::put(payload, uint32_t{6});
    append(payload, {'i', 'n', 'g', 'e', 's', 't'});
    append(payload, Buffer(32, 7));
    return payload;
}

// Earlier witnesses are in the file, but not in its directory, which must stay small.
TEST(Export, PutsWitnessesLastAndListsOnlyTheLast) {
    FileBuilder file;
    for (uint64_t time : {10u, 20u, 30u}) {
        file.add(kWitness, runtime_witness(time));
        file.add(kMeta, Buffer(9, static_cast<uint8_t>(time)));
    }
    file.commit();
    StoreHandle store(open_file(file.bytes));
    std::vector<Buffer> written = segments_of(export_file(store));
    ASSERT_EQ(written.size(), 7u);
    for (size_t i = 3; i < 6; ++i) {
        Buffer payload(written[i].begin() + test::kHeaderBytes, written[i].end());
        EXPECT_EQ(payload, runtime_witness(10 * (i - 2)));
    }
    const Buffer& manifest = written.back();
    std::vector<uint64_t> listed;
    for (uint32_t i = 0; i < test::get<uint32_t>(manifest, 64 + 14); ++i) {
        listed.push_back(test::get<uint64_t>(manifest, 64 + 22 + 25 * i + 8));
    }
    std::vector<uint64_t> offsets = {0, 73, 146};
    offsets.push_back(219 + 2 * written[3].size());
    EXPECT_EQ(listed, offsets);
}

// A branch map outside the directory belongs to nothing. Listed in an export, it would make the
// export a branch.
TEST(Export, OfAFileWithAnUnlistedBranchMapOpensAgain) {
    for (uint8_t type : {test::kCowMap, test::kMembership}) {
        FileBuilder file;
        file.add(type, Buffer(96));
        file.directory.clear();
        file.add_vectors({1}, {1, 2});
        file.commit();
        StoreHandle store(open_file(file.bytes));
        ASSERT_GT(store, 0);
        StoreHandle copy(open_file(export_file(store)));
        EXPECT_GT(copy, 0);
    }
}

// A write that was cut short leaves a header that promises more than follows; the next session
// appends behind it, so that the promise is met by segments of others.
TEST(Export, KeepsCommittedSegmentsBehindATornOne) {
    FileBuilder file;
    file.commit();
    Buffer torn = segment(kKernelImage, 50, Buffer(100, 0x55));
    append(file.bytes, {torn.begin(), torn.begin() + 70});
    size_t at = file.add(kMeta, Buffer(200, 0x66));
    const Buffer meta(file.bytes.begin() + static_cast<long>(at), file.bytes.end());
    file.commit();
    StoreHandle store(open_file(file.bytes));
    ASSERT_GT(store, 0);
    std::vector<Buffer> written = segments_of(export_file(store));
    EXPECT_TRUE(std::find(written.begin(), written.end(), meta) != written.end());
}

// 512 rows of 65,535 dimensions are the first that are not less than 128 MiB; no segment takes
// more.
TEST(Export, SplitsManyVectorsIntoSegmentsThatUpstreamReads) {
    constexpr int32_t kRows = 513;
    StoreHandle store(65535, kL2);
    std::vector<float> vector(65535);
    for (uint64_t id = 0; id < kRows; ++id) {
        vector[id] = static_cast<float>(id);
        ASSERT_EQ(ingest(store, {id}, vector), 1);
    }
    Buffer file = export_file(store);
    ASSERT_FALSE(file.empty());
    auto copy = address(file.data());
    ASSERT_EQ(rvf_segment_count(copy, file.size()), 3);
    for (int32_t index : {0, 1}) {
        Buffer info(kSegmentInfoBytes);
        ASSERT_EQ(rvf_segment_info(copy, file.size(), index, address(info.data())), 0);
        EXPECT_EQ(info[8], kVec);
        EXPECT_LE(test::get<uint64_t>(info, 12), 256u << 20);
    }
    StoreHandle reopened(rvf_store_open(copy, file.size()));
    EXPECT_EQ(rvf_store_count(reopened), kRows);
    EXPECT_EQ(query(reopened, vector, 1), query(store, vector, 1));
}

// Files of every upstream writer: whatever opens survives export and open.
TEST(Export, OfEveryUpstreamFixtureOpensWithTheSameRows) {
    int opened = 0;
    for (const auto& entry : std::filesystem::directory_iterator(RVF_FIXTURES)) {
        std::ifstream stream(entry.path(), std::ios::binary);
        Buffer file((std::istreambuf_iterator<char>(stream)), {});
        StoreHandle store(open_file(file));
        if (store < 0) continue;
        ++opened;
        Buffer exported = export_file(store);
        StoreHandle copy(open_file(exported));
        ASSERT_GT(copy, 0) << entry.path();
        EXPECT_EQ(rvf_store_count(copy), rvf_store_count(store)) << entry.path();
        EXPECT_EQ(export_file(copy), exported) << entry.path();
    }
    EXPECT_GT(opened, 60);
}

} // namespace
} // namespace rvf
