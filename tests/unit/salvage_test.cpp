// kSalvage: what is intact of a damaged file is there, what is not is listed, and nothing is
// silent.
#include <gtest/gtest.h>

#include "tests/unit/file_host.h"
#include "tests/unit/fixture.h"
#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::address;
using test::Buffer;
using test::FileBuilder;
using test::fixture;
using test::get;
using test::open_with;
using test::Rows;
using test::rows_of;
using test::StoreHandle;

struct Loss {
    uint64_t offset, length, id;
    uint32_t type;
    int32_t status;
    bool operator==(const Loss&) const = default;
};

std::vector<Loss> losses_of(int32_t store) {
    int32_t count = rvf_store_losses(store, 0, 0);
    EXPECT_GE(count, 0);
    std::vector<Loss> losses(static_cast<size_t>(count));
    static_assert(sizeof(Loss) == kLossBytes);
    EXPECT_EQ(rvf_store_losses(store, address(losses.data()), losses.size() * kLossBytes), count);
    return losses;
}

bool has_losses(int32_t store) {
    return static_cast<uint32_t>(rvf_store_warnings(store)) & kLosses;
}

int32_t salvage(const Buffer& file, const std::vector<Buffer>& parents = {}) {
    return open_with(file, parents, kSalvage);
}

/// Two VEC segments, of 1, 2 and of 3, 4.
struct Damaged : testing::Test {
    FileBuilder file;
    size_t second;

    Damaged() {
        file.add_vectors({1, 2}, {1, 1, 2, 2});
        second = file.add_vectors({3, 4}, {3, 3, 4, 4});
        file.commit();
    }
};

TEST_F(Damaged, VectorsAreLeftOutAndListed) {
    file.bytes[second + test::kHeaderBytes + 20] ^= 1;
    EXPECT_EQ(test::open_file(file.bytes), kInvalidChecksum);
    StoreHandle store(salvage(file.bytes));
    ASSERT_GT(store, 0);
    EXPECT_EQ(rvf_store_warnings(store), kLosses);
    EXPECT_EQ(rows_of(store), (Rows{{1, {1, 1}}, {2, {2, 2}}}));
    EXPECT_EQ(losses_of(store), (std::vector<Loss>{{second, 38, 2, test::kVec, kInvalidChecksum}}));
}

TEST_F(Damaged, HeadersAreLeftOutAndListed) {
    file.bytes[second] ^= 1;
    StoreHandle store(salvage(file.bytes));
    ASSERT_GT(store, 0);
    EXPECT_TRUE(has_losses(store));
    EXPECT_EQ(rows_of(store).size(), 2u);
    ASSERT_EQ(losses_of(store).size(), 1u);
    EXPECT_EQ(losses_of(store)[0].offset, second);
}

TEST_F(Damaged, MetadataIsLeftOutAndTheVectorsAreThere) {
    Buffer payload = test::bytes_of("RVMD");
    test::put(payload, uint16_t{1});
    test::put(payload, uint16_t{0});
    test::put(payload, uint64_t{1});
    test::put(payload, uint32_t{15});
    test::append(payload, test::u64_entry(1, 7));
    size_t meta = file.add(test::kMeta, payload);
    file.commit();
    file.bytes[meta + test::kHeaderBytes + 12] ^= 1;
    EXPECT_EQ(test::open_file(file.bytes), kInvalidChecksum);
    StoreHandle store(salvage(file.bytes));
    ASSERT_GT(store, 0);
    EXPECT_EQ(rows_of(store).size(), 4u);
    EXPECT_EQ(losses_of(store),
              (std::vector<Loss>{{meta, payload.size(), 4, test::kMeta, kInvalidChecksum}}));
}

TEST_F(Damaged, ManifestsAllOfThemLeaveEverySoundSegment) {
    FileBuilder bare;
    bare.add_vectors({1, 2}, {1, 1, 2, 2});
    size_t damaged = bare.add_vectors({3, 4}, {3, 3, 4, 4});
    bare.add_vectors({2, 5}, {9, 9, 5, 5});
    bare.bytes[damaged + 80] ^= 1;
    EXPECT_EQ(test::open_file(bare.bytes), kManifestNotFound);
    StoreHandle store(salvage(bare.bytes));
    ASSERT_GT(store, 0);
    EXPECT_TRUE(has_losses(store));
    EXPECT_EQ(rows_of(store), (Rows{{1, {1, 1}}, {2, {9, 9}}, {5, {5, 5}}}));
    EXPECT_EQ(losses_of(store)[0], (Loss{0, 0, 0, test::kManifest, kManifestNotFound}));
}

TEST_F(Damaged, FilesThatAreSoundLoseNothing) {
    StoreHandle store(salvage(file.bytes));
    EXPECT_EQ(rvf_store_warnings(store), 0);
    EXPECT_TRUE(losses_of(store).empty());
    EXPECT_EQ(rows_of(store).size(), 4u);
}

TEST_F(Damaged, BytesThatAreNoFileAreRefusedAllTheSame) {
    EXPECT_EQ(salvage(Buffer(1000, 0x53)), kManifestNotFound);
    EXPECT_EQ(salvage({}), kManifestNotFound);
}

TEST_F(Damaged, ListsAsManyLossesAsFit) {
    file.bytes[second + 80] ^= 1;
    file.bytes[80] ^= 1;
    StoreHandle store(salvage(file.bytes));
    Buffer room(kLossBytes + 1, 0xEE);
    EXPECT_EQ(rvf_store_losses(store, address(room.data()), room.size()), 2);
    EXPECT_EQ(room.back(), 0xEE);
    EXPECT_EQ(get<uint64_t>(room, 0), 0u);
}

// What was lost stays in the file; what is saved is behind it, and the loss is not listed any more.
TEST_F(Damaged, FilesGoOnAfterSalvage) {
    file.bytes[second + 80] ^= 1;
    const Buffer before = file.bytes;
    StoreHandle store(salvage(file.bytes));
    ASSERT_EQ(test::ingest(store, {9}, {9, 9}), 1);
    Buffer bytes = file.bytes;
    ASSERT_EQ(test::save(store, bytes), 1);
    EXPECT_EQ(Buffer(bytes.begin(), bytes.begin() + static_cast<long>(before.size())), before);
    StoreHandle copy(test::open_file(bytes));
    ASSERT_GT(copy, 0);
    EXPECT_EQ(rows_of(copy), (Rows{{1, {1, 1}}, {2, {2, 2}}, {9, {9, 9}}}));
}

TEST(Salvage, OpensABranchWithoutItsParent) {
    StoreHandle parent(2, kL2);
    Buffer file, own, id(16, 0xAA);
    rvf_store_set_file_id(parent, address(id.data()));
    test::ingest(parent, {1, 2}, {1, 1, 2, 2});
    ASSERT_EQ(test::save(parent, file), 1);
    StoreHandle child(rvf_store_branch(parent, address(id.data()), address(file.data()),
                                       file.size(), address("p"), 1));
    test::ingest(child, {3}, {3, 3});
    ASSERT_EQ(test::save(child, own), 1);
    StoreHandle store(salvage(own));
    ASSERT_GT(store, 0);
    EXPECT_EQ(rows_of(store), (Rows{{3, {3, 3}}}));
    ASSERT_EQ(losses_of(store).size(), 1u);
    EXPECT_EQ(losses_of(store)[0].type, test::kCowMap);
    EXPECT_EQ(losses_of(store)[0].status, kParentNotFound);
}

/// Damaged files of upstream's: how many rows are intact, and how many segments are lost.
// Its records lie inside another segment, so no commit can have them; and some vectors are damaged.
TEST(Salvage, OfABranchWithoutRecordsOfItsParentMakesTheParentsRowsItsOwn) {
    FileBuilder parent;
    parent.add_vectors({1, 2}, {1, 2, 3, 4});
    parent.commit();
    FileBuilder inner, file;
    inner.bytes.resize(test::kHeaderBytes); // where the outer header will be
    inner.add(test::kCowMap, test::cow_map_payload(parent.bytes));
    inner.add(test::kMembership, test::membership_payload(8, {0xFF}));
    file.add(0xF3, Buffer(inner.bytes.begin() + test::kHeaderBytes, inner.bytes.end()));
    file.directory = inner.directory;
    test::Entry own = {1, file.bytes.size(), 0,
                       test::kManifest}; // the manifest itself, first: out of order
    file.directory.insert(file.directory.begin(), own);
    file.directory.push_back({9, 0, 4, test::kVec});
    file.commit();
    StoreHandle store(salvage(file.bytes, {parent.bytes}));
    ASSERT_GT(store, 0);
    ASSERT_EQ(test::remove_ids(store, {2}), 1);
    test::FileHost host{file.bytes};
    ASSERT_EQ(host.commit(store), 1);
    StoreHandle again(test::open_file(host.bytes)); // without its parent
    ASSERT_GT(again, 0);
    EXPECT_EQ(rows_of(again), (Rows{{1, {1, 2}}}));
    EXPECT_FALSE(store_of(again)->is_branch);
}

TEST(Salvage, OfUpstreamsDamagedFilesFindsWhatIsIntact) {
    struct Case {
        const char* name;
        size_t losses;
    };
    for (const Case& one : {Case{"damaged_flip_first_vec_payload.rvf", 1},
                            {"damaged_flip_last_vec_payload.rvf", 1},
                            {"damaged_hole_zeroed_vec.rvf", 1},
                            {"damaged_magic_first_vec.rvf", 1},
                            {"damaged_flip_vec_header_hash.rvf", 1},
                            {"damaged_flip_vec_header_len.rvf", 1}}) {
        Buffer file = fixture(one.name);
        EXPECT_LT(test::open_file(file), 0) << one.name;
        StoreHandle store(salvage(file));
        ASSERT_GT(store, 0) << one.name;
        EXPECT_TRUE(has_losses(store)) << one.name;
        EXPECT_EQ(losses_of(store).size(), one.losses) << one.name;
        EXPECT_GT(rvf_store_count(store), 0) << one.name;
    }
}

// Any file that opens at all opens the same with kSalvage.
TEST(Salvage, ChangesNothingOfAFileThatOpens) {
    for (const char* name : {"made_deletes.rvf", "made_multi_session.rvf", "made_branch_parent.rvf",
                             "made_wasm_l2_20x16.rvf", "damaged_trailing_100.rvf"}) {
        Buffer file = fixture(name);
        StoreHandle store(test::open_file(file)), same(salvage(file));
        EXPECT_EQ(rvf_store_warnings(same), rvf_store_warnings(store)) << name;
        EXPECT_EQ(test::export_file(same), test::export_file(store)) << name;
    }
}

} // namespace
} // namespace rvf
