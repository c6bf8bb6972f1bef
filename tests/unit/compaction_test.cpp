// Commits when memory is short, commits that compact, and what becomes of deleted ids.
#include <gtest/gtest.h>

#include "control/heap.h"
#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::Buffer;
using test::Commit;
using test::ingest;
using test::kJournal;
using test::kManifest;
using test::kVec;
using test::last_manifest;
using test::make_commit;
using test::Model;
using test::model_of;
using test::remove_ids;
using test::reopened;
using test::same;
using test::save;
using test::State;
using test::StoreHandle;
using test::upsert;
using test::write_commit;

// --- Memory ---

TEST(Commit, WithoutMemoryLeavesTheStoreAsItWas) {
    StoreHandle store(3, kL2);
    Buffer file;
    for (uint64_t id = 0; id < 12; ++id) { // so that the commit below merges layers
        upsert(store, id, {1, 2, static_cast<float>(id)}, test::u64_entry(1, id));
        if (id % 3 == 0) remove_ids(store, {id / 2});
        ASSERT_EQ(save(store, file), 1);
    }
    upsert(store, 3, {9, 9, 9}, test::text_entry(2, "two"));
    upsert(store, 50, {5, 5, 5}, {});
    remove_ids(store, {4});
    test::embed(store, 0xF0, Buffer(300, 7));
    const Model model = model_of(store);
    for (uint32_t flags : {0u, uint32_t{kCompact}}) {
        int failures = 0;
        Commit commit;
        for (size_t more = 0;; more += 16, ++failures) {
            rvf_memory_limit(static_cast<size_t>(memory_size()) + more);
            commit = make_commit(store, {.flags = flags});
            rvf_memory_limit(~size_t{0});
            if (commit.answer != kOutOfMemory) break;
            ASSERT_LT(more, 1u << 20);
            EXPECT_EQ(State(store).pending, 0u);
            EXPECT_EQ(State(store).changed, 1u);
            ASSERT_TRUE(same(model_of(store), model));
        }
        EXPECT_GT(failures, 10);
        ASSERT_EQ(commit.answer, 1);
        Buffer written = file;
        write_commit(written, commit);
        EXPECT_TRUE(same(reopened(written), model));
        ASSERT_EQ(rvf_store_discard(store), 0);
    }
}

TEST(Commit, AcknowledgesAndDiscardsWithoutMemory) {
    for (bool keeps : {true, false}) {
        StoreHandle store(2, kL2);
        Buffer file;
        upsert(store, 1, {1, 2}, test::u64_entry(1, 1));
        test::embed(store, 0xF0, Buffer(300, 7));
        Commit commit = make_commit(store, {.signature = 0});
        ASSERT_EQ(commit.answer, 1);
        rvf_memory_limit(0);
        EXPECT_EQ(keeps ? rvf_store_acknowledge(store) : rvf_store_discard(store), 0);
        rvf_memory_limit(~size_t{0});
        if (keeps) write_commit(file, commit);
        const Model model = model_of(store);
        save(store, file);
        EXPECT_TRUE(same(reopened(file), model));
    }
}

// --- Compaction ---

TEST(Commit, CompactionReplacesTheFile) {
    StoreHandle store(2, kL2);
    Buffer file;
    for (uint64_t id = 0; id < 50; ++id) {
        upsert(store, id, {1, static_cast<float>(id)}, test::u64_entry(1, id));
        if (id % 2) remove_ids(store, {id - 1});
        if (id == 20) test::embed(store, 0xF0, {1, 2, 3});
        ASSERT_EQ(save(store, file), 1);
    }
    const Model model = model_of(store);
    size_t before = file.size();
    Commit commit = make_commit(store, {.flags = kCompact});
    ASSERT_EQ(commit.answer, 1);
    EXPECT_TRUE(commit.replaces);
    EXPECT_EQ(commit.offset, 0u);
    write_commit(file, commit);
    ASSERT_EQ(rvf_store_acknowledge(store), 0);
    EXPECT_LT(file.size(), before / 3);
    EXPECT_TRUE(last_manifest(file).deleted.empty());
    EXPECT_EQ(test::of_type(file, kVec).size(), 1u);
    EXPECT_TRUE(test::of_type(file, kJournal).empty());
    EXPECT_EQ(test::of_type(file, kManifest).size(), 1u);
    EXPECT_TRUE(same(reopened(file), model));

    upsert(store, 99, {9, 9}, {});
    ASSERT_EQ(save(store, file), 1);
    EXPECT_TRUE(same(reopened(file), model_of(store)));
}

TEST(Commit, CompactionOfAnUnchangedStoreIsMadeAllTheSame) {
    StoreHandle store(2, kL2);
    Buffer file;
    ingest(store, {1}, {1, 2});
    ASSERT_EQ(save(store, file), 1);
    EXPECT_EQ(save(store, file, {.flags = kCompact}), 1);
    EXPECT_EQ(last_manifest(file).epoch, 2u);
}

TEST(Commit, ACompactionThatIsDiscardedLeavesTheOldFileInUse) {
    StoreHandle store(2, kL2);
    Buffer file;
    for (uint64_t id = 0; id < 10; ++id) {
        upsert(store, id, {1, static_cast<float>(id)}, test::u64_entry(1, id));
        ASSERT_EQ(save(store, file), 1);
    }
    remove_ids(store, {3});
    ASSERT_EQ(save(store, file), 1);
    ASSERT_EQ(make_commit(store, {.flags = kCompact}).answer, 1);
    ASSERT_EQ(rvf_store_discard(store), 0);
    EXPECT_EQ(State(store).file_size, file.size());
    ingest(store, {77}, {7, 7});
    ASSERT_EQ(save(store, file), 1);
    EXPECT_TRUE(same(reopened(file), model_of(store)));
}

// --- Deleted ids ---

TEST(Commit, DeletedIdsLeaveTheListWhenNoVectorsOfTheirsAreLeft) {
    StoreHandle store(2, kL2);
    Buffer file;
    for (uint64_t id = 0; id < 7; ++id) {
        ingest(store, {id}, {1, 2});
        ASSERT_EQ(save(store, file), 1);
    }
    remove_ids(store, {2, 5});
    ASSERT_EQ(save(store, file), 1);
    EXPECT_EQ(State(store).deleted, last_manifest(file).deleted.size());
    for (uint64_t id = 10; id < 30; ++id) { // all eight layers become one
        ingest(store, {id}, {1, 2});
        ASSERT_EQ(save(store, file), 1);
    }
    EXPECT_TRUE(last_manifest(file).deleted.empty());
    EXPECT_EQ(State(store).deleted, 0u);
    EXPECT_TRUE(same(reopened(file), model_of(store)));
}

TEST(Commit, AnIdThatIsIngestedAgainIsLive) {
    StoreHandle store(2, kL2);
    Buffer file;
    upsert(store, 1, {1, 1}, test::u64_entry(1, 1));
    upsert(store, 2, {2, 2}, {});
    ASSERT_EQ(save(store, file), 1);
    remove_ids(store, {1});
    ASSERT_EQ(save(store, file), 1);
    EXPECT_EQ(last_manifest(file).deleted, (std::vector<uint64_t>{1}));
    upsert(store, 1, {7, 7}, {});
    ASSERT_EQ(save(store, file), 1);
    EXPECT_TRUE(last_manifest(file).deleted.empty());
    Model model = reopened(file);
    EXPECT_EQ(model.rows.at(1), (test::Record{{7, 7}, {}}));
    StoreHandle again(test::open_file(file));
    remove_ids(again, {1}); // and deleted for good when it is deleted again
    ASSERT_EQ(save(again, file), 1);
    EXPECT_FALSE(reopened(file).rows.contains(1));
}

} // namespace
} // namespace rvf
