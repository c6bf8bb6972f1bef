// The exports of rvf_search.wasm: answers with a filter, cut short, in batches, after deletions,
// from damaged segments, and when memory runs out.
#include "tests/unit/index_store.h"

namespace rvf {
namespace {

using namespace test;
using test::Buffer;

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

TEST(Index, ABatchAnswersAsItsQueriesDoOneByOneAlsoWithANewFilter) {
    StoreHandle single(kDimension, 0), together(kDimension, 0);
    for (int32_t store : {int32_t{single}, int32_t{together}}) {
        fill(store, 3000);
        index_it(store);
    }
    Random random(20);
    for (uint64_t limit = 70; limit <= 160; ++limit) { // a first query walks, and others scan
        for (uint32_t ef : {10u, 0u}) {
            constexpr int32_t kQueries = 3;
            std::vector<float> points = random.vector(kQueries * kDimension, -1, 1);
            Query query{points, 10, ef, less_than(limit)};
            Buffer hits(kQueries * 10 * kHitBytes);
            uint32_t found[kQueries];
            ASSERT_GE(rvf_index_search(together, address(points.data()), kQueries, 10, -1, ef, 0,
                                       query.program(), query.filter.size(), address(hits.data()),
                                       address(found)),
                      0);
            for (size_t i = 0; i < kQueries; ++i) {
                query.point.assign(&points[i * kDimension], &points[(i + 1) * kDimension]);
                Buffer own(hits.begin() + static_cast<std::ptrdiff_t>(i * 10 * kHitBytes),
                           hits.begin() + static_cast<std::ptrdiff_t>((i + 1) * 10 * kHitBytes));
                ASSERT_EQ(answers_in(own, found[i]), search(single, query).answers)
                    << limit << ", ef " << ef << ", query " << i;
            }
        }
    }
}

TEST(Index, AWorkLimitKeepsAWalkThatFindsTooFewFromEndingInAScan) {
    StoreHandle store(kDimension, 0);
    fill(store, 400);
    index_it(store, kJustGraph);
    Graph& graph = *rvf::store_of(store)->index->graph;
    for (uint32_t row = 0; row < 400; ++row) links_of(graph, row, 0)[0] = kNoRow; // all apart
    graph.tree_is_whole = false;
    Random random(21);
    Query query{some_point(random), 10, 20};
    EXPECT_EQ(search(store, query), (Found{scan(store, query), false}));
    query.work = 200;
    Found cut = search(store, query);
    EXPECT_TRUE(cut.partial);
    EXPECT_LT(cut.answers.size(), 10u);
}

} // namespace
} // namespace rvf
