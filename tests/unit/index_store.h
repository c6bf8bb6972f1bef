// Stores with an index through the exports of rvf_search.wasm, and what tests ask of them.
#pragma once

#include <gtest/gtest.h>

#include "control/handles.h"
#include "control/index.h"
#include "control/search_index.h"
#include "tests/unit/file_host.h"
#include "tests/unit/graph_store.h"
#include "tests/unit/rvf_file.h"

namespace rvf::test {

constexpr int32_t kDimension = 12;
constexpr uint32_t kRows = 1500;
constexpr uint32_t kPartial = 1u << 31;
constexpr int32_t kJustGraph = kGraph, kJustCodes = kCodes, kWhole = kGraph | kCodes;
constexpr uint8_t kIndexType = 0x02, kQuantType = 0x06;

inline void put_u64(Buffer& bytes, uint64_t value) {
    put(bytes, uint8_t{0});
    put(bytes, uint32_t{8});
    put(bytes, value);
}

/// Field 1 of a row is a number.
inline Buffer entry(uint64_t number) {
    Buffer bytes;
    put(bytes, uint16_t{1});
    put_u64(bytes, number);
    return bytes;
}

inline Buffer less_than(uint64_t number) {
    Buffer program = {2};
    append(program, entry(number));
    return program;
}

inline Buffer among(const std::vector<uint64_t>& ids) {
    Buffer program = {6};
    put(program, uint16_t{0xFFFE});
    put(program, static_cast<uint32_t>(ids.size()));
    for (uint64_t id : ids) put_u64(program, id);
    return program;
}

inline Buffer both(Buffer a, const Buffer& b) {
    append(a, b);
    a.push_back(0x10);
    return a;
}

inline void put_rows(int32_t store, Random& random, const std::vector<uint64_t>& ids) {
    std::vector<float> vectors = random.vector(ids.size() * kDimension, -1, 1);
    Buffer meta;
    for (uint64_t id : ids) {
        Buffer entries = entry(id % 1000);
        put(meta, static_cast<uint32_t>(entries.size()));
        append(meta, entries);
    }
    auto count = static_cast<int32_t>(ids.size());
    ASSERT_EQ(rvf_store_upsert(store, address(vectors.data()), address(ids.data()), count,
                               address(meta.data()), meta.size()),
              count);
}

inline std::vector<uint64_t> ids_from(uint64_t first, uint64_t end) {
    std::vector<uint64_t> ids;
    for (uint64_t id = first; id < end; ++id) ids.push_back(id);
    return ids;
}

inline void fill(int32_t store, uint32_t rows = kRows) {
    Random random(1);
    put_rows(store, random, ids_from(0, rows));
}

inline void index_it(int32_t store, int32_t flags = kWhole) {
    ASSERT_EQ(rvf_index_create(store, static_cast<uint32_t>(flags), 8, 60, 1), 0);
    ASSERT_EQ(rvf_index_build(store, ~0u), 0);
}

struct Query {
    std::vector<float> point;
    int32_t k = 10;
    uint32_t ef = 0;
    Buffer filter = {};
    uint32_t work = 0;

    /// An empty one needs an address too.
    uintptr_t program() const {
        return filter.empty() ? address(point.data()) : address(filter.data());
    }
};

struct Found {
    std::vector<Answer> answers;
    bool partial;
    bool operator==(const Found& other) const = default;
};

inline Found search(int32_t store, const Query& query) {
    Buffer hits(static_cast<size_t>(query.k) * kHitBytes);
    uint32_t found = 0;
    int32_t all = rvf_index_search(store, address(query.point.data()), 1, query.k, -1, query.ef,
                                   query.work, query.program(), query.filter.size(),
                                   address(hits.data()), address(&found));
    EXPECT_EQ(all, static_cast<int32_t>(found & ~kPartial));
    return {answers_in(hits, found & ~kPartial), (found & kPartial) != 0};
}

/// The other way through the code: every row is compared and asked.
inline std::vector<Answer> scan(int32_t store, const Query& query) {
    Buffer hits(static_cast<size_t>(query.k) * kHitBytes);
    int32_t found = rvf_store_search(store, address(query.point.data()), query.k, -1,
                                     query.program(), query.filter.size(), address(hits.data()));
    EXPECT_GE(found, 0);
    return answers_in(hits, static_cast<uint32_t>(found));
}

inline std::vector<float> some_point(Random& random) { return random.vector(kDimension, -1, 1); }

inline bool is_among(const Answer& one, const std::vector<Answer>& answers) {
    return std::find(answers.begin(), answers.end(), one) != answers.end();
}

/// The share of the true answers that walks find, and that all of them are as many as there can be.
inline double recall_of(int32_t store, uint32_t ef, const Buffer& filter = {}) {
    Random random(5);
    size_t right = 0, all = 0;
    for (int i = 0; i < 40; ++i) {
        Query query{some_point(random), 10, ef, filter};
        std::vector<Answer> found = search(store, query).answers;
        std::vector<Answer> truth = scan(store, query);
        EXPECT_EQ(found.size(), truth.size());
        all += truth.size();
        for (const Answer& one : found) right += is_among(one, truth);
    }
    return all ? static_cast<double>(right) / static_cast<double>(all) : 1;
}

inline const Graph& graph_of(int32_t store) { return *rvf::store_of(store)->index->graph; }

/// A file with an index, and where the payload of one of its segments is.
struct IndexedFile {
    Buffer bytes;
    size_t at = 0;
    size_t size = 0;

    explicit IndexedFile(uint8_t type) {
        StoreHandle store(kDimension, 0);
        fill(store, 300);
        index_it(store);
        FileHost host;
        EXPECT_EQ(rvf_index_save(store), 0);
        EXPECT_EQ(host.commit(store), 1);
        bytes = host.bytes;
        for (size_t i = 0; i < bytes.size(); i += kHeaderBytes + get<uint64_t>(bytes, i + 16)) {
            if (bytes[i + 5] != type) continue;
            at = i + kHeaderBytes;
            size = get<uint64_t>(bytes, i + 16);
        }
        EXPECT_GT(size, 0u);
    }
};

/// The store of a file, with the index that the file has.
class Reopened : public StoreHandle {
public:
    explicit Reopened(const FileHost& host) : StoreHandle(open_file(host.bytes)) {
        EXPECT_GT(*this, 0);
        loaded = rvf_index_load(*this, 1);
    }
    int32_t loaded;
};

} // namespace rvf::test
