// Any bytes as a file, branches with a parent that is always the same. Whatever opens is searched,
// exported, opened again and changed; the copy must answer as the original does, and closing must
// give all memory back.
#include <algorithm>
#include <set>

#include "control/heap.h"
#include "tests/fuzz/require.h"
#include "tests/unit/rvf_file.h"

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
    REQUIRE((static_cast<uint32_t>(rvf_store_warnings(copy)) & ~kNotFiniteRows) == 0);
    REQUIRE(rvf_store_count(copy) == rvf_store_count(store));
    REQUIRE(ask(copy, point) == ask(store, point));
    REQUIRE(export_file(copy) == file);
}

/// The parent of every branch that is opened here. Some of its ids have their bit behind the end of
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

// --- Mutations that know the format ---

/// Offsets of all headers, by walking as a reader would.
std::vector<size_t> find_headers(const uint8_t* data, size_t size) {
    std::vector<size_t> headers;
    for (size_t at = 0; at + kHeaderBytes <= size;) {
        uint32_t magic;
        uint64_t length;
        std::memcpy(&magic, data + at, 4);
        std::memcpy(&length, data + at + 16, 8);
        if (magic != kMagic) {
            ++at;
            continue;
        }
        headers.push_back(at);
        bool complete = length <= size - at - kHeaderBytes;
        at += complete ? kHeaderBytes + static_cast<size_t>(length) : 1;
    }
    return headers;
}

/// Makes a record of a branch agree with the parent that it gets here, and with its own bitmap.
void fix_branch_record(uint8_t type, uint8_t* payload, size_t size) {
    if (type == kCowMap && size >= 0x51) {
        std::memcpy(payload + 0x20, parent_hash(parent_file()).data(), 32);
    }
    if (type == kMembership && size >= 0x60) {
        uint64_t offset;
        uint32_t length;
        std::memcpy(&offset, payload + 0x18, 8);
        std::memcpy(&length, payload + 0x20, 4);
        if (offset > size || length > size - offset) return;
        Buffer hash = simple_hash(payload + offset, length);
        std::memcpy(payload + 0x28, hash.data(), 32);
    }
}

/// Gives every complete segment that has a hash the right one, so that mutations get past the
/// check.
void fix_hashes(uint8_t* data, size_t size) {
    for (size_t at : find_headers(data, size)) {
        uint64_t length, hash[2];
        std::memcpy(&length, data + at + 16, 8);
        std::memcpy(hash, data + at + 0x28, 16);
        if (length > size - at - kHeaderBytes) continue;
        fix_branch_record(data[at + 5], data + at + kHeaderBytes, static_cast<size_t>(length));
        if ((hash[0] | hash[1]) == 0) continue;
        write_hash(data + at, data + at + kHeaderBytes, static_cast<size_t>(length));
    }
}

template <typename T>
void overwrite(uint8_t* data, size_t size, size_t at, T value) {
    if (at + sizeof(T) <= size) std::memcpy(data + at, &value, sizeof(T));
}

/// Changes one field of one header, or one number of its payload.
void change_field(uint8_t* data, size_t size, Random& random) {
    std::vector<size_t> headers = find_headers(data, size);
    if (headers.empty()) return;
    size_t at = random.pick(headers), payload = at + kHeaderBytes;
    const std::vector<uint8_t> types = {1, 2, 4, 5, 7, 0x0A, 0x0E, 0x20, 0x22, 0xF0};
    const std::vector<uint64_t> lengths = {0,  1,        6,        22,    44,
                                           64, 1u << 28, 1u << 31, ~0ull, ~0ull - 63};
    const std::vector<uint32_t> counts = {0, 1, 2, 3, 255, 0xFFFF, 0x10000, ~0u};
    uint64_t length;
    std::memcpy(&length, data + at + 16, 8);
    switch (random.below(10)) {
        case 0:
            data[at + 5] = random.pick(types);
            break;
        case 1:
            overwrite(data, size, at + 16, random.pick(lengths));
            break;
        case 2:
            overwrite(data, size, at + 16, length + random.below(65) - 32);
            break;
        case 3:
            overwrite(data, size, at + 4, static_cast<uint8_t>(random.below(3)));
            break;
        case 4:
            std::memset(data + at + 0x28, 0, 16);
            break;
        case 5:
            overwrite(data, size, payload, static_cast<uint16_t>(random.below(6)));
            break;
        case 6:
            overwrite(data, size, payload + 2, random.pick(counts));
            break;
        case 7:
            overwrite(data, size, payload + 4, static_cast<uint16_t>(random.below(6)));
            break;
        case 8:
            overwrite(data, size, payload + 14, random.pick(counts));
            break;
        default:
            overwrite(data, size, payload + 22 + 25 * random.below(6) + 8,
                      uint64_t{random.pick(headers)});
    }
}

/// Appends a manifest that lists every segment; without room for it nothing changes.
size_t append_manifest(uint8_t* data, size_t size, size_t max_size, Random& random) {
    FileBuilder file;
    file.dimension = static_cast<uint16_t>(1 + random.below(5));
    file.metric = static_cast<uint8_t>(random.below(4));
    for (size_t at : find_headers(data, size)) {
        uint64_t length;
        std::memcpy(&length, data + at + 16, 8);
        file.directory.push_back({1, at, length, data[at + 5]});
        if (data[at + 5] == kVec && at + kHeaderBytes + 2 <= size) {
            std::memcpy(&file.dimension, data + at + kHeaderBytes, 2);
        }
    }
    while (random.below(3) == 0) file.deleted.push_back(random.below(10));
    if (random.below(2)) file.identity = Buffer(68, 1);
    Buffer manifest = segment(kManifest, 9, file.manifest_payload());
    if (manifest.size() > max_size - size) return size;
    std::memcpy(data + size, manifest.data(), manifest.size());
    return size + manifest.size();
}

} // namespace
} // namespace rvf::test

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
    rvf::test::Random random(seed);
    uint32_t choice = random.below(8);
    if (choice == 0) {
        size = rvf::test::append_manifest(data, size, max_size, random);
    } else if (choice < 4) {
        rvf::test::change_field(data, size, random);
    } else {
        size = LLVMFuzzerMutate(data, size, max_size);
    }
    if (random.below(8)) rvf::test::fix_hashes(data, size);
    return size;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rvf;
    using namespace rvf::test;
    rvf_memory_limit(512u << 20);
    walk_segments(data, size);
    uint64_t held = memory_size();
    int32_t store = rvf_store_open(address(data), size);
    if (store == kParentNotFound) {
        const Buffer& parent = parent_file();
        store =
            rvf_store_open_branch(address(data), size, address(parent.data()), parent.size(), -1);
    }
    REQUIRE(store != 0);
    if (store > 0) {
        std::vector<float> point =
            make_query(data, size, static_cast<size_t>(rvf_store_dimension(store)));
        require_same_after_export(store, point);
        change(store, point, ask(store, point));
        require_same_after_export(store, point);
        REQUIRE(rvf_store_close(store) == 0);
    }
    REQUIRE(memory_size() == held);
    return 0;
}
