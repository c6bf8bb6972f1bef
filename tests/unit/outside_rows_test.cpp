// Stores whose vectors stay with the host, filled from the payloads of a file that also opens
// whole.
#include <gtest/gtest.h>

#include "control/handles.h"
#include "control/heap.h"
#include "control/index.h"
#include "control/outside_rows.h"
#include "tests/unit/file_host.h"
#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::address;
using test::Answer;
using test::append;
using test::Buffer;
using test::FileBuilder;
using test::FileHost;
using test::get;
using test::open_file;
using test::put;
using test::Random;
using test::remove_ids;
using test::StoreHandle;

constexpr int32_t kDimension = 20;
constexpr size_t kRecordBytes = 8 + 4 * kDimension;
constexpr uint64_t kRows = 600;
constexpr int32_t kCutShort = 1 << 30;
constexpr uint8_t kQuant = 0x06;

/// A store of two commits with an index, and its file; later records replace earlier ones.
struct Whole {
    StoreHandle store{kDimension, 0};
    FileHost host;

    Whole() {
        Random random(1);
        ingest(random, 0, kRows);
        EXPECT_EQ(host.commit(store), 1);
        ingest(random, kRows - 50, kRows + 50);
        EXPECT_EQ(rvf_index_create(store, kGraph | kCodes, 8, 60, 1), 0);
        EXPECT_EQ(rvf_index_build(store, ~0u), 0);
        EXPECT_EQ(rvf_index_save(store), 0);
        EXPECT_EQ(host.commit(store), 1);
    }

    void ingest(Random& random, uint64_t first, uint64_t end) {
        std::vector<uint64_t> ids;
        for (uint64_t id = first; id < end; ++id) ids.push_back(id);
        std::vector<float> vectors = random.vector(ids.size() * kDimension, -1, 1);
        EXPECT_EQ(test::ingest(store, ids, vectors), static_cast<int32_t>(ids.size()));
    }

    /// Offsets of the segments of a type.
    std::vector<size_t> segments(uint8_t type) const {
        std::vector<size_t> found;
        const Buffer& bytes = host.bytes;
        for (size_t i = 0; i < bytes.size();
             i += test::kHeaderBytes + get<uint64_t>(bytes, i + 16)) {
            if (bytes[i + 5] == type) found.push_back(i);
        }
        return found;
    }

    Buffer payload(size_t segment) const {
        auto begin = host.bytes.begin() + static_cast<ptrdiff_t>(segment + test::kHeaderBytes);
        return {begin, begin + get<int64_t>(host.bytes, segment + 16)};
    }
};

/// The same without its vectors.
int32_t begin(const Whole& whole) {
    FileBuilder file;
    file.dimension = kDimension;
    file.add(kQuant, whole.payload(whole.segments(kQuant)[0]));
    file.commit();
    int32_t store = open_file(file.bytes);
    EXPECT_EQ(rvf_rows_begin(store, 10, 0), 0);
    return store;
}

/// Hands over all vectors, `rows` records at a time.
void take_all(const Whole& whole, int32_t store, size_t rows) {
    for (size_t segment : whole.segments(test::kVec)) {
        Buffer payload = whole.payload(segment);
        for (size_t at = 0; at < payload.size();) {
            size_t skip = at ? 0 : 6;
            size_t size = std::min(payload.size() - at, skip + rows * kRecordBytes);
            bool is_last = at + size == payload.size();
            auto records = static_cast<int32_t>((size - skip) / kRecordBytes);
            uintptr_t hash = address(whole.host.bytes.data() + segment + 0x28);
            ASSERT_EQ(
                rvf_rows_take(store, address(payload.data() + at), size, skip, is_last ? hash : 0),
                records);
            at += size;
        }
    }
}

void link(const Whole& whole, int32_t store) {
    size_t index = whole.segments(test::kIndex)[0];
    size_t size = test::kHeaderBytes + get<uint64_t>(whole.host.bytes, index + 16);
    ASSERT_EQ(rvf_rows_link(store, address(whole.host.bytes.data() + index), size, 1), 1);
}

std::vector<Answer> search(const Whole& whole, int32_t store, const std::vector<float>& query,
                           int32_t ef, int32_t k = 10, uint32_t work = 0) {
    std::vector<uint32_t> found(2 * static_cast<size_t>(ef));
    int32_t count = rvf_rows_find(store, address(query.data()), ef, work, address(query.data()), 0,
                                  address(found.data()));
    EXPECT_GE(count, 0);
    count &= kCutShort - 1;
    std::vector<uint32_t> rows;
    Buffer vectors;
    std::vector<size_t> segments = whole.segments(test::kVec);
    for (int32_t i = 0; i < count; ++i) {
        rows.push_back(found[2 * static_cast<size_t>(i)]);
        size_t record = found[2 * static_cast<size_t>(i) + 1];
        Buffer payload = whole.payload(segments[record < kRows ? 0 : 1]);
        size_t at = 6 + (record < kRows ? record : record - kRows) * kRecordBytes + 8;
        vectors.insert(vectors.end(), payload.begin() + static_cast<ptrdiff_t>(at),
                       payload.begin() + static_cast<ptrdiff_t>(at + 4 * kDimension));
    }
    Buffer hits(static_cast<size_t>(k) * kHitBytes);
    int32_t nearest = rvf_rows_compare(store, address(query.data()), address(rows.data()),
                                       address(vectors.data()), count, k, address(hits.data()));
    std::vector<Answer> answers(static_cast<size_t>(std::max(nearest, 0)));
    for (size_t i = 0; i < answers.size(); ++i) {
        std::memcpy(&answers[i].id, hits.data() + i * kHitBytes, 8);
        std::memcpy(&answers[i].distance, hits.data() + i * kHitBytes + 8, 4);
    }
    return answers;
}

TEST(OutsideRows, AScanOfAllCodesAnswersWhatTheWholeStoreAnswers) {
    Whole whole;
    for (size_t rows : {1u, 7u, 1'000u}) {
        StoreHandle store(begin(whole));
        take_all(whole, store, rows);
        ASSERT_EQ(rvf_store_count(store), rvf_store_count(whole.store));
        Random random(2);
        for (int i = 0; i < 10; ++i) {
            std::vector<float> query = random.vector(kDimension, -1, 1);
            EXPECT_EQ(search(whole, store, query, 60), test::query(whole.store, query, 10));
        }
    }
}

TEST(OutsideRows, AWalkFindsTheNearestAndTheirTrueDistances) {
    Whole whole;
    StoreHandle store(begin(whole));
    take_all(whole, store, 50);
    link(whole, store);
    std::vector<uint64_t> gone = {3, 30, 300};
    ASSERT_EQ(remove_ids(store, gone), 3);
    ASSERT_EQ(remove_ids(whole.store, gone), 3);
    Random random(3);
    size_t right = 0;
    for (int i = 0; i < 50; ++i) {
        std::vector<float> query = random.vector(kDimension, -1, 1);
        std::vector<Answer> truth = test::query(whole.store, query, 10);
        for (const Answer& one : search(whole, store, query, 60)) {
            right += std::find(truth.begin(), truth.end(), one) != truth.end();
        }
    }
    EXPECT_GE(right, 475u);
}

TEST(OutsideRows, AFilterIsAskedAnewWhenMoreRowsWereTaken) {
    Whole whole;
    StoreHandle store(begin(whole));
    Buffer payload = whole.payload(whole.segments(test::kVec)[0]);
    Buffer unequal = {1, 1, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}; // field 1 is not 0: all rows
    std::vector<float> query(kDimension, 0.1f);
    uint32_t found[80];
    for (size_t taken = 0, at = 6; taken < 40; taken += 20, at += 20 * kRecordBytes) {
        ASSERT_EQ(rvf_rows_take(store, address(payload.data() + at), 20 * kRecordBytes, 0, 0), 20);
        EXPECT_EQ(rvf_rows_find(store, address(query.data()), 40, 0, address(unequal.data()),
                                unequal.size(), address(found)),
                  static_cast<int32_t>(taken + 20));
    }
}

TEST(OutsideRows, AQueryThatIsTooLongForCodesIsRefused) {
    Whole whole;
    StoreHandle store(begin(whole));
    take_all(whole, store, 50);
    std::vector<float> query(kDimension, 1e19f);
    uint32_t found[20];
    auto find = [&] {
        return rvf_rows_find(store, address(query.data()), 10, 0, address(query.data()), 0,
                             address(found));
    };
    EXPECT_EQ(find(), kNotFinite);
    link(whole, store);
    EXPECT_EQ(find(), kNotFinite);
}

TEST(OutsideRows, AWalkThatIsCutShortSaysSo) {
    Whole whole;
    StoreHandle store(begin(whole));
    take_all(whole, store, 50);
    link(whole, store);
    std::vector<float> query(kDimension, 0.1f);
    uint32_t found[120];
    auto find = [&](uint32_t work) {
        return rvf_rows_find(store, address(query.data()), 60, work, address(query.data()), 0,
                             address(found));
    };
    EXPECT_EQ(find(0), 60);
    EXPECT_TRUE(find(5) & kCutShort);
    EXPECT_LE(find(5) & ~kCutShort, 5);
}

TEST(OutsideRows, EveryFlippedBitOfThePiecesIsNoticed) {
    Whole whole;
    size_t segment = whole.segments(test::kVec)[1];
    Buffer payload = whole.payload(segment);
    Random random(4);
    for (int i = 0; i < 50; ++i) {
        Buffer damaged = payload;
        damaged[random.below(static_cast<uint32_t>(payload.size()))] ^=
            static_cast<uint8_t>(1u << random.below(8));
        StoreHandle store(begin(whole));
        EXPECT_EQ(rvf_rows_take(store, address(damaged.data()), damaged.size(), 6,
                                address(whole.host.bytes.data() + segment + 0x28)),
                  kInvalidChecksum);
    }
}

TEST(OutsideRows, CallsThatNeedVectorsTakeNoSuchHandle) {
    Whole whole;
    StoreHandle store(begin(whole));
    take_all(whole, store, 50);
    Buffer room(1'000);
    uintptr_t at = address(room.data());
    EXPECT_EQ(rvf_store_query(store, at, 1, -1, at), kStoreClosed);
    EXPECT_EQ(rvf_store_vector(store, at, at), kStoreClosed);
    EXPECT_EQ(rvf_store_ingest(store, at, at, 1), kStoreClosed);
    EXPECT_EQ(rvf_store_commit(store, 0, -1, 0, at), kStoreClosed);
    EXPECT_EQ(rvf_store_export_size(store), kStoreClosed);
    EXPECT_EQ(rvf_index_build(store, 1), kStoreClosed);
    EXPECT_EQ(rvf_index_save(store), kStoreClosed);
    EXPECT_EQ(rvf_rows_find(whole.store, at, 1, 0, at, 0, at), kStoreClosed);
}

TEST(OutsideRows, TooManyToBeginWithChangeNothing) {
    Whole whole;
    FileBuilder file;
    file.dimension = kDimension;
    file.add(kQuant, whole.payload(whole.segments(kQuant)[0]));
    file.commit();
    StoreHandle store(open_file(file.bytes));
    rvf_memory_limit(64u << 20);
    EXPECT_EQ(rvf_rows_begin(store, 100'000'000, 0), kOutOfMemory);
    rvf_memory_limit(~uint64_t{0});
    EXPECT_EQ(rvf_store_count(store), 0); // it is still a store like any other
    EXPECT_EQ(rvf_rows_begin(store, 10, 0), 0);
}

TEST(OutsideRows, ArgumentsThatMakeNoSenseAreRefused) {
    Whole whole;
    EXPECT_EQ(rvf_rows_begin(whole.store, 0, 0), kInvalidArgument); // it has rows
    StoreHandle empty(kDimension, 0);
    EXPECT_EQ(rvf_rows_begin(empty, 0, 0), kInvalidArgument); // it has no ranges
    StoreHandle store(begin(whole));
    Buffer room(1'000);
    uintptr_t at = address(room.data());
    EXPECT_EQ(rvf_rows_take(store, at, 5, 6, 0), kInvalidArgument);
    EXPECT_EQ(rvf_rows_find(store, at, 0, 0, at, 0, at), kInvalidArgument);
    EXPECT_EQ(rvf_rows_find(store, at, 1 << 21, 0, at, 0, at), kInvalidArgument);
    EXPECT_EQ(rvf_rows_find(store, at, 10, 0, at, 0, at), 0); // nothing in it
    uint32_t row = 77;
    EXPECT_EQ(rvf_rows_compare(store, at, address(&row), at, 1, 1, at), 0); // no such row
    EXPECT_EQ(rvf_rows_link(store, at, room.size(), 1), 0);                 // no segment
}

TEST(OutsideRows, MemoryThatRunsOutLeavesAStoreThatAnswers) {
    Whole whole;
    Random random(5);
    for (int i = 0; i < 20; ++i) {
        StoreHandle store(begin(whole));
        Buffer payload = whole.payload(whole.segments(test::kVec)[0]);
        rvf_memory_limit(static_cast<size_t>(memory_size()) + random.below(60'000));
        int32_t status = rvf_rows_take(store, address(payload.data()), payload.size(), 6, 0);
        rvf_memory_limit(~size_t{0});
        ASSERT_TRUE(status == kOutOfMemory || status == static_cast<int32_t>(kRows));
        std::vector<float> query = random.vector(kDimension, -1, 1);
        EXPECT_EQ(search(whole, store, query, 20, 5).size(),
                  static_cast<size_t>(std::min(rvf_store_count(store), 5)));
    }
}

} // namespace
} // namespace rvf
