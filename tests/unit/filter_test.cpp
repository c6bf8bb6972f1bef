// Filters, against a second evaluator that works on a tree of values and not on a program.
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <variant>

#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::address;
using test::append;
using test::Buffer;
using test::bytes_of;
using test::put;
using test::Random;
using test::StoreHandle;
using test::upsert;

enum Operator : uint8_t { kEq, kNe, kLt, kLe, kGt, kGe, kIn, kRange, kAnd = 0x10, kOr, kNot };

struct Blob : Buffer {
    using Buffer::Buffer;
};

/// In the order of the types' numbers.
using Value = std::variant<uint64_t, int64_t, double, std::string, bool, Blob>;
using Fields = std::map<uint16_t, Value>;

Buffer raw(const Value& value) {
    if (auto* text = std::get_if<std::string>(&value)) return bytes_of(text->c_str());
    if (auto* blob = std::get_if<Blob>(&value)) return *blob;
    if (auto* truth = std::get_if<bool>(&value)) return {static_cast<uint8_t>(*truth)};
    if (auto* real = std::get_if<double>(&value)) return bytes_of(*real);
    if (auto* number = std::get_if<int64_t>(&value)) return bytes_of(*number);
    return bytes_of(std::get<uint64_t>(value));
}

void put_value(Buffer& bytes, const Value& value) {
    put(bytes, static_cast<uint8_t>(value.index()));
    put(bytes, static_cast<uint32_t>(raw(value).size()));
    append(bytes, raw(value));
}

Buffer entries_of(const Fields& fields) {
    Buffer entries;
    for (const auto& [field, value] : fields) {
        put(entries, field);
        put_value(entries, value);
    }
    return entries;
}

/// A filter as a tree.
struct Node {
    uint8_t operation;
    uint16_t field = 0;
    std::vector<Value> values = {};
    std::vector<Node> children = {};
};

void compile(const Node& node, Buffer& program) {
    for (const Node& child : node.children) compile(child, program);
    put(program, node.operation);
    if (node.operation >= kAnd) return;
    put(program, node.field);
    if (node.operation == kIn) put(program, static_cast<uint32_t>(node.values.size()));
    for (const Value& value : node.values) put_value(program, value);
}

Buffer program_of(const Node& node) {
    Buffer program;
    compile(node, program);
    return program;
}

/// As the format has it: other types never compare, and what is not there is unequal to all.
bool holds(const Node& node, const Fields& fields) {
    auto found = fields.find(node.field);
    auto compare = [&](const Value& value, auto relation) {
        if (found == fields.end() || found->second.index() != value.index()) return false;
        return std::visit(
            [&](const auto& own) {
                return relation(own, std::get<std::decay_t<decltype(own)>>(value));
            },
            found->second);
    };
    auto any = [&](const Value& value) { return compare(value, std::equal_to<>()); };
    switch (node.operation) {
        case kAnd:
            return holds(node.children[0], fields) && holds(node.children[1], fields);
        case kOr:
            return holds(node.children[0], fields) || holds(node.children[1], fields);
        case kNot:
            return !holds(node.children[0], fields);
        case kIn:
            return std::any_of(node.values.begin(), node.values.end(), any);
        case kRange:
            return compare(node.values[0], std::greater_equal<>()) &&
                   compare(node.values[1], std::less<>());
        case kEq:
            return any(node.values[0]);
        case kNe:
            return !any(node.values[0]);
        case kLt:
            return compare(node.values[0], std::less<>());
        case kLe:
            return compare(node.values[0], std::less_equal<>());
        case kGt:
            return compare(node.values[0], std::greater<>());
        default:
            return compare(node.values[0], std::greater_equal<>());
    }
}

/// A few values of each type, next to each other and at the ends.
const std::vector<std::vector<Value>>& values_by_type() {
    using std::string;
    static const std::vector<std::vector<Value>> values = {
        {uint64_t{0}, uint64_t{1}, uint64_t{2}, ~uint64_t{0}},
        {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{-1} << 63},
        {0.0, -0.0, 1.5, -1e300, HUGE_VAL, std::nan("")},
        {string(), string("a"), string("ab"), string("b"), string("\xC3\xA9")},
        {false, true},
        {Blob{}, Blob{0}, Blob{0, 1}, Blob{255}},
    };
    return values;
}

Value random_value(Random& random) { return random.pick(random.pick(values_by_type())); }

Node random_node(Random& random, uint32_t depth) {
    uint32_t what = random.below(depth ? 11 : 8);
    if (what < 8) {
        Node node{static_cast<uint8_t>(what), static_cast<uint16_t>(random.below(3))};
        size_t count = what == kIn ? random.below(4) : what == kRange ? 2 : 1;
        for (size_t i = 0; i < count; ++i) node.values.push_back(random_value(random));
        return node;
    }
    Node node{static_cast<uint8_t>(kAnd + what - 8)};
    node.children.push_back(random_node(random, depth - 1));
    if (node.operation != kNot) node.children.push_back(random_node(random, depth - 1));
    return node;
}

std::vector<uint64_t> search(int32_t store, const Buffer& program, int32_t k) {
    const float query = 0;
    Buffer hits(static_cast<size_t>(rvf_store_count(store)) * kHitBytes);
    auto copy = test::exact_copy(program);
    int32_t count = rvf_store_search(store, address(&query), k, -1, address(copy.get()),
                                     program.size(), address(hits.data()));
    EXPECT_GE(count, 0);
    std::vector<uint64_t> ids;
    for (int32_t i = 0; i < count; ++i) {
        ids.push_back(test::get<uint64_t>(hits, static_cast<size_t>(i) * kHitBytes));
    }
    return ids;
}

int32_t delete_where(int32_t store, const Buffer& program) {
    static const uint8_t nothing = 0;
    return rvf_store_delete_where(store, address(program.empty() ? &nothing : program.data()),
                                  program.size());
}

/// Row i at i, so that answers ascend by id.
struct Filter : testing::Test {
    StoreHandle store{1, kL2};
    std::vector<Fields> rows;

    void add(const Fields& fields) {
        ASSERT_EQ(upsert(store, rows.size(), {static_cast<float>(rows.size())}, entries_of(fields)),
                  1);
        rows.push_back(fields);
    }
    std::vector<uint64_t> expected(const Node& node) const {
        std::vector<uint64_t> ids;
        for (size_t i = 0; i < rows.size(); ++i) {
            if (holds(node, rows[i])) ids.push_back(i);
        }
        return ids;
    }
};

TEST_F(Filter, OfEveryOperatorAndTypeAdmitsWhatTheFormatSays) {
    add({});
    for (const std::vector<Value>& values : values_by_type()) {
        for (const Value& value : values) add({{4, value}});
    }
    int filters = 0;
    for (const std::vector<Value>& values : values_by_type()) {
        for (const Value& value : values) {
            for (uint8_t operation = kEq; operation <= kGe; ++operation) {
                Node node{operation, 4, {value}};
                EXPECT_EQ(search(store, program_of(node), 1000), expected(node)) << +operation;
                ++filters;
            }
            for (const Value& high : values) {
                Node range{kRange, 4, {value, high}}, in{kIn, 4, {value, high}};
                EXPECT_EQ(search(store, program_of(range), 1000), expected(range));
                EXPECT_EQ(search(store, program_of(in), 1000), expected(in));
                filters += 2;
            }
        }
    }
    EXPECT_GT(filters, 300);
}

TEST_F(Filter, OfRandomTreesAdmitsWhatASecondEvaluatorDoes) {
    Random random(1);
    for (int i = 0; i < 60; ++i) {
        Fields fields;
        for (uint16_t field = 0; field < 3; ++field) {
            if (random.below(4)) fields[field] = random_value(random);
        }
        add(fields);
    }
    size_t admitted = 0;
    for (int i = 0; i < 3000; ++i) {
        Node node = random_node(random, 4);
        std::vector<uint64_t> ids = expected(node);
        ASSERT_EQ(search(store, program_of(node), 1000), ids) << i;
        admitted += ids.size();
        auto k = 1 + random.below(8); // the nearest k when so many are admitted
        ids.resize(std::min<size_t>(ids.size(), k));
        ASSERT_EQ(search(store, program_of(node), static_cast<int32_t>(k)), ids) << i;
    }
    EXPECT_GT(admitted, 3000u * 10);
    EXPECT_LT(admitted, 3000u * 50);
}

TEST_F(Filter, OfNoOperandsInAdmitsNothing) {
    add({{1, true}});
    EXPECT_TRUE(search(store, program_of({kIn, 1}), 10).empty());
}

TEST_F(Filter, OfTheFieldForIdsSeesTheId) {
    for (int i = 0; i < 5; ++i) add({});
    Node node{kRange, 0xFFFE, {uint64_t{1}, uint64_t{4}}};
    EXPECT_EQ(search(store, program_of(node), 10), (std::vector<uint64_t>{1, 2, 3}));
}

TEST_F(Filter, OfNoBytesAdmitsAllInASearchAndIsRefusedForADelete) {
    for (int i = 0; i < 3; ++i) add({});
    EXPECT_EQ(search(store, Buffer{}, 10).size(), 3u);
    EXPECT_EQ(delete_where(store, {}), kFilterInvalid);
    EXPECT_EQ(rvf_store_count(store), 3);
}

TEST_F(Filter, DeletesWhatItAdmits) {
    Random random(2);
    for (int i = 0; i < 100; ++i) add({{1, random_value(random)}});
    Node node{kNe, 1, {true}};
    std::vector<uint64_t> gone = expected(node);
    EXPECT_EQ(delete_where(store, program_of(node)), static_cast<int32_t>(gone.size()));
    EXPECT_EQ(delete_where(store, program_of(node)), 0);
    EXPECT_EQ(rvf_store_count(store), 100 - static_cast<int32_t>(gone.size()));
    for (uint64_t id : gone) EXPECT_FALSE(test::model_of(store).rows.contains(id));
}

TEST_F(Filter, ThatIsNotSoundIsRefusedByEveryCall) {
    add({{1, true}});
    Buffer leaf = program_of({kEq, 1, {true}});
    auto with = [&](std::initializer_list<uint8_t> more) {
        Buffer program = leaf;
        program.insert(program.end(), more);
        return program;
    };
    Buffer twice = leaf, lies = program_of({kEq, 1, {std::string("abc")}}),
           many = program_of({kIn, 1, {true}});
    append(twice, leaf);
    test::set(lies, 4, uint32_t{4});
    test::set(many, 3, ~uint32_t{0});
    std::map<const char*, Buffer> programs = {
        {"two values left", twice},
        {"and of one", with({kAnd})},
        {"or of one", with({kOr})},
        {"not of none", {kNot}},
        {"unknown operator 8", {8, 1, 0, 4, 1, 0, 0, 0, 1}},
        {"unknown operator 15", {15, 1, 0, 4, 1, 0, 0, 0, 1}},
        {"unknown operator 0x13", with({0x13})},
        {"unknown operator 0xFF", with({0xFF})},
        {"value that is longer than the program", lies},
        {"more values than there are", many},
        {"range without a high value", {kRange, 1, 0, 4, 1, 0, 0, 0, 1}},
        {"unknown type", {kEq, 1, 0, 6, 0, 0, 0, 0}},
        {"u64 of one byte", {kEq, 1, 0, 0, 1, 0, 0, 0, 1}},
        {"bool that is neither", {kEq, 1, 0, 4, 1, 0, 0, 0, 2}},
    };
    const float query = 0;
    Buffer hits(kHitBytes);
    for (const auto& [name, program] : programs) {
        EXPECT_EQ(rvf_store_search(store, address(&query), 1, -1, address(program.data()),
                                   program.size(), address(hits.data())),
                  kFilterInvalid)
            << name;
        EXPECT_EQ(delete_where(store, program), kFilterInvalid) << name;
    }
    for (size_t size = 1; size < leaf.size(); ++size) {
        EXPECT_EQ(delete_where(store, {leaf.begin(), leaf.begin() + static_cast<long>(size)}),
                  kFilterInvalid)
            << size;
    }
    EXPECT_EQ(rvf_store_count(store), 1);
}

TEST_F(Filter, HasRoomForSixtyFourValuesAtATime) {
    add({{1, true}});
    for (size_t values : {64u, 65u}) {
        Buffer program;
        for (size_t i = 0; i < values; ++i) append(program, program_of({kEq, 1, {true}}));
        program.insert(program.end(), values - 1, kAnd);
        EXPECT_EQ(delete_where(store, program), values == 64 ? 1 : kFilterInvalid);
    }
}

} // namespace
} // namespace rvf
