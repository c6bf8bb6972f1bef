// Signatures of segments: what is signed, what verifying notices, and that signatures stay.
#include <gtest/gtest.h>

#include "tests/signing/support.h"

namespace rvf::test {
namespace {

using signing::SegmentSignature;
using signing::SignatureState;
using signing::Verification;

constexpr size_t kFooterBytes = 72;

SignatureState state_of_type(const Verification& result, uint8_t type) {
    for (const SegmentSignature& one : result.segments) {
        if (one.type == type) return one.state;
    }
    ADD_FAILURE() << "no segment of type " << int{type};
    return SignatureState::kAbsent;
}

/// Header, payload and footer of the segment of that type in the signed file.
struct Place {
    size_t begin;
    size_t footer;
};

Place place_of(const Buffer& file, uint8_t type) {
    for (const SegmentSignature& one : verify(file).segments) {
        if (one.type == type) {
            return {one.offset, one.offset + kHeaderBytes + get<uint64_t>(file, one.offset + 16)};
        }
    }
    ADD_FAILURE() << "no segment of type " << int{type};
    return {};
}

Buffer flipped(Buffer bytes, size_t bit) {
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ 1u << bit % 8);
    return bytes;
}

TEST(SignedSegments, EverySegmentOfASignedCommitIsGood) {
    SignedStore one;
    fill(one);
    Verification result = verify(one.file.bytes);
    EXPECT_GE(result.segments.size(), 7u);
    EXPECT_TRUE(result.all_good());
    EXPECT_EQ(result.stray_bytes, 0u);
}

TEST(SignedSegments, SignatureIsOfTheBytesThatTheFormatNames) {
    SignedStore one;
    fill(one);
    for (const SegmentSignature& segment : verify(one.file.bytes).segments) {
        Buffer input = signing_input_of(one.file.bytes, segment.offset);
        size_t footer =
            segment.offset + kHeaderBytes + get<uint64_t>(one.file.bytes, segment.offset + 16);
        std::span<const uint8_t> signature(one.file.bytes.data() + footer + 4, 64);
        EXPECT_TRUE(signing::verify(input, signature, public_key()));
        EXPECT_EQ(one.file.bytes[segment.offset + 6], 4) << "the header says that it is signed";
    }
}

TEST(SignedSegments, AnotherKeyFindsAllOfThemBad) {
    SignedStore one;
    fill(one);
    for (const SegmentSignature& segment : verify(one.file.bytes, kOtherKey).segments) {
        EXPECT_EQ(segment.state, SignatureState::kBad);
    }
}

TEST(SignedSegments, ACommitThatNobodySignedIsBadNotAbsent) {
    StoreHandle store(2, kL2);
    FileHost file;
    ingest(store, {1}, {1, 2});
    ASSERT_EQ(file.commit(store, 0, kEd25519), 1);
    for (const SegmentSignature& segment : verify(file.bytes).segments) {
        EXPECT_EQ(segment.state, SignatureState::kBad);
    }
}

TEST(SignedSegments, AnUnsignedFileHasNone) {
    StoreHandle store(2, kL2);
    FileHost file;
    ingest(store, {1}, {1, 2});
    ASSERT_EQ(file.commit(store), 1);
    Verification result = verify(file.bytes);
    ASSERT_FALSE(result.segments.empty());
    for (const SegmentSignature& segment : result.segments) {
        EXPECT_EQ(segment.state, SignatureState::kAbsent);
    }
    EXPECT_FALSE(result.all_good());
}

TEST(SignedSegments, SigningFillsOnlyEmptyFootersAndOnlyOnce) {
    SignedStore one;
    fill(one);
    Buffer before = one.file.bytes;
    EXPECT_EQ(signing::sign_segments(one.file.bytes, kOtherKey), 0u);
    EXPECT_EQ(one.file.bytes, before);
}

TEST(SignedSegments, AFooterOfAnotherAlgorithmIsNotJudged) {
    StoreHandle store(2, kL2);
    FileHost file;
    ingest(store, {1}, {1, 2});
    ASSERT_EQ(file.commit(store, 0, kMlDsa65), 1);
    Buffer before = file.bytes;
    EXPECT_EQ(signing::sign_segments(file.bytes, kKey), 0u);
    EXPECT_EQ(file.bytes, before);
    Verification result = verify(file.bytes);
    ASSERT_FALSE(result.segments.empty());
    for (const SegmentSignature& segment : result.segments) {
        EXPECT_EQ(segment.state, SignatureState::kOtherKind);
    }
    EXPECT_FALSE(result.all_good());
}

TEST(SignedSegments, BytesThatNoSegmentHasAreStray) {
    SignedStore one;
    fill(one);
    append(one.file.bytes, {1, 2, 3});
    EXPECT_EQ(verify(one.file.bytes).stray_bytes, 3u);
    EXPECT_FALSE(verify(one.file.bytes).all_good());
}

TEST(SignedSegments, AFileThatIsCutIsNoticedUnlessBetweenSegments) {
    SignedStore one;
    fill(one);
    std::vector<size_t> ends;
    for (const SegmentSignature& segment : verify(one.file.bytes).segments) {
        ends.push_back(segment.offset + kHeaderBytes +
                       get<uint64_t>(one.file.bytes, segment.offset + 16) + kFooterBytes);
    }
    for (size_t size = 0; size < one.file.bytes.size(); ++size) {
        Buffer cut(one.file.bytes.begin(), one.file.bytes.begin() + static_cast<long>(size));
        bool between = std::find(ends.begin(), ends.end(), size) != ends.end();
        EXPECT_EQ(verify(cut).all_good(), between) << size;
    }
}

// --- Every bit of a segment ---

class EveryBit : public testing::TestWithParam<uint8_t> {};

TEST_P(EveryBit, OfTheFirst40BytesTheHashAndThePayloadIsCovered) {
    SignedStore one;
    fill(one);
    Place place = place_of(one.file.bytes, GetParam());
    for (size_t bit = 8 * place.begin; bit < 8 * place.footer; ++bit) {
        size_t in_header = bit / 8 - place.begin;
        bool covered = in_header < 56 || in_header >= kHeaderBytes;
        EXPECT_EQ(verify(flipped(one.file.bytes, bit)).all_good(), !covered)
            << "byte " << in_header << ", bit " << bit % 8;
    }
}

TEST_P(EveryBit, OfTheFooterCounts) {
    SignedStore one;
    fill(one);
    Place place = place_of(one.file.bytes, GetParam());
    for (size_t bit = 8 * place.footer; bit < 8 * (place.footer + kFooterBytes); ++bit) {
        EXPECT_FALSE(verify(flipped(one.file.bytes, bit)).all_good())
            << "byte " << bit / 8 - place.footer << ", bit " << bit % 8;
    }
}

TEST_P(EveryBit, OfThePayloadMakesJustThatSegmentBad) {
    SignedStore one;
    fill(one);
    size_t others = verify(one.file.bytes).segments.size() - 1;
    Place place = place_of(one.file.bytes, GetParam());
    for (size_t bit = 8 * (place.begin + kHeaderBytes); bit < 8 * place.footer; ++bit) {
        Verification result = verify(flipped(one.file.bytes, bit));
        size_t good = 0;
        for (const SegmentSignature& segment : result.segments) {
            bool is_good = segment.state == SignatureState::kGood;
            EXPECT_EQ(is_good, segment.offset != place.begin) << bit;
            good += is_good;
        }
        EXPECT_EQ(good, others) << bit;
    }
}

INSTANTIATE_TEST_SUITE_P(Types, EveryBit,
                         testing::Values(kVec, kJournal, kManifest, kWitness, uint8_t{0xF5}));

// --- Signatures stay ---

TEST(SignedSegments, ASignedFileOpensWithoutWarnings) {
    SignedStore one;
    fill(one);
    StoreHandle again(open_file(one.file.bytes));
    ASSERT_GT(again, 0);
    EXPECT_EQ(rvf_store_warnings(again), 0);
    EXPECT_EQ(rows_of(again), rows_of(one.store));
}

TEST(SignedSegments, KeptSegmentsKeepTheirSignaturesThroughCompaction) {
    SignedStore one;
    fill(one);
    StoreHandle again(open_file(one.file.bytes));
    FileHost compacted;
    ASSERT_EQ(compacted.commit(again, kCompact), 1);
    Verification result = verify(compacted.bytes);
    EXPECT_EQ(result.stray_bytes, 0u);
    EXPECT_EQ(state_of_type(result, 0xF5), SignatureState::kGood);
    EXPECT_EQ(state_of_type(result, kWitness), SignatureState::kGood) << "the oldest one";
    EXPECT_EQ(state_of_type(result, kVec), SignatureState::kAbsent) << "written anew, unsigned";
    EXPECT_EQ(state_of_type(result, kManifest), SignatureState::kAbsent);
}

TEST(SignedSegments, ACompactionSignedWithAnotherKeyLeavesOldSignaturesAlone) {
    SignedStore one;
    fill(one);
    ASSERT_EQ(one.commit(kCompact, kOtherKey), 1);
    Verification first = verify(one.file.bytes), second = verify(one.file.bytes, kOtherKey);
    EXPECT_EQ(state_of_type(first, 0xF5), SignatureState::kGood);
    EXPECT_EQ(state_of_type(first, kVec), SignatureState::kBad);
    EXPECT_EQ(state_of_type(second, 0xF5), SignatureState::kBad);
    EXPECT_EQ(state_of_type(second, kVec), SignatureState::kGood);
    EXPECT_EQ(state_of_type(second, kManifest), SignatureState::kGood);
    EXPECT_EQ(first.stray_bytes, 0u);
}

TEST(SignedSegments, AnExportCarriesThemToo) {
    SignedStore one;
    fill(one);
    Buffer file = export_file(one.store);
    EXPECT_EQ(state_of_type(verify(file), 0xF5), SignatureState::kGood);
    StoreHandle again(open_file(file));
    ASSERT_GT(again, 0);
    EXPECT_EQ(rvf_store_warnings(again), 0);
}

TEST(SignedSegments, SigningAfterReopeningGoesOnBehindTheOldSignatures) {
    SignedStore one;
    fill(one);
    StoreHandle again(open_file(one.file.bytes));
    ingest(again, {9}, {9, 9});
    FileHost file = one.file;
    ASSERT_EQ(file.commit(again, 0, kEd25519,
                          [](std::span<uint8_t> bytes) { signing::sign_segments(bytes, kKey); }),
              1);
    ASSERT_GT(file.bytes.size(), one.file.bytes.size());
    EXPECT_TRUE(std::equal(one.file.bytes.begin(), one.file.bytes.end(), file.bytes.begin()));
    EXPECT_TRUE(verify(file.bytes).all_good());
}

} // namespace
} // namespace rvf::test
