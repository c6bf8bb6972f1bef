#include "control/filter.h"

namespace rvf {
namespace {

constexpr int kIncomparable = 2;

template <typename T>
int order(const uint8_t* a, const uint8_t* b) {
    T x = load<T>(a);
    T y = load<T>(b);
    return x < y ? -1 : x > y ? 1 : x == y ? 0 : kIncomparable; // NaN is none of the three
}

/// -1, 0 or 1 as `a` is less than, equal to or greater than `b`.
int compare(const Value& a, const Value& b) {
    if (a.type != b.type) return kIncomparable;
    if (a.type == kU64) return order<uint64_t>(a.bytes.data, b.bytes.data);
    if (a.type == kI64) return order<int64_t>(a.bytes.data, b.bytes.data);
    if (a.type == kF64) return order<double>(a.bytes.data, b.bytes.data);
    for (size_t i = 0; i < a.bytes.size && i < b.bytes.size; ++i) {
        if (a.bytes.data[i] != b.bytes.data[i]) return a.bytes.data[i] < b.bytes.data[i] ? -1 : 1;
    }
    return a.bytes.size < b.bytes.size ? -1 : a.bytes.size > b.bytes.size;
}

bool holds(uint8_t operation, int order) {
    if (operation == kNotEqual) return order != 0;
    if (order == kIncomparable) return false;
    if (operation == kEqual) return order == 0;
    if (operation == kLess) return order < 0;
    if (operation == kLessOrEqual) return order <= 0;
    return operation == kGreater ? order > 0 : order >= 0;
}

/// A row and the store with its metadata; nullptr: a row without anything.
bool find_field(const Store* store, const Row* row, uint16_t field, Value& value) {
    if (!row) return false;
    value = {kU64, {row->id, 8}};
    return field == kIdField || find_field(entries_at(*store, *row->metadata), field, value);
}

/// One run on a row. False when the program is not sound.
bool run(Bytes program, uint64_t& stack, const Store* store, const Row* row) {
    uint32_t depth = 0;
    for (size_t at = 0; at < program.size;) {
        uint8_t operation = program.data[at++];
        bool top = stack & 1;
        if (operation >= kAnd) {
            if (operation > kNot || depth < (operation == kNot ? 1u : 2u)) return false;
            if (operation == kNot) {
                stack ^= 1;
                continue;
            }
            stack >>= 1;
            --depth;
            if (operation == kAnd && !top) stack &= ~uint64_t{1};
            if (operation == kOr && top) stack |= 1;
            continue;
        }
        if (operation > kRange || depth == 64 || !program.holds(at, 6)) return false;
        Value field;
        bool has = find_field(store, row, load<uint16_t>(program.data + at), field);
        at += 2;
        uint32_t values = operation == kRange ? 2 : 1;
        if (operation == kIn) {
            values = load<uint32_t>(program.data + at);
            at += 4;
        }
        bool result = operation == kRange;
        for (uint32_t i = 0; i < values; ++i) {
            Value value;
            if (!read_value(program, at, value)) return false;
            int order = has ? compare(field, value) : kIncomparable;
            if (operation == kRange) {
                result &= holds(i ? kLess : kGreaterOrEqual, order);
            } else {
                result |= holds(operation == kIn ? uint8_t{kEqual} : operation, order);
            }
        }
        stack = stack << 1 | result;
        ++depth;
    }
    return depth == 1;
}

} // namespace

bool is_filter(Bytes program) {
    uint64_t stack = 0;
    return run(program, stack, nullptr, nullptr);
}

bool admits(const Filter& filter, const Row& row) {
    uint64_t stack = 0;
    run(filter.program, stack, &filter.store, &row);
    return stack & 1;
}

Admission admission_of(const Filter& filter) {
    if (filter.program.size == 0) return {};
    auto asked = [](const void* context, uint32_t row) {
        const Filter& asking = *static_cast<const Filter*>(context);
        return admits(asking, row_at(asking.store, row));
    };
    return {asked, &filter};
}

} // namespace rvf
