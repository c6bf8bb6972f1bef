// Signature footers: the bytes to sign, room for them, and that they are carried on.
#include <gtest/gtest.h>

#include "control/handles.h"
#include "tests/unit/fixture.h"
#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::address;
using test::append;
using test::Buffer;
using test::Commit;
using test::get;
using test::make_commit;
using test::save;
using test::StoreHandle;

constexpr size_t kSignatureBytes[] = {64, 3309, 7856};

Buffer footer(uint16_t kind, uint8_t byte) {
    Buffer bytes;
    test::put(bytes, kind);
    test::put(bytes, static_cast<uint16_t>(kSignatureBytes[kind]));
    append(bytes, Buffer(kSignatureBytes[kind], byte));
    test::put(bytes, static_cast<uint32_t>(kSignatureBytes[kind] + 8));
    return bytes;
}

TEST(SigningInput, IsThatOfTheFormat) {
    Buffer segment = test::segment(0xF3, 0x0102030405060708, test::bytes_of("abc"));
    segment[6] = 4;                                         // signed
    Buffer expected(segment.begin(), segment.begin() + 56); // up to the end of the content hash
    append(expected, test::bytes_of("RVF-v1-segment"));
    test::put(expected, uint64_t{0x0102030405060708});
    append(expected, test::from_hex("483366601360a8771c6863080cc4114d")); // SHAKE-256 of "abc"
    ASSERT_EQ(expected.size(), 94u);
    Buffer input(94);
    append(segment, Buffer(30, 0xEE)); // what follows plays no part
    ASSERT_EQ(rvf_signing_input(address(segment.data()), segment.size(), address(input.data())), 0);
    EXPECT_EQ(input, expected);
    EXPECT_EQ(rvf_signing_input(address(segment.data()), 66, address(input.data())),
              kTruncatedSegment);
    segment[0] ^= 1;
    EXPECT_EQ(rvf_signing_input(address(segment.data()), segment.size(), address(input.data())),
              kInvalidMagic);
}

TEST(Signature, GetsAFooterBehindEverySegmentOfACommit) {
    for (uint16_t kind : {uint16_t{0}, uint16_t{1}, uint16_t{2}}) {
        StoreHandle store(2, kL2);
        upsert(store, 1, {1, 2}, test::u64_entry(1, 1));
        test::embed(store, 0xF3, {1, 2, 3});
        Commit commit = make_commit(store, {.signature = kind});
        Buffer file = commit.data;
        append(file, commit.manifest);
        size_t bytes = kSignatureBytes[kind] + 8;
        std::vector<test::Found> segments = test::walk(file, bytes);
        ASSERT_EQ(segments.size(), 5u);
        for (const test::Found& segment : segments) {
            EXPECT_EQ(file[segment.offset + 6], 4); // the flag for it
            size_t at = segment.offset + test::kHeaderBytes + segment.payload.size();
            auto begin = file.begin() + static_cast<long>(at);
            EXPECT_EQ(Buffer(begin, begin + static_cast<long>(bytes)), footer(kind, 0));
        }
        EXPECT_EQ(commit.manifest.size(), file.size() - segments.back().offset);
    }
}

/// Fills in the signatures of a commit as a host would, with the number of their segment.
void sign(Buffer& bytes, size_t signature) {
    uint8_t number = 0;
    for (const test::Found& segment : test::walk(bytes, signature + 8)) {
        size_t at = segment.offset + test::kHeaderBytes + segment.payload.size() + 4;
        std::fill_n(bytes.begin() + static_cast<long>(at), signature, ++number);
    }
}

TEST(Signature, IsCarriedOnByCommitsReopeningsAndCompaction) {
    StoreHandle store(2, kL2);
    Buffer file;
    upsert(store, 1, {1, 2}, {});
    test::embed(store, 0xF3, {1, 2, 3});
    Commit commit = make_commit(store, {.signature = 0});
    test::write_commit(file, commit);
    ASSERT_EQ(rvf_store_acknowledge(store), 0);
    sign(file, 64);
    auto signed_segment = [&] { // of type 0xF3
        for (size_t at = 0; at + 64 < file.size(); ++at) {
            if (get<uint32_t>(file, at) != test::kMagic || file[at + 5] != 0xF3) continue;
            auto begin = file.begin() + static_cast<long>(at);
            return Buffer(begin, begin + 64 + 3 + 72);
        }
        return Buffer{};
    };
    const Buffer expected = signed_segment();
    ASSERT_EQ(get<uint8_t>(expected, 67 + 4), 2);

    StoreHandle copy(test::open_file(file));
    ASSERT_GT(copy, 0);
    EXPECT_EQ(rvf_store_warnings(copy), 0);
    upsert(copy, 2, {3, 4}, {});
    ASSERT_EQ(save(copy, file), 1); // without signatures
    StoreHandle again(test::open_file(file));
    EXPECT_EQ(rvf_store_warnings(again), 0);
    EXPECT_TRUE(same(test::model_of(again), test::model_of(copy)));
    ASSERT_EQ(save(again, file, {.flags = kCompact}), 1);
    EXPECT_EQ(signed_segment(), expected);
    file = test::export_file(again);
    EXPECT_EQ(signed_segment(), expected);
    StoreHandle last(test::open_file(file));
    EXPECT_EQ(rvf_store_warnings(last), 0);
}

TEST(Signature, CommitsOfASignedFileGoBehindTheFooterOfItsManifest) {
    StoreHandle store(2, kL2);
    Buffer file;
    for (uint64_t id = 0; id < 5; ++id) {
        upsert(store, id, {1, 2}, {});
        Commit commit = make_commit(store, {.signature = 0});
        EXPECT_EQ(commit.offset, file.size());
        test::write_commit(file, commit);
        rvf_store_acknowledge(store);
        StoreHandle copy(test::open_file(file));
        EXPECT_EQ(rvf_store_warnings(copy), 0);
        EXPECT_EQ(test::State(copy).file_size, file.size());
        EXPECT_TRUE(same(test::model_of(copy), test::model_of(store)));
    }
}

TEST(Signature, ACommitKeepsNoUnsignedCopyOfWhatItSigned) {
    StoreHandle store(2, kL2);
    Buffer file;
    for (uint8_t i = 0; i < 3; ++i) {
        for (uint8_t j = 0; j < 2; ++j) test::embed(store, 0xF3, Buffer(1000, i));
        Commit commit = make_commit(store, {.signature = 0});
        test::write_commit(file, commit);
        ASSERT_EQ(rvf_store_acknowledge(store), 0);
    }
    EXPECT_EQ(store_of(store)->kept.size, 6 * (64 + 1000 + 72u));
    ASSERT_EQ(save(store, file, {.flags = kCompact}), 1);
    StoreHandle copy(test::open_file(file));
    EXPECT_TRUE(same(test::model_of(copy), test::model_of(store)));
}

} // namespace
} // namespace rvf
