// rvf_store_open_branch: files that show a parent's vectors under their own.
#include <gtest/gtest.h>

#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::address;
using test::Buffer;
using test::cow_map_payload;
using test::FileBuilder;
using test::kCowMap;
using test::kMembership;
using test::membership_payload;
using test::Rows;
using test::rows_of;
using test::set;
using test::StoreHandle;

int32_t open_branch(const Buffer& file, const Buffer& parent, int32_t metric = -1) {
    auto file_copy = test::exact_copy(file), parent_copy = test::exact_copy(parent);
    return rvf_store_open_branch(address(file_copy.get()), file.size(), address(parent_copy.get()),
                                 parent.size(), metric);
}

/// Ids 0, 1, 2 and 9 are live; 3 is deleted.
Buffer parent_file() {
    FileBuilder file;
    file.add_vectors({0, 1, 2, 3, 9}, {0, 0, 1, 1, 2, 2, 3, 3, 9, 9});
    file.deleted = {3};
    file.commit();
    return file.bytes;
}

/// A branch of `parent` that has just been made.
FileBuilder branch_of(const Buffer& parent, const Buffer& membership) {
    FileBuilder file;
    file.commit();
    file.add(kCowMap, cow_map_payload(parent));
    file.add(kMembership, membership);
    return file;
}

const Buffer kAllTen = {0xFF, 0x03};

struct BranchFile : testing::Test {
    const Buffer parent = parent_file();

    int32_t open(FileBuilder file) {
        file.commit();
        return open_branch(file.bytes, parent);
    }
    Rows rows(const FileBuilder& file) {
        StoreHandle store(open(file));
        EXPECT_GT(store, 0);
        return rows_of(store);
    }
};

TEST_F(BranchFile, ShowsTheParentsLiveVectors) {
    EXPECT_EQ(rows(branch_of(parent, membership_payload(10, kAllTen))),
              (Rows{{0, {0, 0}}, {1, {1, 1}}, {2, {2, 2}}, {9, {9, 9}}}));
}

TEST_F(BranchFile, HidesIdsWhoseBitIsClear) {
    EXPECT_EQ(rows(branch_of(parent, membership_payload(10, {0x05, 0x00}))),
              (Rows{{0, {0, 0}}, {2, {2, 2}}}));
}

TEST_F(BranchFile, InExcludeModeHidesIdsWhoseBitIsSet) {
    EXPECT_EQ(rows(branch_of(parent, membership_payload(10, {0x05, 0x00}, 1))),
              (Rows{{1, {1, 1}}, {9, {9, 9}}}));
}

TEST_F(BranchFile, IdsFromTheLimitOnHaveNoBit) {
    EXPECT_EQ(rows(branch_of(parent, membership_payload(9, kAllTen))),
              (Rows{{0, {0, 0}}, {1, {1, 1}}, {2, {2, 2}}}));
    EXPECT_EQ(rows(branch_of(parent, membership_payload(0, {}))), Rows{});
    EXPECT_EQ(rows(branch_of(parent, membership_payload(0, {}, 1))).size(), 4u);
}

TEST_F(BranchFile, PutsItsOwnVectorsOverTheParents) {
    FileBuilder file = branch_of(parent, membership_payload(10, {0x07, 0x00}));
    file.add_vectors({1, 50}, {7, 7, 8, 8});
    file.deleted = {50};
    EXPECT_EQ(rows(file), (Rows{{0, {0, 0}}, {1, {7, 7}}, {2, {2, 2}}}));
}

TEST_F(BranchFile, TakesTheLastOfItsRecords) {
    FileBuilder file = branch_of(parent, membership_payload(10, kAllTen));
    file.add(kCowMap, cow_map_payload(parent));
    file.add(kMembership, membership_payload(10, {0x01, 0x00}));
    EXPECT_EQ(rows(file), (Rows{{0, {0, 0}}}));
}

TEST_F(BranchFile, IsExportedAsACompleteFile) {
    FileBuilder file = branch_of(parent, membership_payload(10, kAllTen));
    file.add_vectors({50}, {8, 8});
    StoreHandle store(open(file));
    StoreHandle copy(test::open_file(test::export_file(store)));
    ASSERT_GT(copy, 0);
    EXPECT_EQ(rows_of(copy), rows_of(store));
}

TEST_F(BranchFile, WarnsOfWhatItsParentHolds) {
    FileBuilder file;
    file.add_vectors({0}, {NAN, 0});
    file.commit();
    FileBuilder branch = branch_of(file.bytes, membership_payload(10, kAllTen));
    branch.commit();
    StoreHandle store(open_branch(branch.bytes, file.bytes));
    EXPECT_EQ(rvf_store_warnings(store), kNotFiniteRows);
}

TEST_F(BranchFile, HashesTheParentsLast64KiB) {
    FileBuilder file;
    std::vector<uint64_t> ids(5000);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    file.add_vectors(ids, std::vector<float>(10'000, 1.0f));
    file.commit();
    ASSERT_GT(file.bytes.size(), 65536u);
    FileBuilder branch = branch_of(file.bytes, membership_payload(5000, Buffer(625, 0xFF)));
    branch.commit();
    StoreHandle store(open_branch(branch.bytes, file.bytes));
    EXPECT_EQ(rvf_store_count(store), 5000);
}

TEST_F(BranchFile, WithoutAParentIsRefused) {
    FileBuilder file = branch_of(parent, membership_payload(10, kAllTen));
    file.commit();
    EXPECT_EQ(test::open_file(file.bytes), kParentNotFound);
    EXPECT_EQ(open_branch(file.bytes, {}), kParentNotFound);
}

TEST_F(BranchFile, OfABranchIsRefused) {
    FileBuilder middle = branch_of(parent, membership_payload(10, kAllTen));
    middle.commit();
    FileBuilder file = branch_of(middle.bytes, membership_payload(10, kAllTen));
    file.commit();
    EXPECT_EQ(open_branch(file.bytes, middle.bytes), kParentNotFound);
}

TEST_F(BranchFile, OfAnotherParentIsRefused) {
    FileBuilder file = branch_of(parent, membership_payload(10, kAllTen));
    file.commit();
    for (size_t at = 0; at < parent.size(); ++at) {
        Buffer changed = parent;
        changed[at] ^= 0x10;
        ASSERT_EQ(open_branch(file.bytes, changed), kParentHashMismatch) << at;
    }
}

TEST_F(BranchFile, WhoseParentIsNoFileIsRefused) {
    Buffer text(100, 'x');
    FileBuilder file = branch_of(text, membership_payload(10, kAllTen));
    file.commit();
    EXPECT_EQ(open_branch(file.bytes, text), kManifestNotFound);
}

TEST_F(BranchFile, OfAnotherDimensionIsRefused) {
    FileBuilder file = branch_of(parent, membership_payload(10, kAllTen));
    file.dimension = 3;
    EXPECT_EQ(open(file), kDimensionMismatch);
}

TEST_F(BranchFile, ThatLacksOneOfItsRecordsIsCorrupt) {
    FileBuilder no_map, no_membership;
    no_map.add(kMembership, membership_payload(10, kAllTen));
    no_membership.add(kCowMap, cow_map_payload(parent));
    EXPECT_EQ(open(no_map), kCowMapCorrupt);
    EXPECT_EQ(open(no_membership), kCowMapCorrupt);
}

TEST_F(BranchFile, WithACowMapThatIsCutOrForeignIsCorrupt) {
    Buffer map = cow_map_payload(parent);
    for (size_t size : {0u, 1u, 0x40u, 0x50u}) {
        FileBuilder file;
        file.add(kCowMap, {map.begin(), map.begin() + static_cast<long>(size)});
        file.add(kMembership, membership_payload(10, kAllTen));
        EXPECT_EQ(open(file), kCowMapCorrupt) << size;
    }
    map[0] ^= 1;
    FileBuilder file;
    file.add(kCowMap, map);
    file.add(kMembership, membership_payload(10, kAllTen));
    EXPECT_EQ(open(file), kCowMapCorrupt);
}

TEST_F(BranchFile, WithAMembershipThatLiesIsCorrupt) {
    auto expect_corrupt = [&](size_t at, auto value) {
        Buffer membership = membership_payload(10, kAllTen);
        set(membership, at, value);
        EXPECT_EQ(open(branch_of(parent, membership)), kCowMapCorrupt) << at << " " << value;
    };
    expect_corrupt(0, uint32_t{0}); // magic
    expect_corrupt(6, uint8_t{1});  // roaring
    for (uint64_t limit : {uint64_t{17}, uint64_t{1} << 32, uint64_t{1} << 63, ~uint64_t{0}}) {
        expect_corrupt(8, limit);
    }
    for (uint64_t offset : {uint64_t{0x61}, uint64_t{0}, uint64_t{1} << 32, ~uint64_t{0}}) {
        expect_corrupt(0x18, offset);
    }
    for (uint32_t size : {3u, 0u, 0x80000000u, ~0u}) expect_corrupt(0x20, size);
    expect_corrupt(0x28, uint8_t{0x5A}); // hash
    Buffer whole = membership_payload(10, kAllTen);
    for (size_t size = 0; size < whole.size(); ++size) {
        Buffer cut(whole.begin(), whole.begin() + static_cast<long>(size));
        ASSERT_EQ(open(branch_of(parent, cut)), kCowMapCorrupt) << size;
    }
}

TEST_F(BranchFile, WithADamagedRecordIsCorrupt) {
    for (size_t segment : {1u, 2u}) {
        FileBuilder file = branch_of(parent, membership_payload(10, kAllTen));
        file.commit();
        file.bytes[file.directory[segment].offset + 0x28] ^= 1;
        EXPECT_EQ(open_branch(file.bytes, parent), kCowMapCorrupt);
    }
}

TEST_F(BranchFile, WhoseDirectoryPointsNowhereIsCorrupt) {
    for (uint64_t offset : {uint64_t{1}, uint64_t{1} << 32, ~uint64_t{0}}) {
        FileBuilder file = branch_of(parent, membership_payload(10, kAllTen));
        file.directory[1].offset = offset;
        EXPECT_EQ(open(file), kCowMapCorrupt) << offset;
    }
}

TEST(OpenBranch, IgnoresTheParentOfAFileThatIsNone) {
    Buffer file = parent_file();
    StoreHandle store(open_branch(file, Buffer(10, 'x')));
    EXPECT_EQ(rvf_store_count(store), 4);
}

TEST(OpenBranch, RefusesNullAndUnknownMetrics) {
    Buffer file = parent_file();
    EXPECT_EQ(rvf_store_open_branch(0, 1, address(file.data()), 1, -1), kInvalidPointer);
    EXPECT_EQ(rvf_store_open_branch(address(file.data()), 1, 0, 1, -1), kInvalidPointer);
    EXPECT_EQ(open_branch(file, file, 3), kMetricUnsupported);
}

} // namespace
} // namespace rvf
