// An index and its store through changes: rows written, deleted and written again, before and after
// building, saving, committing and loading.
#include "tests/unit/index_store.h"

namespace rvf {
namespace {

using namespace test;
using test::Buffer;

/// One row of all values `value`.
void put_one(int32_t store, uint64_t id, float value) {
    std::vector<float> vector(kDimension, value);
    ASSERT_EQ(rvf_store_ingest(store, address(vector.data()), address(&id), 1), 1);
}

TEST(IndexChanges, RowsWrittenUnderAnOlderIndexAreCodedAnewUnderTheNext) {
    StoreHandle store(kDimension, 0);
    fill(store, 300);
    index_it(store, kJustCodes);
    put_one(store, 5, -0.75f); // far from where it is at last
    index_it(store, kJustCodes);
    put_one(store, 5, 0.75f);
    Query query{std::vector<float>(kDimension, 0.75f), 1};
    EXPECT_EQ(search(store, query).answers, (std::vector<Answer>{{5, 0}}));
}

TEST(IndexChanges, RowsInThePlacesOfDeletedOnesAreLinked) {
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

TEST(IndexChanges, RowsInThePlacesOfDeletedOnesAreLinkedBehindALoadedGraph) {
    StoreHandle store(kDimension, 0);
    fill(store, 1100);
    index_it(store);
    FileHost host;
    ASSERT_EQ(host.commit(store), 1);
    ASSERT_EQ(remove_ids(store, ids_from(1000, 1100)), 100); // all behind the first 1,024 of them
    ASSERT_EQ(rvf_index_save(store), 0);
    ASSERT_EQ(host.commit(store), 1);
    Reopened again(host);
    ASSERT_EQ(again.loaded, kWhole);
    put_one(again, 5000, 3);
    ASSERT_EQ(rvf_index_build(again, ~0u), 0);
    Query query{std::vector<float>(kDimension, 3), 1, 40};
    EXPECT_EQ(search(again, query).answers, (std::vector<Answer>{{5000, 0}}));
}

TEST(IndexChanges, ASavedGraphIsThatOfTheRowsAsTheyAre) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    Random random(12);
    put_rows(store, random, ids_from(0, kRows)); // all of them, anew
    ASSERT_EQ(rvf_index_save(store), 0);
    FileHost host;
    ASSERT_EQ(host.commit(store), 1);
    Reopened again(host);
    ASSERT_EQ(again.loaded, kWhole);
    EXPECT_GE(recall_of(again, 60), 0.95);
}

TEST(IndexChanges, AGraphSavedBeforeTheLastChangeOfRowsIsNotWritten) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    ASSERT_EQ(rvf_index_save(store), 0);
    ASSERT_EQ(remove_ids(store, {3}), 1);
    FileHost host;
    ASSERT_EQ(host.commit(store), 1);
    Reopened again(host);
    ASSERT_EQ(again.loaded, kJustCodes);
}

TEST(IndexChanges, RowsWrittenBeforeAGraphIsLoadedAreLinkedAnew) {
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

TEST(IndexChanges, RangesOfFewRowsAreFoundAnewForMany) {
    StoreHandle store(kDimension, 0);
    fill(store, 1);
    index_it(store);
    fill(store);
    ASSERT_EQ(rvf_index_build(store, ~0u), 0);
    Random random(14);
    Query query{some_point(random)};
    EXPECT_EQ(search(store, query).answers, scan(store, query));
    EXPECT_LT(rvf::store_of(store)->index->last_read, kRows / 10);
}

TEST(IndexChanges, AGraphInPiecesFindsKAllTheSame) {
    StoreHandle store(kDimension, 0);
    fill(store, 400);
    index_it(store, kJustGraph);
    Graph& graph = *rvf::store_of(store)->index->graph;
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

TEST(IndexChanges, SavingAgainAndAgainTakesNoMoreMemory) {
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
        if (i == 0) size = rvf::store_of(store)->kept.size;
    }
    EXPECT_LT(rvf::store_of(store)->kept.size, size + size / 4);
    Reopened again(host);
    ASSERT_EQ(again.loaded, kWhole);
    EXPECT_GE(recall_of(again, 60), 0.95);
}

TEST(IndexChanges, WhatWasSavedStaysWhenSavingRunsOutOfMemory) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    ASSERT_EQ(rvf_index_save(store), 0);
    const uint32_t saved = count_of<Kept>(rvf::store_of(store)->kept_list);
    int refused = 0;
    for (size_t more = 0;; more += 10'000) {
        rvf_memory_limit(static_cast<size_t>(memory_size()) + more);
        int32_t status = rvf_index_save(store);
        rvf_memory_limit(~size_t{0});
        ASSERT_EQ(count_of<Kept>(rvf::store_of(store)->kept_list), saved);
        if (status == 0) break;
        ASSERT_EQ(status, kOutOfMemory);
        ++refused;
    }
    EXPECT_GT(refused, 0);
}

TEST(IndexChanges, QuantSegmentsOfOthersStayAndHideNoRanges) {
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
    Reopened again(host);
    ASSERT_EQ(again.loaded, kWhole);
}

TEST(IndexChanges, RowsWrittenAgainAreLinkedALittleAtATimeAndFoundAllTheWhile) {
    StoreHandle store(kDimension, 0);
    fill(store);
    index_it(store);
    Random random(31);
    put_rows(store, random, ids_from(0, kRows));
    Store& inside = *rvf::store_of(store);
    Query query{some_point(random)};
    EXPECT_EQ(search(store, query).answers, scan(store, query)); // by codes, exactly
    EXPECT_EQ(inside.rewritten_count, kRows);
    query.ef = 40;
    EXPECT_EQ(search(store, query).answers, scan(store, query));
    EXPECT_LT(inside.rewritten_count, kRows);
    EXPECT_GT(inside.rewritten_count, kRows - 10);
    uint32_t left = inside.rewritten_count;
    EXPECT_EQ(rvf_index_build(store, 100), static_cast<int32_t>(left - 100));
    EXPECT_EQ(rvf_index_build(store, ~0u), 0);
    EXPECT_EQ(inside.rewritten_count, 0u);
    EXPECT_GE(recall_of(store, 60), 0.95);
}

TEST(IndexChanges, RowsThatSavingHasCodedAreFollowedToo) {
    StoreHandle store(kDimension, 0);
    fill(store, 300);
    index_it(store, kJustCodes);
    put_one(store, 1000, -0.75f);
    ASSERT_EQ(rvf_index_save(store), 0); // finds the ranges anew and codes all rows
    put_one(store, 1000, 0.75f);
    Query query{std::vector<float>(kDimension, 0.75f), 1};
    EXPECT_EQ(search(store, query).answers, (std::vector<Answer>{{1000, 0}}));
}

TEST(IndexChanges, ASavedGraphIsOldAlsoWhenJustRangesAreSavedAfterwards) {
    StoreHandle store(kDimension, 0);
    fill(store, 300);
    index_it(store);
    ASSERT_EQ(rvf_index_save(store), 0);
    FileHost host;
    Random random(32);
    put_rows(store, random, ids_from(0, 300));
    index_it(store, kJustCodes);
    ASSERT_EQ(rvf_index_save(store), 0);
    ASSERT_EQ(host.commit(store), 1);
    EXPECT_EQ(Reopened(host).loaded, kJustCodes);
}

TEST(IndexChanges, ADamagedGraphOfTheFileDoesNotReplaceTheIndexThatThereIs) {
    IndexedFile file(kIndexType);
    file.bytes[file.at + file.size / 2] ^= 1;
    StoreHandle store(open_file(file.bytes));
    index_it(store, kJustGraph);
    ASSERT_EQ(rvf_index_load(store, 1), kJustGraph);
    EXPECT_NE(rvf::store_of(store)->index->fault, IndexFault::kNone);
    EXPECT_GE(recall_of(store, 60), 0.95);
}

TEST(IndexChanges, NodesThatComeAndGoTakeNoMoreMemory) {
    StoreHandle store(kDimension, 0);
    fill(store, 1000);
    ASSERT_EQ(rvf_index_create(store, kGraph, 2, 10, 1), 0); // half of the rows are on two layers
    uint64_t before = 0;
    Random random(33);
    for (int round = 0; round < 12; ++round) {
        ASSERT_EQ(rvf_index_build(store, ~0u), 0);
        if (round == 1) before = graph_bytes(graph_of(store));
        ASSERT_EQ(remove_ids(store, ids_from(0, 500)), 500);
        ASSERT_EQ(rvf_index_save(store), 0); // takes dead rows out of the graph
        put_rows(store, random, ids_from(0, 500));
    }
    EXPECT_EQ(graph_bytes(graph_of(store)), before);
}

TEST(IndexChanges, AStoreThatWasEmptiedAnswersNothingAlsoThroughAFilter) {
    StoreHandle store(kDimension, 0);
    ASSERT_EQ(rvf_index_create(store, kWhole, 8, 60, 1), 0);
    Query query{std::vector<float>(kDimension, 1.0f), 5, 10, less_than(5)};
    EXPECT_EQ(search(store, query), (Found{{}, false}));
    fill(store, 30);
    ASSERT_EQ(rvf_index_build(store, ~0u), 0);
    ASSERT_EQ(remove_ids(store, ids_from(0, 30)), 30);
    EXPECT_EQ(search(store, query), (Found{{}, false}));
}

} // namespace
} // namespace rvf
