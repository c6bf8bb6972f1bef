// Stores that own the file they were opened from: vectors of large layers stay where they are in
// it. The same file opened by copying, which takes another way through the code, is the reference.
#include <gtest/gtest.h>

#include <numeric>

#include "control/signature.h"
#include "tests/unit/file_host.h"
#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::address;
using test::Buffer;
using test::export_file;
using test::FileBuilder;
using test::FileHost;
using test::open_file;
using test::Random;
using test::StoreHandle;

constexpr uint16_t kDimension = 1024;
constexpr uint8_t kUnknown = 0xF3;
constexpr uint32_t kChunkRows = 1024; ///< of 4 KiB: what a chunk of 4 MiB holds

uintptr_t heap_copy(const Buffer& file) {
    uintptr_t at = rvf_alloc(file.size());
    std::memcpy(reinterpret_cast<void*>(at), file.data(), file.size());
    return at;
}

int32_t open_taking(const Buffer& file) {
    uintptr_t at = heap_copy(file);
    int32_t store = rvf_store_open_with(at, file.size(), 0, 0, -1, kTakeFile);
    if (store < 0) rvf_free(at, file.size());
    return store;
}

bool is_mapped(int32_t store) { return store_of(store)->file.data != nullptr; }

struct TestFile : FileBuilder {
    Random random{7};

    TestFile() { dimension = kDimension; }

    void add_rows(const std::vector<uint64_t>& ids) {
        add_vectors(ids, random.vector(ids.size() * dimension, -1.0f, 1.0f));
    }
    void add_rows(uint64_t first, uint64_t count) {
        std::vector<uint64_t> ids(count);
        std::iota(ids.begin(), ids.end(), first);
        add_rows(ids);
    }
};

std::string answers_of(int32_t store) {
    Random random(11);
    Buffer hits(50 * kHitBytes);
    std::string answers;
    for (int i = 0; i < 5; ++i) {
        std::vector<float> query = random.vector(store_of(store)->dimension, -1.0f, 1.0f);
        int32_t found = rvf_store_query(store, address(query.data()), 50, 0, address(hits.data()));
        answers += std::to_string(found);
        answers.append(hits.begin(), hits.end());
    }
    return answers;
}

void expect_same(int32_t taking, int32_t copying) {
    EXPECT_EQ(rvf_store_warnings(taking), rvf_store_warnings(copying));
    EXPECT_EQ(answers_of(taking), answers_of(copying));
    EXPECT_EQ(export_file(taking), export_file(copying));
}

void expect_opens_alike(const Buffer& file, bool is_to_be_mapped) {
    StoreHandle taking(open_taking(file));
    StoreHandle copying(open_file(file));
    ASSERT_GT(taking, 0);
    EXPECT_EQ(is_mapped(taking), is_to_be_mapped);
    expect_same(taking, copying);
}

TEST(TakenFile, VectorsOfWholeChunksStayInIt) {
    TestFile file;
    file.add_rows(0, 2 * kChunkRows + 10);
    file.add_rows(10'000, 3 * kChunkRows); // from the middle of a chunk
    file.commit();
    expect_opens_alike(file.bytes, true);
    StoreHandle store(open_taking(file.bytes));
    uint64_t usage[4];
    ASSERT_EQ(rvf_store_memory_usage(store, address(usage)), 0);
    // One chunk is copied, where the layers meet, and the end of the second.
    EXPECT_EQ(usage[0], file.bytes.size() + 2 * (4u << 20) + 6 * kChunkRows * 17);
}

TEST(TakenFile, ASmallOneIsFreedAtOnce) {
    TestFile file;
    file.add_rows(0, kChunkRows - 1);
    file.commit();
    expect_opens_alike(file.bytes, false);
}

TEST(TakenFile, LaterRecordsReplaceThoseOfItsLayersAndOfEarlierOnes) {
    TestFile file;
    std::vector<uint64_t> ids;
    for (uint64_t i = 0; i < 3 * kChunkRows; ++i) ids.push_back(i % 5 == 4 ? i / 2 : i);
    file.add_rows(ids);
    file.add_rows({7, 4'000, 2'000});
    file.add_rows(2'500, kChunkRows);
    file.deleted = {12, 2'501};
    file.commit();
    expect_opens_alike(file.bytes, true);
}

TEST(TakenFile, ChangesAfterwardsAreThoseOfAnyStore) {
    TestFile file;
    file.add_rows(0, 2 * kChunkRows + 10);
    file.commit();
    StoreHandle taking(open_taking(file.bytes));
    StoreHandle copying(open_file(file.bytes));
    ASSERT_TRUE(is_mapped(taking));
    FileHost hosts[] = {{file.bytes}, {file.bytes}};
    int i = 0;
    for (int32_t store : {int32_t{taking}, int32_t{copying}}) {
        Random random(3);
        std::vector<uint64_t> ids = {5, 9'000, 6, 9'001};
        std::vector<float> rows = random.vector(4 * kDimension, -1.0f, 1.0f);
        std::vector<uint64_t> gone = {0, 1'500, 6};
        ASSERT_EQ(rvf_store_delete(store, address(gone.data()), 3), 3);
        ASSERT_EQ(rvf_store_ingest(store, address(rows.data()), address(ids.data()), 4), 4);
        ASSERT_EQ(hosts[i++].commit(store), 1);
    }
    expect_same(taking, copying);
    EXPECT_EQ(hosts[0].bytes, hosts[1].bytes);
}

// An added one gets a signature, for which it moves; those of the file stay where they are.
TEST(TakenFile, CarriedSegmentsStayInItThroughCommitsAndCompactions) {
    TestFile file;
    file.add_rows(0, kChunkRows);
    file.add(kUnknown, Buffer(1000, 7));
    file.add(test::kMeta, {'{', '}'});
    file.commit();
    StoreHandle taking(open_taking(file.bytes));
    StoreHandle copying(open_file(file.bytes));
    ASSERT_TRUE(is_mapped(taking));
    EXPECT_EQ(store_of(taking)->kept.capacity, 0u);
    EXPECT_GT(store_of(copying)->kept.capacity, 1000u);
    FileHost one{file.bytes}, other{file.bytes};
    Buffer more(500, 9);
    for (uint32_t flags : {0u, uint32_t{kCompact}, 0u}) {
        for (int32_t store : {int32_t{taking}, int32_t{copying}}) {
            ASSERT_GT(rvf_store_embed(store, kUnknown, address(more.data()), more.size()), 0);
        }
        ASSERT_EQ(one.commit(taking, flags, kEd25519), 1);
        ASSERT_EQ(other.commit(copying, flags, kEd25519), 1);
        EXPECT_EQ(one.bytes, other.bytes);
        expect_same(taking, copying);
    }
    StoreHandle again(open_taking(one.bytes));
    EXPECT_EQ(rvf_store_warnings(again), 0);
    EXPECT_EQ(export_file(again), export_file(copying));
}

TEST(TakenFile, NotFiniteElementsAreNoticedInIt) {
    TestFile file;
    std::vector<uint64_t> ids(kChunkRows);
    std::iota(ids.begin(), ids.end(), 0u);
    std::vector<float> values(ids.size() * kDimension, 1e20f); // the sum of squares overflows
    file.add_vectors(ids, values);
    file.commit();
    expect_opens_alike(file.bytes, true);
    values[12'345] = -__builtin_inff();
    TestFile other;
    other.add_vectors(ids, values);
    other.commit();
    expect_opens_alike(other.bytes, true);
}

// Records that replace others move those behind them, which nobody else must see.
TEST(TakenFile, IsCopiedWhenAnotherSegmentLiesInItsVectors) {
    TestFile file;
    std::vector<uint64_t> ids(2 * kChunkRows);
    std::iota(ids.begin(), ids.end(), 0u);
    Buffer payload = test::vec_payload(kDimension, ids,
                                       file.random.vector(ids.size() * kDimension, -1.0f, 1.0f));
    size_t inside = 6 + 100 * (8 + 4 * kDimension) + 8;
    Buffer segment = test::segment(0xF3, 2, Buffer(100, 7));
    std::copy(segment.begin(), segment.end(), payload.begin() + static_cast<ptrdiff_t>(inside));
    size_t offset = file.add(test::kVec, payload);
    file.directory.push_back({2, offset + test::kHeaderBytes + inside, 100, 0xF3});
    file.commit();
    expect_opens_alike(file.bytes, false);
    TestFile alone; // the same without it
    alone.add(test::kVec, payload);
    alone.commit();
    expect_opens_alike(alone.bytes, true);
}

TEST(TakenFile, IsTheCallersAgainAfterAnError) {
    TestFile file;
    file.add_rows(0, kChunkRows);
    file.commit();
    file.bytes[5'000] ^= 1;
    uintptr_t at = heap_copy(file.bytes);
    EXPECT_EQ(rvf_store_open_with(at, file.bytes.size(), 0, 0, -1, kTakeFile), kInvalidChecksum);
    std::memset(reinterpret_cast<void*>(at), 1, file.bytes.size());
    rvf_free(at, file.bytes.size());
}

TEST(TakenFile, IsTheCallersAgainWhenThereAreTooManyStores) {
    TestFile file;
    file.add_rows(0, kChunkRows);
    file.commit();
    std::vector<int32_t> stores;
    for (int32_t store; (store = rvf_store_create(1, 0)) > 0;) stores.push_back(store);
    uintptr_t at = heap_copy(file.bytes);
    EXPECT_EQ(rvf_store_open_with(at, file.bytes.size(), 0, 0, -1, kTakeFile), kTooManyStores);
    rvf_free(at, file.bytes.size());
    for (int32_t store : stores) rvf_store_close(store);
}

} // namespace
} // namespace rvf
