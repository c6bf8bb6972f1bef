// Witnesses: chains that are walked, over commits, reopenings and compactions, and the first bad
// link named.
#include <gtest/gtest.h>

#include "tests/unit/fixture.h"
#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::address;
using test::Buffer;
using test::fixture;
using test::from_hex;
using test::kWitness;
using test::of_type;
using test::save;
using test::StoreHandle;

struct Report {
    uint32_t checked, starts, foreign, broken;
    uint64_t first_broken;
    int32_t answer;
};

Report report_of(const Buffer& file) {
    uint8_t words[kWitnessReportBytes];
    auto copy = test::exact_copy(file);
    Report report;
    report.answer = rvf_witness_report(address(copy.get()), file.size(), address(words));
    std::memcpy(&report, words, sizeof(words));
    return report;
}

/// Whether the witnesses of a file make one chain, by the simple hash of tests/unit.
bool is_one_chain(const Buffer& file) {
    Buffer hash(32);
    for (const test::Found& witness : of_type(file, kWitness)) {
        Buffer before(witness.payload.end() - 32, witness.payload.end());
        if (before != hash) return false;
        hash = test::simple_hash(witness.payload.data(), witness.payload.size());
    }
    return true;
}

Buffer file_of_commits(int commits) {
    StoreHandle store(1, kL2);
    Buffer file;
    for (int i = 0; i < commits; ++i) {
        test::ingest(store, {static_cast<uint64_t>(i)}, {1});
        EXPECT_EQ(save(store, file), 1);
    }
    return file;
}

TEST(Witness, OfEveryCommitNamesTheOneBefore) {
    Buffer file = file_of_commits(12);
    EXPECT_EQ(of_type(file, kWitness).size(), 12u);
    EXPECT_TRUE(is_one_chain(file));
    Report report = report_of(file);
    EXPECT_EQ(report.answer, 1);
    EXPECT_EQ(report.checked, 12u);
    EXPECT_EQ(report.starts, 1u);
    EXPECT_EQ(report.foreign, 0u);
}

TEST(Witness, ChainGoesOnAfterReopening) {
    Buffer file;
    for (uint64_t i = 0; i < 5; ++i) {
        StoreHandle store(i ? test::open_file(file) : rvf_store_create(1, kL2));
        test::ingest(store, {i}, {1});
        if (i > 1) test::remove_ids(store, {i - 1});
        ASSERT_EQ(save(store, file), 1);
    }
    EXPECT_TRUE(is_one_chain(file));
    EXPECT_EQ(report_of(file).answer, 1);
    EXPECT_EQ(report_of(file).starts, 1u);
}

TEST(Witness, ChainGoesOnAfterCompaction) {
    Buffer file = file_of_commits(5);
    StoreHandle store(test::open_file(file));
    ASSERT_EQ(save(store, file, {.flags = kCompact}), 1);
    EXPECT_TRUE(is_one_chain(file));
    EXPECT_EQ(of_type(file, kWitness).size(), 6u);
    Buffer last = of_type(file, kWitness).back().payload;
    EXPECT_EQ(Buffer(last.begin() + 13, last.end() - 32),
              test::bytes_of("compact:vectors=5,epoch=6"));
    StoreHandle again(test::open_file(file));
    test::ingest(again, {77}, {1});
    ASSERT_EQ(save(again, file), 1);
    EXPECT_TRUE(is_one_chain(file));
    EXPECT_EQ(report_of(file).answer, 1);
}

TEST(Witness, OfACommitThatWasDiscardedIsNotInTheChain) {
    Buffer file = file_of_commits(2);
    StoreHandle store(test::open_file(file));
    test::ingest(store, {50}, {1});
    ASSERT_EQ(test::make_commit(store).answer, 1);
    ASSERT_EQ(rvf_store_discard(store), 0);
    ASSERT_EQ(save(store, file), 1);
    EXPECT_TRUE(is_one_chain(file));
}

TEST(Witness, AFlippedBitIsNamed) {
    const Buffer file = file_of_commits(6);
    std::vector<test::Found> witnesses = of_type(file, kWitness);
    for (size_t i = 0; i < witnesses.size(); ++i) {
        for (size_t byte : {size_t{1}, size_t{20}, witnesses[i].payload.size() - 1}) {
            Buffer damaged = file;
            damaged[witnesses[i].offset + test::kHeaderBytes + byte] ^= 0x10;
            Report report = report_of(damaged);
            EXPECT_EQ(report.answer, 0);
            EXPECT_EQ(report.first_broken, witnesses[i].offset);
        }
    }
}

// The content hash can be made again by whoever changes a witness; the next one tells all the same.
TEST(Witness, ThatWasForgedIsNamedByTheOneBehindIt) {
    Buffer file = file_of_commits(6);
    std::vector<test::Found> witnesses = of_type(file, kWitness);
    uint8_t* header = file.data() + witnesses[2].offset;
    header[test::kHeaderBytes + 1] ^= 0x10; // its time
    test::write_hash(header, header + test::kHeaderBytes, witnesses[2].payload.size());
    Report report = report_of(file);
    EXPECT_EQ(report.answer, 0);
    EXPECT_EQ(report.broken, 1u);
    EXPECT_EQ(report.first_broken, witnesses[3].offset);
}

TEST(Witness, ThatIsTakenOutIsMissed) {
    Buffer file = file_of_commits(3);
    std::vector<test::Found> witnesses = of_type(file, kWitness);
    auto begin = file.begin() + static_cast<long>(witnesses[1].offset);
    size_t size = test::kHeaderBytes + witnesses[1].payload.size();
    file.erase(begin, begin + static_cast<long>(size));
    EXPECT_EQ(report_of(file).answer, 0);
    EXPECT_EQ(report_of(file).first_broken, witnesses[2].offset - size);
}

// Upstream begins a chain in every session; nothing of its files is broken.
TEST(Witness, OfUpstreamsSessionsAreChainsOfTheirOwn) {
    Report report = report_of(fixture("made_multi_session.rvf"));
    EXPECT_EQ(report.answer, 1);
    EXPECT_GT(report.starts, 1u);
    EXPECT_EQ(report_of(fixture("damaged_flip_witness_payload.rvf")).answer, 0);
}

TEST(Witness, OfUpstreamIsContinuedByOurs) {
    Buffer file = fixture("made_multi_ingest.rvf");
    uint32_t starts = report_of(file).starts;
    StoreHandle store(test::open_file(file));
    std::vector<float> vector(static_cast<size_t>(rvf_store_dimension(store)), 1.0f);
    test::ingest(store, {1'000'000}, vector);
    ASSERT_EQ(save(store, file), 1);
    EXPECT_EQ(report_of(file).answer, 1);
    EXPECT_EQ(report_of(file).starts, starts);
}

// --- Chains of 73-byte entries ---

const Buffer kIngest = from_hex("c6745b55a9675d98138548049a331fade9f41469e229f477dfdd06735f5f663f");

void add_entry(Buffer& chain, const Buffer& action, uint64_t time, uint8_t type) {
    Buffer entry(73);
    ASSERT_EQ(rvf_witness_entry(address(chain.data() ? chain.data() : entry.data()), chain.size(),
                                address(action.data()), time, type, address(entry.data())),
              0);
    test::append(chain, entry);
}

Buffer chain_of(int entries) {
    Buffer chain;
    for (int i = 0; i < entries; ++i) {
        add_entry(chain, kIngest, test::kSomeTime + static_cast<uint64_t>(i), 1);
    }
    return chain;
}

TEST(WitnessChain, HasTheHashesOfTheFormat) {
    Buffer hash(32);
    ASSERT_EQ(rvf_hash(1, address("ingest"), 6, address(hash.data())), 0);
    EXPECT_EQ(hash, kIngest);
    Buffer chain = chain_of(2);
    Buffer first(32);
    test::append(first, kIngest);
    test::put(first, test::kSomeTime);
    test::put(first, uint8_t{1});
    EXPECT_EQ(Buffer(chain.begin(), chain.begin() + 73), first);
    EXPECT_EQ(Buffer(chain.begin() + 73, chain.begin() + 105),
              from_hex("b43e05eb99a5f1729dc888a4a89fdd398a13899226a4e55240cb61b1380565ff"));
}

TEST(WitnessChain, IsVerifiedAndItsFirstBadEntryNamed) {
    const Buffer chain = chain_of(5);
    EXPECT_EQ(rvf_witness_verify(address(chain.data()), chain.size()), 5);
    EXPECT_EQ(rvf_witness_count(address(chain.data()), chain.size()), 5);
    for (size_t byte = 0; byte < 4 * 73; ++byte) { // nothing follows the last one
        Buffer damaged = chain;
        damaged[byte] ^= 1;
        bool is_link = byte % 73 < 32;
        EXPECT_EQ(rvf_witness_verify(address(damaged.data()), damaged.size()), kInvalidChecksum);
        EXPECT_EQ(rvf_witness_count(address(damaged.data()), damaged.size()),
                  static_cast<int32_t>(byte / 73 + !is_link));
    }
    EXPECT_EQ(rvf_witness_verify(address(chain.data()), 100), kTruncatedSegment);
    EXPECT_EQ(rvf_witness_verify(address(chain.data()), 0), 0);
}

TEST(WitnessChain, InAFileIsVerifiedWithIt) {
    StoreHandle store(1, kL2);
    Buffer file, broken = chain_of(3);
    ASSERT_GT(test::embed(store, kWitness, chain_of(3)), 0);
    ASSERT_EQ(save(store, file), 1);
    EXPECT_EQ(report_of(file).answer, 1);
    EXPECT_EQ(report_of(file).checked, 4u);
    broken[80] ^= 1;
    ASSERT_GT(test::embed(store, kWitness, broken), 0);
    ASSERT_GT(test::embed(store, kWitness, {1, 2, 3}), 0);
    ASSERT_EQ(save(store, file), 1);
    EXPECT_EQ(report_of(file).answer, 0);
    EXPECT_EQ(report_of(file).foreign, 1u);
}

} // namespace
} // namespace rvf
