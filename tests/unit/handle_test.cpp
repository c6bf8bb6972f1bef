// Handles: only those of open stores do anything.
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/support.h"

namespace rvf {
namespace {

using test::address;
using test::Buffer;
using test::StoreHandle;

/// Every export that takes a handle answers kStoreClosed and writes nothing.
void expect_dead(int32_t handle) {
    Buffer out(256, 0xEE);
    const float values[4] = {1, 2, 3, 4};
    const uint64_t id = 1;
    EXPECT_EQ(rvf_store_close(handle), kStoreClosed) << handle;
    EXPECT_EQ(rvf_store_ingest(handle, address(values), address(&id), 1), kStoreClosed);
    EXPECT_EQ(rvf_store_query(handle, address(values), 1, -1, address(out.data())), kStoreClosed);
    EXPECT_EQ(rvf_store_delete(handle, address(&id), 1), kStoreClosed);
    EXPECT_EQ(rvf_store_vector(handle, address(&id), address(out.data())), kStoreClosed);
    EXPECT_EQ(rvf_store_count(handle), kStoreClosed);
    EXPECT_EQ(rvf_store_dimension(handle), kStoreClosed);
    EXPECT_EQ(rvf_store_status(handle, address(out.data())), kStoreClosed);
    EXPECT_EQ(rvf_store_warnings(handle), kStoreClosed);
    EXPECT_EQ(rvf_store_set_file_id(handle, address(out.data())), kStoreClosed);
    EXPECT_EQ(rvf_store_export_size(handle), kStoreClosed);
    EXPECT_EQ(rvf_store_export(handle, address(out.data()), out.size()), kStoreClosed);
    EXPECT_EQ(rvf_store_memory_usage(handle, address(out.data())), kStoreClosed);
    EXPECT_EQ(out, Buffer(256, 0xEE));
}

TEST(Handle, HostileOnesAreRefused) {
    StoreHandle open(2, kL2);
    for (int32_t handle : {0, 1, 1023, 1024, -1, INT32_MIN, INT32_MAX, int32_t{kStoreClosed},
                           open ^ 1, open ^ 1024, open | INT32_MIN, -open, open + 1024}) {
        if (handle != open) expect_dead(handle);
    }
    EXPECT_EQ(rvf_store_count(open), 0);
}

TEST(Handle, EveryOtherNumberOfAWholeSlotIsRefused) {
    StoreHandle open(2, kL2);
    for (uint32_t generation = 0; generation < 1u << 22; ++generation) {
        auto handle = static_cast<int32_t>(generation << 10 | (static_cast<uint32_t>(open) & 1023));
        if (handle != open) ASSERT_EQ(rvf_store_count(handle), kStoreClosed);
    }
}

TEST(Handle, IsDeadAfterClose) {
    int32_t handle = rvf_store_create(2, kL2);
    ASSERT_GT(handle, 0);
    EXPECT_EQ(rvf_store_close(handle), 0);
    expect_dead(handle);
}

TEST(Handle, StaysDeadWhenItsSlotIsUsedAgain) {
    std::set<int32_t> dead;
    for (int i = 0; i < 5000; ++i) {
        StoreHandle store(2, kL2);
        ASSERT_GT(store, 0);
        ASSERT_EQ(dead.count(store), 0u);
        dead.insert(store);
    }
    for (int32_t handle : dead) ASSERT_EQ(rvf_store_count(handle), kStoreClosed);
}

TEST(Handle, ThereAreAtMost1024Stores) {
    std::set<int32_t> handles;
    for (int i = 0; i < 1024; ++i) handles.insert(rvf_store_create(1, kL2));
    EXPECT_EQ(handles.size(), 1024u);
    EXPECT_GT(*handles.begin(), 0);
    EXPECT_EQ(rvf_store_create(1, kL2), kTooManyStores);
    EXPECT_EQ(rvf_store_close(*handles.begin()), 0);
    handles.erase(handles.begin());
    StoreHandle again(1, kL2);
    EXPECT_GT(again, 0);
    EXPECT_EQ(handles.count(again), 0u);
    for (int32_t handle : handles) EXPECT_EQ(rvf_store_close(handle), 0);
}

// A handle has 20 bits for the generation of its slot, and 0 is none.
TEST(Handle, IsNotGivenOutAgainForAMillionStores) {
    int32_t first = rvf_store_create(1, kL2);
    ASSERT_EQ(rvf_store_close(first), 0);
    for (uint32_t passed = 1; passed < (1u << 20) - 1; ++passed) {
        int32_t handle = rvf_store_create(1, kL2);
        rvf_store_close(handle);
        ASSERT_NE(handle, first) << passed;
    }
}

TEST(Handle, StoresDoNotShareAnything) {
    StoreHandle a(1, kL2), b(1, kL2);
    ASSERT_EQ(test::ingest(a, {1}, {1}), 1);
    EXPECT_EQ(rvf_store_count(b), 0);
    EXPECT_EQ(test::remove_ids(b, {1}), 0);
    EXPECT_EQ(rvf_store_count(a), 1);
}

TEST(Pointers, NullIsRefusedByEveryExport) {
    StoreHandle store(1, kL2);
    ASSERT_EQ(test::ingest(store, {1}, {1}), 1);
    uint64_t id = 1;
    EXPECT_EQ(rvf_store_vector(store, 0, address(&id)), kInvalidPointer);
    EXPECT_EQ(rvf_store_vector(store, address(&id), 0), kInvalidPointer);
    EXPECT_EQ(rvf_store_status(store, 0), kInvalidPointer);
    EXPECT_EQ(rvf_store_set_file_id(store, 0), kInvalidPointer);
    EXPECT_EQ(rvf_store_export(store, 0, 1 << 20), kInvalidPointer);
    EXPECT_EQ(rvf_store_memory_usage(store, 0), kInvalidPointer);
    EXPECT_EQ(rvf_segment_count(0, 100), kInvalidPointer);
    EXPECT_EQ(rvf_segment_info(0, 100, 0, address(&id)), kInvalidPointer);
    EXPECT_EQ(rvf_segment_info(address(&id), 8, 0, 0), kInvalidPointer);
    EXPECT_EQ(rvf_parse_header(0, 100, 0), kInvalidPointer);
}

} // namespace
} // namespace rvf
