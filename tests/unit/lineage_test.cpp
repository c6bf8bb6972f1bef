// derive, branch, freeze: what children record of their parents, and what they see of them.
#include <gtest/gtest.h>

#include "tests/unit/fixture.h"
#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::address;
using test::Buffer;
using test::fixture;
using test::get;
using test::last_manifest;
using test::Model;
using test::model_of;
using test::of_type;
using test::open_with;
using test::remove_ids;
using test::same;
using test::save;
using test::State;
using test::StoreHandle;
using test::upsert;

Buffer identity_of(int32_t store) {
    Buffer identity(kLineageBytes);
    EXPECT_EQ(rvf_store_lineage(store, address(identity.data())), 0);
    return identity;
}

int32_t derive(int32_t store, int32_t type, uint8_t id, const Buffer& file) {
    Buffer file_id(16, id);
    return rvf_store_derive(store, type, address(file_id.data()), address(file.data()),
                            file.size());
}

int32_t branch(int32_t store, uint8_t id, const Buffer& file, const char* name = "p.rvf") {
    Buffer file_id(16, id);
    return rvf_store_branch(store, address(file_id.data()), address(file.data()), file.size(),
                            address(name), std::strlen(name));
}

/// A store with an identity, rows 0 to 5 with metadata, and its file.
struct Parent : testing::Test {
    StoreHandle store{2, kCosine};
    Buffer file;

    Parent() {
        Buffer id(16, 0xAA);
        rvf_store_set_file_id(store, address(id.data()));
        for (uint64_t i = 0; i < 6; ++i) {
            upsert(store, i, {1, static_cast<float>(i)}, test::u64_entry(1, i));
        }
        test::set_about(store, test::text_entry(1, "one"));
        save(store, file);
    }

    /// The identity of a child with file id `id`, as the format has it.
    Buffer child_identity(uint8_t id) const {
        Buffer identity(16, id);
        test::append(identity, Buffer(16, 0xAA));
        test::append(identity, test::parent_hash(file));
        test::put(identity, uint32_t{1});
        return identity;
    }
};

// --- derive ---

using Derive = Parent;

TEST_F(Derive, MakesAnEmptyChildThatNamesItsParent) {
    for (int32_t type : {0, 1, 5, 6, 255}) {
        StoreHandle child(derive(store, type, 0xBB, file));
        ASSERT_GT(child, 0);
        EXPECT_EQ(identity_of(child), child_identity(0xBB));
        EXPECT_EQ(rvf_store_count(child), 0);
        Buffer bytes;
        ASSERT_EQ(save(child, bytes), 1);
        test::ManifestFields manifest = last_manifest(bytes);
        EXPECT_EQ(manifest.identity, child_identity(0xBB));
        EXPECT_EQ(manifest.dimension, 2);
        EXPECT_EQ(manifest.metric, kCosine);
        Buffer witness = of_type(bytes, test::kWitness)[0].payload;
        std::string action(witness.begin() + 13, witness.end() - 32);
        EXPECT_EQ(action, "origin:derivation=" + std::to_string(type) + ",epoch=1");
        EXPECT_EQ(test::open_file(bytes) > 0, true);
    }
}

TEST_F(Derive, FromTheLast64KiBIsAsFromAllOfTheFile) {
    std::vector<uint64_t> ids(5000);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    test::ingest(store, ids, std::vector<float>(10'000, 2.0f));
    save(store, file);
    ASSERT_GT(file.size(), 65'600u);
    Buffer tail(file.end() - 65'536, file.end());
    StoreHandle of_all(derive(store, 0, 0xBB, file)), of_tail(derive(store, 0, 0xBB, tail));
    EXPECT_EQ(identity_of(of_tail), identity_of(of_all));
    EXPECT_EQ(identity_of(of_all), child_identity(0xBB));
    tail.erase(tail.begin());
    EXPECT_EQ(derive(store, 0, 0xBB, tail), kInvalidArgument);
}

TEST_F(Derive, IsRefusedWhileTheStoreHasWhatItsFileLacks) {
    upsert(store, 9, {1, 2}, {});
    EXPECT_EQ(derive(store, 0, 0xBB, file), kCommitPending);
    EXPECT_EQ(branch(store, 0xBB, file), kCommitPending);
    ASSERT_EQ(test::make_commit(store).answer, 1);
    EXPECT_EQ(derive(store, 0, 0xBB, file), kCommitPending);
    EXPECT_EQ(branch(store, 0xBB, file, ""), kInvalidArgument);
}

TEST_F(Derive, CountsGenerations) {
    StoreHandle child(derive(store, 0, 0xBB, file));
    Buffer child_file, grandchild_file;
    ASSERT_EQ(save(child, child_file), 1);
    StoreHandle grandchild(derive(child, 0, 0xCC, child_file));
    ASSERT_EQ(save(grandchild, grandchild_file), 1);
    Buffer identity = last_manifest(grandchild_file).identity;
    EXPECT_EQ(get<uint32_t>(identity, 64), 2u);
    EXPECT_EQ(Buffer(identity.begin() + 16, identity.begin() + 32), Buffer(16, 0xBB));
}

// Upstream's own child says the same of its parent as ours would.
TEST(Lineage, OfUpstreamsChildIsThatOfOurs) {
    Buffer parent = fixture("made_derive_parent.rvf"),
           child = fixture("made_derive_child_empty.rvf");
    StoreHandle store(test::open_file(parent)), theirs(test::open_file(child));
    Buffer expected = identity_of(theirs);
    Buffer file_id(expected.begin(), expected.begin() + 16);
    StoreHandle ours(
        rvf_store_derive(store, 1, address(file_id.data()), address(parent.data()), parent.size()));
    EXPECT_EQ(identity_of(ours), expected);
}

// --- branch ---

struct Branch : Parent {
    Buffer own;

    Model opened(const std::vector<Buffer>& parents) {
        StoreHandle copy(open_with(own, parents));
        EXPECT_GT(copy, 0) << copy;
        return model_of(copy);
    }
};

TEST_F(Branch, ShowsItsParentsRowsAndHoldsNone) {
    StoreHandle child(branch(store, 0xBB, file));
    ASSERT_GT(child, 0);
    EXPECT_TRUE(same(model_of(child), model_of(store)));
    ASSERT_EQ(save(child, own), 1);
    EXPECT_TRUE(of_type(own, test::kVec).empty());
    EXPECT_TRUE(same(opened({file}), model_of(store)));
    EXPECT_EQ(State(child).is_branch, 1u);

    Buffer map = of_type(own, test::kCowMap)[0].payload;
    EXPECT_EQ(Buffer(map.begin() + 0x10, map.begin() + 0x20), Buffer(16, 0xAA));
    EXPECT_EQ(Buffer(map.begin() + 0x20, map.begin() + 0x40), test::parent_hash(file));
    EXPECT_EQ(get<uint32_t>(map, 0x08), 4096u);
    EXPECT_EQ(get<uint32_t>(map, 0x40), 8u); // bytes of a vector
    EXPECT_EQ(get<uint32_t>(map, 0x49), 5u);
    EXPECT_EQ(Buffer(map.begin() + 0x51, map.begin() + 0x56), test::bytes_of("p.rvf"));
    EXPECT_EQ(of_type(own, test::kMembership)[0].payload, [] {
        Buffer bitmap(8);
        bitmap[0] = 0x3F;
        Buffer payload = test::membership_payload(6, bitmap);
        test::set(payload, 0x10, uint64_t{6});
        return payload;
    }());
}

TEST_F(Branch, KeepsItsChangesWhateverTheParentCommits) {
    StoreHandle child(branch(store, 0xBB, file));
    remove_ids(child, {1, 2});
    upsert(child, 2, {7, 7}, {});
    upsert(child, 3, {8, 8}, test::text_entry(2, "own"));
    upsert(child, 100, {9, 9}, {});
    ASSERT_EQ(save(child, own), 1);
    const Model model = model_of(child);
    EXPECT_FALSE(model.rows.contains(1));
    for (uint64_t i = 0; i < 30; ++i) { // the parent goes on
        upsert(store, i, {50, 50}, {});
        remove_ids(store, {i / 2});
        ASSERT_EQ(save(store, file), 1);
        ASSERT_TRUE(same(opened({file}), model)) << i;
    }
}

TEST_F(Branch, DeletesAndTakesBackInheritedIds) {
    StoreHandle child(branch(store, 0xBB, file));
    ASSERT_EQ(save(child, own), 1);
    for (int round = 0; round < 12; ++round) {
        EXPECT_EQ(remove_ids(child, {4}), 1);
        ASSERT_EQ(save(child, own), 1);
        EXPECT_FALSE(opened({file}).rows.contains(4));
        upsert(child, 4, {1, static_cast<float>(round)}, {});
        ASSERT_EQ(save(child, own), 1);
        EXPECT_TRUE(same(opened({file}), model_of(child)));
    }
    ASSERT_EQ(save(child, own, {.flags = kCompact}), 1);
    EXPECT_TRUE(same(opened({file}), model_of(child)));
}

TEST_F(Branch, OfAParentThatWasCompactedIsRefused) {
    StoreHandle child(branch(store, 0xBB, file));
    ASSERT_EQ(save(child, own), 1);
    remove_ids(store, {5});
    ASSERT_EQ(save(store, file, {.flags = kCompact}), 1);
    EXPECT_EQ(open_with(own, {file}), kParentHashMismatch);
}

TEST_F(Branch, WithAnotherFileOrNoneIsRefused) {
    StoreHandle child(branch(store, 0xBB, file));
    ASSERT_EQ(save(child, own), 1);
    StoreHandle other(2, kCosine);
    Buffer id(16, 0xEE), other_file;
    rvf_store_set_file_id(other, address(id.data()));
    ASSERT_EQ(save(other, other_file), 1);
    EXPECT_EQ(open_with(own, {other_file}), kLineageBroken);
    EXPECT_EQ(open_with(own, {}), kParentNotFound);
}

TEST_F(Branch, OfABranchNeedsBothParents) {
    StoreHandle child(branch(store, 0xBB, file));
    upsert(child, 50, {5, 5}, {});
    remove_ids(child, {0});
    ASSERT_EQ(save(child, own), 1);
    StoreHandle grandchild(branch(child, 0xCC, own, "c.rvf"));
    ASSERT_GT(grandchild, 0);
    upsert(grandchild, 60, {6, 6}, {});
    remove_ids(grandchild, {1, 50});
    Buffer grandchild_file;
    ASSERT_EQ(save(grandchild, grandchild_file), 1);
    StoreHandle copy(open_with(grandchild_file, {own, file}));
    ASSERT_GT(copy, 0);
    EXPECT_TRUE(same(model_of(copy), model_of(grandchild)));
    EXPECT_EQ(get<uint32_t>(identity_of(copy), 64), 2u);
    EXPECT_EQ(open_with(grandchild_file, {own}), kParentNotFound);
    EXPECT_EQ(open_with(grandchild_file, {file, own}), kLineageBroken);
}

TEST_F(Branch, ExportIsAFileWithoutAParent) {
    StoreHandle child(branch(store, 0xBB, file));
    upsert(child, 50, {5, 5}, {});
    remove_ids(child, {0});
    StoreHandle copy(test::open_file(test::export_file(child)));
    ASSERT_GT(copy, 0);
    EXPECT_TRUE(same(model_of(copy), model_of(child)));
    EXPECT_EQ(State(copy).is_branch, 0u);
}

// A bitmap up to the largest id would be 2^50 bytes long.
TEST(BranchSize, DoesNotFollowTheLargestId) {
    for (uint64_t largest : {uint64_t{1} << 20, uint64_t{1} << 53, ~uint64_t{0}}) {
        StoreHandle store(2, kL2);
        Buffer file, own, id(16, 0xAA);
        rvf_store_set_file_id(store, address(id.data()));
        test::ingest(store, {1, largest}, {1, 1, 2, 2});
        ASSERT_EQ(save(store, file), 1);
        StoreHandle child(branch(store, 0xBB, file));
        ASSERT_EQ(save(child, own), 1);
        EXPECT_LT(own.size(), 1000u);
        remove_ids(child, {largest});
        ASSERT_EQ(save(child, own), 1);
        StoreHandle copy(open_with(own, {file}));
        EXPECT_EQ(test::ids_of(copy), std::vector<uint64_t>{1});
        test::ingest(child, {largest}, {3, 3});
        ASSERT_EQ(save(child, own), 1);
        StoreHandle again(open_with(own, {file}));
        EXPECT_TRUE(same(model_of(again), model_of(child)));
    }
}

// What upstream's runtime branched, changed by us.
TEST(UpstreamsBranch, TakesOurChanges) {
    const Buffer parent = fixture("made_branch_parent.rvf");
    for (const char* name : {"made_branch_child_untouched.rvf", "made_branch_child_edited.rvf"}) {
        Buffer file = fixture(name);
        StoreHandle store(open_with(file, {parent}));
        ASSERT_GT(store, 0) << name;
        Model model = model_of(store);
        ASSERT_GT(model.rows.size(), 3u);
        uint64_t first = model.rows.begin()->first, last = model.rows.rbegin()->first;
        std::vector<float> vector(static_cast<size_t>(rvf_store_dimension(store)), 3.0f);
        remove_ids(store, {first});
        upsert(store, last, vector, test::text_entry(1, "ours"));
        upsert(store, 7777, vector, {});
        ASSERT_EQ(save(store, file), 1);
        model.rows.erase(first);
        model.rows[last] = {vector, test::text_entry(1, "ours")};
        model.rows[7777] = {vector, {}};
        StoreHandle copy(open_with(file, {parent}));
        EXPECT_TRUE(same(model_of(copy), model)) << name;
    }
}

// --- freeze ---

TEST(Freeze, IsStillFrozenAfterReopening) {
    StoreHandle store(2, kL2);
    Buffer file;
    test::ingest(store, {1, 2}, {1, 1, 2, 2});
    ASSERT_EQ(save(store, file), 1);
    ASSERT_EQ(rvf_store_freeze(store), 0);
    ASSERT_EQ(save(store, file), 1);
    Buffer refcount = of_type(file, test::kRefcount)[0].payload;
    EXPECT_EQ(refcount.size(), 32u);
    EXPECT_EQ(get<uint32_t>(refcount, 0), 0x52565243u);
    EXPECT_EQ(get<uint32_t>(refcount, 24), 2u); // the epoch that it froze
    StoreHandle copy(test::open_file(file));
    EXPECT_EQ(test::ingest(copy, {3}, {3, 3}), kSnapshotFrozen);
    EXPECT_EQ(remove_ids(copy, {1}), kSnapshotFrozen);
    EXPECT_EQ(test::set_metadata(copy, 1, {}), kSnapshotFrozen);
    EXPECT_EQ(test::embed(copy, 0xF0, {1}), kSnapshotFrozen);
    EXPECT_EQ(rvf_store_freeze(copy), kSnapshotFrozen);
    EXPECT_EQ(rvf_store_count(copy), 2);
    StoreHandle child(branch(copy, 0xBB, file));
    EXPECT_EQ(test::ingest(child, {3}, {3, 3}), 1);
}

TEST(Freeze, SurvivesACompaction) {
    StoreHandle store(2, kL2);
    Buffer file;
    test::ingest(store, {1, 2}, {1, 1, 2, 2});
    ASSERT_EQ(rvf_store_freeze(store), 0);
    ASSERT_EQ(save(store, file), 1);
    ASSERT_EQ(save(store, file, {.flags = kCompact}), 1);
    StoreHandle copy(test::open_file(file));
    EXPECT_EQ(State(copy).frozen, 1u);
}

} // namespace
} // namespace rvf
