// Segments that are carried on out of files whose headers or directories are damaged: a commit must
// not lose them, make others of them, or leave a file that does not open. And what a commit does
// not write does no harm.
#include <gtest/gtest.h>

#include "control/kept.h"
#include "tests/unit/file_host.h"
#include "tests/unit/rvf_file.h"

namespace rvf::test {
namespace {

constexpr uint8_t kUnknown = 0xF3;

/// Type and payload of every kept segment.
std::vector<std::pair<uint8_t, Buffer>> kept_by(int32_t store) {
    std::vector<std::pair<uint8_t, Buffer>> list;
    const Store& inside = *store_of(store);
    for (uint32_t i = 0; i < count_of<Kept>(inside.kept_list); ++i) {
        const Kept& kept = items_of<Kept>(inside.kept_list)[i];
        const uint8_t* bytes = kept_bytes(inside, kept);
        list.emplace_back(bytes[5], Buffer(bytes + kHeaderBytes, bytes + kept.size));
    }
    return list;
}

/// Changes something, commits and opens the file again.
int32_t after_commit(int32_t store, const Buffer& file, uint32_t flags = 0) {
    FileHost host{file};
    EXPECT_EQ(ingest(store, {99}, {9, 9}), 1);
    EXPECT_EQ(host.commit(store, flags), 1);
    return open_file(host.bytes);
}

int32_t salvage(const Buffer& file) {
    auto copy = exact_copy(file);
    return rvf_store_open_with(address(copy.get()), file.size(), 0, 0, -1, kSalvage);
}

TEST(KeptSegment, WhoseHeaderHasAWrongTypeIsWhatTheDirectorySays) {
    FileBuilder file;
    file.add_vectors({1}, {1, 2});
    size_t at = file.add(kUnknown, {7, 7});
    file.commit();
    file.bytes[at + 5] ^= 0x40;
    StoreHandle store(open_file(file.bytes));
    EXPECT_EQ(rvf_store_warnings(store), kDamagedHeader);
    auto expected = kept_by(store);
    ASSERT_EQ(expected.size(), 1u);
    EXPECT_EQ(expected[0].first, kUnknown);
    StoreHandle appended(after_commit(store, file.bytes));
    EXPECT_EQ(kept_by(appended), expected);
    StoreHandle compacted(after_commit(store, file.bytes, kCompact));
    EXPECT_EQ(kept_by(compacted), expected);
    EXPECT_EQ(rvf_store_warnings(compacted), 0) << "the header is right again";
}

TEST(KeptSegment, IsNotMadeOfVectorsWhoseHeaderHasAWrongType) {
    for (uint8_t type : {kMeta, uint8_t{0x21}, kUnknown}) {
        FileBuilder file;
        size_t at = file.add_vectors({1, 2}, {1, 2, 3, 4});
        file.commit();
        file.bytes[at + 5] = type;
        StoreHandle store(open_file(file.bytes));
        Rows expected = rows_of(store);
        EXPECT_EQ(expected.size(), 2u);
        EXPECT_TRUE(kept_by(store).empty());
        StoreHandle again(after_commit(store, file.bytes));
        ASSERT_GT(again, 0);
        expected[99] = {9, 9};
        EXPECT_EQ(rows_of(again), expected);
        EXPECT_TRUE(kept_by(again).empty());
    }
}

TEST(KeptSegment, IsNotHiddenByAListedOneThatClaimsTooMuch) {
    FileBuilder file;
    size_t at = file.commit();
    file.add(kUnknown, {7, 7});
    file.commit();
    set(file.bytes, at + 16, get<uint64_t>(file.bytes, at + 16) + 66);
    StoreHandle store(open_file(file.bytes));
    ASSERT_GT(store, 0);
    EXPECT_EQ(kept_by(store).size(), 1u);
}

TEST(KeptSegment, IsNotHiddenByTheHeaderThatATornWriteLeft) {
    FileBuilder file;
    file.add_vectors({1}, {1, 2});
    file.commit();
    Buffer torn = segment(kVec, 9, Buffer(400));
    torn.resize(kHeaderBytes);
    std::fill(torn.begin() + 0x28, torn.begin() + 0x38, uint8_t{0}); // no hash tells it apart
    append(file.bytes, torn);
    file.add(kUnknown, {7, 7});
    file.commit();
    append(file.bytes, Buffer(400, 1)); // what it claims is there
    StoreHandle store(open_file(file.bytes));
    ASSERT_GT(store, 0);
    EXPECT_EQ(kept_by(store).size(), 1u);
}

TEST(KeptSegment, IsNotHiddenByASignatureThatLooksLikeADamagedManifest) {
    FileBuilder file;
    file.add(kUnknown, {7, 7});
    file.add(kUnknown, {8, 8});
    file.directory.clear(); // the hash decides, and whether a sound manifest follows
    Buffer signature = segment(kManifest, 9, {});
    signature[0x28] ^= 1;
    put(file.bytes, uint16_t{0}); // Ed25519
    put(file.bytes, uint16_t{64});
    append(file.bytes, signature);
    put(file.bytes, uint32_t{72});
    file.commit();
    StoreHandle store(open_file(file.bytes));
    EXPECT_EQ(kept_by(store).size(), 2u);
}

TEST(KeptSegment, OfForeignMetadataOfAnotherVersionDoesNotKeepTheFileFromOpening) {
    FileBuilder file;
    file.add_vectors({1}, {1, 2});
    size_t at = file.add(kMeta, {'{', '}'});
    file.directory.pop_back(); // a commit of ours lists it
    file.commit();
    file.bytes[at + 4] = 2;
    StoreHandle store(open_file(file.bytes));
    ASSERT_EQ(kept_by(store).size(), 1u);
    StoreHandle again(after_commit(store, file.bytes));
    ASSERT_GT(again, 0);
    EXPECT_EQ(kept_by(again), kept_by(store));
}

TEST(KeptSegment, OfABranchInsideAnotherSegmentIsCorrupt) {
    FileBuilder parent;
    parent.add_vectors({1}, {1, 2});
    parent.commit();
    FileBuilder inner, file;
    inner.bytes.resize(kHeaderBytes); // where the outer header will be
    inner.add(kCowMap, cow_map_payload(parent.bytes));
    inner.add(kMembership, membership_payload(8, {0xFF}));
    file.add(kUnknown, Buffer(inner.bytes.begin() + kHeaderBytes, inner.bytes.end()));
    file.directory = inner.directory;
    Entry own = {1, file.bytes.size(), 0, kManifest}; // the manifest itself, first: out of order
    file.directory.insert(file.directory.begin(), own);
    file.commit();
    auto child = exact_copy(file.bytes), base = exact_copy(parent.bytes);
    EXPECT_EQ(rvf_store_open_branch(address(child.get()), file.bytes.size(), address(base.get()),
                                    parent.bytes.size(), -1),
              kCowMapCorrupt);
}

TEST(TornWrite, OfABranchIsCutOffWhateverItsParentIs) {
    FileBuilder parent, file;
    parent.add_vectors({1}, {1, 2});
    size_t manifest = parent.commit();
    parent.bytes[manifest + kHeaderBytes + 6] ^= 1; // the only one, so it is taken with a warning
    file.add(kCowMap, cow_map_payload(parent.bytes));
    file.add(kMembership, membership_payload(8, {0xFF}));
    file.commit();
    size_t committed = file.bytes.size();
    append(file.bytes, segment(kUnknown, 9, {7, 7}));
    auto child = exact_copy(file.bytes), base = exact_copy(parent.bytes);
    StoreHandle store(rvf_store_open_branch(address(child.get()), file.bytes.size(),
                                            address(base.get()), parent.bytes.size(), -1));
    ASSERT_GT(store, 0);
    EXPECT_EQ(rvf_store_warnings(store), kTornTail | kDamagedManifest);
    EXPECT_EQ(store_of(store)->file_size, committed);
}

TEST(Freeze, OfAFileOfTheLastEpochFreezesIt) {
    FileBuilder file;
    file.epoch = ~0u;
    file.commit();
    StoreHandle store(open_file(file.bytes));
    ASSERT_EQ(rvf_store_freeze(store), 0);
    FileHost host{file.bytes};
    ASSERT_EQ(host.commit(store), 1);
    StoreHandle again(open_file(host.bytes));
    EXPECT_TRUE(store_of(again)->frozen);
}

TEST(LostMetadata, IsNotListedByTheCommitThatFollowsASalvage) {
    for (bool is_hash_bad : {false, true}) {
        FileBuilder file;
        file.add_vectors({1}, {1, 2});
        Buffer payload = {'R', 'V', 'M', 'D', 1, 0, 0, 0, 1, 0, 0}; // a record that is cut
        size_t at = file.add(kMeta, payload);
        if (is_hash_bad) file.bytes[at + kHeaderBytes] ^= 1; // and not even known as ours
        file.commit();
        EXPECT_LT(open_file(file.bytes), 0);
        StoreHandle store(salvage(file.bytes));
        EXPECT_EQ(rvf_store_losses(store, 0, 0), 1);
        StoreHandle appended(after_commit(store, file.bytes));
        ASSERT_GT(appended, 0) << "opens without salvage";
        EXPECT_EQ(rvf_store_count(appended), 2);
    }
}

TEST(StoreMetadata, IsNotInTheWayOfACommitThatDoesNotWriteIt) {
    StoreHandle store(2, kL2);
    FileHost file;
    Buffer entries = {0, 0, 5, 0x10, 0x27, 0, 0}; // 10,000 bytes
    entries.resize(entries.size() + 10'000, 0xAB);
    ingest(store, {1, 2}, {1, 2, 3, 4});
    ASSERT_EQ(rvf_store_set_metadata(store, 0, address(entries.data()), entries.size()), 1);
    ASSERT_EQ(file.commit(store), 1);
    remove_ids(store, {1});
    ASSERT_EQ(file.commit(store), 1);
    StoreHandle again(open_file(file.bytes));
    ASSERT_GT(again, 0);
    EXPECT_EQ(rvf_store_metadata(again, 0, 0, 0), static_cast<int32_t>(entries.size()));
    EXPECT_EQ(rows_of(again), (Rows{{2, {3, 4}}}));
}

TEST(Export, OfAStoreWhoseOwnMetadataWasTakenAwayHasNoMetaSegment) {
    StoreHandle store(2, kL2);
    ingest(store, {1}, {1, 2});
    const uint8_t entries[] = {0, 0, 4, 1, 0, 0, 0, 1};
    ASSERT_EQ(rvf_store_set_metadata(store, 0, address(entries), sizeof(entries)), 1);
    ASSERT_EQ(rvf_store_set_metadata(store, 0, address(entries), 0), 1);
    Buffer file = export_file(store);
    EXPECT_EQ(file[5], kVec);
    EXPECT_EQ(file[kHeaderBytes + get<uint64_t>(file, 16) + 5], kManifest);
}

} // namespace
} // namespace rvf::test
