// Any bytes as a filter, over rows with metadata of every type and rows out of the input. A second
// evaluator says which rows it admits: a search finds them and no others, a deletion deletes them
// and no others, and a filter that is not sound changes nothing.
//
// An input: rows u8, that many times (length u8, entries), then the filter.
#include <limits>
#include <set>

#include "control/heap.h"
#include "tests/fuzz/entries.h"
#include "tests/fuzz/require.h"

namespace rvf::test {
namespace {

using Ids = std::set<uint64_t>;

// --- Values that tell operators apart ---

template <typename T>
Buffer raw(T value) {
    Buffer bytes;
    put(bytes, value);
    return bytes;
}

const std::vector<PlainValue>& values() {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    static const std::vector<PlainValue> list = {
        {0, raw(uint64_t{0})},
        {0, raw(uint64_t{1})},
        {0, raw(uint64_t{2})},
        {0, raw(~uint64_t{0})},
        {1, raw(int64_t{-1})},
        {1, raw(int64_t{0})},
        {1, raw(int64_t{1})},
        {1, raw(INT64_MIN)},
        {2, raw(0.0)},
        {2, raw(-0.0)},
        {2, raw(1.5)},
        {2, raw(std::nan(""))},
        {2, raw(-infinity)},
        {3, {}},
        {3, {'a'}},
        {3, {'a', 'b'}},
        {3, {0xFF}},
        {4, {0}},
        {4, {1}},
        {5, {}},
        {5, {'a'}},
        {5, {0}},
    };
    return list;
}

void put_value(Buffer& bytes, const PlainValue& value) {
    put(bytes, value.type);
    put(bytes, static_cast<uint32_t>(value.bytes.size()));
    append(bytes, value.bytes);
}

/// Two of the values each, in fields 0 and 3, and one row without any.
std::vector<Buffer> fixed_rows() {
    std::vector<Buffer> rows = {{}};
    for (size_t i = 0; i < values().size(); ++i) {
        Buffer entries;
        put(entries, uint16_t{0});
        put_value(entries, values()[i]);
        put(entries, uint16_t{3});
        put_value(entries, values()[(i * 5 + 1) % values().size()]);
        rows.push_back(entries);
    }
    return rows;
}

struct Input {
    std::vector<Buffer> rows; ///< sound entries
    Buffer filter;
};

Input read_input(const uint8_t* data, size_t size) {
    Input input{fixed_rows(), {}};
    Reader reader(data, size);
    for (uint32_t rows = reader.more() ? reader.number<uint8_t>() % 4 : 0; rows && reader.more();
         --rows) {
        Buffer entries = reader.take_some(reader.number<uint8_t>());
        if (fields_of(entries)) input.rows.push_back(entries);
    }
    input.filter = reader.take(reader.left());
    return input;
}

// --- What must hold ---

constexpr int32_t kDimension = 2;
const std::vector<float> kPoint = {3, 1};

void fill(int32_t store, const std::vector<Buffer>& rows) {
    for (size_t id = 0; id < rows.size(); ++id) {
        Buffer meta;
        put(meta, static_cast<uint32_t>(rows[id].size()));
        append(meta, rows[id]);
        auto key = static_cast<uint64_t>(id);
        const float vector[] = {static_cast<float>(id % 7), static_cast<float>(id % 3)};
        REQUIRE(rvf_store_upsert(store, address(vector), address(&key), 1, address(meta.data()),
                                 meta.size()) == 1);
    }
}

/// What the second evaluator admits; nothing when it finds the filter not sound.
std::optional<Ids> admitted_by(const Input& input) {
    Ids ids;
    for (size_t id = 0; id < input.rows.size(); ++id) {
        Fields fields = *fields_of(input.rows[id]);
        fields[0xFFFE] = {0, raw(uint64_t{id})};
        std::optional<bool> admits = evaluate(input.filter, fields);
        if (!admits) return std::nullopt;
        if (*admits) ids.insert(id);
    }
    return ids;
}

std::vector<uint64_t> search(int32_t store, const Buffer& filter, int32_t k) {
    auto program = exact_copy(filter);
    auto room = std::min(k, rvf_store_count(store));
    Buffer out(static_cast<size_t>(room) * kHitBytes);
    int32_t count = rvf_store_search(store, address(kPoint.data()), k, -1, address(program.get()),
                                     filter.size(), address(out.data()));
    REQUIRE(count >= 0 && count <= room);
    std::vector<uint64_t> ids;
    for (int32_t i = 0; i < count; ++i) {
        ids.push_back(get<uint64_t>(out, static_cast<size_t>(i) * kHitBytes));
    }
    return ids;
}

Ids live_ids(int32_t store) {
    std::vector<uint64_t> ids(static_cast<size_t>(rvf_store_count(store)));
    rvf_store_ids(store, address(ids.data()), ids.size() * 8);
    return Ids(ids.begin(), ids.end());
}

/// All that are admitted in the order of a search without a filter; fewer are their beginning.
void require_found(int32_t store, const Buffer& filter, const Ids& admitted) {
    std::vector<uint64_t> expected;
    for (const Answer& answer : query(store, kPoint, INT32_MAX)) {
        if (admitted.count(answer.id)) expected.push_back(answer.id);
    }
    REQUIRE(expected.size() == admitted.size());
    REQUIRE(search(store, filter, INT32_MAX) == expected);
    for (size_t k : {size_t{1}, size_t{3}, expected.size()}) {
        if (k == 0) continue;
        auto end = expected.begin() + static_cast<long>(std::min(k, expected.size()));
        REQUIRE(search(store, filter, static_cast<int32_t>(k)) ==
                std::vector<uint64_t>(expected.begin(), end));
    }
}

void test_filter(const Input& input) {
    StoreHandle store(kDimension, kL2);
    fill(store, input.rows);
    std::optional<Ids> admitted = admitted_by(input);
    Ids before = live_ids(store);
    auto program = exact_copy(input.filter);
    if (!admitted) {
        Buffer out(input.rows.size() * kHitBytes);
        REQUIRE(rvf_store_delete_where(store, address(program.get()), input.filter.size()) ==
                kFilterInvalid);
        REQUIRE(input.filter.empty() ||
                rvf_store_search(store, address(kPoint.data()), 3, -1, address(program.get()),
                                 input.filter.size(), address(out.data())) == kFilterInvalid);
        REQUIRE(live_ids(store) == before);
        return;
    }
    require_found(store, input.filter, *admitted);
    REQUIRE(rvf_store_delete_where(store, address(program.get()), input.filter.size()) ==
            static_cast<int32_t>(admitted->size()));
    for (uint64_t id : *admitted) before.erase(id);
    REQUIRE(live_ids(store) == before);
    REQUIRE(rvf_store_delete_where(store, address(program.get()), input.filter.size()) == 0);
    StoreHandle copy(open_file(export_file(store)));
    REQUIRE(live_ids(copy) == before);
    require_found(copy, input.filter, {});
}

// --- Programs that are sound, mostly ---

void put_push(Buffer& filter, Random& random) {
    const std::vector<uint16_t> fields = {0, 0, 3, 3, 1, 0xFFFE, 0xFFFF};
    auto operation = static_cast<uint8_t>(random.below(8));
    put(filter, operation);
    put(filter, random.pick(fields));
    uint32_t count = operation == 7 ? 2 : 1;
    if (operation == 6) put(filter, count = random.below(4));
    while (count--) put_value(filter, random.pick(values()));
}

Buffer random_filter(Random& random) {
    Buffer filter;
    put_push(filter, random);
    for (uint32_t depth = 1; depth > 1 || random.below(3);) {
        uint32_t choice = random.below(4);
        if (choice == 0) put(filter, uint8_t{0x12});
        if (choice == 1 && depth < 64) {
            put_push(filter, random);
            ++depth;
        }
        if (choice > 1 && depth > 1) {
            put(filter, static_cast<uint8_t>(0x10 + random.below(2)));
            --depth;
        }
    }
    return filter;
}

} // namespace
} // namespace rvf::test

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
    using namespace rvf::test;
    Random random(seed);
    if (size == 0 || random.below(4)) return LLVMFuzzerMutate(data, size, max_size);
    Buffer more = random_filter(random);
    if (random.below(2)) more.push_back(static_cast<uint8_t>(0x10 + random.below(2)));
    if (random.below(4) == 0) size = 1 + random.below(static_cast<uint32_t>(size));
    if (more.size() > max_size - size) return LLVMFuzzerMutate(data, size, max_size);
    std::copy(more.begin(), more.end(), data + size);
    return size + more.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rvf::test;
    uint64_t held = rvf::memory_size();
    test_filter(read_input(data, size));
    REQUIRE(rvf::memory_size() == held);
    return 0;
}
