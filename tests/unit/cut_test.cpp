// Files that are cut at every byte: what opens is the state of the last commit that is whole.
#include <gtest/gtest.h>

#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::address;
using test::Buffer;
using test::kernel_payload;
using test::Model;
using test::model_of;
using test::open_with;
using test::same;
using test::set_file_id;
using test::StoreHandle;
using test::upsert;

/// A file, and its state from each of its sizes on.
struct History {
    Buffer file;
    std::vector<std::pair<size_t, Model>> states;
    std::vector<Buffer> parents = {};

    void save(int32_t store) {
        ASSERT_EQ(test::save(store, file), 1);
        states.emplace_back(file.size(), model_of(store));
    }
    /// The state of the last commit that is in `size` bytes whole; nullptr before the first.
    const Model* at(size_t size) const {
        const Model* last = nullptr;
        for (const auto& [end, model] : states) {
            if (end <= size) last = &model;
        }
        return last;
    }
};

/// Cuts the file at every byte.
void expect_every_cut_opens_the_last_commit(const History& history) {
    for (size_t size = 0; size <= history.file.size(); ++size) {
        Buffer cut(history.file.begin(), history.file.begin() + static_cast<long>(size));
        StoreHandle store(open_with(cut, history.parents));
        const Model* expected = history.at(size);
        if (!expected) {
            ASSERT_EQ(store, kManifestNotFound) << size;
            continue;
        }
        ASSERT_GT(store, 0) << size;
        ASSERT_TRUE(same(model_of(store), *expected)) << size;
        bool whole = expected != history.at(size - 1);
        ASSERT_EQ(rvf_store_warnings(store), whole ? 0 : kTornTail) << size;
    }
}

TEST(Cut, AtEveryByteOfAFileOfAllKindsOfCommitsOpensTheLastOne) {
    History history;
    StoreHandle store(2, kCosine);
    set_file_id(store, 0xAB);
    history.save(store);
    test::ingest(store, {1, 2, 3}, {1, 0, 0, 1, 1, 1});
    history.save(store);
    upsert(store, 4, {3, 4}, test::text_entry(1, "four"));
    upsert(store, 2, {5, 5}, test::u64_entry(2, 22));
    history.save(store);
    test::set_metadata(store, 1, test::text_entry(1, "one"));
    test::set_about(store, test::text_entry(0, "names"));
    history.save(store);
    test::remove_ids(store, {3, 4});
    history.save(store);
    test::embed(store, test::kKernelImage, kernel_payload(40));
    test::embed(store, 0xF3, {1, 2, 3});
    history.save(store);
    test::ingest(store, {3}, {9, 9}); // live again
    history.save(store);
    test::remove_ids(store, {1});
    test::embed(store, 0xF3, {});
    test::set_metadata(store, 2, {});
    history.save(store);
    for (uint64_t id = 10; id < 16; ++id) { // layers merge
        upsert(store, id, {1, static_cast<float>(id)}, test::u64_entry(1, id));
        history.save(store);
    }
    ASSERT_EQ(rvf_store_freeze(store), 0);
    history.save(store);
    ASSERT_GE(history.states.size(), 15u);
    expect_every_cut_opens_the_last_commit(history);
}

TEST(Cut, AtEveryByteOfABranchOpensItsLastCommit) {
    StoreHandle parent(2, kL2);
    set_file_id(parent, 0xAB);
    for (uint64_t id = 0; id < 6; ++id) {
        upsert(parent, id, {1, static_cast<float>(id)}, test::u64_entry(1, id));
    }
    History history;
    history.parents.emplace_back();
    ASSERT_EQ(test::save(parent, history.parents[0]), 1);
    Buffer id(16, 0xCD);
    const Buffer& file = history.parents[0];
    StoreHandle branch(rvf_store_branch(parent, address(id.data()), address(file.data()),
                                        file.size(), address("p.rvf"), 5));
    ASSERT_GT(branch, 0);
    history.save(branch);
    test::remove_ids(branch, {1, 2});
    history.save(branch);
    upsert(branch, 2, {7, 7}, {});
    upsert(branch, 30, {8, 8}, test::text_entry(1, "own"));
    history.save(branch);
    test::set_metadata(branch, 4, test::text_entry(1, "mine"));
    history.save(branch);
    test::remove_ids(branch, {30, 0});
    history.save(branch);
    expect_every_cut_opens_the_last_commit(history);
}

TEST(Cut, AtEveryByteOfASignedFileOpensTheLastCommit) {
    History history;
    StoreHandle store(2, kL2);
    for (uint64_t id = 0; id < 4; ++id) {
        test::ingest(store, {id}, {1, static_cast<float>(id)});
        if (id == 2) test::embed(store, 0xF3, {1, 2, 3});
        ASSERT_EQ(test::save(store, history.file, {.signature = 0}), 1);
        // The last footer is behind the manifest; without it the commit is whole all the same.
        history.states.emplace_back(history.file.size() - 72, model_of(store));
    }
    for (size_t size = 0; size <= history.file.size(); ++size) {
        StoreHandle cut(
            open_with({history.file.begin(), history.file.begin() + static_cast<long>(size)}, {}));
        const Model* expected = history.at(size);
        if (!expected) {
            ASSERT_EQ(cut, kManifestNotFound) << size;
            continue;
        }
        ASSERT_GT(cut, 0) << size;
        ASSERT_TRUE(same(model_of(cut), *expected)) << size;
    }
}

} // namespace
} // namespace rvf
