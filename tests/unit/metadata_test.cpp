// Metadata of rows and of the store: what is taken, what is refused, and that it is in the file.
#include <gtest/gtest.h>

#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::address;
using test::Buffer;
using test::bytes_of;
using test::kBool;
using test::kBytes;
using test::kF64;
using test::kI64;
using test::kString;
using test::kU64;
using test::metadata_of;
using test::model_of;
using test::put_entry;
using test::same;
using test::save;
using test::set_about;
using test::set_metadata;
using test::StoreHandle;
using test::text_entry;
using test::u64_entry;
using test::upsert;

Buffer one_of_each_type() {
    Buffer entries;
    put_entry(entries, 0, kU64, bytes_of(~uint64_t{0}));
    put_entry(entries, 1, kI64, bytes_of(int64_t{-1} << 63));
    put_entry(entries, 2, kF64, bytes_of(-0.0));
    put_entry(entries, 3, kString, bytes_of("h\xC3\xA9llo"));
    put_entry(entries, 4, kBool, {1});
    put_entry(entries, 5, kBytes, {0, 255, 0});
    put_entry(entries, 6, kString, {});
    put_entry(entries, 0xFFFD, kBytes, {});
    put_entry(entries, 0xFFFF, kString, bytes_of("name"));
    return entries;
}

TEST(Metadata, OfEveryTypeIsInTheFile) {
    StoreHandle store(2, kL2);
    Buffer file;
    ASSERT_EQ(upsert(store, 1, {1, 2}, one_of_each_type()), 1);
    ASSERT_EQ(set_about(store, one_of_each_type()), 1);
    ASSERT_EQ(save(store, file), 1);
    StoreHandle copy(test::open_file(file));
    uint64_t id = 1;
    EXPECT_EQ(metadata_of(copy, &id), one_of_each_type());
    EXPECT_EQ(metadata_of(copy, nullptr), one_of_each_type());
}

TEST(Metadata, ThatIsNotSoundIsRefusedAndChangesNothing) {
    auto entry = [](uint16_t field, uint8_t type, const Buffer& value) {
        Buffer entries;
        put_entry(entries, field, type, value);
        return entries;
    };
    auto two = [&](uint16_t first, uint16_t second) {
        Buffer entries = u64_entry(first, 1);
        test::append(entries, u64_entry(second, 2));
        return entries;
    };
    Buffer cut = u64_entry(1, 1), header = u64_entry(1, 1), lies = text_entry(1, "abc");
    cut.pop_back();
    header.resize(6);
    test::set(lies, 3, ~uint32_t{0});
    const std::map<const char*, Buffer> entries = {
        {"cut value", cut},
        {"cut header", header},
        {"cut field", {1}},
        {"length that lies", lies},
        {"descending fields", two(2, 1)},
        {"equal fields", two(1, 1)},
        {"the field of filters for ids", u64_entry(0xFFFE, 1)},
        {"unknown type", entry(1, 6, {})},
        {"u64 of 7 bytes", entry(1, kU64, Buffer(7))},
        {"i64 of 9 bytes", entry(1, kI64, Buffer(9))},
        {"f64 of none", entry(1, kF64, {})},
        {"bool of none", entry(1, kBool, {})},
        {"bool of two", entry(1, kBool, {0, 0})},
        {"bool that is neither", entry(1, kBool, {2})},
    };
    StoreHandle store(2, kL2);
    upsert(store, 1, {1, 2}, text_entry(7, "seven"));
    const test::Model model = model_of(store);
    for (const auto& [name, bytes] : entries) {
        EXPECT_EQ(upsert(store, 1, {3, 4}, bytes), kInvalidArgument) << name;
        EXPECT_EQ(upsert(store, 2, {3, 4}, bytes), kInvalidArgument) << name;
        EXPECT_EQ(set_metadata(store, 1, bytes), kInvalidArgument) << name;
        EXPECT_EQ(set_about(store, bytes), kInvalidArgument) << name;
        EXPECT_TRUE(same(model_of(store), model)) << name;
    }
}

TEST(Metadata, MustBeOfExactlyAsManyRecordsAsVectors) {
    StoreHandle store(1, kL2);
    const std::vector<uint64_t> ids = {1, 2};
    const std::vector<float> vectors = {1, 2};
    for (size_t records : {1u, 2u, 3u}) {
        Buffer bytes;
        for (size_t i = 0; i < records; ++i) {
            test::put(bytes, uint32_t{15});
            test::append(bytes, u64_entry(1, i));
        }
        int32_t answer = rvf_store_upsert(store, address(vectors.data()), address(ids.data()), 2,
                                          address(bytes.data()), bytes.size());
        EXPECT_EQ(answer, records == 2 ? 2 : kInvalidArgument);
        EXPECT_EQ(rvf_store_count(store), records == 1 ? 0 : 2);
    }
}

TEST(Metadata, IsReplacedByAnUpsertAndGoneAfterAnIngest) {
    StoreHandle store(1, kL2);
    uint64_t id = 1;
    upsert(store, id, {1}, text_entry(1, "old"));
    upsert(store, id, {1}, u64_entry(2, 2));
    EXPECT_EQ(metadata_of(store, &id), u64_entry(2, 2));
    test::ingest(store, {id}, {1});
    EXPECT_EQ(metadata_of(store, &id), Buffer{});
}

TEST(Metadata, OfTheLastOfEqualIdsWins) {
    StoreHandle store(1, kL2);
    const std::vector<uint64_t> ids = {5, 5};
    const std::vector<float> vectors = {1, 2};
    Buffer records;
    for (uint64_t value : {10u, 20u}) {
        test::put(records, uint32_t{15});
        test::append(records, u64_entry(1, value));
    }
    ASSERT_EQ(rvf_store_upsert(store, address(vectors.data()), address(ids.data()), 2,
                               address(records.data()), records.size()),
              2);
    EXPECT_EQ(model_of(store).rows.at(5), (test::Record{{2}, u64_entry(1, 20)}));
}

TEST(Metadata, OfADeletedIdDoesNotComeBackWithIt) {
    StoreHandle store(1, kL2);
    Buffer file;
    uint64_t id = 1;
    upsert(store, id, {1}, text_entry(1, "old"));
    ASSERT_EQ(save(store, file), 1);
    test::remove_ids(store, {id});
    EXPECT_EQ(rvf_store_metadata(store, address(&id), 0, 0), 0);
    EXPECT_EQ(set_metadata(store, id, u64_entry(1, 1)), 0);
    test::ingest(store, {id}, {1});
    ASSERT_EQ(save(store, file), 1);
    StoreHandle copy(test::open_file(file));
    EXPECT_EQ(metadata_of(copy, &id), Buffer{});
}

TEST(Metadata, IsTakenAwayByNoEntries) {
    StoreHandle store(1, kL2);
    Buffer file;
    uint64_t id = 1;
    upsert(store, id, {1}, text_entry(1, "old"));
    set_about(store, text_entry(1, "old"));
    ASSERT_EQ(save(store, file), 1);
    EXPECT_EQ(set_metadata(store, id, {}), 1);
    EXPECT_EQ(set_about(store, {}), 1);
    ASSERT_EQ(save(store, file), 1);
    StoreHandle copy(test::open_file(file));
    EXPECT_EQ(metadata_of(copy, &id), Buffer{});
    EXPECT_EQ(metadata_of(copy, nullptr), Buffer{});
}

TEST(Metadata, IsOnlyWrittenToABufferThatHoldsIt) {
    StoreHandle store(1, kL2);
    uint64_t id = 1;
    upsert(store, id, {1}, u64_entry(1, 1));
    Buffer room(15, 0xEE);
    EXPECT_EQ(rvf_store_metadata(store, address(&id), address(room.data()), 14), 15);
    EXPECT_EQ(room, Buffer(15, 0xEE));
    EXPECT_EQ(rvf_store_metadata(store, address(&id), address(room.data()), 15), 15);
    EXPECT_EQ(room, u64_entry(1, 1));
    EXPECT_EQ(rvf_store_metadata(store, address(&id), 0, 15), kInvalidPointer);
}

TEST(Metadata, ThatIsReplacedOverAndOverTakesNoMoreMemory) {
    StoreHandle store(1, kL2);
    uint64_t words[4];
    for (uint64_t i = 0; i < 50'000; ++i) {
        upsert(store, i % 10, {1}, text_entry(1, "some text of a certain length"));
    }
    ASSERT_EQ(rvf_store_memory_usage(store, address(words)), 0);
    EXPECT_LT(words[2], 40'000u);
}

// --- META segments of others ---

Buffer meta_payload(uint16_t version, const std::vector<std::pair<uint64_t, Buffer>>& records) {
    Buffer payload = bytes_of("RVMD");
    test::put(payload, version);
    test::put(payload, uint16_t{0});
    for (const auto& [id, entries] : records) {
        test::put(payload, id);
        test::put(payload, static_cast<uint32_t>(entries.size()));
        test::append(payload, entries);
    }
    return payload;
}

struct MetaSegment : testing::Test {
    test::FileBuilder file;
    MetaSegment() { file.add_vectors({1, 2}, {1, 1, 2, 2}); }
    int32_t open(const Buffer& payload) {
        file.add(test::kMeta, payload);
        file.commit();
        return test::open_file(file.bytes);
    }
};

TEST_F(MetaSegment, GivesRowsTheirMetadata) {
    StoreHandle store(open(meta_payload(1, {{2, u64_entry(1, 7)}, {9, u64_entry(1, 8)}})));
    EXPECT_EQ(rvf_store_warnings(store), 0);
    EXPECT_EQ(model_of(store).rows.at(1).metadata, Buffer{});
    EXPECT_EQ(model_of(store).rows.at(2).metadata, u64_entry(1, 7));
    EXPECT_EQ(model_of(store).rows.size(), 2u); // 9 is not live
}

TEST_F(MetaSegment, OfALaterVersionIsRefused) {
    EXPECT_EQ(open(meta_payload(2, {{2, u64_entry(1, 7)}})), kInvalidVersion);
}

TEST_F(MetaSegment, WhoseRecordsAreNotSoundIsRefused) {
    EXPECT_EQ(open(meta_payload(1, {{2, {1, 2, 3}}})), kTruncatedSegment);
}

TEST_F(MetaSegment, ThatIsCutIsRefused) {
    Buffer payload = meta_payload(1, {{2, u64_entry(1, 7)}});
    payload.pop_back();
    EXPECT_EQ(open(payload), kTruncatedSegment);
}

TEST_F(MetaSegment, OfAnotherKindIsCarriedOnUnread) {
    StoreHandle store(open(bytes_of("{\"json\": 1}")));
    test::Model model = model_of(store);
    ASSERT_EQ(model.kept.size(), 1u);
    EXPECT_EQ(model.kept[0], (test::Kept{test::kMeta, bytes_of("{\"json\": 1}")}));
}

} // namespace
} // namespace rvf
