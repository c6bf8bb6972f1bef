// The exports of rvf_search.wasm on stores that change, are written and opened again: answers with
// a filter, cut short, after deletions, from damaged segments, and when memory runs out.
#include <gtest/gtest.h>

#include "control/handles.h"
#include "control/index.h"
#include "control/search_index.h"
#include "tests/unit/file_host.h"
#include "tests/unit/graph_store.h"
#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::address;
using test::Answer;
using test::answers_in;
using test::append;
using test::Buffer;
using test::FileHost;
using test::get;
using test::open_file;
using test::put;
using test::Random;
using test::remove_ids;
using test::StoreHandle;

constexpr int32_t kDimension = 12;
constexpr uint32_t kRows = 1500;
constexpr uint32_t kPartial = 1u << 31;
constexpr int32_t kJustGraph = kGraph, kJustCodes = kCodes, kWhole = kGraph | kCodes;
constexpr uint8_t kIndexType = 0x02, kQuantType = 0x06;

void put_u64(Buffer& bytes, uint64_t value) {
    put(bytes, uint8_t{0});
    put(bytes, uint32_t{8});
    put(bytes, value);
}

/// Field 1 of a row is a number.
Buffer entry(uint64_t number) {
    Buffer bytes;
    put(bytes, uint16_t{1});
    put_u64(bytes, number);
    return bytes;
}

Buffer less_than(uint64_t number) {
    Buffer program = {2};
    append(program, entry(number));
    return program;
}

Buffer among(const std::vector<uint64_t>& ids) {
    Buffer program = {6};
    put(program, uint16_t{0xFFFE});
    put(program, static_cast<uint32_t>(ids.size()));
    for (uint64_t id : ids) put_u64(program, id);
    return program;
}

Buffer both(Buffer a, const Buffer& b) {
    append(a, b);
    a.push_back(0x10);
    return a;
}

void put_rows(int32_t store, Random& random, const std::vector<uint64_t>& ids) {
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

std::vector<uint64_t> ids_from(uint64_t first, uint64_t end) {
    std::vector<uint64_t> ids;
    for (uint64_t id = first; id < end; ++id) ids.push_back(id);
    return ids;
}

void fill(int32_t store, uint32_t rows = kRows) {
    Random random(1);
    put_rows(store, random, ids_from(0, rows));
}

void index_it(int32_t store, int32_t flags = kWhole) {
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

Found search(int32_t store, const Query& query) {
    Buffer hits(static_cast<size_t>(query.k) * kHitBytes);
    uint32_t found = 0;
    int32_t all = rvf_index_search(store, address(query.point.data()), 1, query.k, -1, query.ef,
                                   query.work, query.program(), query.filter.size(),
                                   address(hits.data()), address(&found));
    EXPECT_EQ(all, static_cast<int32_t>(found & ~kPartial));
    return {answers_in(hits, found & ~kPartial), (found & kPartial) != 0};
}

/// The other way through the code: every row is compared and asked.
std::vector<Answer> scan(int32_t store, const Query& query) {
    Buffer hits(static_cast<size_t>(query.k) * kHitBytes);
    int32_t found = rvf_store_search(store, address(query.point.data()), query.k, -1,
                                     query.program(), query.filter.size(), address(hits.data()));
    EXPECT_GE(found, 0);
    return answers_in(hits, static_cast<uint32_t>(found));
}

std::vector<float> some_point(Random& random) { return random.vector(kDimension, -1, 1); }

bool is_among(const Answer& one, const std::vector<Answer>& answers) {
    return std::find(answers.begin(), answers.end(), one) != answers.end();
}

/// The share of the true answers that walks find, and that all of them are as many as there can be.
double recall_of(int32_t store, uint32_t ef, const Buffer& filter = {}) {
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

const Graph& graph_of(int32_t store) { return *store_of(store)->index->graph; }

TEST(Index, FilteredAnswersAreTheRightOnesEveryTimeTheFilterComes) {
    for (int32_t flags : {kWhole, kJustCodes}) {
        StoreHandle store(kDimension, 0);
        fill(store);
        index_it(store, flags);
        Random random(2);
        for (uint64_t limit : {900u, 500u, 300u, 100u, 10u, 1u, 0u}) {
            for (int time = 0; time < 3; ++time) {
                Query query{some_point(random), 10, 0, less_than(limit)};
                EXPECT_EQ(search(store, query).answers, scan(store, query)) << limit;
            }
        }
    }
}

TEST(Index, AWalkFindsKOfThoseThatAFilterAdmits) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    for (uint64_t limit : {900u, 500u, 300u, 100u, 10u, 3u, 0u}) {
        EXPECT_GE(recall_of(store, 80, less_than(limit)), 0.95) << limit;
    }
}

TEST(Index, AFilterIsAskedAnewWhenTheStoreHasChanged) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    Random random(3);
    Query query{some_point(random), 20, 0, less_than(50)};
    auto expect_right = [&] {
        for (uint32_t ef : {0u, 40u, 0u}) {
            query.ef = ef;
            ASSERT_EQ(search(store, query).answers, scan(store, query));
        }
    };
    expect_right();
    uint64_t best = search(store, query).answers[0].id;
    ASSERT_EQ(remove_ids(store, {best}), 1);
    expect_right();
    put_rows(store, random, {best, 5'001, 5'002});
    expect_right();
    Buffer other = entry(999);
    ASSERT_EQ(rvf_store_set_metadata(store, address(&best), address(other.data()), other.size()),
              1);
    expect_right();
}

TEST(Index, OnlyListedIdsAreAnswered) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    Random random(4);
    std::vector<uint64_t> ids = {7, 3, 3, 1'400, 99'999, 20, 500};
    Buffer mixed = among(ids); // a value that is no u64 admits nothing, and is no list of ids
    mixed[7] = 1;
    for (const Buffer& filter :
         {among(ids), among({}), both(among(ids), less_than(450)), both(less_than(450), among(ids)),
          both(both(among(ids), less_than(10)), less_than(5)), mixed,
          both(mixed, less_than(600))}) {
        for (int time = 0; time < 2; ++time) {
            Query query{some_point(random), 10, 0, filter};
            EXPECT_EQ(search(store, query).answers, scan(store, query));
        }
    }
}

TEST(Index, AWalkThatIsCutShortSaysSo) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    Random random(6);
    size_t right[3] = {};
    for (int i = 0; i < 20; ++i) {
        Query query{some_point(random), 10, 40};
        Found whole = search(store, query);
        EXPECT_FALSE(whole.partial);
        query.work = kRows;
        EXPECT_EQ(search(store, query), whole);
        std::vector<Answer> truth = scan(store, query);
        uint32_t works[] = {1, 60, 200};
        for (int w = 0; w < 3; ++w) {
            query.work = works[w];
            Found cut = search(store, query);
            EXPECT_TRUE(cut.partial);
            EXPECT_LE(cut.answers.size(), works[w]);
            for (const Answer& one : cut.answers) {
                right[w] += is_among(one, truth);
            }
        }
    }
    EXPECT_LT(right[0], right[1]);
    EXPECT_LT(right[1], right[2]);
}

TEST(Index, RecallStaysWhenNineOfTenRowsAreDeletedAndTheFileIsOpenedAgain) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    std::vector<uint64_t> gone;
    for (uint64_t id = 0; id < kRows; ++id) {
        if (id % 10) gone.push_back(id);
    }
    ASSERT_EQ(remove_ids(store, gone), static_cast<int32_t>(gone.size()));
    EXPECT_GE(recall_of(store, 60), 0.95);
    ASSERT_EQ(rvf_index_save(store), 0);
    EXPECT_GE(recall_of(store, 60), 0.95);
    FileHost host;
    ASSERT_EQ(host.commit(store), 1);
    StoreHandle again(open_file(host.bytes));
    ASSERT_EQ(rvf_index_load(again, 1), kWhole);
    EXPECT_GE(recall_of(again, 60), 0.95);
}

TEST(Index, GraphsAreSoundAfterAnyOperations) {
    for (uint64_t seed = 1; seed <= 8; ++seed) {
        Random random(seed);
        auto store = std::make_unique<StoreHandle>(kDimension, static_cast<int32_t>(seed % 3));
        FileHost host;
        ASSERT_EQ(rvf_index_create(*store, seed % 2 ? kGraph | kCodes : kGraph, 4, 20, seed), 0);
        for (int step = 0; step < 60; ++step) {
            std::vector<uint64_t> ids;
            for (uint32_t i = random.below(40); i-- > 0;) ids.push_back(random.below(400));
            switch (random.below(5)) {
                case 0:
                case 1:
                    if (!ids.empty()) put_rows(*store, random, ids);
                    break;
                case 2:
                    remove_ids(*store, ids);
                    break;
                case 3:
                    ASSERT_GE(rvf_index_build(*store, random.below(60)), 0);
                    break;
                default:
                    if (rvf_store_count(*store) == 0) break;
                    ASSERT_GE(rvf_index_build(*store, ~0u), 0);
                    ASSERT_EQ(rvf_index_save(*store), 0);
                    ASSERT_EQ(host.commit(*store, random.below(2) ? kCompact : 0), 1);
                    store = std::make_unique<StoreHandle>(open_file(host.bytes));
                    ASSERT_GT(rvf_index_load(*store, seed), 0);
            }
            Query query{some_point(random), 5, 30};
            ASSERT_EQ(search(*store, query).answers.size(), scan(*store, query).size());
            test::expect_sound(graph_of(*store), *store_of(*store));
        }
        ASSERT_EQ(rvf_index_build(*store, ~0u), 0);
        // With m = 4 a beam of 60 finds 0.95 to 1; one of all rows must miss nothing.
        EXPECT_EQ(recall_of(*store, 400), 1.0) << seed;
        EXPECT_GE(recall_of(*store, 100), 0.95) << seed;
    }
}

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
        for (size_t i = 0; i < bytes.size();
             i += test::kHeaderBytes + get<uint64_t>(bytes, i + 16)) {
            if (bytes[i + 5] != type) continue;
            at = i + test::kHeaderBytes;
            size = get<uint64_t>(bytes, i + 16);
        }
        EXPECT_GT(size, 0u);
    }
};

struct State {
    int32_t loaded;
    uint32_t fault;
};

/// Opens a file, takes its index, and checks that the answers are right.
State load(const Buffer& bytes) {
    StoreHandle store(open_file(bytes));
    EXPECT_GT(store, 0);
    int32_t loaded = rvf_index_load(store, 1);
    Buffer state(kIndexStateBytes);
    EXPECT_EQ(rvf_index_state(store, address(state.data())), 0);
    Random random(9);
    for (int i = 0; i < 5; ++i) {
        Query query{some_point(random)};
        EXPECT_EQ(search(store, query).answers, scan(store, query));
    }
    if (loaded == kWhole || loaded == kJustGraph) {
        EXPECT_GE(recall_of(store, 60), 0.9);
    }
    EXPECT_EQ(rvf_index_build(store, ~0u), loaded ? 0 : kInvalidArgument);
    return {loaded, get<uint32_t>(state, 28)};
}

/// What is left of the index when any bit of a segment of this type is flipped.
void expect_left(uint8_t type, int32_t loaded, IndexFault fault) {
    IndexedFile file(type);
    EXPECT_EQ(load(file.bytes).loaded, kWhole);
    Random random(7);
    for (int i = 0; i < 30; ++i) {
        Buffer bytes = file.bytes;
        bytes[file.at + random.below(static_cast<uint32_t>(file.size))] ^=
            static_cast<uint8_t>(1u << random.below(8));
        State state = load(bytes);
        EXPECT_EQ(state.loaded, loaded);
        EXPECT_EQ(state.fault, static_cast<uint32_t>(fault));
    }
}

TEST(Index, ADamagedGraphIsLeftAndTheCodesAreTaken) {
    expect_left(kIndexType, kJustCodes, IndexFault::kTruncated);
}

TEST(Index, DamagedRangesOfCodesAreLeftAndTheGraphIsTaken) {
    expect_left(kQuantType, kJustGraph, IndexFault::kRanges);
}

// The content hash is made anew, so that only the payload itself can show that it is not sound.
TEST(Index, ForgedSegmentsNeverGiveAWrongExactAnswer) {
    for (uint8_t type : {kIndexType, kQuantType}) {
        IndexedFile file(type);
        Random random(10);
        for (int i = 0; i < 60; ++i) {
            Buffer bytes = file.bytes;
            for (uint32_t n = 1 + random.below(4); n-- > 0;) {
                bytes[file.at + random.below(static_cast<uint32_t>(file.size))] =
                    static_cast<uint8_t>(random.bits());
            }
            uint8_t* header = bytes.data() + file.at - test::kHeaderBytes;
            test::write_hash(header, bytes.data() + file.at, file.size);
            StoreHandle store(open_file(bytes));
            ASSERT_GT(store, 0);
            int32_t loaded = rvf_index_load(store, 1);
            ASSERT_GE(loaded, 0);
            ASSERT_EQ(rvf_index_build(store, ~0u), loaded ? 0 : kInvalidArgument);
            Query query{some_point(random)};
            ASSERT_EQ(search(store, query).answers, scan(store, query));
        }
    }
}

TEST(Index, MemoryThatRunsOutInTheMiddleOfABuildLeavesAStoreThatAnswers) {
    StoreHandle store(kDimension, 0);
    fill(store);
    ASSERT_EQ(rvf_index_create(store, kGraph | kCodes, 8, 60, 1), 0);
    Random random(11);
    int refused = 0;
    for (int32_t left = 1; left > 0;) {
        rvf_memory_limit(static_cast<size_t>(memory_size()) + random.below(3'000));
        int32_t status = rvf_index_build(store, 100);
        rvf_memory_limit(~size_t{0});
        ASSERT_TRUE(status >= 0 || status == kOutOfMemory);
        refused += status < 0;
        Query query{some_point(random)};
        ASSERT_EQ(search(store, query).answers, scan(store, query));
        query.ef = 30;
        ASSERT_EQ(search(store, query).answers.size(), 10u);
        if (status < 0 && random.below(3) == 0) status = rvf_index_build(store, 50);
        if (status >= 0) left = status;
    }
    EXPECT_GT(refused, 3);
    EXPECT_GE(recall_of(store, 60), 0.95);
}

/// One row of all values `value`.
void put_one(int32_t store, uint64_t id, float value) {
    std::vector<float> vector(kDimension, value);
    ASSERT_EQ(rvf_store_ingest(store, address(vector.data()), address(&id), 1), 1);
}

TEST(Index, RowsWrittenUnderAnOlderIndexAreCodedAnewUnderTheNext) {
    StoreHandle store(kDimension, 0);
    fill(store, 300);
    index_it(store, kJustCodes);
    put_one(store, 5, 0.5f);
    index_it(store, kJustCodes);
    put_one(store, 5, 0.75f);
    Query query{std::vector<float>(kDimension, 0.75f), 1};
    EXPECT_EQ(search(store, query).answers, (std::vector<Answer>{{5, 0}}));
}

TEST(Index, RowsInThePlacesOfDeletedOnesAreLinked) {
    StoreHandle store(kDimension, 0);
    fill(store, 20);
    ASSERT_EQ(rvf_index_create(store, kGraph, 8, 60, 1), 0);
    ASSERT_EQ(remove_ids(store, ids_from(0, 20)), 20);
    ASSERT_EQ(rvf_index_build(store, ~0u), 0);
    fill(store, 20);
    EXPECT_EQ(recall_of(store, 20), 1);
    ASSERT_EQ(rvf_index_build(store, ~0u), 0);
    EXPECT_EQ(recall_of(store, 20), 1);
}

TEST(Index, RowsInThePlacesOfDeletedOnesAreLinkedBehindALoadedGraph) {
    StoreHandle store(kDimension, 0);
    fill(store, 1100);
    index_it(store);
    FileHost host;
    ASSERT_EQ(host.commit(store), 1);
    ASSERT_EQ(remove_ids(store, ids_from(1000, 1100)), 100); // all behind the first 1,024 of them
    ASSERT_EQ(rvf_index_save(store), 0);
    ASSERT_EQ(host.commit(store), 1);
    StoreHandle again(open_file(host.bytes));
    ASSERT_EQ(rvf_index_load(again, 1), kWhole);
    put_one(again, 5000, 3);
    ASSERT_EQ(rvf_index_build(again, ~0u), 0);
    Query query{std::vector<float>(kDimension, 3), 1, 40};
    EXPECT_EQ(search(again, query).answers, (std::vector<Answer>{{5000, 0}}));
}

TEST(Index, ASavedGraphIsThatOfTheRowsAsTheyAre) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    Random random(12);
    put_rows(store, random, ids_from(0, kRows)); // all of them, anew
    ASSERT_EQ(rvf_index_save(store), 0);
    FileHost host;
    ASSERT_EQ(host.commit(store), 1);
    StoreHandle again(open_file(host.bytes));
    ASSERT_EQ(rvf_index_load(again, 1), kWhole);
    EXPECT_GE(recall_of(again, 60), 0.95);
}

TEST(Index, AGraphSavedBeforeTheLastChangeOfRowsIsNotWritten) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    ASSERT_EQ(rvf_index_save(store), 0);
    ASSERT_EQ(remove_ids(store, {3}), 1);
    FileHost host;
    ASSERT_EQ(host.commit(store), 1);
    StoreHandle again(open_file(host.bytes));
    EXPECT_EQ(rvf_index_load(again, 1), kJustCodes);
}

TEST(Index, RowsWrittenBeforeAGraphIsLoadedAreLinkedAnew) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    ASSERT_EQ(rvf_index_save(store), 0);
    FileHost host;
    ASSERT_EQ(host.commit(store), 1);
    StoreHandle again(open_file(host.bytes));
    Random random(13);
    put_rows(again, random, ids_from(0, kRows));
    ASSERT_EQ(rvf_index_load(again, 1), kWhole);
    EXPECT_GE(recall_of(again, 60), 0.95);
}

TEST(Index, RangesOfFewRowsAreFoundAnewForMany) {
    StoreHandle store(kDimension, 0);
    fill(store, 1);
    index_it(store);
    fill(store);
    ASSERT_EQ(rvf_index_build(store, ~0u), 0);
    Random random(14);
    Query query{some_point(random)};
    EXPECT_EQ(search(store, query).answers, scan(store, query));
    EXPECT_LT(store_of(store)->index->last_read, kRows / 10);
}

TEST(Index, AGraphInPiecesFindsKAllTheSame) {
    StoreHandle store(kDimension, 0);
    fill(store, 400);
    index_it(store, kJustGraph);
    Graph& graph = *store_of(store)->index->graph;
    for (uint32_t row = 0; row < 400; ++row) { // as a file may have it
        uint32_t* links = links_of(graph, row, 0);
        for (uint32_t i = 0; i < most_links(graph, 0); ++i) links[i] = kNoRow;
        links[0] = row ^ 1;
    }
    graph.tree_is_whole = false;
    Random random(15);
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(search(store, {some_point(random), 10, 20}).answers.size(), 10u);
    }
}

TEST(Index, SavingAgainAndAgainTakesNoMoreMemory) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    FileHost host;
    size_t size = 0;
    for (int i = 0; i < 5; ++i) {
        put_one(store, 7, static_cast<float>(i));
        ASSERT_EQ(rvf_index_build(store, ~0u), 0);
        ASSERT_EQ(rvf_index_save(store), 0);
        ASSERT_EQ(rvf_index_save(store), 0);
        ASSERT_EQ(host.commit(store), 1);
        if (i == 0) size = store_of(store)->kept.size;
    }
    EXPECT_LT(store_of(store)->kept.size, size + size / 4);
    StoreHandle again(open_file(host.bytes));
    ASSERT_EQ(rvf_index_load(again, 1), kWhole);
    EXPECT_GE(recall_of(again, 60), 0.95);
}

TEST(Index, WhatWasSavedStaysWhenSavingRunsOutOfMemory) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    ASSERT_EQ(rvf_index_save(store), 0);
    const uint32_t saved = count_of<Kept>(store_of(store)->kept_list);
    int refused = 0;
    for (size_t more = 0;; more += 10'000) {
        rvf_memory_limit(static_cast<size_t>(memory_size()) + more);
        int32_t status = rvf_index_save(store);
        rvf_memory_limit(~size_t{0});
        ASSERT_EQ(count_of<Kept>(store_of(store)->kept_list), saved);
        if (status == 0) break;
        ASSERT_EQ(status, kOutOfMemory);
        ++refused;
    }
    EXPECT_GT(refused, 0);
}

TEST(Index, QuantSegmentsOfOthersStayAndHideNoRanges) {
    StoreHandle store(kDimension, 0);
    fill(store);
    Buffer theirs = {9, 8, 7, 6, 5};
    index_it(store);
    ASSERT_EQ(rvf_index_save(store), 0);
    ASSERT_GT(rvf_store_embed(store, kQuantType, address(theirs.data()), theirs.size()), 0);
    ASSERT_EQ(rvf_index_save(store), 0);
    FileHost host;
    ASSERT_EQ(host.commit(store), 1);
    EXPECT_NE(std::search(host.bytes.begin(), host.bytes.end(), theirs.begin(), theirs.end()),
              host.bytes.end());
    StoreHandle again(open_file(host.bytes));
    EXPECT_EQ(rvf_index_load(again, 1), kWhole);
}

} // namespace
} // namespace rvf
