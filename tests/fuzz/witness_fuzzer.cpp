// What a store reads of segments that it does not write rows into: witnesses, chains, containers,
// records of branches and frozen files, signatures. An input is a kind u8 and bytes for it; plain
// second readers say what the answers must be.
#include "control/heap.h"
#include "tests/fuzz/life.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/plain_readers.h"

namespace rvf::test {
namespace {

enum Kind : uint8_t {
    kWholeFile, ///< a file to inspect
    kChain,     ///< a chain of 73-byte entries
    kEmbedded,  ///< type u8, payload: embedded in a store
    kRecord,    ///< bits u8, payload: a REFCOUNT or DELTA of a file
    kBranchOf,  ///< bits u8, length u8, COW_MAP, then MEMBERSHIP
    kKinds,
};

// --- Files that are only looked at ---

void require_inspected(const Buffer& file, const uint8_t* bytes) {
    size_t offset = 0;
    for (const PlainSegment& expected : all_segments(file)) {
        Buffer info(kInspectBytes);
        REQUIRE(rvf_segment_at(address(bytes), file.size(), offset, address(info.data())) == 1);
        REQUIRE(get<uint64_t>(info, 8) == expected.offset);
        REQUIRE(std::memcmp(info.data(), bytes + expected.offset + 8, 8) == 0);
        REQUIRE(std::memcmp(info.data() + 16, bytes + expected.offset + 16, 8) == 0);
        REQUIRE(info[24] == bytes[expected.offset + 5] && info[25] == bytes[expected.offset + 4]);
        uint32_t state = get<uint32_t>(info, 28);
        size_t left = file.size() - expected.offset;
        auto copy = exact_copy(Buffer(bytes + expected.offset, bytes + file.size()));
        int32_t verdict = rvf_verify_checksum(address(copy.get()), left);
        Buffer input(kSigningInputBytes);
        int32_t signing = rvf_signing_input(address(copy.get()), left, address(input.data()));
        if (!expected.complete) {
            REQUIRE(state == 3 && verdict == kTruncatedSegment && signing == kTruncatedSegment);
            offset = expected.offset + 1;
            continue;
        }
        REQUIRE(state <= 2 && verdict == (state == 2 ? kInvalidChecksum : static_cast<int>(state)));
        REQUIRE(signing == 0 && input == signing_input_of(file, expected));
        REQUIRE(get<uint32_t>(info, 32) == footer_of(file, expected));
        offset = expected.end;
    }
    Buffer info(kInspectBytes);
    REQUIRE(rvf_segment_at(address(bytes), file.size(), offset, address(info.data())) == 0);
    REQUIRE(rvf_segment_at(address(bytes), file.size(), file.size() + 1, address(info.data())) ==
            0);
}

void test_file(const Buffer& file) {
    auto copy = exact_copy(file);
    require_inspected(file, copy.get());
    uint8_t report[kWitnessReportBytes];
    int32_t sound = rvf_witness_report(address(copy.get()), file.size(), address(report));
    PlainReport expected = report_of(file);
    REQUIRE(sound == (expected.broken == 0));
    REQUIRE(std::memcmp(report, &expected, sizeof(report)) == 0);
}

// --- Chains ---

void test_chain(const Buffer& chain) {
    auto copy = exact_copy(chain);
    auto sound = static_cast<int32_t>(sound_entries_of(chain));
    bool whole = chain.size() % kEntryBytes == 0;
    bool all = static_cast<size_t>(sound) * kEntryBytes == chain.size();
    REQUIRE(rvf_witness_count(address(copy.get()), chain.size()) == sound);
    REQUIRE(rvf_witness_verify(address(copy.get()), chain.size()) == (!whole ? kTruncatedSegment
                                                                      : all  ? sound
                                                                             : kInvalidChecksum));
    Buffer action(32, 7), entry(kEntryBytes);
    int32_t made = rvf_witness_entry(address(copy.get()), chain.size(), address(action.data()),
                                     kTime, 3, address(entry.data()));
    REQUIRE(made == (whole ? kOk : kTruncatedSegment));
    if (!whole) return;
    Buffer longer = chain;
    append(longer, entry);
    REQUIRE(sound_entries_of(longer) == static_cast<size_t>(sound) + all);
    REQUIRE(Buffer(entry.begin() + 32, entry.begin() + 64) == action);
    REQUIRE(get<uint64_t>(entry, 64) == kTime && entry[72] == 3);
}

// --- Segments that are embedded ---

bool may_embed(uint8_t type, const Buffer& payload) {
    bool is_our_meta = payload.size() >= 8 && get<uint32_t>(payload, 0) == 0x444D5652;
    const std::vector<uint8_t> reserved = {0,         kVec,    kIndex, kJournal,
                                           kManifest, kCowMap, 0x21,   kMembership};
    return std::find(reserved.begin(), reserved.end(), type) == reserved.end() &&
           !(type == kMeta && is_our_meta) && !(type == kWitness && is_runtime_witness_of(payload));
}

void test_embedded(uint8_t type, const Buffer& payload) {
    int32_t store = rvf_store_create(2, kL2);
    ingest(store, {1}, {1, 2});
    auto copy = exact_copy(payload);
    int32_t id = rvf_store_embed(store, type, address(copy.get()), payload.size());
    int32_t status = container_status(type, payload);
    if (!may_embed(type, payload)) {
        REQUIRE(id == kInvalidArgument);
    } else if (status != kOk) {
        REQUIRE(id == status);
    } else {
        REQUIRE(id > 0);
        Buffer info(kKeptInfoBytes);
        REQUIRE(rvf_store_segment(store, 0, address(info.data())) == 1);
        REQUIRE(get<uint32_t>(info, 24) == payload.size());
        REQUIRE(get<int32_t>(info, 28) == 0);
    }
    Life life(store, {}, {}, payload.size());
    life.end();
    rvf_store_close(life.store());
}

// --- Records ---

/// Opens the file, compares what it says, and lives on.
void test_record(uint8_t bits, const Buffer& payload) {
    bool is_refcount = bits & 1;
    FileBuilder file;
    file.add_vectors({1, 2}, {1, 2, 3, 4});
    file.add(is_refcount ? 0x21 : 0x23, payload);
    if (bits & 2) file.directory.pop_back(); // not listed: it counts all the same
    file.commit();
    bool sound = is_refcount ? is_sound_refcount(payload) : is_sound_delta(payload);
    bool frozen = is_refcount && sound && get<uint32_t>(payload, 24) != 0;
    int32_t store = open_file(file.bytes);
    REQUIRE(store > 0);
    REQUIRE(rvf_store_warnings(store) == (sound ? 0 : kDamagedRecord));
    uint32_t state[kStateBytes / 4];
    rvf_store_state(store, address(state));
    REQUIRE(state[3] == frozen);
    REQUIRE(ingest(store, {3}, {5, 6}) == (frozen ? kSnapshotFrozen : 1));
    REQUIRE(remove_ids(store, {2}) == (frozen ? kSnapshotFrozen : 1));
    Life life(store, file.bytes, {}, bits);
    life.step();
    life.end();
    rvf_store_close(life.store());
}

const Buffer& parent_file() {
    static const Buffer bytes = [] {
        FileBuilder file;
        for (uint64_t id = 0; id < 24; id += 3) file.add_vectors({id}, {1, 2});
        file.add_vectors({1u << 20, ~0ull}, {1, 2, 3, 4});
        file.commit();
        return file.bytes;
    }();
    return bytes;
}

void test_branch(uint8_t bits, Buffer map, Buffer membership) {
    Random random(bits);
    if (bits & 1) fix_branch_record(kCowMap, map.data(), map.size(), parent_file(), random);
    if (bits & 2) {
        fix_branch_record(kMembership, membership.data(), membership.size(), {}, random);
    }
    FileBuilder file;
    file.add_vectors({3, 5}, {9, 9, 8, 8});
    file.add(kCowMap, map);
    file.add(kMembership, membership);
    file.commit();
    Opener opener{{parent_file()}};
    int32_t store = opener(file.bytes);
    if (!is_sound_map(map) || !is_sound_membership(membership)) {
        REQUIRE(store == kCowMapCorrupt);
        return;
    }
    if (Buffer(map.begin() + 0x20, map.begin() + 0x40) != parent_hash(parent_file())) {
        REQUIRE(store == kParentHashMismatch);
        return;
    }
    REQUIRE(store > 0);
    std::set<uint64_t> expected = {3, 5};
    for (uint64_t id : {0ull, 3ull, 6ull, 9ull, 12ull, 15ull, 18ull, 21ull, 1ull << 20, ~0ull}) {
        if (admits_id(membership, id)) expected.insert(id);
    }
    std::vector<uint64_t> ids = ids_of(store);
    REQUIRE(std::set<uint64_t>(ids.begin(), ids.end()) == expected);
    Life life(store, file.bytes, opener, bits);
    for (uint32_t steps = bits % 4; steps > 0; --steps) life.step();
    life.end();
    rvf_store_close(life.store());
}

void test_input(const uint8_t* data, size_t size) {
    Reader reader(data, size);
    auto kind = static_cast<Kind>(reader.number<uint8_t>() % kKinds);
    if (!reader.ok) return;
    if (kind == kWholeFile) return test_file(reader.take(reader.left()));
    if (kind == kChain) return test_chain(reader.take(reader.left()));
    auto first = reader.number<uint8_t>();
    if (kind == kEmbedded) return test_embedded(first, reader.take(reader.left()));
    if (kind == kRecord) return test_record(first, reader.take(reader.left()));
    Buffer map = reader.take_some(reader.number<uint8_t>());
    test_branch(first, map, reader.take(reader.left()));
}

/// What is right in the payload again after a mutation: the hash of an image.
void fix_image_hash(Buffer& payload, uint8_t type) {
    PlainImage image = image_of(type, payload);
    if (!image.fits) return;
    Buffer hash = simple_hash(payload.data() + image.offset, image.size);
    std::copy(hash.begin(), hash.end(), payload.begin() + static_cast<long>(image.hash_at));
}

} // namespace
} // namespace rvf::test

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
    using namespace rvf::test;
    Random random(seed);
    size = LLVMFuzzerMutate(data, size, max_size);
    if (size < 2 || random.below(4) == 0) return size;
    Buffer bytes(data + 1, data + size);
    uint8_t kind = data[0] % kKinds;
    if (kind == kWholeFile) {
        if (random.below(2)) append_segment(bytes, random);
        if (random.below(2)) fix_hashes(bytes, {}, random);
        if (random.below(2)) link_witnesses(bytes);
    }
    if (kind == kChain) link_chain(bytes, random.below(2) ? 0 : random.below(20));
    if (kind == kEmbedded) {
        Buffer payload(bytes.begin() + 1, bytes.end());
        fix_image_hash(payload, bytes[0]);
        std::copy(payload.begin(), payload.end(), bytes.begin() + 1);
    }
    if (bytes.size() + 1 > max_size) return size;
    std::copy(bytes.begin(), bytes.end(), data + 1);
    return bytes.size() + 1;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    uint64_t held = rvf::memory_size();
    rvf::test::test_input(data, size);
    REQUIRE(rvf::memory_size() == held);
    return 0;
}
