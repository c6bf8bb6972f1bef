// rvf_store_open on files made by hand: what is read, and what is refused.
#include <gtest/gtest.h>

#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::address;
using test::append;
using test::bits_of;
using test::Buffer;
using test::Entry;
using test::FileBuilder;
using test::kHeaderBytes;
using test::kJournal;
using test::kManifest;
using test::kMeta;
using test::kVec;
using test::kWitness;
using test::open_file;
using test::Rows;
using test::rows_of;
using test::segment;
using test::set;
using test::StoreHandle;

/// Live rows and warnings of a file that must open.
struct Opened {
    Rows rows;
    int32_t warnings;
    bool operator==(const Opened& other) const = default;
};

Opened opened(const Buffer& file) {
    StoreHandle store(open_file(file));
    EXPECT_GT(store, 0);
    return {rows_of(store), rvf_store_warnings(store)};
}

/// A writer that overrules what the segment says of itself: the hash is made for the payload, so
/// that only the lie itself is wrong.
struct Lie {
    FileBuilder file;

    Lie() { file.add_vectors({1}, {1, 2}); }
    void add_payload(const Buffer& payload) { file.add(kVec, payload); }
    int32_t open() {
        file.commit();
        return open_file(file.bytes);
    }
};

TEST(Open, ReadsVectorsInDirectoryOrder) {
    FileBuilder file;
    file.add_vectors({1, 2}, {1, 2, 3, 4});
    file.add_vectors({~0ull, 1}, {5, 6, 7, 8});
    file.commit();
    EXPECT_EQ(opened(file.bytes), (Opened{{{1, {7, 8}}, {2, {3, 4}}, {~0ull, {5, 6}}}, 0}));
}

// Its header says more than the directory, with a good hash; the next commit would write over it.
TEST(Open, AListedSegmentThatReachesBehindItsManifestIsRefused) {
    FileBuilder file;
    file.add_vectors({1}, {1, 2});
    file.commit();
    file.bytes.resize(file.bytes.size() + 8);
    size_t size = file.bytes.size() - kHeaderBytes;
    set(file.bytes, 16, uint64_t{size});
    test::write_hash(file.bytes.data(), file.bytes.data() + kHeaderBytes, size);
    EXPECT_EQ(open_file(file.bytes), kTruncatedSegment);
}

// Upstream's rule: not the order in the file, not the larger segment id.
TEST(Open, OrderOfTheDirectoryDecidesDuplicates) {
    FileBuilder file;
    file.add_vectors({1}, {1, 1});
    file.add_vectors({1}, {2, 2});
    std::swap(file.directory[0], file.directory[1]);
    file.commit();
    EXPECT_EQ(opened(file.bytes).rows, (Rows{{1, {1, 1}}}));
}

TEST(Open, ASegmentOutsideTheDirectoryIsNotRead) {
    FileBuilder file;
    file.add_vectors({1}, {1, 1});
    file.add_vectors({2}, {2, 2});
    file.directory.pop_back();
    file.commit();
    EXPECT_EQ(opened(file.bytes).rows, (Rows{{1, {1, 1}}}));
}

TEST(Open, ListedDeletionsHideIdsAndUnknownOnesAreHarmless) {
    FileBuilder file;
    file.add_vectors({1, 2, 3}, {1, 1, 2, 2, 3, 3});
    file.deleted = {2, 99, 3, 3};
    file.commit();
    EXPECT_EQ(opened(file.bytes), (Opened{{{1, {1, 1}}}, 0}));
}

TEST(Open, DeletionsAreStickyOverLaterVectors) {
    FileBuilder file;
    file.add_vectors({1}, {1, 1});
    file.deleted = {1};
    file.commit();
    file.add_vectors({1}, {2, 2});
    file.commit();
    EXPECT_TRUE(opened(file.bytes).rows.empty());
}

TEST(Open, TakesEpochMetricProfileAndIdentityIntoTheExport) {
    FileBuilder file;
    file.epoch = 41;
    file.metric = 2;
    file.profile = 7;
    file.identity = Buffer(68);
    for (size_t i = 0; i < 68; ++i) file.identity[i] = static_cast<uint8_t>(i + 1);
    file.add_vectors({1}, {1, 2});
    file.commit();
    StoreHandle store(open_file(file.bytes));
    Buffer exported = test::export_file(store);
    FileBuilder expected = file;
    expected.epoch = 41;
    expected.directory.resize(1);
    Buffer manifest(exported.end() - static_cast<long>(expected.manifest_payload().size()),
                    exported.end());
    set(manifest, 6, uint64_t{0}); // total vectors
    EXPECT_EQ(manifest, expected.manifest_payload());
}

TEST(Open, MetricByteIsReadAndAnUnknownOneIsL2WithAWarning) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
        FileBuilder file;
        file.metric = static_cast<uint8_t>(byte);
        file.commit();
        StoreHandle store(open_file(file.bytes));
        uint32_t status[5];
        ASSERT_EQ(rvf_store_status(store, address(status)), 0);
        EXPECT_EQ(status[2], byte <= 2 ? byte : 0);
        EXPECT_EQ(rvf_store_warnings(store), byte <= 2 ? 0 : kMetricAssumed);
    }
}

TEST(Open, CallersMetricOverrulesTheFiles) {
    FileBuilder file;
    file.metric = 1;
    file.commit();
    for (int32_t metric : {kL2, kInnerProduct, kCosine}) {
        StoreHandle store(open_file(file.bytes, metric));
        uint32_t status[5];
        ASSERT_EQ(rvf_store_status(store, address(status)), 0);
        EXPECT_EQ(status[2], static_cast<uint32_t>(metric));
    }
    for (int32_t metric : {-2, 3, INT32_MAX}) {
        EXPECT_EQ(open_file(file.bytes, metric), kMetricUnsupported);
    }
}

TEST(Open, RefusesNullAndNothing) {
    EXPECT_EQ(rvf_store_open(0, 100), kInvalidPointer);
    EXPECT_EQ(open_file({}), kManifestNotFound);
}

TEST(Open, KeepsNoReferenceToTheBuffer) {
    FileBuilder file;
    file.add_vectors({1}, {1, 2});
    file.add(kMeta, Buffer(10, 0xAA));
    file.commit();
    auto copy = test::exact_copy(file.bytes);
    StoreHandle store(rvf_store_open(address(copy.get()), file.bytes.size()));
    Buffer before = test::export_file(store);
    copy.reset();
    EXPECT_EQ(test::export_file(store), before);
}

// --- Interrupted writes ---

/// A file of many commits and what each of them says is live.
struct History {
    FileBuilder file;
    std::vector<std::pair<size_t, Rows>> commits; ///< end of the manifest, rows

    void commit(const Rows& rows) {
        file.commit();
        commits.push_back({file.bytes.size(), rows});
    }
};

History make_history() {
    History history;
    FileBuilder& file = history.file;
    history.commit({});
    file.add_vectors({1, 2, 3}, {1, 1, 2, 2, 3, 3});
    history.commit({{1, {1, 1}}, {2, {2, 2}}, {3, {3, 3}}});
    file.add_vectors({2, 4}, {20, 20, 4, 4});
    file.add(kWitness, Buffer(73, 0x11));
    history.commit({{1, {1, 1}}, {2, {20, 20}}, {3, {3, 3}}, {4, {4, 4}}});
    file.add(kJournal, Buffer(28, 0x22));
    file.deleted = {3};
    file.identity = Buffer(68, 0x33);
    history.commit({{1, {1, 1}}, {2, {20, 20}}, {4, {4, 4}}});
    file.bytes.resize((file.bytes.size() + 63) / 64 * 64); // padding is allowed
    file.add(kMeta, Buffer(200, 0x44));
    file.add_vectors({5}, {5, 5});
    history.commit({{1, {1, 1}}, {2, {20, 20}}, {4, {4, 4}}, {5, {5, 5}}});
    return history;
}

/// Cuts the file at every byte; the last commit before the cut must be what opens.
void expect_last_commit_at_every_cut(const History& history) {
    const Buffer& whole = history.file.bytes;
    for (size_t size = 0; size <= whole.size(); ++size) {
        Buffer cut(whole.begin(), whole.begin() + static_cast<long>(size));
        const Rows* expected = nullptr;
        for (const auto& [end, rows] : history.commits) {
            if (end <= size) expected = &rows;
        }
        if (!expected) {
            ASSERT_EQ(open_file(cut), kManifestNotFound) << size;
            continue;
        }
        StoreHandle store(open_file(cut));
        ASSERT_GT(store, 0) << size;
        ASSERT_EQ(rows_of(store), *expected) << size;
    }
}

TEST(TornTail, AtEveryByteGivesTheLastCompleteCommit) {
    expect_last_commit_at_every_cut(make_history());
}

TEST(TornTail, IsReportedUnlessACommitOrZerosEndTheFile) {
    History history = make_history();
    const Buffer& whole = history.file.bytes;
    for (size_t size = history.commits[0].first; size <= whole.size(); ++size) {
        Buffer cut(whole.begin(), whole.begin() + static_cast<long>(size));
        bool committed = false;
        for (const auto& [end, rows] : history.commits) {
            size_t with_zeros = end == history.commits[3].first ? (end + 63) / 64 * 64 : end;
            committed |= size >= end && size <= with_zeros;
        }
        StoreHandle store(open_file(cut));
        ASSERT_EQ(rvf_store_warnings(store), committed ? 0 : kTornTail) << size;
    }
}

/// A payload that is a file of its own, and bytes behind it, so that the inner file is whole before
/// the outer segment is. Its manifests have good hashes but are no commits of the outer file.
void expect_not_opened(FileBuilder inner, History history) {
    append(inner.bytes, Buffer(100, 0x77));
    history.file.add(kMeta, inner.bytes);
    history.commit(history.commits.back().second);
    expect_last_commit_at_every_cut(history);
}

TEST(TornTail, NeverOpensAFileInsideTheTornPayload) {
    FileBuilder inner;
    inner.add_vectors({666}, {6, 6});
    inner.commit();
    expect_not_opened(inner, make_history());
}

TEST(TornTail, NeverOpensAnEmptyFileInsideTheTornPayload) {
    FileBuilder inner;
    inner.dimension = 7;
    inner.commit();
    expect_not_opened(inner, make_history());
}

// Both files begin with vectors, as compacted ones do: the inner directory's offset 0 is the outer
// file's vector segment.
TEST(TornTail, NeverOpensACompactedFileInsideTheTornPayloadOfAnother) {
    FileBuilder inner;
    inner.add_vectors({666}, {6, 6});
    inner.commit();
    History outer;
    outer.file.add_vectors({1, 2}, {1, 1, 2, 2});
    outer.commit({{1, {1, 1}}, {2, {2, 2}}});
    outer.file.add_vectors({3}, {3, 3});
    outer.commit({{1, {1, 1}}, {2, {2, 2}}, {3, {3, 3}}});
    expect_not_opened(inner, outer);
}

// The next session appends behind a torn segment. Whatever length its header promises, and wherever
// among the later segments that ends, the last commit counts.
TEST(TornTail, InTheMiddleIsPassedOverByLaterCommits) {
    History history = make_history();
    const size_t start = history.file.bytes.size();
    for (size_t kept : {1u, 10u, 63u, 64u, 65u, 100u}) {
        for (size_t promised = 37; promised < 600; ++promised) {
            FileBuilder file = history.file;
            const Buffer torn = segment(kVec, 50, Buffer(promised, 0x55));
            append(file.bytes, {torn.begin(), torn.begin() + static_cast<long>(kept)});
            file.add_vectors({6}, {6, 6});
            file.commit();
            Rows expected = history.commits.back().second;
            expected[6] = {6, 6};
            ASSERT_EQ(opened(file.bytes).rows, expected)
                << kept << " bytes of " << promised << ", then "
                << file.bytes.size() - start - kept;
        }
    }
}

TEST(TornTail, ZerosBehindTheFileChangeNothing) {
    History history = make_history();
    Buffer file = history.file.bytes;
    for (size_t zeros : {1u, 63u, 64u, 100u, 70'000u}) {
        Buffer padded = file;
        padded.resize(file.size() + zeros);
        EXPECT_EQ(opened(padded), (Opened{history.commits.back().second, 0})) << zeros;
    }
}

// --- Damage ---

// An older commit lies before the damaged segment. Falling back to it would answer from an older
// state without an error.
TEST(Damage, AFlippedBitInAListedVectorSegmentFailsTheOpen) {
    FileBuilder file;
    file.commit();
    size_t at = file.add_vectors({1, 2}, {1, 2, 3, 4});
    file.commit();
    for (size_t byte = 0; byte < kHeaderBytes + 38; ++byte) {
        for (int bit = 0; bit < 8; ++bit) {
            Buffer damaged = file.bytes;
            damaged[at + byte] ^= static_cast<uint8_t>(1 << bit);
            bool magic = byte < 4, version = byte == 4, hash = byte >= 0x28 && byte < 0x38;
            bool length = byte >= 16 && byte < 24, payload = byte >= kHeaderBytes;
            StoreHandle store(open_file(damaged));
            if (magic || version || hash || length || payload) {
                ASSERT_LT(store, 0) << byte << " " << bit << " " << rvf_store_count(store);
            } else {
                ASSERT_EQ(rvf_store_count(store), 2) << byte << " " << bit;
            }
        }
    }
}

TEST(Damage, AnAbsentHashIsNotChecked) {
    FileBuilder file;
    size_t at = file.add_vectors({1}, {1, 2});
    file.commit();
    std::fill_n(file.bytes.begin() + static_cast<long>(at) + 0x28, 16, uint8_t{0});
    EXPECT_EQ(opened(file.bytes).rows, (Rows{{1, {1, 2}}}));
}

TEST(Damage, AVectorSegmentOfVersion2IsRefused) {
    FileBuilder file;
    size_t at = file.add_vectors({1}, {1, 2});
    file.commit();
    file.bytes[at + 4] = 2;
    EXPECT_EQ(open_file(file.bytes), kInvalidVersion);
}

TEST(Damage, DimensionZeroIsRefused) {
    FileBuilder file;
    file.dimension = 0;
    file.commit();
    EXPECT_EQ(open_file(file.bytes), kInvalidManifest);
}

TEST(Damage, DirectoryOffsetsThatPointNowhereAreRefused) {
    for (uint64_t offset : {uint64_t{1}, uint64_t{1000}, uint64_t{1} << 31, uint64_t{1} << 32,
                            uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{63}, ~uint64_t{62}}) {
        FileBuilder file;
        file.add_vectors({1}, {1, 2});
        file.directory[0].offset = offset;
        file.commit();
        EXPECT_EQ(open_file(file.bytes), kInvalidChecksum) << offset;
    }
}

TEST(Damage, PayloadLengthsThatLieAreRefused) {
    for (uint64_t length : {uint64_t{1} << 20, uint64_t{1} << 32, (uint64_t{1} << 32) + 14,
                            uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{63}, ~uint64_t{62}}) {
        FileBuilder file;
        size_t at = file.add_vectors({1}, {1, 2});
        file.commit();
        set(file.bytes, at + 16, length);
        EXPECT_EQ(open_file(file.bytes), kTruncatedSegment) << length;
    }
}

// Memory that was never written costs nothing until it is read.
TEST(Damage, SegmentsAbove256MiBAreNotRead) {
    constexpr size_t kTooLarge = (256u << 20) + 1;
    for (uint8_t type : {kVec, kManifest}) {
        FileBuilder file;
        file.directory.push_back({1, 0, kTooLarge, type});
        Buffer header = segment(type, 1, {});
        set(header, 16, uint64_t{kTooLarge});
        const Buffer manifest = segment(kManifest, 2, file.manifest_payload());
        const size_t size = kHeaderBytes + kTooLarge + manifest.size();
        std::unique_ptr<uint8_t, void (*)(void*)> bytes(static_cast<uint8_t*>(std::calloc(size, 1)),
                                                        std::free);
        std::copy(header.begin(), header.end(), bytes.get());
        std::copy(manifest.begin(), manifest.end(), bytes.get() + kHeaderBytes + kTooLarge);
        int32_t answer = rvf_store_open(address(bytes.get()), size);
        if (type == kVec) {
            EXPECT_EQ(answer, kSegmentTooLarge);
        } else {
            StoreHandle store(answer);
            EXPECT_EQ(rvf_store_count(store), 0);
        }
    }
}

TEST(Damage, CountsThatLieAreRefused) {
    for (uint32_t count : {2u, 0x10000001u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu}) {
        Lie lie;
        Buffer payload = test::vec_payload(2, {1}, {1, 2});
        set(payload, 2, count);
        lie.add_payload(payload);
        EXPECT_EQ(lie.open(), kTruncatedSegment) << count;
    }
}

TEST(Damage, VectorPayloadsThatAreTooShortAreRefused) {
    Buffer payload = test::vec_payload(2, {1}, {1, 2});
    for (size_t size = 0; size < payload.size(); ++size) {
        Lie lie;
        lie.add_payload({payload.begin(), payload.begin() + static_cast<long>(size)});
        EXPECT_EQ(lie.open(), kTruncatedSegment) << size;
    }
}

TEST(Damage, BytesBehindTheLastRecordAreAllowed) {
    FileBuilder file;
    Buffer payload = test::vec_payload(2, {1}, {1, 2});
    append(payload, Buffer(17, 0xEE));
    file.add(kVec, payload);
    file.commit();
    EXPECT_EQ(opened(file.bytes), (Opened{{{1, {1, 2}}}, 0}));
}

TEST(Damage, SegmentsOfAnotherDimensionAreLeftOutWithAWarning) {
    FileBuilder file;
    file.add_vectors({1}, {1, 2});
    file.add(kVec, test::vec_payload(3, {2}, {1, 2, 3}));
    file.commit();
    EXPECT_EQ(opened(file.bytes), (Opened{{{1, {1, 2}}}, kForeignDimension}));
}

TEST(Damage, VectorsThatAreNotFiniteAreKeptWithAWarning) {
    for (float bad : {NAN, HUGE_VALF, -HUGE_VALF}) {
        FileBuilder file;
        file.add_vectors({1, 2}, {1, 2, bad, 4});
        file.commit();
        StoreHandle store(open_file(file.bytes));
        EXPECT_EQ(rvf_store_warnings(store), kNotFiniteRows);
        EXPECT_EQ(bits_of(rows_of(store)[2][0]), bits_of(bad));
        for (const test::Answer& answer : test::query(store, {1, 2}, 2)) {
            EXPECT_FALSE(std::isnan(answer.distance));
        }
    }
}

TEST(Damage, BranchesAreRefusedForLackOfTheirParent) {
    for (uint8_t type : {test::kCowMap, test::kMembership}) {
        FileBuilder file;
        file.add_vectors({1}, {1, 2});
        file.add(type, Buffer(96));
        file.commit();
        EXPECT_EQ(open_file(file.bytes), kParentNotFound);
    }
}

TEST(Damage, ASegmentListedTwiceIsReadTwiceWithoutHarm) {
    FileBuilder file;
    file.add_vectors({1, 2}, {1, 2, 3, 4});
    file.directory.push_back(file.directory[0]);
    file.commit();
    EXPECT_EQ(opened(file.bytes), (Opened{{{1, {1, 2}}, {2, {3, 4}}}, 0}));
}

// --- The layout of upstream's wasm module ---

Buffer wasm_file(uint16_t dimension, const Buffer& vec) {
    Buffer file = segment(kVec, 1, vec);
    std::fill_n(file.begin() + 0x28, 16, uint8_t{0});
    Buffer manifest;
    test::put(manifest, uint32_t{1});
    test::put(manifest, dimension);
    test::put(manifest, uint64_t{0});
    test::put(manifest, uint8_t{0});
    test::put(manifest, uint32_t{1});
    test::put_entry(manifest, {1, 0, vec.size(), kVec});
    size_t at = file.size();
    append(file, segment(kManifest, 2, manifest));
    std::fill_n(file.begin() + static_cast<long>(at) + 0x28, 16, uint8_t{0});
    return file;
}

TEST(WasmLayout, IsReadWithWarnings) {
    Buffer file = wasm_file(3, test::wasm_vec_payload(3, {1, 9}, {1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(opened(file),
              (Opened{{{1, {1, 2, 3}}, {9, {4, 5, 6}}}, kWasmLayout | kMetricAssumed}));
}

// 65,537 vectors are written with the count 1; the length of the payload decides.
TEST(WasmLayout, CountThatWrappedIsUnderstood) {
    std::vector<uint64_t> ids(65'537);
    std::vector<float> values(65'537);
    for (size_t i = 0; i < ids.size(); ++i) {
        ids[i] = i;
        values[i] = static_cast<float>(i);
    }
    Buffer vec = test::wasm_vec_payload(1, ids, values);
    ASSERT_EQ(test::get<uint16_t>(vec, 0), 1);
    StoreHandle store(open_file(wasm_file(1, vec)));
    EXPECT_EQ(rvf_store_count(store), 65'537);
    EXPECT_EQ(rows_of(store).at(65'536), (std::vector<float>{65'536}));
}

TEST(WasmLayout, CountThatDoesNotFitIsRefused) {
    Buffer vec = test::wasm_vec_payload(3, {1, 9}, {1, 2, 3, 4, 5, 6});
    for (uint16_t count : {uint16_t{0}, uint16_t{1}, uint16_t{3}, uint16_t{65535}}) {
        set(vec, 0, count);
        EXPECT_EQ(open_file(wasm_file(3, vec)), kTruncatedSegment) << count;
    }
    vec = test::wasm_vec_payload(3, {1, 9}, {1, 2, 3, 4, 5, 6});
    vec.push_back(0);
    EXPECT_EQ(open_file(wasm_file(3, vec)), kTruncatedSegment);
}

TEST(WasmLayout, VectorsCutInTheirPrefixAreRefused) {
    for (size_t size = 0; size < 6; ++size) {
        EXPECT_EQ(open_file(wasm_file(3, Buffer(size))), kTruncatedSegment) << size;
    }
}

TEST(WasmLayout, DuplicateIdsTakeTheLast) {
    Buffer file = wasm_file(1, test::wasm_vec_payload(1, {5, 5}, {1, 2}));
    EXPECT_EQ(opened(file).rows, (Rows{{5, {2}}}));
}

TEST(WasmLayout, VectorsUnderARuntimeManifestAreReadToo) {
    FileBuilder file;
    file.dimension = 3;
    file.add(kVec, test::wasm_vec_payload(3, {1, 9}, {1, 2, 3, 4, 5, 6}));
    file.commit();
    EXPECT_EQ(opened(file.bytes).rows, (Rows{{1, {1, 2, 3}}, {9, {4, 5, 6}}}));
}

// --- Segments of a file that need not be opened ---

TEST(Segments, AreCountedAndDescribedByWalking) {
    History history = make_history();
    const Buffer& file = history.file.bytes;
    const std::vector<Entry>& entries = history.file.directory;
    auto copy = test::exact_copy(file);
    ASSERT_EQ(rvf_segment_count(address(copy.get()), file.size()),
              static_cast<int32_t>(entries.size()));
    for (size_t i = 0; i < entries.size(); ++i) {
        Buffer info(kSegmentInfoBytes, 0xEE);
        ASSERT_EQ(rvf_segment_info(address(copy.get()), file.size(), static_cast<int32_t>(i),
                                   address(info.data())),
                  0);
        EXPECT_EQ(test::get<uint64_t>(info, 0), entries[i].id);
        EXPECT_EQ(test::get<uint32_t>(info, 8), entries[i].type);
        EXPECT_EQ(test::get<uint64_t>(info, 12), entries[i].length);
        EXPECT_EQ(test::get<uint64_t>(info, 20), entries[i].offset);
    }
}

TEST(Segments, BehindTheLastAreRefused) {
    Buffer file = make_history().file.bytes;
    int32_t count = rvf_segment_count(address(file.data()), file.size());
    Buffer info(kSegmentInfoBytes, 0xEE);
    for (int32_t index : {count, count + 1, INT32_MAX, -1, INT32_MIN}) {
        EXPECT_EQ(rvf_segment_info(address(file.data()), file.size(), index, address(info.data())),
                  kInvalidArgument);
    }
    EXPECT_EQ(info, Buffer(kSegmentInfoBytes, 0xEE));
}

TEST(Segments, BehindDamageAreFoundByTheirMagic) {
    Buffer file = segment(kMeta, 1, Buffer(50, 1));
    append(file, Buffer(33, 0xEE));
    append(file, segment(kMeta, 2, Buffer(50, 1)));
    EXPECT_EQ(rvf_segment_count(address(file.data()), file.size()), 2);
}

TEST(Segments, ThatClaimMoreThanThereIsDoNotCountAndHideNoOthers) {
    for (uint64_t length :
         {uint64_t{65}, uint64_t{1} << 32, uint64_t{1} << 63, ~uint64_t{63}, ~uint64_t{0}}) {
        Buffer file = segment(kMeta, 1, {});
        set(file, 16, length);
        append(file, segment(kMeta, 2, {}));
        EXPECT_EQ(rvf_segment_count(address(file.data()), file.size()), 1) << length;
    }
}

TEST(ParseHeader, CopiesTheFirst24Bytes) {
    Buffer header = segment(kWitness, 0x1122334455667788, Buffer(5));
    Buffer out(kHeaderInfoBytes);
    ASSERT_EQ(rvf_parse_header(address(header.data()), header.size(), address(out.data())), 0);
    EXPECT_EQ(out, Buffer(header.begin(), header.begin() + 24));
}

TEST(ParseHeader, RefusesShortAndForeignBytes) {
    Buffer header = segment(kWitness, 1, {});
    Buffer out(kHeaderInfoBytes, 0xEE);
    for (size_t size = 0; size < 64; ++size) {
        EXPECT_EQ(rvf_parse_header(address(header.data()), size, address(out.data())),
                  kTruncatedSegment);
    }
    header[0] ^= 1;
    EXPECT_EQ(rvf_parse_header(address(header.data()), 64, address(out.data())), kInvalidMagic);
    EXPECT_EQ(rvf_parse_header(0, 64, address(out.data())), kInvalidPointer);
    EXPECT_EQ(rvf_parse_header(address(header.data()), 64, 0), kInvalidPointer);
    EXPECT_EQ(out, Buffer(kHeaderInfoBytes, 0xEE));
}

} // namespace
} // namespace rvf
