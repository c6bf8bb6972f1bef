// rvf_store_commit, _acknowledge, _discard: what is appended, what it costs, and what holds when it
// fails. Bytes are read with the parsers of tests/unit, not with the code under test.
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::Buffer;
using test::Commit;
using test::ingest;
using test::kJournal;
using test::kManifest;
using test::kMeta;
using test::kSomeTime;
using test::kVec;
using test::kWitness;
using test::last_manifest;
using test::make_commit;
using test::Model;
using test::model_of;
using test::Random;
using test::remove_ids;
using test::reopened;
using test::same;
using test::save;
using test::State;
using test::StoreHandle;
using test::upsert;
using test::walk;
using test::write_commit;

std::vector<uint8_t> types_of(const Buffer& file) {
    std::vector<uint8_t> types;
    for (const test::Found& segment : walk(file)) types.push_back(segment.type);
    return types;
}

// --- What is written ---

TEST(Commit, OfANewStoreIsAWitnessAndAManifest) {
    StoreHandle store(3, kCosine);
    Buffer file;
    ASSERT_EQ(save(store, file), 1);
    EXPECT_EQ(types_of(file), (std::vector<uint8_t>{kWitness, kManifest}));
    test::ManifestFields manifest = last_manifest(file);
    EXPECT_EQ(manifest.epoch, 1u);
    EXPECT_EQ(manifest.dimension, 3);
    EXPECT_EQ(manifest.metric, kCosine);
    EXPECT_EQ(manifest.total, 0u);
    EXPECT_TRUE(manifest.deleted.empty());
}

TEST(Commit, OfVectorsWritesTheBytesOfTheFormat) {
    StoreHandle store(2, kL2);
    ASSERT_EQ(ingest(store, {7, 3}, {1, 2, 3, 4}), 2);
    Commit commit = make_commit(store);
    ASSERT_EQ(commit.answer, 1);
    EXPECT_EQ(commit.offset, 0u);
    EXPECT_FALSE(commit.replaces);

    Buffer action = test::bytes_of("ingest:count=2,epoch=1");
    Buffer witness = {1};
    test::put(witness, kSomeTime);
    test::put(witness, static_cast<uint32_t>(action.size()));
    test::append(witness, action);
    test::append(witness, Buffer(32));
    Buffer data = test::segment(kVec, 1, test::vec_payload(2, {7, 3}, {1, 2, 3, 4}));
    size_t second = data.size();
    test::append(data, test::segment(kWitness, 2, witness));
    EXPECT_EQ(commit.data, data);

    test::FileBuilder manifest;
    manifest.epoch = 1;
    manifest.directory = {{1, 0, 38, kVec}, {2, second, witness.size(), kWitness}};
    Buffer payload = manifest.manifest_payload();
    test::set(payload, 6, uint64_t{2});
    EXPECT_EQ(commit.manifest, test::segment(kManifest, 3, payload));
}

TEST(Commit, AppendsOnlyWhatChanged) {
    StoreHandle store(2, kL2);
    Buffer file;
    ingest(store, {1, 2}, {1, 1, 2, 2});
    ASSERT_EQ(save(store, file), 1);
    const Buffer before = file;
    ingest(store, {2, 3}, {5, 5, 3, 3});
    Commit commit = make_commit(store);
    EXPECT_EQ(commit.offset, before.size());
    EXPECT_EQ(walk(commit.data)[0].payload, test::vec_payload(2, {2, 3}, {5, 5, 3, 3}));
    write_commit(file, commit);
    EXPECT_EQ(Buffer(file.begin(), file.begin() + static_cast<long>(before.size())), before);
    EXPECT_EQ(last_manifest(file).types(), (std::vector<uint8_t>{kVec, kVec, kWitness}));
    EXPECT_EQ(last_manifest(file).total, 3u);
}

TEST(Commit, OfADeleteWritesAJournalAWitnessAndTheList) {
    StoreHandle store(2, kL2);
    Buffer file;
    ingest(store, {4, 9, 6}, {1, 1, 2, 2, 3, 3});
    ASSERT_EQ(save(store, file), 1);
    size_t before = file.size();
    ASSERT_EQ(remove_ids(store, {9, 4, 5}), 2);
    ASSERT_EQ(save(store, file), 1);
    std::vector<test::Found> added = walk({file.begin() + static_cast<long>(before), file.end()});
    ASSERT_EQ(added.size(), 3u);
    Buffer journal;
    test::put(journal, uint32_t{2});
    test::put(journal, uint32_t{2}); // the epoch that it makes
    test::put(journal, uint64_t{0});
    for (uint64_t id : std::vector<uint64_t>{9, 4}) {
        test::put(journal, uint16_t{1});
        test::put(journal, uint16_t{8});
        test::put(journal, id);
    }
    EXPECT_EQ(added[0].type, kJournal);
    EXPECT_EQ(added[0].payload, journal);
    EXPECT_EQ(added[1].type, kWitness);
    EXPECT_EQ(added[1].payload[0], 0); // data provenance, as upstream has it for deletions
    Buffer action(added[1].payload.begin() + 13, added[1].payload.end() - 32);
    EXPECT_EQ(action, test::bytes_of("delete:count=2,epoch=2"));
    EXPECT_EQ(last_manifest(file).deleted, (std::vector<uint64_t>{4, 9}));
    EXPECT_EQ(last_manifest(file).total, 3u); // deleted ones included, as upstream counts
}

TEST(Commit, OfMetadataAloneWritesNoVectors) {
    StoreHandle store(2, kL2);
    Buffer file;
    ingest(store, {1, 2}, {1, 1, 2, 2});
    ASSERT_EQ(save(store, file), 1);
    size_t before = file.size();
    Buffer entries = test::text_entry(5, "five");
    ASSERT_EQ(test::set_metadata(store, 2, entries), 1);
    ASSERT_EQ(save(store, file), 1);
    std::vector<test::Found> added = walk({file.begin() + static_cast<long>(before), file.end()});
    ASSERT_EQ(added[0].type, kMeta);
    Buffer payload = test::bytes_of("RVMD");
    test::put(payload, uint16_t{1});
    test::put(payload, uint16_t{1}); // the first record is the store's own
    test::append(payload, Buffer(12));
    test::put(payload, uint64_t{2});
    test::put(payload, static_cast<uint32_t>(entries.size()));
    test::append(payload, entries);
    EXPECT_EQ(added[0].payload, payload);
    EXPECT_EQ(added[1].type, kWitness);
    EXPECT_EQ(added.size(), 3u);
}

TEST(Commit, OfAStoreWithoutMetadataWritesNoMetaSegment) {
    StoreHandle store(2, kL2);
    Buffer file;
    for (uint64_t id = 0; id < 20; ++id) {
        ingest(store, {id}, {1, 2});
        ASSERT_EQ(save(store, file), 1);
    }
    EXPECT_TRUE(test::of_type(file, kMeta).empty());
}

TEST(Commit, GivesEverySegmentAnIdOfItsOwn) {
    StoreHandle store(2, kL2);
    Buffer file;
    std::set<uint64_t> ids;
    for (uint64_t id = 0; id < 30; ++id) {
        upsert(store, id, {1, 2}, test::u64_entry(1, id));
        if (id % 7 == 3) remove_ids(store, {id - 2});
        if (id % 5 == 2) test::embed(store, 0xF0, {1, 2, 3});
        ASSERT_EQ(save(store, file), 1);
    }
    for (const test::Found& segment : walk(file)) {
        EXPECT_TRUE(ids.insert(segment.id).second) << segment.id;
    }
}

TEST(Commit, ListsItsSegmentsInFileOrder) {
    StoreHandle store(2, kL2);
    Buffer file;
    for (uint64_t id = 0; id < 40; ++id) {
        upsert(store, id, {1, 2}, test::u64_entry(1, id));
        if (id % 5 == 2) test::embed(store, 0xF0, {1, 2, 3});
        ASSERT_EQ(save(store, file), 1);
        uint64_t last = 0;
        for (const test::Entry& entry : last_manifest(file).directory) {
            EXPECT_TRUE(entry.offset > last || last == 0);
            last = entry.offset;
            EXPECT_EQ(test::get<uint64_t>(file, entry.offset + 8), entry.id);
            EXPECT_EQ(test::get<uint64_t>(file, entry.offset + 16), entry.length);
            EXPECT_EQ(file[entry.offset + 5], entry.type);
        }
    }
}

TEST(Commit, PutsItsTimeIntoItsWitness) {
    StoreHandle store(2, kL2);
    Buffer file;
    for (uint64_t time : {uint64_t{0}, kSomeTime, ~uint64_t{0}}) {
        ingest(store, {1}, {1, 2});
        ASSERT_EQ(save(store, file, {.time_ns = time}), 1);
        EXPECT_EQ(test::get<uint64_t>(test::of_type(file, kWitness).back().payload, 1), time);
    }
}

// --- What it costs ---

TEST(Commit, OfOneVectorIntoTenThousandIsSmall) {
    StoreHandle store(16, kL2);
    Random random(1);
    std::vector<uint64_t> ids(10'000);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    ingest(store, ids, random.vector(160'000, -1, 1));
    Buffer file;
    ASSERT_EQ(save(store, file), 1);
    EXPECT_GT(file.size(), 700'000u);
    ingest(store, {5}, random.vector(16, -1, 1));
    Commit commit = make_commit(store);
    EXPECT_LT(commit.size(), 600u);
}

struct Grown {
    Buffer file;
    std::vector<size_t> sizes; ///< after each thousand commits
    size_t most_entries = 0;
    size_t longest_manifest = 0;
};

Grown one_vector_at_a_time(uint32_t commits) {
    Grown grown;
    StoreHandle store(1, kL2);
    for (uint64_t id = 0; id < commits; ++id) {
        ingest(store, {id}, {static_cast<float>(id)});
        Commit commit = make_commit(store);
        EXPECT_EQ(commit.answer, 1);
        write_commit(grown.file, commit);
        rvf_store_acknowledge(store);
        grown.longest_manifest = std::max(grown.longest_manifest, commit.manifest.size());
        size_t entries = test::get<uint32_t>(commit.manifest, 64 + 14);
        grown.most_entries = std::max(grown.most_entries, entries);
        if ((id + 1) % 1000 == 0) grown.sizes.push_back(grown.file.size());
    }
    EXPECT_EQ(rvf_store_count(store), static_cast<int32_t>(commits));
    return grown;
}

TEST(Commit, FiveThousandOfOneVectorGrowTheFileInALineAndKeepTheDirectorySmall) {
    Grown grown = one_vector_at_a_time(5000);
    EXPECT_LE(grown.most_entries, 60u);
    EXPECT_LT(grown.longest_manifest, 2000u); // upstream's SDK looks 64 KiB back
    double ratio = static_cast<double>(grown.sizes[3]) / static_cast<double>(grown.sizes[1]);
    EXPECT_LT(ratio, 2.2) << testing::PrintToString(grown.sizes);
    EXPECT_LT(grown.file.size(), 5000u * 800);
    Model model = reopened(grown.file);
    ASSERT_EQ(model.rows.size(), 5000u);
    for (const auto& [id, record] : model.rows) {
        EXPECT_EQ(record.vector, (std::vector<float>{static_cast<float>(id)}));
    }
}

TEST(Commit, ManyDeletedIdsAreMergedAwayBeforeTheManifestIsTooLong) {
    StoreHandle store(1, kL2);
    std::vector<uint64_t> ids(20'000);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    ingest(store, ids, std::vector<float>(ids.size(), 1.0f));
    Buffer file;
    ASSERT_EQ(save(store, file), 1);
    for (size_t first = 0; first < 19'000; first += 500) {
        auto from = ids.begin() + static_cast<long>(first);
        ASSERT_EQ(remove_ids(store, {from, from + 500}), 500);
        Commit commit = make_commit(store);
        EXPECT_LT(commit.manifest.size(), 65'000u);
        write_commit(file, commit);
        rvf_store_acknowledge(store);
    }
    EXPECT_EQ(reopened(file).rows.size(), 1000u);
}

// --- Nothing to do, twice, and without ---

TEST(Commit, AnswersZeroWhenNothingHasChanged) {
    StoreHandle store(2, kL2);
    Buffer file;
    ingest(store, {1}, {1, 2});
    ASSERT_EQ(save(store, file), 1);
    EXPECT_EQ(make_commit(store).answer, 0);
    EXPECT_EQ(rvf_store_acknowledge(store), kCommitPending);
    StoreHandle again(test::open_file(file));
    EXPECT_EQ(make_commit(again).answer, 0);
    EXPECT_EQ(remove_ids(again, {77}), 0);
    EXPECT_EQ(ingest(again, {}, {}), 0);
    EXPECT_EQ(make_commit(again).answer, 0);
}

TEST(Commit, IsPendingUntilItIsAcknowledged) {
    StoreHandle store(2, kL2);
    Buffer file;
    EXPECT_EQ(rvf_store_acknowledge(store), kCommitPending);
    EXPECT_EQ(rvf_store_discard(store), kCommitPending);
    ingest(store, {1}, {1, 2});
    Commit commit = make_commit(store);
    EXPECT_EQ(State(store).pending, 1u);
    EXPECT_EQ(make_commit(store).answer, kCommitPending);
    EXPECT_EQ(rvf_store_freeze(store), kCommitPending);
    EXPECT_EQ(test::embed(store, 0xF0, {1}), kCommitPending);
    EXPECT_EQ(rvf_store_acknowledge(store), 0);
    EXPECT_EQ(State(store).pending, 0u);
    EXPECT_EQ(rvf_store_acknowledge(store), kCommitPending);
    EXPECT_EQ(State(store).file_size, commit.size());
}

TEST(Commit, RefusesUnknownFlagsAndSignatures) {
    StoreHandle store(2, kL2);
    EXPECT_EQ(make_commit(store, {.flags = 2}).answer, kInvalidArgument);
    EXPECT_EQ(make_commit(store, {.signature = 3}).answer, kInvalidArgument);
    EXPECT_EQ(make_commit(store, {.signature = -2}).answer, kInvalidArgument);
    EXPECT_EQ(rvf_store_commit(store, 0, -1, 0, 0), kInvalidPointer);
    EXPECT_EQ(State(store).pending, 0u);
}

TEST(Commit, ThatIsDiscardedIsMadeAgainByTheNext) {
    StoreHandle store(2, kL2);
    Buffer file;
    upsert(store, 1, {1, 1}, test::u64_entry(1, 1));
    upsert(store, 2, {2, 2}, {});
    ASSERT_EQ(save(store, file), 1);
    upsert(store, 3, {3, 3}, test::u64_entry(1, 3));
    test::set_metadata(store, 2, test::u64_entry(1, 2));
    test::set_about(store, test::text_entry(1, "one"));
    remove_ids(store, {1});
    test::embed(store, 0xF0, {1, 2, 3});
    const Model model = model_of(store);
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(make_commit(store).answer, 1);
        ASSERT_EQ(rvf_store_discard(store), 0);
        EXPECT_TRUE(same(model_of(store), model));
        EXPECT_EQ(State(store).file_size, file.size());
    }
    ASSERT_EQ(save(store, file), 1);
    EXPECT_TRUE(same(reopened(file), model));
    EXPECT_EQ(make_commit(store).answer, 0);
}

TEST(Commit, ChangesMadeBeforeItIsAcknowledgedBelongToTheNext) {
    StoreHandle store(2, kL2);
    Buffer file;
    upsert(store, 1, {1, 1}, {});
    upsert(store, 2, {2, 2}, test::u64_entry(1, 2));
    upsert(store, 3, {3, 3}, {});
    const Model first = model_of(store);
    Commit commit = make_commit(store);
    upsert(store, 2, {5, 5}, {});
    remove_ids(store, {1});
    upsert(store, 4, {4, 4}, test::u64_entry(1, 4));
    test::set_metadata(store, 3, test::u64_entry(1, 33));
    test::set_about(store, test::text_entry(1, "one"));
    const Model second = model_of(store);
    write_commit(file, commit);
    ASSERT_EQ(rvf_store_acknowledge(store), 0);
    EXPECT_TRUE(same(reopened(file), first));
    EXPECT_TRUE(same(model_of(store), second));
    ASSERT_EQ(save(store, file), 1);
    EXPECT_TRUE(same(reopened(file), second));
}

TEST(Commit, ChangesMadeBeforeItIsDiscardedAreInTheNextToo) {
    StoreHandle store(2, kL2);
    Buffer file;
    upsert(store, 1, {1, 1}, {});
    upsert(store, 2, {2, 2}, test::u64_entry(1, 2));
    ASSERT_EQ(make_commit(store).answer, 1);
    remove_ids(store, {1});
    upsert(store, 2, {5, 5}, {});
    upsert(store, 3, {3, 3}, {});
    ASSERT_EQ(rvf_store_discard(store), 0);
    ASSERT_EQ(save(store, file), 1);
    EXPECT_TRUE(same(reopened(file), model_of(store)));
    EXPECT_TRUE(last_manifest(file).deleted.empty()); // no file ever held id 1
}

// An id that is deleted while a commit with it is pending is in the file, and must be listed.
TEST(Commit, AnIdDeletedWhileItsCommitIsPendingIsListedByTheNext) {
    StoreHandle store(2, kL2);
    Buffer file;
    ingest(store, {1, 2}, {1, 1, 2, 2});
    Commit commit = make_commit(store);
    remove_ids(store, {1});
    write_commit(file, commit);
    rvf_store_acknowledge(store);
    ASSERT_EQ(save(store, file), 1);
    EXPECT_EQ(last_manifest(file).deleted, (std::vector<uint64_t>{1}));
    EXPECT_TRUE(same(reopened(file), model_of(store)));
}

} // namespace
} // namespace rvf
