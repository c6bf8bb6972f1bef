// Memory that cannot grow: every call succeeds or answers kOutOfMemory, and then nothing has
// changed.
//
// rvf_memory_limit makes the next allocation fail; each test moves the limit up byte by byte, or in
// small steps, until the call succeeds, so that every allocation inside it has failed once.
#include <gtest/gtest.h>

#include "control/heap.h"
#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::Buffer;
using test::export_file;
using test::FileBuilder;
using test::ingest;
using test::open_file;
using test::query;
using test::StoreHandle;

constexpr size_t kNoLimit = ~size_t{0};

/// Limits memory to what is held and `more` bytes as long as it lives.
struct Limit {
    explicit Limit(size_t more) { rvf_memory_limit(static_cast<size_t>(memory_size()) + more); }
    ~Limit() { rvf_memory_limit(kNoLimit); }
};

/// Calls `call` under growing limits until it does not answer kOutOfMemory; answers how often it
/// did.
template <typename Call, typename Check>
int sweep(size_t step, Call call, Check check) {
    int failures = 0;
    for (size_t more = 0; more < (64u << 20); more += step) {
        int32_t answer;
        {
            Limit limit(more);
            answer = call();
        }
        if (answer != kOutOfMemory) {
            EXPECT_GE(answer, 0);
            return failures;
        }
        ++failures;
        check();
        if (testing::Test::HasFailure()) return failures;
    }
    ADD_FAILURE() << "never succeeded";
    return failures;
}

/// Every store that lives holds memory; at the end all of it must be back.
class OutOfMemory : public testing::Test {
protected:
    uint64_t before = memory_size();
    void TearDown() override { EXPECT_EQ(memory_size(), before); }
};

TEST_F(OutOfMemory, CreateLeavesNothingBehind) {
    for (int32_t dimension : {1, 100, 65535}) {
        int32_t handle = 0;
        int failures = sweep(
            16, [&] { return handle = rvf_store_create(dimension, kL2); },
            [&] { EXPECT_EQ(memory_size(), before); });
        EXPECT_GE(failures, 3);
        EXPECT_EQ(rvf_store_close(handle), 0);
    }
}

TEST_F(OutOfMemory, OpenLeavesNothingBehind) {
    FileBuilder file;
    std::vector<uint64_t> ids(300);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    file.add_vectors(ids, std::vector<float>(600, 1.0f));
    file.add(test::kMeta, Buffer(1000, 1));
    file.commit();
    int32_t handle = 0;
    int failures = sweep(
        8, [&] { return handle = open_file(file.bytes); },
        [&] { EXPECT_EQ(memory_size(), before); });
    EXPECT_GT(failures, 100);
    EXPECT_EQ(rvf_store_count(handle), 300);
    EXPECT_EQ(rvf_store_close(handle), 0);
}

// The kept segments are copied last, when everything else is held.
TEST_F(OutOfMemory, OpenWithLargeKeptSegmentsLeavesNothingBehind) {
    FileBuilder file;
    file.add_vectors({1, 2, 3}, {1, 2, 3, 4, 5, 6});
    file.add(test::kMeta, Buffer(20'000, 1));
    file.commit();
    int32_t handle = 0;
    int failures = sweep(
        64, [&] { return handle = open_file(file.bytes); },
        [&] { EXPECT_EQ(memory_size(), before); });
    EXPECT_GT(failures, 300);
    EXPECT_EQ(rvf_store_close(handle), 0);
}

TEST_F(OutOfMemory, OpenOfABranchLeavesNothingBehind) {
    FileBuilder parent;
    std::vector<uint64_t> ids(100);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    parent.add_vectors(ids, std::vector<float>(200, 1.0f));
    parent.commit();
    FileBuilder file;
    file.add(test::kCowMap, test::cow_map_payload(parent.bytes));
    file.add(test::kMembership, test::membership_payload(104, Buffer(13, 0xFF)));
    file.add_vectors({500}, {1, 2});
    file.commit();
    int32_t handle = 0;
    int failures = sweep(
        8,
        [&] {
            return handle = rvf_store_open_branch(
                       test::address(file.bytes.data()), file.bytes.size(),
                       test::address(parent.bytes.data()), parent.bytes.size(), -1);
        },
        [&] { EXPECT_EQ(memory_size(), before); });
    EXPECT_GT(failures, 100);
    EXPECT_EQ(rvf_store_count(handle), 101);
    EXPECT_EQ(rvf_store_close(handle), 0);
}

/// The whole observable state of a store.
struct State {
    Buffer file;
    std::vector<uint32_t> status;
    std::vector<test::Answer> answers;
    bool operator==(const State& other) const = default;

    explicit State(int32_t store) : file(export_file(store)), status(5) {
        rvf_store_status(store, test::address(status.data()));
        auto dimension = static_cast<size_t>(rvf_store_dimension(store));
        if (status[0]) answers = query(store, std::vector<float>(dimension, 0.5f), 20);
    }
};

void expect_all_or_nothing(int32_t dimension, size_t had, size_t added, size_t step) {
    StoreHandle store(dimension, kL2);
    test::Random random(90);
    auto size = static_cast<size_t>(dimension);
    auto ids_from = [](size_t first, size_t count) {
        std::vector<uint64_t> ids(count);
        for (size_t i = 0; i < count; ++i) ids[i] = first + i;
        return ids;
    };
    if (had) {
        ASSERT_EQ(ingest(store, ids_from(0, had), random.vector(had * size, -1, 1)),
                  static_cast<int32_t>(had));
        test::remove_ids(store, ids_from(0, had / 10));
    }
    State state(store);
    // Half of the ids are new, so that a batch that failed half-way would show in either half.
    std::vector<uint64_t> ids = ids_from(had - std::min(had, added / 2), added);
    std::vector<float> vectors = random.vector(added * size, -1, 1);
    int failures = sweep(
        step, [&] { return ingest(store, ids, vectors); }, [&] { EXPECT_EQ(State(store), state); });
    EXPECT_GT(failures, 0);
    test::Rows rows = test::rows_of(store);
    for (size_t i = 0; i < added; ++i) {
        auto first = vectors.begin() + static_cast<long>(i * size);
        ASSERT_EQ(rows.at(ids[i]), std::vector<float>(first, first + dimension));
    }
}

TEST_F(OutOfMemory, IngestIntoAnEmptyStoreIsAllOrNothing) { expect_all_or_nothing(2, 0, 5, 4); }

TEST_F(OutOfMemory, IngestThatGrowsTheFirstChunkIsAllOrNothing) {
    expect_all_or_nothing(2, 10, 100, 16);
}

// Chunks hold a few MB, and so 16 rows of the most dimensions.
TEST_F(OutOfMemory, IngestThatAddsChunksIsAllOrNothing) {
    expect_all_or_nothing(65535, 10, 60, 200'000);
}

TEST_F(OutOfMemory, ReplacingNeedsNoMemory) {
    StoreHandle store(2, kL2);
    ASSERT_EQ(ingest(store, {1, 2, 3}, {1, 1, 2, 2, 3, 3}), 3);
    ASSERT_EQ(test::remove_ids(store, {2}), 1);
    Limit limit(0);
    EXPECT_EQ(ingest(store, {1, 3}, {4, 4, 6, 6}), 2);
    EXPECT_EQ(ingest(store, {9}, {7, 7}), 1); // where 2 was
    EXPECT_EQ(test::rows_of(store), (test::Rows{{1, {4, 4}}, {3, {6, 6}}, {9, {7, 7}}}));
}

// What was deleted must be remembered until the file knows.
TEST_F(OutOfMemory, DeletingIsAllOrNothing) {
    StoreHandle store(2, kL2);
    ASSERT_EQ(ingest(store, {1, 2, 3}, {1, 1, 2, 2, 3, 3}), 3);
    State state(store);
    int failures = sweep(
        4, [&] { return test::remove_ids(store, {3, 1}); },
        [&] { EXPECT_EQ(State(store), state); });
    EXPECT_GT(failures, 2);
    EXPECT_EQ(test::rows_of(store), (test::Rows{{2, {2, 2}}}));
}

TEST_F(OutOfMemory, QueryAndExportNeedNoMemory) {
    StoreHandle store(2, kL2);
    ASSERT_EQ(ingest(store, {1, 2, 3}, {1, 1, 2, 2, 3, 3}), 3);
    Buffer file = export_file(store);
    std::vector<test::Answer> answers = query(store, {1, 2}, 3);
    Limit limit(0);
    EXPECT_EQ(export_file(store), file);
    EXPECT_EQ(query(store, {1, 2}, 3), answers);
}

TEST_F(OutOfMemory, AFullStoreWorksAgainWhenTheLimitIsLifted) {
    StoreHandle store(100, kL2);
    const std::vector<float> vectors(100'000, 1.0f);
    std::vector<uint64_t> ids(1000);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = i;
    {
        Limit limit(1000);
        EXPECT_EQ(ingest(store, ids, vectors), kOutOfMemory);
    }
    EXPECT_EQ(ingest(store, ids, vectors), 1000);
}

TEST_F(OutOfMemory, TheThousandAndTwentyFifthStoreLeavesNothingBehind) {
    std::vector<int32_t> handles;
    for (int i = 0; i < 1024; ++i) handles.push_back(rvf_store_create(1, kL2));
    uint64_t full = memory_size();
    EXPECT_EQ(rvf_store_create(1, kL2), kTooManyStores);
    FileBuilder file;
    file.add_vectors({1}, {1, 2});
    file.commit();
    EXPECT_EQ(open_file(file.bytes), kTooManyStores);
    EXPECT_EQ(memory_size(), full);
    for (int32_t handle : handles) rvf_store_close(handle);
}

TEST_F(OutOfMemory, RefusedFilesLeaveNothingBehind) {
    FileBuilder file;
    file.add_vectors({1, 2}, {1, 2, 3, 4});
    file.add(test::kMeta, Buffer(30, 1));
    file.commit();
    for (size_t at = 0; at < file.bytes.size(); ++at) {
        Buffer damaged = file.bytes;
        damaged[at] ^= 0x81;
        int32_t handle = open_file(damaged);
        if (handle > 0) rvf_store_close(handle);
        ASSERT_EQ(memory_size(), before) << at;
    }
}

TEST_F(OutOfMemory, AllocAndFreeBalance) {
    EXPECT_EQ(rvf_alloc(0), 0u);
    uintptr_t block = rvf_alloc(1000);
    ASSERT_NE(block, 0u);
    EXPECT_EQ(block % 16, 0u);
    rvf_free(block, 1000);
    rvf_free(0, 1000);
    Limit limit(999);
    EXPECT_EQ(rvf_alloc(1000), 0u);
}

} // namespace
} // namespace rvf
