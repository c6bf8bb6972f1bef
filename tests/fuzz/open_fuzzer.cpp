// Any bytes as a file, with its parent behind it or one that is always the same. Whatever opens is
// searched, exported, opened again and changed, and lives on as life.h says; closing must give all
// memory back.
#include <algorithm>
#include <map>
#include <set>

#include "control/heap.h"
#include "control/manifest.h"
#include "tests/fuzz/life.h"
#include "tests/fuzz/mutate.h"

namespace rvf::test {
namespace {

/// A finite query vector out of the file's own bytes.
std::vector<float> make_query(const uint8_t* data, size_t size, size_t dimension) {
    std::vector<float> values(dimension);
    for (size_t i = 0; i < dimension; ++i) {
        if (size >= 4) std::memcpy(&values[i], data + i * 7 % (size - 3), 4);
        if (!std::isfinite(values[i])) values[i] = 1;
    }
    return values;
}

void require_sorted(const std::vector<Answer>& answers) {
    for (const Answer& answer : answers) REQUIRE(!std::isnan(answer.distance));
    for (size_t i = 1; i < answers.size(); ++i) {
        const Answer &a = answers[i - 1], &b = answers[i];
        REQUIRE(a.distance < b.distance || (a.distance == b.distance && a.id < b.id));
    }
}

/// Answers for all rows, by every metric, one after the other. Fewer must be their beginning.
std::vector<Answer> ask(int32_t store, const std::vector<float>& point) {
    std::vector<Answer> everything;
    for (int32_t metric : {kL2, kInnerProduct, kCosine}) {
        std::vector<Answer> all = query(store, point, INT32_MAX, metric);
        require_sorted(all);
        for (size_t k : {1u, 3u, 10u}) {
            std::vector<Answer> some = query(store, point, static_cast<int32_t>(k), metric);
            REQUIRE(some ==
                    std::vector<Answer>(all.begin(),
                                        all.begin() + static_cast<long>(std::min(k, all.size()))));
        }
        everything.insert(everything.end(), all.begin(), all.end());
    }
    return everything;
}

void require_consistent(int32_t store) {
    uint32_t status[5];
    REQUIRE(rvf_store_status(store, address(status)) == 0);
    REQUIRE(static_cast<int32_t>(status[0]) == rvf_store_count(store));
    REQUIRE(static_cast<int32_t>(status[1]) == rvf_store_dimension(store));
    REQUIRE(status[2] <= 2);
    REQUIRE(status[3] == status[0] + status[4]);
}

/// An export must open, hold the same and be exported as the same bytes.
void require_same_after_export(int32_t store, const std::vector<float>& point) {
    require_consistent(store);
    Buffer file = export_file(store);
    REQUIRE(!file.empty());
    StoreHandle copy(open_file(file));
    REQUIRE(copy > 0);
    REQUIRE((static_cast<uint32_t>(rvf_store_warnings(copy)) &
             ~(kNotFiniteRows | kDamagedRecord)) == 0);
    REQUIRE(rvf_store_count(copy) == rvf_store_count(store));
    REQUIRE(ask(copy, point) == ask(store, point));
    REQUIRE(export_file(copy) == file);
}

/// The parent of branches that come without one. Some of its ids have their bit behind the end of
/// any bitmap that fits a small file.
const Buffer& parent_file() {
    static const Buffer bytes = [] {
        FileBuilder file;
        file.dimension = 4;
        for (uint64_t id = 0; id < 10; ++id) {
            auto value = static_cast<float>(id);
            file.add_vectors({id * id * 600}, {value, -value, 1, value / 3});
        }
        file.deleted = {9600};
        file.commit();
        return file.bytes;
    }();
    return bytes;
}

void change(int32_t store, const std::vector<float>& point, const std::vector<Answer>& answers) {
    std::set<uint64_t> live;
    for (const Answer& answer : answers) live.insert(answer.id);
    // Rows whose distance is NaN are live without being answered, so counts only move by what is
    // deleted or added here.
    std::vector<uint64_t> ids(live.begin(), live.end());
    ids.resize(std::min<size_t>(ids.size(), 5));
    int32_t count = rvf_store_count(store);
    auto deleted = static_cast<int32_t>(ids.size());
    REQUIRE(remove_ids(store, ids) == deleted);
    REQUIRE(remove_ids(store, ids) == 0);
    REQUIRE(rvf_store_count(store) == count - deleted);
    for (uint64_t id : ids) REQUIRE(ingest(store, {id}, point) == 1);
    REQUIRE(rvf_store_count(store) == count);
    for (uint64_t id : ids) {
        std::vector<float> vector(point.size());
        REQUIRE(rvf_store_vector(store, address(&id), address(vector.data())) == 1);
        REQUIRE(vector == point);
    }
}

void walk_segments(const uint8_t* data, size_t size) {
    int32_t count = rvf_segment_count(address(data), size);
    REQUIRE(count >= 0);
    uint64_t last = 0;
    for (int32_t i = 0; i < count; ++i) {
        Buffer info(kSegmentInfoBytes);
        REQUIRE(rvf_segment_info(address(data), size, i, address(info.data())) == 0);
        uint64_t offset = get<uint64_t>(info, 20);
        REQUIRE(offset + kHeaderBytes <= size && (i == 0 || offset > last));
        REQUIRE(std::memcmp(data + offset + 8, info.data(), 8) == 0);
        last = offset;
        Buffer header(kHeaderInfoBytes);
        REQUIRE(rvf_parse_header(address(data) + offset, size - offset, address(header.data())) ==
                0);
    }
    Buffer info(kSegmentInfoBytes);
    REQUIRE(rvf_segment_info(address(data), size, count, address(info.data())) == kInvalidArgument);
}

// --- Inputs: a file, or a file, its parent, the parent's size (u16) and "PRNT" ---

constexpr uint32_t kParentMark = 0x544E5250;
constexpr size_t kTrailerBytes = 6;

struct Input {
    Buffer file;
    Buffer parent = {}; ///< empty: it is not in the input
};

Input split(const uint8_t* data, size_t size) {
    Input input{Buffer(data, data + size)};
    if (size < kTrailerBytes || get<uint32_t>(input.file, size - 4) != kParentMark) return input;
    size_t length = get<uint16_t>(input.file, size - kTrailerBytes);
    if (length > size - kTrailerBytes) return input;
    auto begin = input.file.end() - static_cast<long>(kTrailerBytes + length);
    input.parent.assign(begin, begin + static_cast<long>(length));
    input.file.erase(begin, input.file.end());
    return input;
}

Buffer join(const Input& input) {
    Buffer bytes = input.file;
    if (input.parent.empty()) return bytes;
    append(bytes, input.parent);
    put(bytes, static_cast<uint16_t>(input.parent.size()));
    put(bytes, kParentMark);
    return bytes;
}

/// A change of `bytes` that knows the format, to at most `most` bytes.
void mutate_file(Buffer& bytes, size_t most, Random& random) {
    Buffer before = bytes;
    uint32_t choice = random.below(4);
    if (choice == 0) append_manifest(bytes, random);
    if (choice == 1) append_segment(bytes, random);
    if (choice > 1) change_field(bytes, random);
    if (bytes.size() > most) bytes = before;
}

// --- What must hold ---

void require_losses(int32_t store) {
    int32_t count = rvf_store_losses(store, 0, 0);
    REQUIRE(count >= 0);
    Buffer records(static_cast<size_t>(count) * kLossBytes);
    REQUIRE(rvf_store_losses(store, address(records.data()), records.size()) == count);
    bool warned = static_cast<uint32_t>(rvf_store_warnings(store)) & kLosses;
    REQUIRE(warned == (count > 0));
    for (size_t at = 0; at < records.size(); at += kLossBytes) {
        REQUIRE(get<int32_t>(records, at + 28) < 0);
    }
}

/// Salvaging a file that is sound gives the same.
void require_same_salvaged(int32_t store, int32_t salvaged) {
    if (salvaged == kOutOfMemory) return;
    REQUIRE(salvaged > 0);
    require_same(shown_by(store), shown_by(salvaged));
    REQUIRE(rvf_store_losses(salvaged, 0, 0) == 0);
}

/// What a directory means that lists one segment as two things, or one inside another, nobody says.
/// A header without a hash that promises more than there is may promise just what later commits
/// write; they cannot tell.
bool is_ambiguous(const Buffer& file) {
    for (size_t at : find_headers(file)) {
        bool has_hash = get<uint64_t>(file, at + 0x28) | get<uint64_t>(file, at + 0x30);
        bool complete = get<uint64_t>(file, at + 16) <= file.size() - at - kHeaderBytes;
        if (!has_hash && !complete) return true;
    }
    Manifest manifest;
    uint32_t warnings = 0;
    if (find_manifest({file.data(), file.size()}, manifest, warnings) != kOk) return false;
    std::map<uint64_t, uint64_t> ends;
    for (uint32_t i = 0; i < manifest.entry_count; ++i) {
        uint64_t offset = directory_entry(manifest, i).offset;
        Segment segment = {};
        bool complete =
            read_segment({file.data(), file.size()}, offset, segment) && segment.complete;
        if (!ends.emplace(offset, complete ? segment.end() : offset).second) return true;
    }
    uint64_t end = 0;
    for (auto [offset, next_end] : ends) {
        if (offset < end) return true;
        end = std::max(end, next_end);
    }
    return false;
}

void live(int32_t store, const Buffer& file, const Opener& opener, uint64_t seed) {
    if (is_ambiguous(file)) {
        rvf_store_close(store);
        return;
    }
    Life life(store, file, opener, seed);
    for (uint64_t steps = seed % 5; steps > 0; --steps) life.step();
    life.end();
    rvf_store_close(life.store());
}

void open_and_live(const Input& input) {
    uint64_t seed = crc_of(input.file.data(), input.file.size(), 0xEDB88320);
    Opener plain{{input.parent.empty() ? parent_file() : input.parent, parent_file()}};
    Opener salvage{plain.parents, kSalvage};
    if (seed % 8 == 0) salvage.parents.clear();
    StoreHandle salvaged(salvage(input.file));
    REQUIRE(salvaged != 0);
    if (salvaged > 0) require_losses(salvaged);
    int32_t store = open_file(input.file);
    if (store == kParentNotFound) store = plain(input.file);
    REQUIRE(store != 0);
    if (store < 0) {
        if (salvaged > 0) live(salvage(input.file), input.file, salvage, seed);
        return;
    }
    StoreHandle opened(store);
    if (!salvage.parents.empty()) require_same_salvaged(store, salvaged);
    live(plain(input.file), input.file, plain, seed);
    std::vector<float> point = make_query(input.file.data(), input.file.size(),
                                          static_cast<size_t>(rvf_store_dimension(store)));
    require_same_after_export(store, point);
    if (store_of(store)->frozen) {
        REQUIRE(ingest(store, {1}, point) == kSnapshotFrozen);
        return;
    }
    change(store, point, ask(store, point));
    require_same_after_export(store, point);
}

} // namespace
} // namespace rvf::test

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
    using namespace rvf::test;
    Random random(seed);
    Input input = split(data, size);
    bool has_parent = !input.parent.empty();
    size_t room = max_size - std::min(max_size, size + kTrailerBytes);
    uint32_t choice = random.below(16);
    Buffer& target = has_parent && choice % 3 == 0 ? input.parent : input.file;
    if (choice == 0 && !has_parent) {
        input.parent = parent_file();
    } else if (choice < 8) {
        mutate_file(target, target.size() + room, random);
    } else {
        size_t before = target.size();
        target.resize(before + std::min<size_t>(room, 256));
        target.resize(LLVMFuzzerMutate(target.data(), before, target.size()));
    }
    if (random.below(8)) {
        fix_hashes(input.parent, parent_file(), random);
        fix_hashes(input.file, input.parent.empty() ? parent_file() : input.parent, random);
    }
    rvf::test::Buffer bytes = join(input);
    if (bytes.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
    std::copy(bytes.begin(), bytes.end(), data);
    return bytes.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rvf;
    using namespace rvf::test;
    rvf_memory_limit(512u << 20);
    walk_segments(data, size);
    uint64_t held = memory_size();
    open_and_live(split(data, size));
    REQUIRE(memory_size() == held);
    return 0;
}
